"""The official SDK's asynchronous forms, with all their oddities, against our gateway. Contract 3.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.gateway.client_process import Client

PROLOGUE = """
import asyncio
"""


def test_awaited_twice(official: Client) -> None:
    """``async_predict`` gives a coroutine that gives another; inside a loop plain methods give coroutines too.

    Those of plain methods fail inside the client, before anything is sent: its other half has no stub.
    """
    told = official.told(
        PROLOGUE
        + """
async def main():
    model = Model(URL)
    told["predict"] = await (await model.async_predict(text="a"))
    told["generate"] = [piece async for piece in await (await model.async_generate(text="b", count=2))]
    plain = model.predict(text="c")
    told["is coroutine"] = asyncio.iscoroutine(plain)
    plain.close()
    async def one(number):
        return await (await model.async_predict(text=str(number)))
    told["at once"] = await asyncio.gather(*map(one, range(20)))
asyncio.run(main())
"""
    )
    assert told["predict"] == "a"
    assert told["generate"] == ["0b", "1b"]
    assert told["is coroutine"]
    assert told["at once"] == [str(number) for number in range(20)]


def test_legacy_inputs_are_awaited_once(official: Client) -> None:
    told = official.told(
        PROLOGUE
        + """
from clarifai_grpc.grpc.api import resources_pb2
one = resources_pb2.Input(data=resources_pb2.Data(text=resources_pb2.Text(raw="old")))
async def main():
    model = Model(URL)
    reply = await model.async_predict(inputs=[one])
    told["predict"] = reply.outputs[0].data.text.raw
asyncio.run(main())
"""
    )
    assert told["predict"] == "old"


def test_a_refusal_ends(official: Client) -> None:
    """The client repeats a failing async predict for 10 s and calls it a timeout; the gateway says why each time."""
    told = official.told(
        PROLOGUE
        + """
async def main():
    model = Model(URL)
    await (await model.async_predict(text="a"))
    model.async_client.request_template.model_id = "gone"
    await (await model.async_predict(text="a"))
told["refused"] = raised(lambda: asyncio.run(main()))
"""
    )
    assert told["refused"][0]
    assert told["refused"][2] < 30


def test_selectors_and_streams_of_answers(official: Client) -> None:
    told = official.told(
        PROLOGUE
        + """
async def main():
    model = Model(URL, deployment_id="shared-wire", deployment_user_id="owner")
    told["said"] = await (await model.async_predict(text="a"))
    pieces = await (await model.async_generate(text="b", count=50))
    told["count"] = len([piece async for piece in pieces])
asyncio.run(main())
"""
    )
    assert told == {"said": "a", "count": 50}
