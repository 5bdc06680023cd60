"""What models found in inputs: kept as a layer of its own, and turned into annotations where somebody accepts it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db import transaction

from inputs.findings import Finding, findings
from inputs.models import Annotation, Input, Kind, Prediction
from inputs.pictures import mask_bounds
from inputs.services import labels, ledger
from inputs.services.given import MAX_LABEL_TEXT, Label, plain_id
from inputs.services.rights import require_editor
from playground.compute.models import Deployment
from playground.media import services as media
from playground.media.models import Reference
from playground.protocol.errors import ConflictError, InputError, NotFoundError
from playground.runs.models import Run
from playground.runs.services import nodes as nodes_of
from playground.runs.services import outputs as outputs_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.catalog.models import User


def reference_for(user: User, row: Input) -> Reference:
    """The user's own reference to an input's bytes, to be given to a model in their name. Raises NotFoundError."""
    reference = row.reference if Input.objects.visible_to(user).filter(pk=row.pk).exists() else None
    if reference is None:
        words = f"{row.title} has no bytes to be given to a model: it was not fetched, or is not there for you."
        raise NotFoundError(words, code=StatusCode.INPUT_DOES_NOT_EXIST)
    return reference if reference.is_sample else media.refer(user, reference)


def keep_prediction(user: User, row: Input, run: Run) -> Prediction:
    """Keep what a run found in the input, instead of what was found the same way before.

    Raises NotFoundError where input or run are not there for the user, ConflictError while the run still goes on, or
    where it gave nothing.
    """
    row = _find_input(user, row)
    run = _find_run(user, run)
    outputs = outputs_of(run)
    if not outputs:
        raise ConflictError("This run gave nothing: there is nothing to keep.")
    selector, served = run.selector or {}, run.served_by or {}
    deployment = _deployment(served)
    with transaction.atomic():
        made = Prediction.objects.create(
            input=row,
            user=user,
            model_id=run.model_id,
            workflow_id=run.workflow_id,
            version=_version(run),
            deployment=deployment,
            deployment_asked=_asked(selector),
            deployment_served="" if served.get("is_shared") else str(served.get("deployment_id") or "")[:200],
            method=run.method,
            arguments=_without_input(run.arguments, row),
            run=run,
            outputs=outputs,
            nodes=nodes_of(run) if run.workflow_id else [],
            total_ms=run.total_ms,
        )
        there = list(Reference.objects.filter(pk__in=media_in(outputs)))
        made.files.set(there)
        for one in there:
            ledger.take_up(one)
        gone = _forget_earlier(made)
    ledger.let_go(gone)
    return made


def _find_input(user: User, row: Input) -> Input:
    found = Input.objects.visible_to(user).select_related("reference").filter(pk=row.pk).first()
    if found is None:
        words = f"No input {row.slug} for you any more: it was deleted, or is not shared with you."
        raise NotFoundError(words, code=StatusCode.INPUT_DOES_NOT_EXIST)
    return found


def _find_run(user: User, run: Run) -> Run:
    found = (
        Run.objects.visible_to(user).select_related("version", "workflow_version").filter(pk=run.pk, user=user).first()
    )
    if found is None:
        raise NotFoundError(f"No run {run.pk} for you. It does not exist, or is not yours.")
    if found.is_running:
        raise ConflictError("This run still goes on: what it finds is kept when it has ended.")
    return found


def _version(run: Run) -> str:
    of_model, of_workflow = run.version, run.workflow_version
    return of_model.slug if of_model is not None else of_workflow.slug if of_workflow is not None else ""


def _asked(selector: dict[str, Any]) -> str:
    """The deployment that was asked for, or the place; "" for Shared."""
    place = "/".join(str(selector[key]) for key in ("compute_cluster_id", "nodepool_id") if selector.get(key))
    return str(selector.get("deployment_id") or place)[:200]


def _deployment(served: dict[str, Any]) -> Deployment | None:
    slug = str(served.get("deployment_id") or "")
    rows = Deployment.objects.filter(slug=slug)
    owner = str(served.get("deployment_user_id") or served.get("user_id") or "")
    found = list((rows.filter(owner__username=owner) if owner else rows)[:2]) if slug else []
    return found[0] if len(found) == 1 else None


def _without_input(arguments: dict[str, Any], row: Input) -> dict[str, Any]:
    """The settings, without the input itself: it stands beside them."""
    text = ledger.text_of(row) if row.kind == Kind.TEXT else None
    blob = row.reference.blob_id if row.reference is not None else ""
    return {name: value for name, value in arguments.items() if not _is_input(value, blob, text)}


def _is_input(value: Any, blob: str, text: str | None) -> bool:
    if isinstance(value, list) and len(value) == 1:
        return _is_input(value[0], blob, text)
    if isinstance(value, dict) and isinstance(value.get("media"), str):
        return bool(blob) and Reference.objects.filter(pk=value["media"], blob=blob).exists()
    return (
        text is not None and bool(text) and (value == text or (isinstance(value, dict) and value.get("text") == text))
    )


def media_in(value: Any) -> list[str]:
    """Ids of stored files that plain outputs name."""
    if isinstance(value, list):
        return [one for part in value for one in media_in(part)]
    if not isinstance(value, dict):
        return []
    own = [value["media"]] if isinstance(value.get("media"), str) else []
    return own + [one for key, part in value.items() if key != "json" for one in media_in(part)]


def _forget_earlier(made: Prediction) -> list[str]:
    """Remove what this one takes the place of; the files that it had."""
    same = Prediction.objects.filter(
        input=made.input_id,
        user=made.user_id,
        model=made.model_id,
        workflow=made.workflow_id,
        deployment_asked=made.deployment_asked,
        method=made.method,
    ).exclude(pk=made.pk)
    files = list(Prediction.files.through.objects.filter(prediction__in=same).values_list("reference", flat=True))
    Annotation.objects.filter(prediction__in=same).update(prediction=made)
    same.delete()
    return files


def remove_prediction(user: User, prediction: Prediction) -> None:
    """Take a layer away; annotations that were accepted from it stay. Raises NotFoundError."""
    found = find_prediction(user, prediction.pk)
    with transaction.atomic():
        files = list(found.files.values_list("pk", flat=True))
        found.delete()
    ledger.let_go(files)


def find_prediction(user: User, prediction_id: int) -> Prediction:
    """Raises NotFoundError."""
    rows = Prediction.objects.visible_to(user).select_related(
        "input__app__owner", "model__app__owner", "workflow__app__owner"
    )
    found = rows.filter(pk=prediction_id).first()
    if found is None:
        raise NotFoundError("No such prediction for you: it was replaced or removed, or is not yours.")
    return found


def accept(
    user: User, prediction: Prediction, indices: Iterable[int] | None = None, *, above: float | None = None
) -> list[Annotation]:
    """Make annotations of what was found: of the findings with these numbers, or of all with at least that value.

    An outline or a mask becomes the box around it; a point has no extent, and is left out of *all*. Accepting twice
    says nothing twice. Raises InputError for a number that is none, AccessError.
    """
    found = find_prediction(user, prediction.pk)
    require_editor(user, [found.input])
    chosen = _boxed(found, _chosen(findings(found.outputs), indices, above))
    with transaction.atomic():
        return _said(user, found, chosen)


def _boxed(prediction: Prediction, chosen: list[Finding]) -> list[Finding]:
    """With boxes around masks; one in which nothing is inside says nothing."""
    wanted = {one.mask for one in chosen if one.mask}
    hashes = dict(prediction.files.filter(pk__in=wanted).values_list("pk", "blob"))
    boxed = [replace(one, box=mask_bounds(hashes[one.mask])) if one.mask in hashes else one for one in chosen]
    return [one for one in boxed if one.kind == "concept" or one.box is not None]


def _said(user: User, found: Prediction, chosen: list[Finding]) -> list[Annotation]:
    fresh = [one for one in chosen if not _is_there(found.input, one)]
    said = [(found.input, _label(one)) for one in fresh]
    return labels.write(said, user, origin=Annotation.Origin.ACCEPTED, prediction=found)


def _chosen(there: list[Finding], indices: Iterable[int] | None, above: float | None) -> list[Finding]:
    if indices is None:
        return [one for one in there if one.is_acceptable and one.value >= (above or 0.0)]
    numbers = list(dict.fromkeys(indices))
    if wrong := [number for number in numbers if not 0 <= number < len(there) or not there[number].is_acceptable]:
        raise InputError(f"The prediction has no number {wrong[0]} that can be accepted.", argument="indices")
    return [there[number] for number in numbers]


def _is_there(row: Input, one: Finding) -> bool:
    """The same box with the same concept; of concepts of the whole there is one anyway."""
    if one.box is None:
        return False
    left, top, right, bottom = one.box
    same = Annotation.objects.filter(input=row, left=left, top=top, right=right, bottom=bottom)
    return same.filter(concept__slug=_concept_id(one)).exists() if one.concept else same.filter(concept=None).exists()


def _label(one: Finding) -> Label:
    return Label(_concept_id(one), min(1.0, max(0.0, one.value)), one.name, one.box, one.text[:MAX_LABEL_TEXT])


def _concept_id(one: Finding) -> str:
    return plain_id(one.concept) if one.concept else ""
