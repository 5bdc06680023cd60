"""Whose things a request is about: ``user_app_id`` read in one way, and what several families read alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2
from google.protobuf import json_format

from playground.catalog.models import User
from playground.compute.routing import ME
from playground.protocol.errors import AccessError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

SHOWN = 20


def user_id_of(caller: User, owner: resources_pb2.UserAppIDSet) -> str:
    """``me`` and nothing mean the caller."""
    return caller.username if owner.user_id in ME else str(owner.user_id)


def require_self(caller: User, *user_ids: str) -> None:
    """What belongs to a user is made and deleted in their own name. Raises AccessError for anybody else's."""
    for user_id in user_ids:
        if user_id not in (*ME, caller.username):
            raise AccessError(f"You are {caller.username}: what belongs to {user_id} is for {user_id} to change.")


def require_some(things: Iterable[Any], what: str, code: int) -> None:
    """Raises InputError with ``code`` when a request names nothing to act on."""
    if not any(True for _ in things):
        raise InputError(f"The call names no {what}.", code=code)


def check_action(action: str, code: int) -> None:
    """Edits set what they carry. Raises InputError with ``code`` for any other way of patching."""
    if action not in ("", "overwrite", "merge"):
        raise InputError(f"Unrecognized action {action!r}: edits take overwrite.", code=code)


def named(ids: Iterable[Any]) -> str:
    """The first few of what there is, for an error's words."""
    return ", ".join(str(one) for _, one in zip(range(SHOWN), ids, strict=False))


def write_time(field: Any, moment: datetime) -> None:
    """As ``FromDatetime`` does, at a tenth of its time: lists write thousands."""
    field.seconds = int(moment.timestamp() // 1)
    field.nanos = moment.microsecond * 1000


def plain(struct: Any) -> dict[str, Any]:
    """A Struct as Python has it."""
    found: dict[str, Any] = json_format.MessageToDict(struct)
    return found


def given(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say something: the wire does not tell apart what is empty and what was left out."""
    return {name: value for name, value in facts.items() if value not in (None, "", [], ())}
