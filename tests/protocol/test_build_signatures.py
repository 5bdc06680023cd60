"""A method's type hints become its signature, or a complaint that names file, method and parameter."""

# Not postponed: the functions below have real annotations, as model folders do.
# ruff: noqa: B006, B008, RUF013, UP006, UP035, UP045 (written as model authors write them)
import enum
import inspect
import math
import typing
from typing import Annotated, Any, Dict, Generator, Iterable, Iterator, List, Literal, Optional, Tuple

import numpy as np
import numpy.typing as npt
import PIL.Image
import pytest

from playground.protocol import signatures
from playground.protocol.errors import ConfigError, InputError, ServerError
from playground.protocol.fields import MISSING, Types, default_of
from playground.protocol.signatures import MethodKind, Param
from playground.protocol.values import JSON, Audio, Concept, Frame, Image, NamedFields, Region, Text, Video

from . import postponed

WHERE = "cats/1/model.py"


def returning(annotation: Any) -> Any:
    def method(self):
        raise NotImplementedError

    method.__annotations__["return"] = annotation
    return method


def taking(annotation: Any, default: Any = inspect.Parameter.empty) -> Any:
    def method(self, x):
        raise NotImplementedError

    parameters = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)]
    parameters.append(
        inspect.Parameter("x", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=default)
    )
    method.__signature__ = inspect.Signature(parameters, return_annotation=str)
    return method


def build(function: Any) -> signatures.Signature:
    return signatures.build_signature(function, where=WHERE)


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (str, "str"),
        (bytes, "bytes"),
        (int, "int"),
        (float, "float"),
        (bool, "bool"),
        (np.ndarray, "np.ndarray"),
        (npt.NDArray[np.float32], "np.ndarray"),
        (dict, "dict or list"),
        (list, "dict or list"),
        (List, "dict or list"),
        (Dict, "dict or list"),
        (Dict[str, int], "dict or list"),
        (dict[str, list[float]], "dict or list"),
        (JSON, "dict or list"),
        (Text, "Text"),
        (Image, "Image"),
        (PIL.Image.Image, "Image"),
        (Concept, "Concept"),
        (Region, "Region"),
        (Frame, "Frame"),
        (Audio, "Audio"),
        (Video, "Video"),
        (Annotated[int, "a note"], "int"),
        (List[str], "List[str]"),
        (list[list[Region]], "List[List[Region]]"),
        (list[dict], "List[dict or list]"),
        (Tuple[int, str], "Tuple[int, str]"),
        ((int, list[str]), "Tuple[int, List[str]]"),
        (NamedFields(a=int, b=str), "NamedFields(a=int, b=str)"),
        (NamedFields(a=list[int]), "NamedFields(a=List[int])"),
        ({"a": int, "b": (str, str)}, "NamedFields(a=int, b=Tuple[str, str])"),
        (Iterator[str], "Iterator[str]"),
        (Iterable[bytes], "Iterator[bytes]"),
        (Generator[int, None, None], "Iterator[int]"),
        (typing.AsyncIterator[str], "Iterator[str]"),
    ],
)
def test_supported_types(annotation: Any, shown: str) -> None:
    assert signatures.describe_type(build(returning(annotation)).output_fields[0]) == shown


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    "annotation",
    [
        None,
        Any,
        Optional[int],
        int | None,
        int | str,
        Dict[str, Any],
        tuple,
        tuple[int, ...],
        set,
        Literal["a"],
        Colour,
        NamedFields,
        PIL.Image,
        object,
        Iterator,
        list[Iterator[str]],
        {},
        (),
    ],
)
def test_an_unsupported_type_is_named_with_its_place(annotation: Any) -> None:
    with pytest.raises(ConfigError, match=r'cats/1/model\.py, method "method", parameter "x": .*supported are str'):
        build(taking(annotation))
    with pytest.raises(ConfigError, match=r'cats/1/model\.py, method "method", return type: .*supported are str'):
        build(returning(annotation))


