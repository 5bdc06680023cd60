"""Models as the pages list and find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, Max, OuterRef, Q, QuerySet, Subquery, When
from django.http import Http404

from playground.catalog.models import Model, ModelVersion, User, latest_version
from playground.compute.models import Deployment
from playground.play.forms import with_forms
from playground.protocol import signatures
from playground.runs.models import Run

_BY_NAME = ("app__owner__username", "app__slug", "slug")


@dataclass(frozen=True)
class ModelRow:
    """A model in the list."""

    model: Model
    io: str
    state: str
    last_used: datetime | None


@dataclass(frozen=True)
class Tally:
    """How many of the models that the reader sees are of each type, and in each state."""

    total: int
    types: Mapping[str, int]
    states: Mapping[str, int]


def list_models(
    user: User, *, text: str = "", type_id: str = "", state: str = "", by_use: bool = False
) -> QuerySet[Model]:
    """The models that ``user`` sees, by name, or those used last first; ``state`` is that of the shared deployment."""
    found = Model.objects.visible_to(user)
    if text:
        found = found.filter(Q(slug__icontains=text) | Q(description__icontains=text))
    if type_id:
        found = found.filter(type_id=type_id)
    if state:
        found = found.filter(deployments__is_shared=True, deployments__state=state)
    if not by_use:
        return found.order_by(*_BY_NAME)
    runs = Run.objects.visible_to(user).filter(model=OuterRef("pk")).order_by("-created_at")
    used = found.annotate(used=Subquery(runs.values("created_at")[:1]))
    return used.order_by(F("used").desc(nulls_last=True), *_BY_NAME)


def likely_models(user: User, text: str) -> QuerySet[Model]:
    """Those that match, as a person who looks for one means it: by name before by description, used last first."""
    found = list_models(user, text=text, by_use=True)
    is_named = Case(When(slug__icontains=text, then=1), default=0)
    return found.order_by(is_named.desc(), *found.query.order_by) if text else found


def tally_models(user: User) -> Tally:
    """Over all that ``user`` sees, whatever is filtered: what the filters offer."""
    seen = Model.objects.visible_to(user).order_by()
    types = dict(seen.values_list("type_id").annotate(n=Count("pk")).order_by("type_id"))
    shared = Deployment.objects.filter(is_shared=True, model__in=seen.values("pk")).order_by()
    states = dict(shared.values_list("state").annotate(n=Count("pk")))
    return Tally(sum(types.values()), types, {state: states.get(state, 0) for state in Deployment.State.values})


def rows_of(user: User, pks: Sequence[int]) -> list[ModelRow]:
    """The models with these keys, in this order, with the state of their shared deployment: read of the page alone."""
    found = Model.objects.select_related("app__owner").annotate(latest_pk=latest_version("pk")).in_bulk(pks)
    runs = Run.objects.visible_to(user).filter(model__in=pks).order_by()
    used = dict(runs.values_list("model").annotate(last=Max("created_at")))
    states = dict(Deployment.objects.filter(is_shared=True, model__in=pks).values_list("model", "state"))
    latest = {pk: getattr(model, "latest_pk", None) for pk, model in found.items()}
    versions = ModelVersion.objects.only("signatures_proto").in_bulk([pk for pk in latest.values() if pk])
    return [
        ModelRow(found[pk], io_of(versions.get(latest[pk])), states.get(pk, ""), used.get(pk))
        for pk in pks
        if pk in found
    ]


def io_of(version: ModelVersion | None) -> str:
    """What goes in and comes out of the first method; "" until that is known."""
    known = with_forms(version.signatures) if version else []
    return signatures.describe_io(known[0]).removesuffix(", streamed") if known else ""


def find_model(user: User, user_id: str, app_id: str, model_id: str) -> Model:
    """The model at an address, if ``user`` may see it; else Http404, in the same words as for none."""
    found = Model.objects.visible_to(user).at(user_id, app_id, model_id).select_related("app__owner").first()
    if found is None:
        raise Http404(f"No model {user_id}/{app_id}/models/{model_id} for you.")
    return found


def find_version(model: Model, version_id: str) -> ModelVersion | None:
    """The version an address names, or the latest."""
    if not version_id:
        return model.latest
    found = model.versions.filter(slug=version_id).first()
    if found is None:
        raise Http404(f"{model} has no version {version_id}.")
    return found
