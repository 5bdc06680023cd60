"""Merges counts into rows: a minute's, its hour's and its day's in one transaction, so that they always agree.

Several gateways may write the same row: it is read, added to and written while nobody else can (SQLite: the transaction
begins by taking the write lock; Postgres: the row is made first, then locked).
"""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection, transaction

from playground.catalog.models import User
from playground.compute.models import Deployment
from playground.compute.usage.histograms import add_packed, pack
from playground.compute.usage.models import SPANS, Usage
from playground.compute.usage.tallies import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playground.compute.usage.tallies import Kind

_SUMS = (
    "calls",
    "outputs",
    "prompt_tokens",
    "completion_tokens",
    "bytes_in",
    "bytes_out",
    "seconds",
    "queue_seconds",
)
_HISTOGRAMS = ("latencies", "first_outputs", "queue_times")
_MOST_NAMES = 10_000


class DeploymentNames(NamedTuple):
    """What rows keep of a deployment."""

    deployment: str = ""
    model: str = ""
    owner_key: int = 0


class Names:
    """Names of deployments and users by their keys: read once, and remembered when they are gone."""

    def __init__(self) -> None:
        self._deployments: dict[int, DeploymentNames] = {}
        self._users: dict[int, str] = {}

    def learn(self, kinds: Iterable[Kind]) -> None:
        """Read what is not known yet."""
        kinds = list(kinds)
        if deployments := {kind.deployment_key for kind in kinds} - self._deployments.keys() - {0}:
            _make_room(self._deployments)
            self._deployments |= _read_deployments(deployments)
        if users := {kind.user_key for kind in kinds} - self._users.keys() - {0}:
            _make_room(self._users)
            self._users |= dict(User.objects.filter(pk__in=users).values_list("pk", "username"))

    def deployment(self, key: int) -> DeploymentNames:
        return self._deployments.get(key, DeploymentNames())

    def user(self, key: int) -> str:
        return self._users.get(key, "")


def write(tallies: Mapping[Kind, Tally], names: Names) -> None:
    """Add the tallies of minutes to the rows. All or nothing. Raises DatabaseError."""
    names.learn(tallies)
    spread = _spread(tallies)
    with transaction.atomic():
        if connection.features.has_select_for_update:
            Usage.objects.bulk_create(_rows(spread, names), ignore_conflicts=True)
        locked = Usage.objects.select_for_update().filter(key__in=spread).order_by("key")
        rows = {row.key: row for row in _rows(spread, names)} | {row.key: row for row in locked}
        for key, (_, _, tally) in spread.items():
            _add(rows[key], tally)
        Usage.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["key"],
            update_fields=[*_SUMS, *_HISTOGRAMS, "last_at"],
        )


def _spread(tallies: Mapping[Kind, Tally]) -> dict[str, tuple[int, Kind, Tally]]:
    """The tallies by row: each minute's in its minute, hour and day."""
    rows: dict[str, tuple[int, Kind, Tally]] = {}
    for kind, tally in tallies.items():
        for span in SPANS:
            spanned = kind._replace(start=kind.start // span * span)
            rows.setdefault(_key(span, spanned), (span, spanned, Tally()))[2].add(tally)
    return dict(sorted(rows.items()))


def _key(span: int, kind: Kind) -> str:
    return blake2b(repr((span, *kind)).encode(), digest_size=16).hexdigest()


def _rows(spread: Mapping[str, tuple[int, Kind, Tally]], names: Names) -> list[Usage]:
    """The rows as they begin: nothing counted."""
    return [_row(key, span, kind, names) for key, (span, kind, _) in spread.items()]


def _row(key: str, span: int, kind: Kind, names: Names) -> Usage:
    deployment = names.deployment(kind.deployment_key)
    return Usage(
        key=key,
        span=span,
        start=_time(kind.start),
        deployment_key=kind.deployment_key,
        owner_key=deployment.owner_key,
        user_key=kind.user_key,
        deployment=deployment.deployment,
        model=deployment.model,
        version=kind.version,
        method=kind.method,
        user=names.user(kind.user_key),
        outcome=kind.outcome,
        last_at=_time(kind.start),
    )


def _add(row: Usage, tally: Tally) -> None:
    for name in _SUMS:
        setattr(row, name, getattr(row, name) + getattr(tally, name))
    for name in _HISTOGRAMS:
        counts = dict(getattr(tally, name))
        add_packed(counts, bytes(getattr(row, name)))
        setattr(row, name, pack(counts))
    row.last_at = max(row.last_at, _time(tally.last_at))


def _read_deployments(keys: Iterable[int]) -> dict[int, DeploymentNames]:
    rows = Deployment.objects.filter(pk__in=keys).select_related("owner", "model__app__owner")
    return {row.pk: DeploymentNames(str(row), str(row.model), row.owner_id) for row in rows}


def _make_room(known: dict[int, Any]) -> None:
    if len(known) >= _MOST_NAMES:
        known.clear()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
