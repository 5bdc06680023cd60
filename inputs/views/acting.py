"""Acts on many inputs of the Inputs-Manager, a batch a request: labels, datasets, metadata, deletion; and back again.

What was chosen comes as ids, or as the filter of the page with the ids left out; the answer says how many were done,
where the next batch begins, and what to send to take it back.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, cast

from django.db import transaction
from django.http import HttpRequest, JsonResponse, QueryDict
from django.views.decorators.http import require_POST

from inputs.models import Annotation, Dataset, Input
from inputs.queries import Filter, find_app, find_inputs, page
from inputs.services import delete_inputs, edit_inputs, plain_id, restore_inputs
from inputs.views.adding import ids_of, labels_of, read_object
from playground.media.views import refusing_in_json
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from playground.catalog.models import App, User

BATCH = 1000
CHANGES = ("add_concepts", "remove_concepts", "add_datasets", "remove_datasets", "metadata")


@require_POST
@refusing_in_json
def act(request: HttpRequest) -> JsonResponse:
    """{app, ids | query and except, after, and what to do: delete, undo or any of CHANGES} → {done, next, undo}.

    What is deleted in several batches shares the ``token`` of the first.
    """
    user = cast("User", request.user)
    body = read_object(request.body)
    if isinstance(undo := body.get("undo"), dict):
        return JsonResponse({"done": _take_back(user, undo), "next": ""})
    app = find_app(user, str(body.get("app", "")))
    rows, following = _chosen(user, app, body)
    if not rows:
        return JsonResponse({"done": 0, "next": following})
    if body.get("delete"):
        back: dict[str, Any] = {"token": delete_inputs(user, rows, token=str(body.get("token", "")))}
    else:
        back = {"app": str(app), "edits": _edit(user, app, rows, body)}
    return JsonResponse({"done": len(rows), "next": following, "undo": back})


def _chosen(user: User, app: App, body: Mapping[str, Any]) -> tuple[list[Input], str]:
    """The inputs of this batch, and where the next one begins: "" at the end."""
    after = str(body.get("after", ""))
    if isinstance(ids := body.get("ids"), list):
        start = int(after) if after.isascii() and after.isdecimal() else 0
        end = start + BATCH
        return find_inputs(user, app, [str(one) for one in ids[start:end]]), str(end) if end < len(ids) else ""
    if not isinstance(query := body.get("query"), str):
        raise InputError("Which inputs? Their ids, or a filter, are needed.")
    found = page(user, app, Filter.from_query(QueryDict(query)), after=after, limit=BATCH)
    left_out = set(map(str, _list(body, "except")))
    return [row for row in found.rows if row.slug not in left_out], found.next


def _edit(user: User, app: App, rows: Sequence[Input], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Do it, and say how each was before, as edits that bring that back."""
    if not any(body.get(name) for name in CHANGES):
        raise InputError(f"What is to be done? One of {', '.join(CHANGES)}, or delete, is needed.")
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise InputError("metadata: a JSON object is needed.")
    added, removed = labels_of(_list(body, "add_concepts")), labels_of(_list(body, "remove_concepts"))
    into, out_of = ids_of(_list(body, "add_datasets")), ids_of(_list(body, "remove_datasets"))
    with transaction.atomic():
        back = [
            *_labels_before(rows, [label.concept for label in (*added, *removed)]),
            *_datasets_before(rows, into, out_of),
            *(_metadata_before(rows) if metadata else []),
        ]
        edit_inputs(
            user,
            rows,
            add_concepts=added,
            remove_concepts=[label.concept for label in removed],
            add_datasets=into,
            remove_datasets=out_of,
            metadata=metadata or None,
        )
    return back


def _labels_before(rows: Sequence[Input], concepts: Sequence[str]) -> list[dict[str, Any]]:
    back = []
    for concept in dict.fromkeys(concepts):
        had = {
            row_id: value
            for some in _some(rows)
            for row_id, value in Annotation.objects.filter(
                input__in=some, concept__slug=concept, top__isnull=True
            ).values_list("input_id", "value")
        }
        by_value: dict[float | None, list[str]] = defaultdict(list)
        for row in rows:
            by_value[had.get(row.pk)].append(row.slug)
        for value, ids in by_value.items():
            change = {"remove_concepts": [concept]} if value is None else {"add_concepts": [[concept, value]]}
            back.append({"ids": ids, **change})
    return back


def _datasets_before(rows: Sequence[Input], into: Sequence[str], out_of: Sequence[str]) -> list[dict[str, Any]]:
    back = []
    for dataset in (*into, *out_of):
        piles = Dataset.inputs.through.objects.filter(dataset__slug=dataset)
        had = {pk for some in _some(rows) for pk in piles.filter(input__in=some).values_list("input_id", flat=True)}
        changed = [row.slug for row in rows if (row.pk in had) != (dataset in into)]
        back.append({"ids": changed, "remove_datasets" if dataset in into else "add_datasets": [dataset]})
    return [edit for edit in back if edit["ids"]]


def _metadata_before(rows: Sequence[Input]) -> list[dict[str, Any]]:
    return [{"ids": [row.slug], "set_metadata": row.metadata} for row in rows]


def _some(rows: Sequence[Input]) -> list[list[int]]:
    keys = [row.pk for row in rows]
    return [keys[start : start + 500] for start in range(0, len(keys), 500)]


def _take_back(user: User, undo: Mapping[str, Any]) -> int:
    if isinstance(token := undo.get("token"), str):
        return len(restore_inputs(user, token))
    app = find_app(user, str(undo.get("app", "")))
    done = 0
    with transaction.atomic():
        for edit in _list(undo, "edits", dict):
            rows = find_inputs(user, app, [str(one) for one in _list(edit, "ids")][:BATCH])
            if not rows:
                continue
            edit_inputs(
                user,
                rows,
                add_concepts=[_concept(pair) for pair in _list(edit, "add_concepts", list)],
                remove_concepts=[plain_id(str(one)) for one in _list(edit, "remove_concepts")],
                add_datasets=ids_of(_list(edit, "add_datasets")),
                remove_datasets=ids_of(_list(edit, "remove_datasets")),
                set_metadata=edit.get("set_metadata"),
            )
            done += len(rows)
    return done


def _list(body: Mapping[str, Any], name: str, of: type = object) -> list[Any]:
    """Raises InputError."""
    given = body.get(name) or []
    if not isinstance(given, list) or not all(isinstance(one, of) for one in given):
        raise InputError(f"{name}: a list is needed.", argument=name)
    return given


def _concept(pair: list[Any]) -> tuple[str, float]:
    if len(pair) != 2 or not isinstance(pair[1], int | float):
        raise InputError("add_concepts: pairs of a concept and its value are needed.", argument="add_concepts")
    return str(pair[0]), float(pair[1])
