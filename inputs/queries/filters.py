"""What of an app's inputs is wanted, in which order: read from an address, and written into one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from django.utils.http import urlencode

from inputs.models import Kind
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from django.http import QueryDict

ORDERS = {"newest": "Newest first", "oldest": "Oldest first", "name": "By name"}
MAX_TERMS = 20
MAX_WORDS = 200


@dataclass(frozen=True, kw_only=True)
class Filter:
    """In an address: ``type``, ``concept`` (all of them), ``any`` (one of them), ``not`` (none of them), ``dataset``
    (one of them), ``metadata`` as ``key=value`` (all of them), ``from`` and ``to`` (days, both included, UTC), ``q``
    and ``order``. All but the last five may come several times.
    """

    types: tuple[str, ...] = ()
    concepts: tuple[str, ...] = ()
    any_concepts: tuple[str, ...] = ()
    no_concepts: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    since: date | None = None
    until: date | None = None
    words: str = ""
    order: str = "newest"

    @classmethod
    def from_query(cls, query: QueryDict) -> Filter:
        """Raises InputError that names what cannot be read."""
        types = _several(query, "type")
        if unknown := [one for one in types if one not in Kind.values]:
            raise InputError(f"type: one of {', '.join(Kind.values)}, not {unknown[0][:40]!r}.", argument="type")
        order = query.get("order", "") or "newest"
        if order not in ORDERS:
            raise InputError(f"order: one of {', '.join(ORDERS)}, not {order[:40]!r}.", argument="order")
        return cls(
            types=types,
            concepts=_several(query, "concept"),
            any_concepts=_several(query, "any"),
            no_concepts=_several(query, "not"),
            datasets=_several(query, "dataset"),
            metadata=tuple(_pair(one) for one in _several(query, "metadata")),
            since=_day(query, "from"),
            until=_day(query, "to"),
            words=query.get("q", "").strip()[:MAX_WORDS],
            order=order,
        )

    def to_query(self) -> str:
        """The same as a query string, in one fixed order; "" for all, newest first."""
        pairs: list[tuple[str, str]] = []
        several = {
            "type": self.types,
            "concept": self.concepts,
            "any": self.any_concepts,
            "not": self.no_concepts,
            "dataset": self.datasets,
            "metadata": tuple(f"{key}={value}" for key, value in self.metadata),
        }
        for name, values in several.items():
            pairs += [(name, value) for value in values]
        once = {"from": self.since, "to": self.until, "q": self.words}
        pairs += [(name, str(value)) for name, value in once.items() if value]
        if self.order != "newest":
            pairs.append(("order", self.order))
        return urlencode(pairs)

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves anything out."""
        return self.is_beyond_types or bool(self.types)

    @property
    def is_beyond_types(self) -> bool:
        """Whether it asks for more than types, which tallies answer at once."""
        labels = self.concepts or self.any_concepts or self.no_concepts or self.datasets
        return bool(labels or self.metadata or self.since or self.until or self.words)

    @property
    def begins_at(self) -> datetime | None:
        return datetime.combine(self.since, time.min, UTC) if self.since else None

    @property
    def ends_before(self) -> datetime | None:
        return datetime.combine(self.until, time.min, UTC) + timedelta(days=1) if self.until else None


def _several(query: QueryDict, name: str) -> tuple[str, ...]:
    values = tuple(dict.fromkeys(value.strip() for value in query.getlist(name) if value.strip()))
    if len(values) > MAX_TERMS:
        raise InputError(f"{name}: at most {MAX_TERMS} at once.", argument=name)
    return values


def _pair(text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise InputError(f"metadata: key=value is needed, not {text[:60]!r}.", argument="metadata")
    return key.strip(), value.strip()


def _day(query: QueryDict, name: str) -> date | None:
    text = query.get(name, "").strip()
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.min
    if day is not None and not 1900 <= day.year <= 9000:
        raise InputError(f"{name}: a day like 2026-11-22 is needed, not {text[:40]!r}.", argument=name)
    return day
