"""Which app and which input an address means, for a user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db.models import Case, IntegerField, Q, When

from inputs.models import Input, InputQuerySet
from playground.catalog.models import App
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import AnonymousUser

    from playground.catalog.models import AppQuerySet, User

MAIN = "main"


def apps_of(user: User | AnonymousUser) -> AppQuerySet:
    """The apps whose inputs ``user`` may see, one's own main app first."""
    rank = Case(
        When(Q(owner=user.pk, slug=MAIN), then=0), When(owner=user.pk, then=1), default=2, output_field=IntegerField()
    )
    found = App.objects.with_role(user).select_related("owner")
    return found.order_by(rank, "owner__username", "slug")


def find_app(user: User | AnonymousUser, address: str = "") -> App:
    """The app at ``user/app``; for "" the user's own main app, else the first whose inputs they see.

    Raises NotFoundError where there is none for them.
    """
    apps = apps_of(user)
    if address:
        owner, _, slug = address.partition("/")
        apps = apps.filter(owner__username=owner, slug=slug)
    found = apps.first()
    if found is None:
        which = f"No app {address[:140]} for you. It does not exist, or is not shared with you."
        raise NotFoundError(which if address else "You have no app yet: ask an owner of one to share it with you.")
    return found


def find_input(user: User | AnonymousUser, input_id: str, app: str | App = "") -> Input:
    """The input with this id, in ``app`` where that is named, else in one's own main app, else in any one sees.

    Raises NotFoundError.
    """
    rows = _with_what_pages_need(Input.objects.visible_to(user)).filter(slug=input_id)
    if isinstance(app, App):
        rows = rows.filter(app=app)
    elif app:
        owner, _, slug = app.partition("/")
        rows = rows.filter(app__owner__username=owner, app__slug=slug)
    mine = Case(
        When(Q(app__owner=user.pk, app__slug=MAIN), then=0),
        When(app__owner=user.pk, then=1),
        default=2,
        output_field=IntegerField(),
    )
    found = rows.order_by(mine, "-created_at", "-pk").first()
    if found is None:
        words = f"No input {input_id[:140]} for you. It does not exist, or is not shared with you."
        raise NotFoundError(words, code=StatusCode.INPUT_DOES_NOT_EXIST)
    return found


def find_inputs(user: User | AnonymousUser, app: App, slugs: Sequence[str]) -> list[Input]:
    """Those of these ids that there are for the user, in the order asked for."""
    rows: dict[str, Input] = {}
    for start in range(0, len(slugs), 500):
        some = _with_what_pages_need(Input.objects.visible_to(user)).on_shelf(app)
        some = some.filter(slug__in=slugs[start : start + 500])
        rows |= {row.slug: row for row in some}
    return [rows[slug] for slug in dict.fromkeys(slugs) if slug in rows]


def _with_what_pages_need(rows: InputQuerySet) -> InputQuerySet:
    return rows.select_related("app__owner", "owner", "reference__blob")
