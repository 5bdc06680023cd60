"""A model that chats by the transport that official clients prefer; and one that takes a stream first."""

import json
from typing import Iterator

from clarifai.runners.models.model_class import ModelClass


class Chat(ModelClass):
    @ModelClass.method
    def predict(self, text: str) -> str:
        return f"predicted {text}"

    @ModelClass.method
    def openai_transport(self, msg: str) -> str:
        return json.dumps({"choices": [{"message": {"content": f"told {msg}"}}]})

    @ModelClass.method
    def openai_stream_transport(self, msg: str) -> Iterator[str]:
        asked = json.loads(msg)
        for word in asked["messages"][-1]["content"].split():
            yield json.dumps({"choices": [{"delta": {"content": f"<{word}>"}}]})
