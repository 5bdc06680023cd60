"""Which method of a model can take an input, and how the input enters the call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from playground.protocol import signatures
from playground.protocol.fields import Field, Types
from playground.protocol.signatures import Signature

KINDS = ("image", "text", "audio", "video")
_IS = {"image": "is a picture", "text": "is text", "audio": "is a sound", "video": "is a film"}
_PLAIN = {"image": "a picture", "images": "pictures", "audio": "sound", "video": "a film", "videos": "films"}
_TAKES: dict[str, tuple[int, ...]] = {
    "image": (Types.IMAGE,),
    "text": (Types.TEXT, Types.STR),
    "audio": (Types.AUDIO,),
    "video": (Types.VIDEO,),
}


@dataclass(frozen=True)
class Fit:
    """How a method takes an input: in which argument, alone or as the one item of a list or stream."""

    argument: str
    is_list: bool = False


def fit(signature: Signature, kind: str) -> Fit | None:
    """The argument of a method that an input of this kind goes into: a required one before others; None for no."""
    wanted = _TAKES.get(kind, ())
    given = [field for field in signature.input_fields if not field.is_param]
    for field in sorted(given, key=lambda field: not (field.required or field.iterator)):
        if field.type in wanted and not _is_chosen(field):
            return Fit(field.name, is_list=bool(field.iterator))
        if field.type == Types.LIST and field.type_args and field.type_args[0].type in wanted:
            return Fit(field.name, is_list=True)
    return None


def _is_chosen(field: Field) -> bool:
    """Whether it is a word out of a few, into which no text goes."""
    return bool(signatures.choices_of(field)) if field.type == Types.STR else False


def fitting(known: Iterable[Signature], kind: str) -> list[Signature]:
    """The methods that take it, those that answer at once or piece by piece before those that stream both ways."""
    able = [signature for signature in known if fit(signature, kind) is not None]
    return sorted(able, key=lambda signature: signatures.stream_field(signature) is not None)


def why_not(known: Sequence[Signature], kind: str) -> str:
    """Why none of the methods takes it, for a person; "" where one does."""
    if not known:
        return "What it takes is known once it has been loaded"
    if fitting(known, kind):
        return ""
    takes = signatures.describe_io(known[0]).split(" → ")[0].removesuffix(", streamed")
    words = " and ".join(_PLAIN.get(word, word) for word in takes.split(" + "))
    return f"Takes {words}; this input {_IS.get(kind, 'is another file')}"
