"""Who may do what with inputs: a member of an app adds to it and edits; its owners, and whoever added one, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from inputs.models import Input
from playground.catalog.access import Role, has_role, require_role
from playground.protocol.errors import AccessError, InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from playground.catalog.models import App, User

MOST_AT_ONCE = 10_000
_AT_ONCE = 500


def visible(user: User, inputs: Iterable[Input | int]) -> list[Input]:
    """These inputs, read anew, as far as they are there for the user; rows or their keys, of one app or several.

    Raises InputError for too many at once, NotFoundError when there is none.
    """
    keys = list(dict.fromkeys(one.pk if isinstance(one, Input) else one for one in inputs))
    if len(keys) > MOST_AT_ONCE:
        raise InputError(f"At most {MOST_AT_ONCE:,} inputs at once; these are {len(keys):,}.")
    rows: dict[int, Input] = {}
    for start in range(0, len(keys), _AT_ONCE):
        some = Input.objects.visible_to(user).filter(pk__in=keys[start : start + _AT_ONCE])
        rows |= {row.pk: row for row in some.select_related("app__owner", "reference")}
    if not rows:
        words = "No such input for you: it was deleted before, or is not shared with you."
        raise NotFoundError(words, code=StatusCode.INPUT_DOES_NOT_EXIST)
    return [rows[key] for key in keys if key in rows]


def apps_of(rows: Iterable[Input]) -> list[App]:
    return list({row.app_id: row.app for row in rows}.values())


def require_editor(user: User, rows: Sequence[Input]) -> None:
    """Raises AccessError unless the user is a member of the apps."""
    for app in apps_of(rows):
        require_role(user, app, Role.MEMBER)


def require_deleter(user: User, rows: Sequence[Input]) -> None:
    """Raises AccessError where some were added by others and the user is no owner of their app."""
    require_editor(user, rows)
    for app in apps_of(rows):
        others = [row for row in rows if row.app_id == app.pk and row.owner_id != user.pk]
        if others and not has_role(user, app, Role.OWNER):
            which = others[0].title if len(others) == 1 else f"{len(others):,} of these inputs"
            raise AccessError(f"{which} was added by somebody else: they, or an owner of {app}, can delete that.")