def test_missing_annotations_are_named() -> None:
    def no_type(x) -> str:
        raise NotImplementedError

    def no_return(x: str):
        raise NotImplementedError

    with pytest.raises(ConfigError, match='method "no_type", parameter "x": its type is missing'):
        build(no_type)
    with pytest.raises(ConfigError, match='method "no_return": the return type is missing'):
        build(no_return)


def test_annotations_as_text_are_read_in_their_own_module() -> None:
    find = build(postponed.find)
    assert signatures.describe_type(find.input_fields[0]) == "List[str]"
    assert signatures.describe_type(find.output_fields[0]) == "Iterator[List[Region]]"
    assert default_of(find.input_fields[1]) == 3
    assert signatures.kind_of(build(postponed.follow)) is MethodKind.GENERATE
    assert signatures.describe_type(build(postponed.pair).input_fields[0]) == "Tuple[int, int]"


def test_a_name_that_cannot_be_read_is_a_complaint() -> None:
    with pytest.raises(ConfigError, match=r'method "pay", parameter "amount": the type .Decimal. cannot be read'):
        build(postponed.pay)


def test_arguments_that_cannot_be_named_are_refused() -> None:
    def several(*x: str) -> str:
        raise NotImplementedError

    def any_name(**x: str) -> str:
        raise NotImplementedError

    def by_place(x: str, /) -> str:
        raise NotImplementedError

    def reserved(with_proto: str) -> str:
        raise NotImplementedError

    for function in (several, any_name, by_place, reserved):
        with pytest.raises(ConfigError, match=f'method "{function.__name__}", parameter'):
            build(function)


def test_kinds() -> None:
    def both(text: Iterator[str]) -> Iterator[str]:
        raise NotImplementedError

    def only_in(text: Iterator[str]) -> str:
        raise NotImplementedError

    def twice(a: Iterator[str], b: Iterator[str]) -> Iterator[str]:
        raise NotImplementedError

    assert signatures.kind_of(build(returning(str))) is MethodKind.UNARY
    assert signatures.kind_of(build(returning(Iterator[str]))) is MethodKind.GENERATE
    assert signatures.kind_of(build(both)) is MethodKind.STREAM
    stream = signatures.stream_field(build(both))
    assert stream is not None
    assert stream.name == "text"
    assert signatures.stream_field(build(returning(str))) is None
    with pytest.raises(ConfigError, match="returns one"):
        build(only_in)
    with pytest.raises(ConfigError, match="at most one"):
        build(twice)
    with pytest.raises(ServerError, match="not known here"):
        signatures.kind_of(signatures.Signature(name="x", method_type=3))


@pytest.mark.parametrize(
    ("annotation", "default", "text", "value"),
    [
        (str, "", "", ""),
        (str, "a b", "a b", "a b"),
        (str, "7", "7", "7"),
        (str, None, "null", None),
        (int, 64, "64", 64),
        (float, 0.5, "0.5", 0.5),
        (float, 1, "1", 1.0),
        (bool, True, "true", True),
        (bytes, b"ab\x00", "b'ab\\x00'", b"ab\x00"),
        (list[str], ["a"], '["a"]', ["a"]),
        (list[str], None, "null", None),
        (tuple[int, str], (1, "a"), '[1, "a"]', (1, "a")),
        (dict, {"a": 1}, '{"a": 1}', {"a": 1}),
        (NamedFields(a=int), {"a": 1}, '{"a": 1}', NamedFields(a=1)),
        (Text, Text("hi"), "hi", Text("hi")),
        (Text, "hi", "hi", Text("hi")),
        (Concept, Concept("cat"), "Concept(id='cat', name='cat', value=1.0)", MISSING),
    ],
)
def test_defaults(annotation: Any, default: Any, text: str, value: Any) -> None:
    field = build(taking(annotation, default)).input_fields[0]
    assert not field.required
    assert field.default == text
    assert default_of(field) == value
    assert type(default_of(field)) is type(value)


