"""What an app's inputs can be narrowed by, with how many there are of each: bounded, whatever the app holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from inputs.models import Annotation, Concept, Dataset, Input, Kind, Tally
from inputs.queries.pages import COUNTED, MANY

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import QuerySet

    from playground.catalog.models import App, User

SHOWN = 50
_Tagged = Input.datasets.through


@dataclass(frozen=True)
class Facet:
    """One thing to narrow by. ``count`` is how many of the app's inputs have it, "10,000+" past that."""

    id: str
    name: str
    count: int | str


@dataclass(frozen=True)
class Facets:
    """Of the whole app; concepts and datasets by name, 50 of each: ``has_more_…`` says that there are others."""

    types: list[Facet]
    concepts: list[Facet]
    datasets: list[Facet]
    has_more_concepts: bool = False
    has_more_datasets: bool = False


def facets(user: User | AnonymousUser, app: App) -> Facets:
    """What to narrow by; nothing for who has no role in the app."""
    if not type(app).objects.with_role(user).filter(pk=app.pk).exists():
        return Facets([], [], [])
    tallies = dict(Tally.objects.filter(app=app).values_list("kind", "count"))
    types = [Facet(kind.value, kind.label, tallies.get(kind.value, 0)) for kind in Kind]
    concepts, datasets = concepts_of(user, app, limit=SHOWN + 1), datasets_of(user, app, limit=SHOWN + 1)
    return Facets(types, concepts[:SHOWN], datasets[:SHOWN], len(concepts) > SHOWN, len(datasets) > SHOWN)


def concepts_of(user: User | AnonymousUser, app: App, *, words: str = "", limit: int = SHOWN) -> list[Facet]:
    """The app's concepts by name, those with ``words`` in their name or id."""
    found = Concept.objects.filter(app__in=type(app).objects.with_role(user).filter(pk=app.pk))
    found = found.filter(Q(name__icontains=words) | Q(slug__icontains=words)) if words else found
    chosen = list(found.order_by("name", "pk")[:limit])
    labels = Annotation.objects.filter(value__gt=0)
    gone = _gone(labels, app, "concept", chosen)
    return [Facet(one.slug, one.name, _bounded(labels.filter(concept=one), gone.get(one.pk, 0))) for one in chosen]


def datasets_of(user: User | AnonymousUser, app: App, *, words: str = "", limit: int = SHOWN) -> list[Facet]:
    """The app's datasets by id, those with ``words`` in it."""
    found = Dataset.objects.filter(app__in=type(app).objects.with_role(user).filter(pk=app.pk))
    found = found.filter(slug__icontains=words) if words else found
    chosen = list(found.order_by("slug", "pk")[:limit])
    tagged = _Tagged.objects.all()
    gone = _gone(tagged, app, "dataset", chosen)
    return [Facet(one.slug, one.slug, _bounded(tagged.filter(dataset=one), gone.get(one.pk, 0))) for one in chosen]


def _bounded(labels: QuerySet[Any], gone: int) -> int | str:
    """From the index alone; those deleted a short while ago, which are few, are taken off."""
    found = labels.order_by().values("input_id").distinct()[: COUNTED + 1 + gone].count() - gone
    return found if found <= COUNTED else MANY


def _gone(labels: QuerySet[Any], app: App, name: str, chosen: list[Concept] | list[Dataset]) -> dict[int, int]:
    deleted = Input.objects.filter(app=app, deleted_at__isnull=False)
    if not deleted.exists():
        return {}
    among = labels.filter(**{"input__in": deleted, f"{name}__in": chosen})
    return dict(among.order_by().values_list(name).annotate(count=Count("input", distinct=True)))
