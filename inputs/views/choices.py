"""The filter of the Inputs-Manager as its page shows it: what can be chosen, what is, and how to take each away."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from inputs.models import Concept, Kind
from inputs.queries import ORDERS, Facets, Filter, concepts_of, datasets_of, facets, narrowed, uncounted
from inputs.queries.facets import SHOWN, Facet
from inputs.views.tiles import hue_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playground.catalog.models import App, User

KINDS = {Kind.IMAGE: "Picture", Kind.TEXT: "Text", Kind.VIDEO: "Film", Kind.AUDIO: "Sound"}


@dataclass(frozen=True)
class Choice:
    """One thing to filter by; ``count`` is in words, and empty where nobody counted."""

    value: str
    words: str
    count: str = ""
    is_on: bool = False
    is_not: bool = False
    hue: int = 0


@dataclass(frozen=True)
class Tag:
    """A part of the filter in words, and the address without it."""

    words: str
    without: str


@dataclass(frozen=True)
class Choices:
    types: list[Choice]
    concepts: list[Choice]
    datasets: list[Choice]
    has_more_concepts: bool
    has_more_datasets: bool
    is_all: bool
    concept_words: str = ""
    dataset_words: str = ""


def orders_of(wanted: Filter) -> list[tuple[str, str, bool]]:
    """(what the address has, its words, whether it is chosen); the usual one needs no words in the address."""
    return [("" if name == "newest" else name, words, name == wanted.order) for name, words in ORDERS.items()]


def choices_for(user: User, app: App, wanted: Filter, words: Mapping[str, str], *, is_counted: bool) -> Choices:
    """What there is to choose from, counted within the filter unless that comes later; of many, those with the words
    of ``find_concept`` and ``find_dataset``."""
    found = facets(user, app)
    of_concepts, of_datasets = (words.get(name, "").strip()[:100] for name in ("find_concept", "find_dataset"))
    if of_concepts and found.has_more_concepts:
        found = replace(found, concepts=concepts_of(user, app, words=of_concepts, limit=SHOWN))
    if of_datasets and found.has_more_datasets:
        found = replace(found, datasets=datasets_of(user, app, words=of_datasets, limit=SHOWN))
    if wanted.is_narrow:
        found = narrowed(user, app, wanted, found) if is_counted else uncounted(found)
    asked = {*wanted.concepts, *wanted.any_concepts, *wanted.no_concepts} - {one.id for one in found.concepts}
    names = dict(Concept.objects.filter(app=app, slug__in=asked).values_list("slug", "name")) if asked else {}
    return replace(choices_of(found, wanted, names), concept_words=of_concepts, dataset_words=of_datasets)


def choices_of(found: Facets, wanted: Filter, names: Mapping[str, str] | None = None) -> Choices:
    """What is chosen stands among them, also where it is not among the first; then ``names`` has its name."""
    counts = {one.id: one.count for one in found.types}
    on = (*wanted.concepts, *wanted.any_concepts)
    return Choices(
        types=[
            Choice(kind.value, words, _words(counts.get(kind.value, 0)), kind.value in wanted.types)
            for kind, words in KINDS.items()
        ],
        concepts=[
            Choice(one.id, one.name, _words(one.count), one.id in on, one.id in wanted.no_concepts, hue_of(one.id))
            for one in _with_chosen(found.concepts, (*on, *wanted.no_concepts), names or {})
        ],
        datasets=[
            Choice(one.id, one.name, _words(one.count), one.id in wanted.datasets)
            for one in _with_chosen(found.datasets, wanted.datasets, {})
        ],
        has_more_concepts=found.has_more_concepts,
        has_more_datasets=found.has_more_datasets,
        is_all=bool(wanted.concepts),
    )


def _with_chosen(found: list[Facet], chosen: Iterable[str], names: Mapping[str, str]) -> list[Facet]:
    """The chosen ones first where they are not among the found."""
    there = {one.id for one in found}
    return [*(Facet(one, names.get(one, one), "") for one in dict.fromkeys(chosen) if one not in there), *found]


def _words(count: int | str) -> str:
    return f"{count:,}" if isinstance(count, int) else count


def tags_of(wanted: Filter, app: str, names: dict[str, str]) -> list[Tag]:
    """Each part of the filter; ``names`` are those of concepts by their ids."""
    pairs = [pair for pair in parse_qsl(wanted.to_query(), keep_blank_values=True) if pair[0] != "order"]
    tags = []
    for pair in pairs:
        rest = [other for other in parse_qsl(wanted.to_query(), keep_blank_values=True) if other != pair]
        tags.append(Tag(_tag_words(*pair, names), address(app, urlencode(rest))))
    return tags


def address(app: str, query: str) -> str:
    """A relative address of the page with this filter, in this app ("" for the one that needs no name)."""
    parts = [urlencode({"app": app}, safe="/") if app else "", query]
    return "?" + "&".join(part for part in parts if part)


def _tag_words(name: str, value: str, names: dict[str, str]) -> str:
    if name in {"concept", "any"}:
        return names.get(value, value)
    if name == "not":
        return f"not {names.get(value, value)}"
    if name in {"from", "to"}:
        return f"{'since' if name == 'from' else 'until'} {_day(date.fromisoformat(value))}"
    if name == "type":
        return KINDS[Kind(value)].lower()
    return f"“{value}”" if name == "q" else value


def _day(day: date) -> str:
    words = f"{day.day} {day:%b}"
    return words if day.year == date.today().year else f"{words} {day.year}"
