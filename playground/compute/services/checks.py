"""What all acts check of the values they are given, refused by name; and the status codes of each kind of row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.core.exceptions import ValidationError

from playground.catalog.ids import validate_id
from playground.catalog.models import PRIVATE, PUBLIC
from playground.protocol.errors import ConflictError, InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.db.models import Model as Row

ORG = 30
DESCRIPTION_LENGTH = 10_000
LABEL_LENGTH = 64


@dataclass(frozen=True)
class Kind:
    """A kind of row: what it is called, and the V2 codes of what can be wrong with one."""

    name: str
    invalid: int
    conflict: int
    missing: int

    def wrong(self, argument: str, message: str) -> InputError:
        return InputError(message, argument=argument, code=self.invalid)

    def clash(self, message: str) -> ConflictError:
        return ConflictError(message, code=self.conflict)

    def not_there(self, name: str, others: Iterable[object]) -> NotFoundError:
        names = ", ".join(str(other) for other in others)
        return NotFoundError(
            f"No {self.name} {name} for you. It does not exist, or is not shared with you."
            + (f" There are: {names}." if names else ""),
            code=self.missing,
        )

    def check_id(self, value: str) -> str:
        try:
            validate_id(value)
        except ValidationError as error:
            raise self.wrong("id", error.messages[0]) from None
        return value

    def check_text(self, value: Any, name: str, limit: int) -> str:
        if not isinstance(value, str):
            raise self.wrong(name, f"{name} is no text: {value!r}.")
        if len(value) > limit or not is_storable(value):
            raise self.wrong(name, f"{name} is longer than {limit} characters, or no plain text.")
        return value

    def check_count(self, value: Any, name: str, low: int, high: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.wrong(name, f"{name} is no whole number: {value!r}.")
        if not low <= value <= high:
            raise self.wrong(name, f"{name} is {value}: it can be {low} to {high}.")
        return value

    def check_switch(self, value: Any, name: str) -> bool:
        if not isinstance(value, bool):
            raise self.wrong(name, f"{name} is neither true nor false: {value!r}.")
        return value

    def check_visibility(self, value: Any) -> int:
        if value == ORG:
            raise self.wrong("visibility", "Visibility 30 (org) means nothing here: use 10 (private) or 50 (public).")
        if value not in (PRIVATE, PUBLIC):
            raise self.wrong("visibility", f"visibility is {value!r}: it can be 10 (private) or 50 (public).")
        return int(value)


CLUSTER = Kind(
    "cluster",
    StatusCode.COMPUTE_CLUSTER_INVALID_ARGUMENT,
    StatusCode.COMPUTE_CLUSTER_INVALID_REQUEST,
    StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST,
)
NODEPOOL = Kind(
    "nodepool",
    StatusCode.NODEPOOL_INVALID_ARGUMENT,
    StatusCode.NODEPOOL_INVALID_REQUEST,
    StatusCode.NODEPOOL_DOES_NOT_EXIST,
)
DEPLOYMENT = Kind(
    "deployment",
    StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
    StatusCode.DEPLOYMENT_INVALID_REQUEST,
    StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
)


def is_storable(text: str) -> bool:
    """No zero byte, and no half of a character: neither has a place in a database or in an environment."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def set_fields(row: Row, values: Mapping[str, Any]) -> set[str]:
    """Write those values that differ from the row's; which ones they were. Nothing else of the row is written."""
    changed = {name for name, value in values.items() if getattr(row, name) != value}
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        row.save(update_fields=[*changed, "modified_at"])
    return changed
