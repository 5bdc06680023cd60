"""An input as the viewer's module knows it: what it is, what is said of it, what models found, what is beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.urls import reverse

from inputs import addresses
from inputs.models import Annotation, Input, Prediction
from inputs.queries import Around, Filter, around, count
from inputs.queries.finding import MAIN
from inputs.queries.picked import around_picked, unpack
from playground.catalog.access import Role, has_role
from playground.catalog.models import ModelVersion
from playground.protocol import signatures
from playground.protocol.shapes import shape_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.catalog.models import App, User

REACH = 6
MOST_ANNOTATIONS = 5000
MOST_PREDICTIONS = 8
_LOOKED_AT = 60


@dataclass(frozen=True)
class Seen:
    """Who looks, from which app, with which filter, at which selection: what the addresses of other inputs carry on."""

    user: User
    app: App
    wanted: Filter
    picked: str = ""  # the selection as ``pack`` writes it; "" where one walks through all that fit

    @property
    def query(self) -> str:
        is_main = self.app.owner_id == self.user.pk and self.app.slug == MAIN
        app = "" if is_main else urlencode({"app": f"{self.app.owner.username}/{self.app.slug}"}, safe="/")
        return "&".join(filter(None, [app, self.wanted.to_query()]))

    def address(self, name: str, *parts: Any) -> str:
        query = self.query
        return reverse(f"inputs:{name}", args=parts) + (f"?{query}" if query else "")

    def viewer(self, slug: str) -> str:
        address = self.address("viewer", slug)
        return f"{address}{'&' if '?' in address else '?'}of={self.picked}" if self.picked else address


def facts_of(seen: Seen, row: Input) -> dict[str, Any]:
    """Everything about one input."""
    user = seen.user
    return {
        "id": row.slug,
        "url": seen.viewer(row.slug),
        "user": user.username,
        **_about(row),
        "thumbnail": addresses.thumbnail(user, row),
        "preview": addresses.preview(user, row),
        "original": addresses.original(user, row),
        "media": _media(user, row),
        "may_edit": (may_edit := has_role(user, row.app, Role.MEMBER)),
        "may_delete": may_edit and (row.owner_id == user.pk or has_role(user, row.app, Role.OWNER)),
        "annotations": annotations_of(seen, row),
        "predictions": predictions_of(seen, row),
        **_beside(seen, row),
        **_addresses(seen, row),
    }


def _about(row: Input) -> dict[str, Any]:
    reference = row.reference
    return {
        "name": row.title,
        "kind": row.kind,
        "content_type": reference.content_type if reference else "",
        "size": reference.blob.size if reference else None,
        "width": row.width,
        "height": row.height,
        "duration_s": row.duration_s,
        "facts": row.facts or {},
        "metadata": row.metadata,
        "datasets": list(row.datasets.order_by("slug").values_list("slug", flat=True)),
        "owner": row.owner.username,
        "source_url": row.source_url,
        "created_at": row.created_at.isoformat(),
        "captured_at": row.captured_at.isoformat() if row.captured_at else None,
        "is_ready": row.is_ready,
        "is_under_way": row.is_under_way,
        "status_words": row.status_words,
    }


def _media(user: User, row: Input) -> str | None:
    """The file as this user's calls name it; None where it belongs to another, and must be lent first."""
    reference = row.reference
    return reference.pk if reference is not None and reference.owner_id in {None, user.pk} else None


def _beside(seen: Seen, row: Input) -> dict[str, Any]:
    found, total = _around(seen, row)
    return {
        "previous": seen.viewer(found.previous.slug) if found.previous else None,
        "next": seen.viewer(found.next.slug) if found.next else None,
        "position": found.place,
        "total": total,
        "is_picked": bool(seen.picked),
        "strip": [_frame(seen, other) for other in [*reversed(found.before), row, *found.after]],
    }


def _around(seen: Seen, row: Input) -> tuple[Around, int | str]:
    """What is beside it, and of how many it is one."""
    if seen.picked:
        return around_picked(row, unpack(seen.picked), reach=REACH)
    return around(seen.user, row, seen.wanted, reach=REACH), count(seen.user, row.app, seen.wanted)


def _frame(seen: Seen, row: Input) -> dict[str, str]:
    """An input in the film strip."""
    thumbnail = addresses.thumbnail(seen.user, row)
    return {"url": seen.viewer(row.slug), "name": row.title, "kind": row.kind, "thumbnail": thumbnail}


