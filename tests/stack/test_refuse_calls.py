"""What does not exist or does not fit is refused before anything runs, in words that name it, at every door."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.sdk import InputError, Model, NotFoundError
from tests.live import Stack
from tests.stack.conftest import Person
from tests.stack.page import Page

# What is asked, and the words that name what is wrong and what would fit.
ABSENT: list[tuple[dict[str, Any], list[str]]] = [
    ({"model": "owner/main/models/nobody"}, ["owner/main/models/nobody"]),
    ({"version": "v9"}, ["owner/main/models/troubled", "v9"]),
    ({"method": "dance"}, ["dance", "predict, generate"]),
]
UNFIT: list[tuple[dict[str, Any], str, list[str]]] = [
    ({}, "text", ["needs"]),
    ({"text": "x", "volume": 3}, "volume", ["no argument", "text, count, mood"]),
    ({"text": 3}, "text", ["str", "int"]),
    ({"text": "x", "count": "many"}, "count", ["int"]),
    ({"text": "x", "count": 1.5}, "count", ["int"]),
    ({"text": "x", "count": True}, "count", ["int"]),
    ({"text": "x", "count": 0}, "count", ["1", "10"]),
    ({"text": "x", "count": 11}, "count", ["1", "10"]),
    ({"text": "x", "count": 10**30}, "count", ["64 bits"]),
    ({"text": "x", "mood": "merry"}, "mood", ["calm", "cross", "merry"]),
    ({"text": "x", "weights": [1.0, "heavy"]}, "weights", ["float", "str"]),
    ({"text": "x", "weights": 1.0}, "weights", ["list"]),
    ({"text": None}, "text", ["str"]),
]


def troubled(person: Person, **options: str) -> Model:
    return person.client.model(user_id="owner", app_id="main", model_id="troubled", **options)


@pytest.mark.parametrize(("asked", "words"), ABSENT)
def test_what_is_not_there_is_named_to_programs(owner: Person, asked: dict[str, str], words: list[str]) -> None:
    address = asked.get("model", "owner/main/models/troubled")
    model = owner.client.model(f"{address}/versions/{asked['version']}" if "version" in asked else address)
    with pytest.raises(NotFoundError) as caught:
        getattr(model, asked.get("method", "predict"))(text="x")
    assert not [word for word in words if word not in caught.value.message]


@pytest.mark.parametrize(("asked", "words"), ABSENT)
def test_what_is_not_there_is_named_to_pages(page: Page, asked: dict[str, str], words: list[str]) -> None:
    page.start(**{"method": "predict", "text": "x", **asked})
    error = page.refusal()
    assert error["name"] == "NotFoundError"
    assert not [word for word in words if word not in error["message"]]
    assert error["request_id"]


@pytest.mark.parametrize(("arguments", "name", "words"), UNFIT)
def test_what_does_not_fit_is_named_to_programs(
    owner: Person, arguments: dict[str, Any], name: str, words: list[str]
) -> None:
    with pytest.raises(InputError) as caught:
        troubled(owner).predict(**arguments)
    assert caught.value.argument == name
    assert not [word for word in [name, *words] if word not in caught.value.message]


@pytest.mark.parametrize(("arguments", "name", "words"), UNFIT)
def test_what_does_not_fit_is_named_at_its_field(
    page: Page, arguments: dict[str, Any], name: str, words: list[str]
) -> None:
    page.start("predict", **arguments)
    error = page.refusal()
    assert (error["name"], error["field"]) == ("InputError", name)
    assert not [word for word in [name, *words] if word not in error["message"]]
    assert error["request_id"]


def part(name: str, **data: Any) -> resources_pb2.Part:
    return resources_pb2.Part(id=name, data=resources_pb2.Data(**data))


def text(name: str, raw: str) -> resources_pb2.Part:
    return part(name, text=resources_pb2.Text(raw=raw))


# A client that checks nothing: the runner is the one that does.
RAW: list[tuple[list[resources_pb2.Part], str, list[str]]] = [
    ([], "text", ["needs"]),
    ([text("text", "x"), text("volume", "3")], "volume", ["no argument"]),
    ([part("text", int_value=3)], "text", []),
    ([text("text", "x"), part("count", int_value=11)], "count", ["1", "10"]),
    ([text("text", "x"), text("mood", "merry")], "mood", ["calm, cross"]),
]


def ask_raw(stack: Stack, parts: list[resources_pb2.Part], *, token: str, method: str = "predict") -> Any:
    data = resources_pb2.Data(parts=parts or [resources_pb2.Part()])
    data.metadata.update({"_method_name": method})
    request = service_pb2.PostModelOutputsRequest(
        user_app_id=resources_pb2.UserAppIDSet(user_id="owner", app_id="main"),
        model_id="troubled",
        inputs=[resources_pb2.Input(data=data)],
    )
    with grpc.insecure_channel(stack.api) as channel:
        post = channel.unary_unary(
            "/clarifai.api.V2/PostModelOutputs",
            service_pb2.PostModelOutputsRequest.SerializeToString,
            service_pb2.MultiOutputResponse.FromString,
        )
        return post(request, metadata=[("authorization", f"Key {token}")], timeout=10)


@pytest.mark.parametrize(("parts", "name", "words"), RAW)
def test_the_runner_checks_what_a_client_did_not(
    stack: Stack, parts: list[resources_pb2.Part], name: str, words: list[str]
) -> None:
    status = ask_raw(stack, parts, token=stack.token).status
    assert status.code == StatusCode.MODEL_INVALID_ARGUMENT
    assert status.internal_details == f"InputError:{name}"
    assert not [word for word in [name, *words] if word not in status.description]
    assert status.req_id


def test_the_runner_names_its_methods(stack: Stack) -> None:
    status = ask_raw(stack, [text("text", "x")], token=stack.token, method="dance").status
    assert "dance" in status.description
    assert "predict, generate" in status.description


OFFICIAL = """
from clarifai.client import Model
URL = "http://anywhere/owner/main/models/troubled"
model = Model(url=URL)
for ask in (
    lambda: model.predict(text="x", count=11),
    lambda: model.fail(text="x"),
    lambda: Model(url=URL, deployment_id="night", deployment_user_id="owner").predict(text="x"),
    lambda: list(model.generate(text="x", pause="long")),
):
    try:
        print(ask())
    except Exception as error:
        print(" ".join(str(error).split()))
"""


def test_the_official_client_reads_the_same_words(stack: Stack, tmp_path: Path) -> None:
    ours = {"CLARIFAI_API_BASE": f"http://{stack.api}", "CLARIFAI_PAT": stack.token, "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", OFFICIAL], env=os.environ | ours, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = done.stdout.splitlines()
    for said, words in zip(
        told, [["count", "1 and 10"], ["LookupError: no luck with x"], ["night"], ["float"]], strict=True
    ):
        assert not [word for word in words if word not in said], said
