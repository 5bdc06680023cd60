"""Models as the pages list and find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q, QuerySet
from django.http import Http404

from playground.catalog.models import Model, ModelVersion, User, latest_version
from playground.compute.models import Deployment
from playground.play.forms import with_forms
from playground.protocol import signatures
from playground.runs.models import Run


@dataclass(frozen=True)
class ModelRow:
    """A model in the list."""

    model: Model
    io: str
    state: str
    last_used: datetime | None


def list_models(user: User, *, text: str = "") -> QuerySet[Model]:
    """The models that ``user`` sees, by name."""
    found = Model.objects.visible_to(user).order_by("app__owner__username", "app__slug", "slug")
    return found.filter(Q(slug__icontains=text) | Q(description__icontains=text)) if text else found


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
