"""Merges counts into rows: a minute's, its hour's and its day's in one transaction, so that they always agree.

Several gateways may write the same row: it is read, added to and written while nobody else can (SQLite: the transaction
begins by taking the write lock; Postgres: the row is made first, then locked).
"""

from __future__ import annotations

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
_MERGED = (*_HISTOGRAMS, "last_at")
_TABLE = Usage._meta.db_table
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
    spread = _spread(tallies, names)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.features.has_select_for_update:
            Usage.objects.bulk_create([head.row() for head, _ in spread.values()], ignore_conflicts=True)
        stored = Usage.objects.select_for_update().filter(digest__in=spread).order_by("digest")
        for digest, last_at, *packed in stored.values_list("digest", "last_at", *_HISTOGRAMS):
            _add_stored(spread[digest][1], last_at, packed)
        cursor.executemany(_UPSERT, [_values(head, tally) for head, tally in spread.values()])


class Head(NamedTuple):
    """What a row is of; its fields are columns."""

    digest: str
    span: int
    start: int
    deployment_key: int
    owner_key: int
    user_key: int
    deployment: str
    model: str
    version: str
    method: str
    user: str
    outcome: str

    @classmethod
    def of(cls, digest: str, span: int, kind: Kind, names: Names) -> Head:
        owned = names.deployment(kind.deployment_key)
        return cls(
            digest=digest,
            span=span,
            start=kind.start,
            deployment_key=kind.deployment_key,
            owner_key=owned.owner_key,
            user_key=kind.user_key,
            deployment=owned.deployment,
            model=owned.model,
            version=kind.version,
            method=kind.method,
            user=names.user(kind.user_key),
            outcome=kind.outcome,
        )

    def row(self) -> Usage:
        """The row as it begins: nothing counted."""
        return Usage(**self._asdict())


def _upsert() -> str:
    """Sums are added by the database; what it cannot add was merged with what it had."""
    columns = [*Head._fields, *_SUMS, *_MERGED]
    added = [f'"{name}" = "{_TABLE}"."{name}" + excluded."{name}"' for name in _SUMS]
    merged = [f'"{name}" = excluded."{name}"' for name in _MERGED]
    names = ", ".join(f'"{name}"' for name in columns)
    places = ", ".join(["%s"] * len(columns))
    changes = ", ".join(added + merged)
    return f'INSERT INTO "{_TABLE}" ({names}) VALUES ({places}) ON CONFLICT ("digest") DO UPDATE SET {changes}'


_UPSERT = _upsert()


def _spread(tallies: Mapping[Kind, Tally], names: Names) -> dict[str, tuple[Head, Tally]]:
    """The tallies by row: each minute's in its minute, hour and day; in the order in which all writers lock rows."""
    rows: dict[str, tuple[Head, Tally]] = {}
    for kind, tally in tallies.items():
        for span in SPANS:
            spanned = kind._replace(start=kind.start // span * span)
            digest = blake2b(repr((span, *spanned)).encode(), digest_size=16).hexdigest()
            if digest not in rows:
                rows[digest] = (Head.of(digest, span, spanned, names), Tally())
            rows[digest][1].add(tally)
    return dict(sorted(rows.items()))


def _add_stored(tally: Tally, last_at: float, packed: Iterable[bytes]) -> None:
    tally.last_at = max(tally.last_at, last_at)
    for name, histogram in zip(_HISTOGRAMS, packed, strict=True):
        add_packed(getattr(tally, name), histogram)


def _values(head: Head, tally: Tally) -> list[Any]:
    sums = [getattr(tally, name) for name in _SUMS]
    histograms = [pack(getattr(tally, name)) for name in _HISTOGRAMS]
    return [*head, *sums, *histograms, tally.last_at]


def _read_deployments(keys: Iterable[int]) -> dict[int, DeploymentNames]:
    rows = Deployment.objects.filter(pk__in=keys).select_related("owner", "model__app__owner")
    return {row.pk: DeploymentNames(str(row), str(row.model), row.owner_id) for row in rows}


def _make_room(known: dict[int, Any]) -> None:
    if len(known) >= _MOST_NAMES:
        known.clear()
