"""Saying of inputs what is in them: concepts of the whole, regions with boxes, datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db import transaction

from inputs.models import MAX_NAME, Annotation, Concept, Dataset, Input, Prediction
from inputs.services.given import Box, Label, check_id, check_label, plain_id
from inputs.services.rights import require_editor
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from playground.catalog.models import App, User

Origin = Annotation.Origin
_AT_ONCE = 500
_Tagged = Input.datasets.through


@transaction.atomic
def annotate(
    user: User,
    row: Input,
    *,
    concept: str = "",
    name: str = "",
    value: float = 1.0,
    box: Box | None = None,
    text: str = "",
) -> Annotation:
    """Say a concept of the whole input (once: again, its value changes), or put a box with a concept or a text on it.

    ``concept`` is its id; where there is only a ``name``, that is its id too. Raises InputError, AccessError.
    """
    require_editor(user, [row])
    label = check_label(Label(concept or (plain_id(name) if name.strip() else ""), value, name, box, text))
    return write([(row, label)], user)[0]


@transaction.atomic
def edit_annotation(
    user: User,
    annotation: Annotation,
    *,
    concept: str | None = None,
    name: str = "",
    value: float | None = None,
    box: Box | None = None,
    text: str | None = None,
) -> Annotation:
    """Change what is given of it; a box may move, and not vanish. Raises InputError, AccessError, NotFoundError."""
    row = annotation.input
    require_editor(user, [row])
    said = Label(
        concept=(annotation.concept.slug if annotation.concept else "") if concept is None else concept,
        value=annotation.value if value is None else value,
        name=name,
        box=annotation.box if box is None else box,
        text=annotation.text if text is None else text,
    )
    label = check_label(said)
    annotation.concept = _ensure_concepts(row.app, [label])[label.concept] if label.concept else None
    annotation.value, annotation.box, annotation.text = label.value, label.box, label.text
    if label.box is None and annotation.concept is not None:
        Annotation.objects.filter(input=row, concept=annotation.concept, top=None).exclude(pk=annotation.pk).delete()
    annotation.save()
    return annotation


@transaction.atomic
def remove_annotation(user: User, annotation: Annotation) -> None:
    """Raises AccessError."""
    require_editor(user, [annotation.input])
    annotation.delete()


def find_annotation(user: User, annotation_id: int) -> Annotation:
    """Of an input that the user sees. Raises NotFoundError."""
    rows = Annotation.objects.filter(input__in=Input.objects.visible_to(user))
    found = rows.select_related("input__app__owner", "concept").filter(pk=annotation_id).first()
    if found is None:
        raise NotFoundError(
            "No such annotation for you: it was removed, or is not shared with you.",
            code=StatusCode.INPUT_DOES_NOT_EXIST,
        )
    return found


# -- within a transaction --


def write(
    said: Sequence[tuple[Input, Label]],
    user: User,
    *,
    origin: str = Origin.PERSON,
    prediction: Prediction | None = None,
) -> list[Annotation]:
    """Labels of inputs of one app. A concept that is said of a whole input already gets the new value."""
    if not said:
        return []
    concepts = _ensure_concepts(said[0][0].app, [label for _, label in said])
    wholes = _wholes([row for row, label in said if label.concept and label.box is None], concepts)
    made: list[Annotation] = []
    found: list[Annotation] = []
    for row, label in said:
        concept = concepts.get(label.concept)
        there = wholes.get((row.pk, concept.pk)) if concept is not None and label.box is None else None
        annotation = there or Annotation(input=row, concept=concept, created_by=user)
        annotation.value, annotation.text, annotation.origin = label.value, label.text, origin
        annotation.box, annotation.prediction = label.box, prediction
        if there is None:
            made.append(annotation)
            if concept is not None and label.box is None:
                wholes[row.pk, concept.pk] = annotation
        elif there.pk is not None:
            there.save()
        found.append(annotation)
    Annotation.objects.bulk_create(made, batch_size=_AT_ONCE)
    return found


def remove(rows: Sequence[Input], concepts: Iterable[str] | None) -> None:
    """Take concepts, all for None, from the whole inputs; regions stay."""
    for some in batches(rows):
        wholes = Annotation.objects.filter(input__in=some, top=None, concept__isnull=False)
        (wholes if concepts is None else wholes.filter(concept__slug__in=list(concepts))).delete()


def _wholes(rows: Sequence[Input], concepts: Mapping[str, Concept]) -> dict[tuple[int, int], Annotation]:
    found: dict[tuple[int, int], Annotation] = {}
    wanted = [concept.pk for concept in concepts.values()]
    for some in batches(rows):
        for one in Annotation.objects.filter(input__in=some, concept__in=wanted, top=None):
            assert one.concept_id is not None
            found[one.input_id, one.concept_id] = one
    return found


def _ensure_concepts(app: App, labels: Sequence[Label]) -> dict[str, Concept]:
    """The app's concepts by id, made where they are new; a name that is given later stays as it was first."""
    wanted = {label.concept: label.name or label.concept for label in reversed(labels) if label.concept}
    found = {one.slug: one for one in Concept.objects.filter(app=app, slug__in=list(wanted))}
    missing = [slug for slug in wanted if slug not in found]
    if missing:
        rows = [Concept(app=app, slug=slug, name=wanted[slug][:MAX_NAME]) for slug in missing]
        Concept.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_AT_ONCE)
        found |= {one.slug: one for one in Concept.objects.filter(app=app, slug__in=missing)}
    return found


def put_into(rows: Sequence[Input], app: App, slugs: Iterable[str]) -> None:
    """Into these datasets, made where they are new."""
    datasets = [_ensure_dataset(app, slug) for slug in dict.fromkeys(slugs)]
    links = [_Tagged(input_id=row.pk, dataset_id=dataset.pk) for dataset in datasets for row in rows]
    _Tagged.objects.bulk_create(links, ignore_conflicts=True, batch_size=_AT_ONCE)


def take_out_of(rows: Sequence[Input], slugs: Iterable[str]) -> None:
    for some in batches(rows):
        _Tagged.objects.filter(input__in=some, dataset__slug__in=list(slugs)).delete()


def _ensure_dataset(app: App, slug: str) -> Dataset:
    dataset, _ = Dataset.objects.get_or_create(app=app, slug=check_id(slug.strip(), "A dataset's id"))
    return dataset


def batches(rows: Sequence[Input]) -> Iterable[Sequence[Input]]:
    return (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
