"""A method's signature becomes a form, and the form stands for the arguments it was made from."""

from __future__ import annotations

import math
from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2
from hypothesis import given
from hypothesis import strategies as st

from playground.play.forms import MISSING, MethodForm, arguments_of, build_form
from playground.play.forms.values import to_plain, to_text
from playground.protocol.errors import InputError
from playground.protocol.signatures import Param, bind, build_signatures, default_of
from tests.play.conftest import Everything, signatures_of

Types = resources_pb2.ModelTypeField.DataType

texts = st.text(max_size=60).filter(lambda text: text != "null")  # a default that travels as JSON's null
numbers = st.integers(-(2**53) + 1, 2**53 - 1)
decimals = st.floats(allow_nan=False, allow_infinity=False)
documents = st.dictionaries(st.text(max_size=8), st.none() | st.booleans() | numbers | texts, max_size=4)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "STR": texts,
    "INT": numbers,
    "FLOAT": decimals,
    "BOOL": st.booleans(),
    "JSON_DATA": documents | st.lists(documents, max_size=3),
}


def field_of(kind: str, default: Any = MISSING) -> resources_pb2.ModelTypeField:
    annotations = {"STR": str, "INT": int, "FLOAT": float, "BOOL": bool, "JSON_DATA": dict}

    def method(self: Any, value: Any) -> str:
        return ""

    method.__annotations__ = {"value": annotations[kind], "return": str}
    if default is not MISSING:
        method.__defaults__ = (default,)
    method._is_model_method = True  # type: ignore[attr-defined]
    signature = build_signatures(type("Some", (), {"method": method}), where="test")["method"]
    return signature.input_fields[0]


def form_of(name: str, arguments: dict[str, Any] | None = None) -> MethodForm:
    signature = next(entry for entry in signatures_of(Everything) if entry.name == name)
    return build_form(signature, arguments)


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_a_value_survives_its_control(kind: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind])
    field = field_of(kind)
    assert to_plain(field, to_text(field, value)) == value


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_a_form_left_alone_stands_for_the_defaults(kind: str, data: st.DataObject) -> None:
    default = data.draw(VALUES[kind])
    field = field_of(kind, default)
    signature = resources_pb2.MethodSignature(name="method", input_fields=[field])
    given_arguments = arguments_of(build_form(signature))
    bound = bind(signature, (), given_arguments)
    assert bound.get("value", default_of(field)) == default


@given(
    text=texts.filter(bool),
    mood=texts,
    extra=documents,
    count=st.integers(1, 10),
    style=st.sampled_from(["plain", "loud"]),
    is_short=st.booleans(),
)
def test_a_run_opened_again_shows_what_was_asked(**arguments: Any) -> None:
    assert arguments_of(form_of("predict", arguments)) == arguments


def test_numbers_that_are_not_finite_are_kept() -> None:
    field = field_of("FLOAT")
    assert to_plain(field, "nan") == {"number": "nan"}
    assert to_text(field, to_plain(field, "-inf")) == "-inf"
    assert to_text(field_of("FLOAT", math.inf), build_form_default(math.inf)) == "inf"


def build_form_default(default: float) -> Any:
    field = field_of("FLOAT", default)
    return build_form(resources_pb2.MethodSignature(input_fields=[field])).fields[0].default


def test_parameters_stand_apart_from_the_form() -> None:
    form = form_of("predict")
    assert [field.name for field in form.asked] == ["text"]
    assert [field.name for field in form.optional] == ["mood", "extra"]
    assert [field.name for field in form.settings] == ["count", "style", "is_short"]


def test_each_type_has_its_control() -> None:
    kinds = {field.name: field.kind for name in ("predict", "find") for field in form_of(name).fields}
    assert kinds == {
        "text": "text",
        "mood": "text",
        "extra": "json",
        "count": "number",
        "style": "choice",
        "is_short": "switch",
        "image": "image",
        "threshold": "number",
    }


def test_ranges_make_sliders_with_round_steps() -> None:
    count, threshold = form_of("predict").settings[0], form_of("find").settings[0]
    assert (count.low, count.high, count.step) == (1, 10, 1)
    assert (threshold.is_slider, threshold.step) == (True, 0.01)


def test_a_streamed_argument_is_sent_by_itself() -> None:
    form = form_of("stream")
    assert form.streamed is not None
    assert form.streamed.name == "text"
    assert form.asked == form.optional == []
    assert arguments_of(form) == {}


def test_the_first_field_is_shown_where_none_is_required() -> None:
    class Free:
        def predict(self, prompt: str = "Hi", top: int = Param(default=3)) -> str:
            return prompt

    form = build_form(signatures_of(Free)[0])
    assert [field.name for field in form.asked] == ["prompt"]


@pytest.mark.parametrize(
    ("kind", "text", "words"), [("INT", "1.5", "whole"), ("FLOAT", "x", "number"), ("JSON_DATA", "{", "JSON")]
)
def test_what_does_not_fit_is_named(kind: str, text: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        to_plain(field_of(kind), text)
    assert '"value"' in caught.value.message


def test_a_required_argument_may_not_be_empty() -> None:
    with pytest.raises(InputError, match="needed"):
        to_plain(field_of("INT"), " ")


@pytest.mark.parametrize(("name", "parts"), [("mood", "type error"), ("extra", "type error"), ("count", "hint error")])
def test_a_control_is_described_by_what_stands_beside_it(name: str, parts: str) -> None:
    field = next(entry for entry in form_of("predict").fields if entry.name == name)
    assert field.described_by == " ".join(f"field-predict-{name}-{part}" for part in parts.split())
