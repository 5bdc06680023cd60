"""Stands in for llama.cpp: repeats the conversation it was given, word by word, with llama.cpp's own messages."""

import itertools
import time
from pathlib import Path
from types import SimpleNamespace


class CommonParams:
    def __init__(self):
        self.model = SimpleNamespace(path="")
        self.cpuparams = SimpleNamespace(n_threads=0)
        self.cpuparams_batch = SimpleNamespace(n_threads=0)


class Server:
    def __init__(self, params):
        assert params.api_keys
        assert params.cpuparams.n_threads in (1, 2)
        self._notes = Path(params.model.path)

    def handle_chat_completions(self, request, on_chunk):
        said = " ".join(f"{message['role']}: {message['content']}" for message in request["messages"])
        if "too long" in said:
            on_chunk({"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 3000, "n_ctx": 2048}})
            return
        words = (
            itertools.cycle(["on "])
            if "forever" in said
            else [f"{' ' * bool(n)}{w}" for n, w in enumerate(said.split())]
        )
        on_chunk({"choices": [{"delta": {"role": "assistant", "content": None}}]})
        for number, word in enumerate(words, start=1):
            timings = {"cache_n": 2, "prompt_n": 10, "predicted_n": number}
            if on_chunk({"choices": [{"delta": {"content": word}}], "timings": timings}):
                self._notes.write_text("stopped")
                return
            time.sleep(0.002)
        on_chunk({"choices": [{"delta": {}, "finish_reason": "stop"}]})
