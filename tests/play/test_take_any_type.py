"""Any signature becomes a form, and what the form holds becomes the arguments again: property tests over all types."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from clarifai_grpc.grpc.api import resources_pb2
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.play.forms import MISSING, FormField, arguments_of, build_form, with_forms
from playground.protocol.fields import holds_secret, is_secret
from playground.protocol.plain import from_plain, to_plain
from playground.protocol.signatures import Param, Types, bind, default_of
from playground.protocol.values import Image, NamedFields, Region
from playground.runs.requests import without_secrets
from tests.play.conftest import signatures_of
from tests.protocol.strategies import fields, fields_and_values, is_same

Field = resources_pb2.ModelTypeField


class Store:
    """Bytes by name, as uploads keep them."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def keep(self, content: bytes, content_type: str) -> str:
        name = f"m{len(self.kept)}"
        self.kept[name] = content
        return name

    def fetch(self, name: str) -> bytes:
        return self.kept[name]


def form_with(field: Field, arguments: dict[str, Any] | None = None) -> Any:
    return build_form(resources_pb2.MethodSignature(name="method", input_fields=[field]), arguments)


@given(fields_and_values())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_form_holds_is_what_was_put_in(pair: tuple[Field, Any]) -> None:
    field, value = pair
    store = Store()
    plain = json.loads(json.dumps(to_plain(value, field, store.keep)))
    read = arguments_of(form_with(field, {"x": plain}))
    if field.type in (Types.STR, Types.TEXT) and not read:
        return
    again = from_plain(read["x"], field, store.fetch)
    signature = resources_pb2.MethodSignature(name="method", input_fields=[field])
    assert is_same(bind(signature, (), {"x": again})["x"], from_plain(plain, field, store.fetch))


@given(fields)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_type_is_drawn_with_ids_of_its_own(field: Field) -> None:
    drawn = render_to_string("play/_field.html", {"field": form_with(field).fields[0]})
    ids = re.findall(r'\sid="([^"]+)"', drawn)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'\sfor="([^"]+)"', drawn):
        assert target in ids
    described = {part for names in re.findall(r'aria-describedby="([^"]+)"', drawn) for part in names.split()}
    assert described <= set(ids)


@given(fields)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_part_of_any_type_has_a_control(field: Field) -> None:
    kinds = set()

    def walk(entry: FormField) -> None:
        kinds.add(entry.kind)
        assert json.loads(json.dumps(entry.spec))["name"] == entry.name
        for part in entry.parts:
            walk(part)

    walk(form_with(field).fields[0])
    media = {"image", "audio", "video", "file"}
    assert (
        kinds
        <= {"text", "line", "secret", "number", "switch", "choice", "json", "array", "group", "list", "numbers"} | media
    )


def annotated(annotation: Any, default: Any = MISSING) -> Field:
    def method(self: Any, value: Any) -> str:
        return ""

    method.__annotations__ = {"value": annotation, "return": str}
    if default is not MISSING:
        method.__defaults__ = (default,)
    return signatures_of(type("Some", (), {"method": method}))[0].input_fields[0]


DEFAULTS = [
    (str, None),
    (int, None),
    (bool, None),
    (dict, None),
    (list[str], None),
    (list[str], ["a", "b"]),
    (list[int], []),
    (tuple[int, float], (1, 2.5)),
    (tuple[int, float], None),
    (NamedFields(a=int, b=list[str]), {"a": 1, "b": ["x"]}),
    (NamedFields(a=int), None),
    (Region, None),
    (Image, None),
    (int, 2**60),
    (float, float("inf")),
    (list[tuple[str, bool]], [("a", True)]),
]


@pytest.mark.parametrize(("annotation", "default"), DEFAULTS)
def test_a_form_left_alone_means_the_default(annotation: Any, default: Any) -> None:
    field = annotated(annotation, default)
    form = form_with(field)
    read = arguments_of(form)
    given_value = from_plain(read["value"], field, {}.__getitem__) if "value" in read else default_of(field)
    expected = default_of(field)
    assert is_same(given_value, expected) or given_value == expected
    assert form.fields[0].can_be_left_out is (default is None)


def test_a_default_that_only_the_model_can_make_is_left_out_and_told() -> None:
    field = form_with(annotated(Region, Region(box=[0, 0, 1, 1], id="r"))).fields[0]
    assert field.can_be_left_out
    assert "Region(" in field.left_out_words


def test_choices_of_a_list_are_ticked_and_a_default_outside_is_offered() -> None:
    class Chosen:
        def predict(
            self,
            parts: list[str] = Param(default=["a"], choices=["a", "b"]),  # noqa: B008 - as an author writes it
            size: int = Param(default=0, choices=[1, 2]),
            flag: bool = Param(default=None),
        ) -> str:
            return ""

    parts, size, flag = build_form(signatures_of(Chosen)[0]).fields
    assert (parts.kind, parts.choices, parts.filling) == ("choices", ("a", "b"), '["a"]')
    assert (size.kind, size.choices) == ("choice", ("1", "2", "0"))
    assert (flag.kind, flag.choices, flag.text) == ("choice", ("true", "false"), "")


@pytest.mark.parametrize("name", ["api_key", "password", "HF_TOKEN", "client_secret", "token", "private_key"])
def test_names_that_say_it_are_secrets(name: str) -> None:
    field = Field(name=name, type=Types.STR, default="hunter2")
    assert is_secret(field)
    drawn = render_to_string("play/_field.html", {"field": form_with(field).fields[0]})
    assert 'type="password"' in drawn
    assert "hunter2" not in drawn


@pytest.mark.parametrize("name", ["tokens", "stop_token", "max_tokens", "keyword", "key", "secretary"])
def test_other_names_are_none(name: str) -> None:
    assert not is_secret(Field(name=name, type=Types.STR))


def test_a_declared_secret_is_one_under_any_name() -> None:
    encrypted = Field.ModelTypeFieldType.ENCRYPTED_STRING
    inner = Field(name="inner", type=Types.STR, field_type=encrypted)
    assert holds_secret(Field(name="outer", type=Types.NAMED_FIELDS, type_args=[inner]))


def test_a_run_keeps_no_secret() -> None:
    class Calls:
        def predict(self, text: str, api_key: str, login: NamedFields(name=str, password=str)) -> str:
            return text

    signature = signatures_of(Calls)[0]
    login = {"fields": {"name": "ada", "password": "hunter2"}}
    kept = without_secrets(signature, {"text": "hi", "api_key": "k", "login": login})
    assert kept == {"text": "hi", "login": {"fields": {"name": "ada", "password": ""}}}


@given(st.lists(st.sampled_from(["predict", "openai_transport", "openai_stream_transport", "mcp_transport"])))
def test_transports_of_other_protocols_have_no_form(names: list[str]) -> None:
    known = [resources_pb2.MethodSignature(name=name) for name in names]
    assert [entry.name for entry in with_forms(known)] == [name for name in names if name == "predict"]
