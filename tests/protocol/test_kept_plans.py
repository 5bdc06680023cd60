"""What is compiled for a message is kept by its identity: never for another message, and never without bound."""

from __future__ import annotations

import gc

from clarifai_grpc.grpc.api import resources_pb2

from playground.protocol.fields import ByIdentity


def test_it_is_built_once_for_a_message() -> None:
    built: list[str] = []
    keep = ByIdentity[str](lambda message: built.append(message.name) or message.name)
    signature = resources_pb2.MethodSignature(name="a", input_fields=[{"name": "x"}])
    assert [keep(signature), keep(signature)] == ["a", "a"]
    assert [keep(signature.input_fields[0]), keep(signature.input_fields[0])] == ["x", "x"]
    assert built == ["a", "x"]


def test_an_id_used_again_is_not_mistaken() -> None:
    keep = ByIdentity[str](lambda message: str(message.name))
    for number in range(ByIdentity.LIMIT * 2):
        assert keep(resources_pb2.MethodSignature(name=str(number))) == str(number)
        if number % 500 == 0:
            gc.collect()
    assert len(keep._made) <= ByIdentity.LIMIT
