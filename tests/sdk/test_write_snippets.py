"""Calls as code: what is sent, what is left out, what stands there as an example; and no value ever becomes code."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import sdk
from playground.protocol.fields import Field
from playground.protocol.plain import from_plain, json_to_plain
from playground.protocol.signatures import Param, Signature, build_signature
from playground.protocol.values import Concept, Frame, Image, NamedFields, Region, Text
from playground.sdk.calls import ModelAddress, Selector
from playground.sdk.snippets import Ask, Call, prepare, write_snippets
from playground.sdk.snippets.commands import quote as quote_word
from playground.sdk.snippets.literals import Literals, number

ODD_TEXT = st.text(st.characters(codec="utf-8") | st.sampled_from("\"'\\\n\r\t\u202e\u2028\x85$`!{}@"), max_size=60)


def tell(
    self: Any,
    text: str,
    mood: str = "calm",
    secret: NamedFields(user=str, password=str) = None,  # type: ignore[valid-type]
    picture: Image = None,  # type: ignore[assignment]
    count: int = Param(default=3, min_value=1, max_value=9),  # type: ignore[assignment]
    api_key: str = "",
) -> str:
    """Arguments of several kinds."""
    return text


def signature_of(function: Any) -> Signature:
    return build_signature(function, where="test")


def asked(arguments: dict[str, Any], function: Any = tell, **facts: Any) -> Call:
    address = ModelAddress("teller", "olive", "main")
    return prepare(Ask(address, signature_of(function), arguments, "http://127.0.0.1:8001", **facts))


def code(call: Call, slug: str = "python") -> str:
    return next(snippet.code for snippet in write_snippets(call) if snippet.slug == slug)


def test_what_is_at_its_default_is_left_to_the_model() -> None:
    call = asked({"text": "hi", "mood": "calm", "count": 3, "picture": None})
    assert [one.name for one in call.arguments] == ["text"]
    assert call.defaults == ("mood", "secret", "picture", "count", "api_key")
    assert [one.name for one in asked({"text": "hi", "count": 4}).arguments] == ["text", "count"]


def test_what_is_missing_has_an_example_in_its_place() -> None:
    call = asked({})
    assert call.examples == ("text",)
    assert 'text="Hello"' in code(call)


@pytest.mark.parametrize("wrong", [{"count": 40}, {"count": "x"}, {"picture": {"media": 3}}, {"nothing": 1}])
def test_what_does_not_fit_is_told_and_not_written(wrong: dict[str, Any]) -> None:
    call = asked({"text": "hi", **wrong})
    assert call.wrong == tuple(wrong)
    assert [one.name for one in call.arguments] == ["text"]


def test_secrets_come_from_the_environment_wherever_they_lie() -> None:
    secret = {"fields": {"user": "me", "password": "sesame"}}
    call = asked({"text": "hi", "api_key": "sesame", "secret": secret})
    assert call.secrets == ("PASSWORD", "API_KEY")
    for snippet in write_snippets(call):
        assert "sesame" not in snippet.code
        assert snippet.refusal or ('os.environ["API_KEY"]' in snippet.code) or ('"$API_KEY"' in snippet.code)
        assert snippet.refusal or "export API_KEY=" in snippet.setup
    assert 'password=os.environ["PASSWORD"]' in code(call)
    refusals = {snippet.slug for snippet in write_snippets(call) if snippet.refusal}
    assert refusals == {"cli", "clarifai-cli"}


def test_tokens_come_from_the_environment() -> None:
    for snippet in write_snippets(asked({"text": "hi"})):
        official = snippet.slug.startswith("clarifai")
        name = "CLARIFAI_PAT" if official else "PLAYGROUND_PAT"
        assert f"export {name}=pg_…" in snippet.setup
        assert snippet.language == "sh" or f'os.environ["{name}"]' in snippet.code


@pytest.mark.parametrize(
    ("selector", "ours", "official", "command"),
    [
        (Selector(), [], [], []),
        (Selector("night"), ["deployment_id"], ["deployment_id", "deployment_user_id"], ["--deployment night"]),
        (
            Selector("night", "ada"),
            ["deployment_id", "deployment_user_id"],
            ["deployment_id", "deployment_user_id"],
            ["--deployment ada/night"],
        ),
        (
            Selector("", "", "lab", "big"),
            ["compute_cluster_id", "nodepool_id"],
            ["compute_cluster_id", "nodepool_id", "deployment_user_id"],
            ["--cluster lab", "--nodepool big"],
        ),
    ],
)
def test_it_goes_where_it_was_asked(
    selector: Selector, ours: list[str], official: list[str], command: list[str]
) -> None:
    call = asked({"text": "hi"}, selector=selector, place_user_id="ada")
    names = ["deployment_id", "compute_cluster_id", "nodepool_id", "deployment_user_id"]
    for slug, wanted in (("python", ours), ("async", ours), ("clarifai", official)):
        assert {name for name in names if f"{name}=" in code(call, slug)} == set(wanted)
    assert all(words in code(call, "cli") for words in command)
    assert ("--dep" in code(call, "cli")) == any("--dep" in words for words in command)


def test_a_version_is_named() -> None:
    ask = Ask(
        ModelAddress("teller", "olive", "main", "v7"), signature_of(tell), {"text": "hi"}, "http://127.0.0.1:8001"
    )
    call = prepare(ask)
    assert '"olive/main/models/teller/versions/v7"' in code(call)
    assert 'model_version={"id": "v7"}' in code(call, "clarifai")
    assert "http://127.0.0.1:8001/olive/main/models/teller/versions/v7" in code(call, "clarifai-cli")


def test_files_have_safe_names_of_their_own() -> None:
    def look(self: Any, first: Image, second: Image) -> str:
        return ""

    names = {"a": "../../My pics/-o'cup.png", "b": "..\\x\\-o-cup.png"}
    call = asked({"first": {"media": "a"}, "second": {"media": "b"}}, look, name_of=names.__getitem__)
    assert call.files == {"a": "o-cup.png", "b": "o-cup-2.png"}
    assert 'Path("o-cup-2.png").read_bytes()' in code(call)
    assert next(one for one in write_snippets(call) if one.slug == "clarifai-cli").refusal


def test_a_method_with_a_name_of_ours_is_called_all_the_same() -> None:
    def close(self: Any, text: str) -> str:
        return text

    assert 'model.method("close")(text="hi")' in code(asked({"text": "hi"}, close))


def run(expression: str) -> Any:
    """The value of an expression that a program of ours would hold."""
    names = {name: getattr(sdk, name) for name in ("Concept", "Frame", "Image", "NamedFields", "Region", "Text")}
    return eval(expression, {**names, "np": np, "Path": Path, "os": os})


def value_of(annotation: Any, plain: Any) -> tuple[str, Any]:
    def take(self: Any, value: annotation) -> str:
        return ""

    take.__annotations__["value"] = annotation
    field: Field = signature_of(take).input_fields[0]
    return Literals({}).write(field, plain), from_plain(plain, field, lambda name: b"")


@settings(max_examples=25, deadline=None)
@given(ODD_TEXT)
def test_a_text_is_that_text(text: str) -> None:
    expression, value = value_of(str, text)
    assert run(expression) == value == text
    assert all(sign.isprintable() for line in expression.split("\n") for sign in line)


@settings(max_examples=25, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | ODD_TEXT, st.lists))
def test_json_is_that_json(value: Any) -> None:
    wrapped = {'a "key"\n': value}
    plain = {'a "key"\n': json_to_plain(value)}
    expression, read = value_of(dict, plain)
    assert run(expression) == read == wrapped


@pytest.mark.parametrize(
    ("annotation", "plain"),
    [
        (int, {"number": str(2**60)}),
        (float, 3),
        (float, {"number": "-inf"}),
        (float, 0.1),
        (bool, True),
        (Text, {"url": "https://x/y.txt"}),
        (Text, {"text": "a\nb"}),
        (Image, {"url": "https://x/y.png"}),
        (Concept, {"concept": {"name": "a cup", "value": 0.25, "id": "c"}}),
        (Region, {"region": {"box": [0, 0.5, 1, 1], "point": [1, 0, 0], "text": "x", "track_id": "3", "id": "r"}}),
        (Frame, {"frame": {"regions": [{"region": {"box": [0, 0, 1, 1], "id": "r"}}], "time": 1.5, "index": 2}}),
        (list[str], ["x" * 90, "y"]),
        (tuple[int], {"tuple": [1]}),
        (tuple[str, float], {"tuple": ["a", 1]}),
        (NamedFields(a=int, b=list[str]), {"fields": {"a": 1, "b": []}}),
    ],
)
def test_every_type_is_that_value(annotation: Any, plain: Any) -> None:
    expression, value = value_of(annotation, plain)
    assert run(expression) == value


WORDS = ("media", "url", "text", "concept", "region", "frame", "fields", "tuple", "ndarray", "name", "value", "number")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD_TEXT | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | ODD_TEXT, inner, max_size=3),
)


@settings(max_examples=25, deadline=None)
@given(
    st.fixed_dictionaries(
        dict.fromkeys(("text", "count", "picture", "secret"), ANYTHING), optional={"\ud800": ANYTHING}
    )
)
def test_nothing_that_a_page_may_send_breaks_it(arguments: dict[str, Any]) -> None:
    call = asked(arguments)
    for snippet in write_snippets(call):
        assert snippet.code.encode() or snippet.refusal
        assert snippet.language == "sh" or ast.parse(snippet.code)
    assert "".join(call.wrong).encode() is not None


@settings(max_examples=25, deadline=None)
@given(ANYTHING, st.sampled_from([Concept, Region, Frame, Text, bytes, np.ndarray, list[Image], tuple[int, str]]))
def test_nor_in_any_type(plain: Any, annotation: Any) -> None:
    def take(self: Any, value: annotation) -> str:
        return ""

    take.__annotations__["value"] = annotation
    for snippet in write_snippets(asked({"value": plain}, take)):
        assert snippet.language == "sh" or ast.parse(snippet.code)


def test_arrays_are_those_arrays() -> None:
    expression, value = value_of(np.ndarray, [[1, 2.5], [{"number": "nan"}, 4]])
    assert np.array_equal(run(expression), value, equal_nan=True)
    assert number({"number": "nan"}, is_float=True) == 'float("nan")'


def test_a_shell_reads_each_word_as_it_was() -> None:
    words = ["it's", "a\nb", "\u202e\x07\t$HOME `date` \\ !", "", "-i", "é", "\x01\x7fa1", '"$x"']
    line = "printf '%s\\0' " + " ".join(map(quote_word, words))
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.split("\0")[:-1] == words
    assert shlex.split(quote_word("a\nb"))[0] == "a\nb"
