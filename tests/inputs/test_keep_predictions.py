"""What a model found is kept beside an input, and said of it where somebody accepts it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import orjson
import PIL.Image
import pytest

from inputs import services
from inputs.findings import findings
from inputs.models import Annotation, Input, Prediction
from playground.catalog.models import App, Model, User, Workflow
from playground.media import blobs
from playground.media import services as media
from playground.media.models import Reference
from playground.protocol.errors import AccessError, ConflictError, InputError, NotFoundError
from playground.runs import housekeeping
from playground.runs.history import delete_runs
from playground.runs.models import EventBlock, Run, RunMedia
from tests.inputs.making import encoded, image, jpeg

if TYPE_CHECKING:
    from collections.abc import Sequence


def concept(name: str, value: Any = 0.9) -> dict[str, Any]:
    return {"id": name, "name": name.title(), "value": value}


def region(box: Any, *concepts: Any, text: str = "") -> dict[str, Any]:
    return {"region": {"id": "r", "box": box, "point": None, "mask": None, "concepts": list(concepts), "text": text}}


FOUND = [
    [{"concept": concept("cat")}, {"concept": concept("dog", 0.2)}],
    [
        region([0.1, 0.2, 0.5, 0.6], concept("paw", 0.4), concept("ear", 0.7)),
        region([-1, 0.5, 2, 0.9], concept("tail", {"number": "nan"})),
        region(None, concept("nose")),
        region([0, 0, 1, 1], text="A sign"),
        region([0.5, 0.5, 0.5, 0.5], concept("nothing")),
    ],
    {"json": {"concept": {"id": "not one"}}},
]


@pytest.fixture
def model(app: App) -> Model:
    return Model.objects.create(app=app, slug="finder")


@pytest.fixture
def row(ada: User, app: App) -> Input:
    return services.add_input(ada, app, data=jpeg())


def ran(user: User, model: Model, outputs: Sequence[Any], **facts: Any) -> Run:
    run = Run.objects.create(
        **{"id": uuid.uuid4(), "user": user, "model": model, "method": "find", "state": "finished"} | facts
    )
    told = [{"n": n, "t": 1.0, "kind": "output", "i": n - 1, "value": one} for n, one in enumerate(outputs, 1)]
    if told:
        EventBlock.objects.create(run=run, first=1, last=len(told), events=orjson.dumps(told))
    return run


def test_findings_are_numbered_in_their_order() -> None:
    said = [(one.index, one.kind, one.concept, one.value, one.box, one.is_acceptable) for one in findings(FOUND)]
    assert said == [
        (0, "concept", "cat", 0.9, None, True),
        (1, "concept", "dog", 0.2, None, True),
        (2, "region", "ear", 0.7, (0.1, 0.2, 0.5, 0.6), True),
        (3, "region", "tail", 1.0, (0.0, 0.5, 1.0, 0.9), True),
        (4, "region", "nose", 0.9, None, False),
        (5, "region", "", 1.0, (0.0, 0.0, 1.0, 1.0), True),
        (6, "region", "nothing", 0.9, None, False),
    ]


def test_a_prediction_is_kept_with_where_and_how_it_was_made(ada: User, row: Input, model: Model) -> None:
    arguments = {"image": {"media": row.reference_id}, "threshold": 0.5}
    served = {"deployment_id": "shared-finder", "is_shared": True}
    kept = services.keep_prediction(
        ada, row, ran(ada, model, FOUND, arguments=arguments, served_by=served, total_ms=8.5)
    )
    assert (kept.model, kept.method, kept.outputs, kept.total_ms) == (model, "find", FOUND, 8.5)
    assert (kept.arguments, kept.deployment_asked, kept.deployment_served) == ({"threshold": 0.5}, "", "")


def test_the_newest_of_the_same_way_takes_the_place(ada: User, row: Input, model: Model) -> None:
    first = services.keep_prediction(ada, row, ran(ada, model, FOUND))
    (said,) = services.accept(ada, first, [0])
    other = services.keep_prediction(ada, row, ran(ada, model, FOUND, selector={"deployment_id": "mine"}))
    newest = services.keep_prediction(ada, row, ran(ada, model, [[]]))
    assert set(Prediction.objects.visible_to(ada)) == {other, newest}
    said.refresh_from_db()
    assert (said.prediction, said.origin) == (newest, "accepted")


def test_one_or_all_above_a_value_are_accepted_once(ada: User, row: Input, model: Model) -> None:
    kept = services.keep_prediction(ada, row, ran(ada, model, FOUND))
    assert len(services.accept(ada, kept, [2, 2])) == 1
    added = services.accept(ada, kept, above=0.5)
    assert [one.concept.slug if one.concept else one.text for one in added] == ["cat", "tail", "A sign"]
    services.accept(ada, kept)
    assert Annotation.objects.filter(input=row).count() == 5
    for wrong in ([99], [-1], [4], [6]):
        with pytest.raises(InputError, match="can be accepted"):
            services.accept(ada, kept, wrong)


def test_outlines_and_masks_are_accepted_as_the_box_around_them(ada: User, row: Input, model: Model) -> None:
    drawn = PIL.Image.new("L", (40, 20))
    drawn.paste(1, (10, 5, 30, 15))  # masks of 0 and 1 count too
    empty = PIL.Image.new("L", (40, 20))
    files = [media.store_answer(encoded(one), ada) for one in (drawn, empty)]
    outline = {"polygon": [[0.1, 0.2], [0.4, 0.3], [0.2, 0.9], ["x", 1]]}
    masks = [{"mask": {"media": one.pk, "content_type": "image/png"}} for one in files]
    point = {"point": [0.5, 0.5]}
    found = [{"region": {"concepts": [concept("kite")], **one}} for one in (outline, *masks, point)]
    kept = services.keep_prediction(ada, row, ran(ada, model, [found]))
    assert [one.box for one in services.accept(ada, kept)] == [(0.1, 0.2, 0.4, 0.9), (0.25, 0.25, 0.75, 0.75)]
    assert services.accept(ada, kept, [1, 2]) == []  # it is there already, and nothing is inside
    with pytest.raises(InputError, match="can be accepted"):
        services.accept(ada, kept, [3])


def test_nodes_of_a_workflow_are_kept_with_what_they_gave_and_why_not(ada: User, app: App, row: Input) -> None:
    workflow = Workflow.objects.create(app=app, slug="chain")
    run = Run.objects.create(id=uuid.uuid4(), user=ada, workflow=workflow, method="predict", state="failed")
    told = [
        {"kind": "started", "nodes": [{"id": name, "shape": {"type": "str"}, "acts": []} for name in "abc"]},
        {"kind": "node", "node": "a", "state": "started"},
        {"kind": "output", "node": "a", "value": "Some"},
        {"kind": "output", "node": "a", "value": "thing"},
        {"kind": "node", "node": "a", "state": "finished"},
        {"kind": "node", "node": "b", "state": "failed", "error": {"message": "It broke.", "code": 1}},
        {"kind": "node", "node": "c", "state": "skipped", "after": "b"},
    ]
    numbered = [{"n": n, "t": 1.0, **one} for n, one in enumerate(told, 1)]
    EventBlock.objects.create(run=run, first=1, last=len(told), events=orjson.dumps(numbered))
    kept = services.keep_prediction(ada, row, run)
    assert kept.outputs == ["Some", "thing"]
    said = [(one["id"], one["state"], one["outputs"], one["error"], one["after"]) for one in kept.nodes]
    assert said == [
        ("a", "finished", [0, 1], "", ""),
        ("b", "failed", [], "It broke.", ""),
        ("c", "skipped", [], "", "b"),
    ]


def test_it_is_ones_own(ada: User, mate: User, viewer: User, row: Input, model: Model) -> None:
    run = ran(mate, model, FOUND)
    with pytest.raises(NotFoundError, match="not yours"):
        services.keep_prediction(ada, row, run)
    kept = services.keep_prediction(mate, row, run)
    with pytest.raises(NotFoundError, match="not yours"):
        services.accept(ada, kept, [0])
    theirs = services.keep_prediction(viewer, row, ran(viewer, model, FOUND))
    with pytest.raises(AccessError, match="needs a member"):
        services.accept(viewer, theirs, [0])
    services.remove_prediction(mate, kept)
    assert list(Prediction.objects.all()) == [theirs]


def test_what_goes_on_or_gave_nothing_is_not_kept(ada: User, row: Input, model: Model) -> None:
    with pytest.raises(ConflictError, match="still goes on"):
        services.keep_prediction(ada, row, ran(ada, model, FOUND, state="running"))
    with pytest.raises(ConflictError, match="gave nothing"):
        services.keep_prediction(ada, row, ran(ada, model, []))


def test_an_input_that_was_deleted_meanwhile_keeps_nothing(ada: User, row: Input, model: Model) -> None:
    run = ran(ada, model, FOUND)
    services.delete_inputs(ada, [row])
    with pytest.raises(NotFoundError, match="was deleted"):
        services.keep_prediction(ada, row, run)
    assert services.purge(at_once=True) == 1


def test_files_of_a_prediction_outlive_its_run_and_go_with_it(ada: User, row: Input, model: Model) -> None:
    mask = media.store_answer(encoded(image(mode="L")), ada)
    output = {"region": {"box": [0, 0, 1, 1], "mask": {"media": mask.pk, "content_type": "image/png"}, "concepts": []}}
    run = ran(ada, model, [output])
    RunMedia.objects.create(run=run, reference=mask)
    kept = services.keep_prediction(ada, row, run)
    end(run)
    media.sweep()
    kept.refresh_from_db()
    assert kept.run is None
    assert blobs.exists(mask.blob_id)
    services.delete_inputs(ada, [row])
    services.purge(at_once=True)
    assert not blobs.exists(mask.blob_id)
    assert not Reference.objects.exists()


def test_a_file_that_a_run_was_given_stays_with_the_run(ada: User, row: Input, model: Model) -> None:
    run = ran(ada, model, FOUND)
    assert row.reference is not None
    RunMedia.objects.create(run=run, reference=row.reference)
    services.delete_inputs(ada, [row])
    services.purge(at_once=True)
    media.sweep()
    assert blobs.exists(row.reference.blob_id)
    end(run)
    media.sweep(unused_for=housekeeping.UNDO * 0)
    assert not blobs.exists(row.reference.blob_id)


def end(run: Run) -> None:
    """Deleted by its owner, and swept away."""
    delete_runs(run.user, [run.pk])
    Run.objects.filter(pk=run.pk).update(deleted_at="2020-01-01T00:00Z")
    assert housekeeping.sweep() == 1


def test_others_give_an_input_to_models_by_a_reference_of_their_own(
    ada: User, mate: User, stranger: User, row: Input
) -> None:
    assert row.reference is not None
    assert services.reference_for(ada, row) == row.reference
    theirs = services.reference_for(mate, row)
    assert (theirs.owner, theirs.blob) == (mate, row.reference.blob)
    assert services.reference_for(mate, row) == theirs
    with pytest.raises(NotFoundError):
        services.reference_for(stranger, row)