def test_a_default_is_fresh_each_time() -> None:
    field = build(taking(list[str], ["a"])).input_fields[0]
    default_of(field).append("b")
    assert default_of(field) == ["a"]


def test_a_default_of_the_wrong_type_is_a_complaint() -> None:
    with pytest.raises(ConfigError, match=r'parameter "x": the default must be int, not list'):
        build(taking(int, [1]))


def test_params_declare_range_choices_and_description() -> None:
    field = build(taking(int, Param(5, "how many", 1, 10, is_param=True))).input_fields[0]
    assert (field.description, field.is_param, signatures.range_of(field)) == ("how many", True, (1, 10))
    field = build(taking(str, Param("a", choices=["a", "b"], is_param=False))).input_fields[0]
    assert (field.is_param, signatures.choices_of(field)) == (False, ("a", "b"))
    assert signatures.choices_of(build(taking(int, Param(1, choices=[1, 2]))).input_fields[0]) == (1, 2)
    with pytest.raises(ConfigError, match="lies above"):
        build(taking(int, Param(5, min_value=3, max_value=1)))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, None, (0, None)),
        (None, 5, (None, 5)),
        (-1.5, 0, (-1.5, 0.0)),
        (0.1, 0.9, (0.1, 0.9)),
        (None, None, (None, None)),
    ],
)
def test_a_bound_can_be_left_open(low: Any, high: Any, expected: tuple[Any, Any]) -> None:
    kind = int if low == 0 or high == 5 else float
    field = build(taking(kind, Param(kind(0), min_value=low, max_value=high))).input_fields[0]
    assert signatures.range_of(field) == expected


def test_a_bound_left_open_by_others_is_understood() -> None:
    field = build(taking(float, Param(5.0, min_value=1, max_value=10))).input_fields[0]
    field.model_type_range_info.max = 0
    assert signatures.range_of(field) == (1.0, None)
    field.model_type_range_info.min = 0
    assert signatures.range_of(field) == (0.0, None)


class Base:
    def hidden(self, x: str) -> str:
        raise NotImplementedError

    def zeta(self, x: str) -> str:
        raise NotImplementedError

    def alpha(self, x: str) -> str:
        raise NotImplementedError

    zeta._is_model_method = alpha._is_model_method = True


class Derived(Base):
    def beta(self, x: str) -> Iterator[str]:
        """Says it.

        Twice.
        """
        raise NotImplementedError

    def zeta(self, x: int) -> str:
        raise NotImplementedError

    beta._is_model_method = zeta._is_model_method = True


def test_a_class_gives_its_marked_methods_in_order() -> None:
    built = signatures.build_signatures(Derived, where=WHERE)
    assert list(built) == ["zeta", "alpha", "beta"]
    assert built["zeta"].input_fields[0].type == Types.INT
    assert built["beta"].description == "Says it.\n\nTwice."


def test_signatures_survive_their_json() -> None:
    built = signatures.build_signatures(Derived, where=WHERE)
    built["more"] = build(taking(float, Param(0.5, "heat", max_value=2)))
    read = signatures.signatures_from_json(signatures.signatures_to_json(built))
    assert list(read) == list(built)
    assert read == built
    assert signatures.range_of(read["more"].input_fields[0]) == (None, 2.0)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 3}', '{"a": {"name": 3}}', "null"])
def test_signatures_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ServerError, match="cannot be read"):
        signatures.signatures_from_json(text)


def test_bodies_never_meet_a_param() -> None:
    def method(self: Any, a: int, b: int = Param(2, "two"), *, c: int = Param(3)) -> int:
        return a + b + c

    signatures.unwrap_params(method)
    assert method(None, 1) == 6
    built = build(method)
    assert built.input_fields[1].description == "two"
    assert [default_of(field) for field in built.input_fields] == [MISSING, 2, 3]


