"""Our messages read by the official package, and theirs read by ours."""

# Not postponed: the official package refuses annotations that are text.
# ruff: noqa: B006, RUF013, UP006, UP035 (written as model authors write them)
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Dict, List, Tuple

import numpy as np
import PIL.Image
import pytest
from clarifai_grpc.grpc.api import resources_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from playground.protocol import codec, values
from playground.protocol.fields import default_of
from playground.protocol.signatures import (
    Param,
    Signature,
    bind,
    build_signature,
    signatures_from_json,
    signatures_to_json,
)

from .strategies import VALUES, is_same, text

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    data_utils = pytest.importorskip(
        "clarifai.runners.utils.data_utils", reason="the official package is not installed"
    )
    from clarifai.runners.utils import data_types as theirs
    from clarifai.runners.utils import method_signatures as official


def simple(
    prompt: str,
    raw: bytes,
    number: int = 3,
    heat: float = 0.5,
    loud: bool = True,
    words: List[str] = ["a"],
) -> str:
    """Says.

    More.
    """
    raise NotImplementedError


def nested(pair: Tuple[int, str], table: List[List[float]], facts: Dict[str, int] = None) -> Iterator[str]:
    raise NotImplementedError


def arrays(grid: np.ndarray) -> np.ndarray:
    raise NotImplementedError


def pictures(picture: PIL.Image.Image) -> PIL.Image.Image:
    raise NotImplementedError


def talk(text: Iterator[str], loud: bool = False) -> Iterator[str]:
    raise NotImplementedError


def ours_and_theirs(make: Callable[[Any, Any], Any]) -> tuple[Signature, Signature]:
    mine, their = make(values, Param), make(theirs, data_utils.Param)
    return build_signature(mine, where="model.py"), official.build_function_signature(their)


def see(kinds: Any, param: Any) -> Any:
    def method(
        image: kinds.Image,
        text: kinds.Text = "hi",
        concepts: List[kinds.Concept] = None,
        limit: float = param(0.5, "least value", 0, 1),
        mode: str = param("a", "how", choices=["a", "b"], is_param=False),
        box: kinds.NamedFields(a=int, b=str) = None,
    ) -> List[kinds.Region]:
        raise NotImplementedError

    return method


@pytest.mark.parametrize("function", [simple, nested, arrays, pictures, talk])
def test_signatures_are_the_same(function: Callable[..., Any]) -> None:
    assert build_signature(function, where="model.py") == official.build_function_signature(function)


def test_signatures_with_data_types_are_the_same() -> None:
    ours, theirs_ = ours_and_theirs(see)
    assert ours == theirs_
    assert signatures_from_json(official.signatures_to_json({"m": theirs_})) == {"m": ours}
    assert official.signatures_from_json(signatures_to_json({"m": ours})) == {"m": theirs_}


def test_defaults_read_the_same() -> None:
    for field in build_signature(simple, where="model.py").input_fields[2:]:
        assert default_of(field) == data_utils.Param.get_default(field)


def test_an_open_bound_does_not_upset_them() -> None:
    def method(n: int = Param(3, min_value=1)) -> str:
        raise NotImplementedError

    signature = build_signature(method, where="model.py")
    assert official.signatures_from_json(signatures_to_json({"method": signature})) == {"method": signature}
    assert "n: int = 3" in official.get_method_signature(signature)


SIMPLE = build_signature(simple, where="model.py")
NESTED = build_signature(nested, where="model.py")
simple_arguments = st.fixed_dictionaries(
    {"prompt": text, "raw": st.binary(max_size=9)},
    optional={
        "number": st.integers(-(2**63), 2**63 - 1),
        "heat": st.floats(),
        "loud": st.booleans(),
        "words": st.lists(text, max_size=3),
    },
)
whole_doubles = st.integers(-(2**53), 2**53)
nested_arguments = st.fixed_dictionaries(
    {"pair": st.tuples(st.integers(-9, 9), text), "table": st.lists(st.lists(st.floats(), max_size=2), max_size=2)},
    optional={"facts": st.dictionaries(text, whole_doubles, max_size=3)},
)
cases = st.tuples(st.just(SIMPLE), simple_arguments) | st.tuples(st.just(NESTED), nested_arguments)