def _addresses(seen: Seen, row: Input) -> dict[str, Any]:
    slug = row.slug
    export = seen.address("export", slug)
    sign = "&" if "?" in export else "?"
    return {
        "back_url": seen.address("manager"),
        "annotations_url": seen.address("annotations", slug),
        "unannotate_url": seen.address("unannotate", slug),
        "predictions_url": seen.address("predictions", slug),
        "borrow_url": seen.address("borrow", slug),
        "edit_url": seen.address("edit", slug),
        "delete_url": seen.address("delete", slug),
        "restore_url": seen.address("restore"),
        "export_urls": {name: f"{export}{sign}format={name}" for name in ("jsonl", "coco")},
    }


def annotations_of(seen: Seen, row: Input) -> list[dict[str, Any]]:
    """What people say of an input, in the order in which they said it."""
    found = Annotation.objects.filter(input=row).select_related("concept").order_by("pk")
    return [annotation_facts(seen, row, one) for one in found[:MOST_ANNOTATIONS]]


def annotation_facts(seen: Seen, row: Input, one: Annotation) -> dict[str, Any]:
    return {
        "id": one.pk,
        "url": seen.address("annotation", row.slug, one.pk),
        "concept": {"id": one.concept.slug, "name": one.concept.name} if one.concept else None,
        "value": one.value,
        "box": list(one.box) if one.box else None,
        "text": one.text,
        "origin": one.origin,
    }


def predictions_of(seen: Seen, row: Input) -> list[dict[str, Any]]:
    """The newest of each model, method and deployment asked for, the newest first."""
    found = Prediction.objects.visible_to(seen.user).filter(input=row)
    found = found.select_related("model__app__owner", "workflow__app__owner", "run").defer(
        "run__arguments", "run__searched"
    )
    newest: dict[tuple[Any, ...], Prediction] = {}
    for one in found.order_by("-created_at", "-pk")[:_LOOKED_AT]:
        newest.setdefault((one.model_id, one.workflow_id, one.method, one.deployment_asked), one)
    kept = list(newest.values())[:MOST_PREDICTIONS]
    shapes = _shapes(kept)
    return [prediction_facts(seen, row, one, shapes.get(one.pk)) for one in kept]


def _shapes(found: Iterable[Prediction]) -> dict[int, dict[str, Any]]:
    """What each gives, by the version that gave it."""
    found = list(found)
    versions = ModelVersion.objects.filter(
        model__in={one.model_id for one in found}, slug__in={o.version for o in found}
    )
    known: dict[tuple[int | None, str], ModelVersion] = {(row.model_id, row.slug): row for row in versions}
    return {one.pk: shape for one in found if (shape := shape_by(known.get((one.model_id, one.version)), one.method))}


def shape_by(version: ModelVersion | None, method: str) -> dict[str, Any] | None:
    """The shape of what a method gives; None where that is not known any more."""
    for signature in version.signatures if version else []:
        if signature.name == method:
            return shape_of(signatures.output_field(signature))
    return None


def prediction_facts(seen: Seen, row: Input, one: Prediction, shape: dict[str, Any] | None) -> dict[str, Any]:
    run = one.run
    selector = run.selector if run else _selector(one.deployment_asked)
    subject = one.workflow or one.model
    return {
        "id": one.pk,
        "kind": "workflow" if one.workflow else "model",
        "target": str(subject),
        "name": subject.slug if subject else "",
        "method": one.method,
        "selector": selector,
        "asked": one.deployment_asked or "Shared",
        "served": _served(one),
        "as_asked": _is_as_asked(selector, run.served_by) if run and one.model_id else _are_as_asked(one.nodes),
        "shape": shape,
        "outputs": one.outputs,
        "nodes": one.nodes or None,
        "run": str(run.pk) if run else None,
        "total_ms": one.total_ms,
        "created_at": one.created_at.isoformat(),
        "accept_url": seen.address("accept", row.slug, one.pk),
    }


def _selector(asked: str) -> dict[str, str]:
    """What was asked for, of a prediction whose run is forgotten: a deployment, a place, or "" for Shared."""
    cluster, slash, nodepool = asked.partition("/")
    if slash:
        return {"compute_cluster_id": cluster, "nodepool_id": nodepool}
    return {"deployment_id": asked} if asked else {}


def _served(one: Prediction) -> str:
    return "Shared" if one.run and one.run.served_by.get("is_shared") else one.deployment_served


def _are_as_asked(nodes: list[dict[str, Any]]) -> bool | None:
    """Of a workflow: whether each node was served where it said; None where nobody knows."""
    known = [node["as_asked"] for node in nodes if node.get("as_asked") is not None]
    return all(known) if known else None


def _is_as_asked(selector: dict[str, str], served: dict[str, Any]) -> bool | None:
    if not served:
        return None
    if "deployment_id" in selector:
        return bool(served.get("deployment_id") == selector["deployment_id"])
    if "nodepool_id" in selector:
        return all(served.get(name) == selector.get(name) for name in ("compute_cluster_id", "nodepool_id"))
    return bool(served.get("is_shared"))