def test_casts_are_known_for_those_who_ask_for_pil() -> None:
    def method(a: PIL.Image.Image, b: Iterator[list[PIL.Image.Image]], c: Image, d: np.ndarray) -> Iterator[str]:
        raise NotImplementedError

    casts = signatures.build_casts(method, where=WHERE)
    assert sorted(casts) == ["a", "b"]
    picture = Image.from_pil(PIL.Image.new("L", (2, 1)))
    assert casts["a"](picture).size == (2, 1)
    assert casts["b"]([picture])[0].size == (2, 1)


def test_python_shows_the_method() -> None:
    def method(self: Any, prompt: str, n: int = 3, xs: list[str] = ["a"]) -> Iterator[str]:
        raise NotImplementedError

    shown = str(signatures.python_signature(build(method)))
    assert shown == "(prompt: str, n: int = 3, xs: list[str] = ['a']) -> collections.abc.Iterator[str]"


def test_words_for_people() -> None:
    def generate(prompt: str, heat: float = Param(0.5)) -> Iterator[str]:
        raise NotImplementedError

    def detect(image: Image, limit: float = 0.5) -> list[Region]:
        raise NotImplementedError

    def talk(text: Iterator[str]) -> Iterator[str]:
        raise NotImplementedError

    words = [signatures.describe_io(build(function)) for function in (generate, detect, talk, returning(str))]
    assert words == ["text → text, streamed", "image → regions", "text, streamed → text, streamed", "nothing → text"]


# -- binding ---------------------------------------------------------------------------------------------------------


def predict(
    self: Any,
    prompt: str,
    n: int = Param(3, min_value=1, max_value=10),
    heat: float = Param(0.7, min_value=0.1, max_value=0.9),
    mode: str = Param("fast", choices=["fast", "good"]),
    chat: dict = None,
    seed: int = Param(-1, min_value=0, max_value=99),
    tags: list[str] = Param(None, choices=["a", "b"]),
) -> str:
    raise NotImplementedError


PREDICT = build(predict)


def test_arguments_are_bound_by_place_and_name() -> None:
    assert signatures.bind(PREDICT, ("hi", 4), {"heat": 0.5}) == {"prompt": "hi", "n": 4, "heat": 0.5}
    assert signatures.bind(PREDICT, (), {"prompt": "hi"}) == {"prompt": "hi"}
    assert signatures.bind(PREDICT, ("hi",), {"chat": None}) == {"prompt": "hi", "chat": None}


def test_bounds_hold_as_they_were_written_and_defaults_pass() -> None:
    for heat in (0.1, 0.9):
        signatures.bind(PREDICT, ("hi",), {"heat": heat})
    signatures.bind(PREDICT, ("hi",), {"seed": -1})


@pytest.mark.parametrize(
    ("args", "kwargs", "argument", "message"),
    [
        ((), {}, "prompt", 'needs the argument "prompt"'),
        ((3,), {}, "prompt", "must be str, not int"),
        (("hi",), {"prompt": "ho"}, "prompt", "given twice"),
        (("hi",), {"size": 1}, "size", 'no argument "size"; its arguments are prompt, n'),
        (("hi",), {"n": 0}, "n", "must be between 1 and 10, not 0"),
        (("hi",), {"n": None}, "n", "must be int, not NoneType"),
        (("hi",), {"heat": 0.95}, "heat", "must be between 0.1 and 0.9"),
        (("hi",), {"heat": math.nan}, "heat", "must be between"),
        (("hi",), {"mode": "bad"}, "mode", "must be one of fast, good, not 'bad'"),
        (("hi",), {"seed": -2}, "seed", "must be between 0 and 99"),
        (("hi",), {"tags": ["a", "c"]}, "tags", "must be one of a, b, not 'c'"),
        (tuple("12345678"), {}, "", "takes at most 7 arguments, not 8"),
    ],
)
def test_arguments_that_do_not_fit(args: Any, kwargs: Any, argument: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        signatures.bind(PREDICT, args, kwargs)
    assert caught.value.argument == argument


def test_check_value_gives_the_fields_own_type() -> None:
    assert type(signatures.check_value(build(taking(float)).input_fields[0], 1)) is float
    assert signatures.check_value(build(taking(Text)).input_fields[0], "hi") == Text("hi")