@given(cases)
def test_they_read_our_arguments(case: tuple[Signature, dict[str, Any]]) -> None:
    signature, arguments = case
    data = codec.encode_arguments(signature, bind(signature, (), arguments))
    read = official.deserialize(resources_pb2.Data.FromString(data.SerializeToString()), signature.input_fields)
    assert read.keys() == arguments.keys()
    for name, value in arguments.items():
        assert repr(read[name]) == repr(value) or read[name] == value


@given(cases)
def test_we_read_their_arguments(case: tuple[Signature, dict[str, Any]]) -> None:
    signature, arguments = case
    data = official.serialize(arguments, signature.input_fields)
    data.metadata["_method_name"] = signature.name
    read = codec.decode_arguments(signature, resources_pb2.Data.FromString(data.SerializeToString()))
    for name, value in arguments.items():
        assert is_same(read[name], value) or (isinstance(value, dict) and read[name] == value)


def to_theirs(value: Any) -> Any:
    """The same value in the official package's classes."""
    if isinstance(value, values.MessageData):
        return getattr(theirs, type(value).__name__).from_proto(value.to_proto())
    return value


def as_proto(value: Any) -> Any:
    return value.to_proto() if hasattr(value, "to_proto") else value


def is_equal(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return is_same(one, other)
    one, other = as_proto(one), as_proto(other)
    return bool(one == other) or repr(one) == repr(other)


def returning(kind: int) -> Signature:
    return Signature(name="m", method_type=1, output_fields=[{"name": "return", "type": kind}])


SHARED = sorted(VALUES)


@pytest.mark.parametrize("kind", SHARED)
@settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data())
def test_they_read_our_results(kind: int, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind].filter(sayable))
    signature = returning(kind)
    wire = codec.encode_output(signature, value)
    assert is_equal(official.deserialize(wire, signature.output_fields, is_output=True), value)


@pytest.mark.parametrize("kind", SHARED)
@settings(max_examples=20, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(data=st.data())
def test_we_read_their_results(kind: int, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind].filter(sayable))
    signature = returning(kind)
    wire = resources_pb2.Data()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        official.serialize({"return": to_theirs(value)}, signature.output_fields, wire, is_output=True)
    assert is_equal(codec.decode_output(signature, wire), value)


def sayable(value: Any) -> bool:
    """Whether the official encoding can say it at all: no empty or boolean arrays, no great integers in JSON, no
    document that looks like its own wrapping of lists."""
    if isinstance(value, np.ndarray):
        return bool(value.size) and value.dtype != np.bool_
    if isinstance(value, dict | list):
        return not (isinstance(value, dict) and list(value) == ["_list"]) and _is_small(value)
    return True


def _is_small(value: Any) -> bool:
    if isinstance(value, dict | list):
        return all(map(_is_small, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, int | float) or abs(value) < 2**53


def test_they_take_our_mended_requests() -> None:
    def heated(heat: float = 0.7, n: int = 1) -> str:
        raise NotImplementedError

    signature = build_signature(heated, where="model.py")
    plain = official.serialize({"n": 2}, signature.input_fields)
    assert official.deserialize(plain, signature.input_fields)["heat"] == 0.0  # what the first argument would become
    mended = codec.encode_arguments(signature, {"n": 2})
    assert official.deserialize(mended, signature.input_fields) == {"heat": 0.7, "n": 2}


def test_their_converter_reads_our_old_answers() -> None:
    signature = returning(1)
    ours = codec.encode_output(signature, "hi", old_form=True)
    wire = codec.encode_output(signature, "hi")
    assert ours == data_utils.DataConverter.convert_output_data_to_old_format(wire)


@pytest.mark.parametrize("held", [{"text": {"raw": "hi"}, "int_value": 4}, {"string_value": "hi", "bytes_value": b"x"}])
def test_old_requests_are_read_the_same(held: dict[str, Any]) -> None:
    def method(prompt: str, number: int = 3, raw: bytes = b"") -> str:
        raise NotImplementedError

    signature = build_signature(method, where="model.py")
    ours = codec.decode_arguments(signature, resources_pb2.Data(**held))
    new = data_utils.DataConverter.convert_input_data_to_new_format(resources_pb2.Data(**held), signature.input_fields)
    read = official.deserialize(new, signature.input_fields)
    assert {name: ours[name] for name in read} == read
