"""Editing inputs, one or thousands alike: concepts of the whole, metadata, datasets, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from inputs.models import MAX_NAME, Input
from inputs.services import labels, ledger
from inputs.services.given import Said, check_id, check_metadata, labels_of
from inputs.services.rights import apps_of, require_editor, visible
from playground.media.services import plain_name
from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from playground.catalog.models import User


@transaction.atomic
def edit_inputs(
    user: User,
    inputs: Iterable[Input | int],
    *,
    add_concepts: Sequence[Said] = (),
    remove_concepts: Sequence[str] = (),
    set_concepts: Sequence[Said] | None = None,
    metadata: Mapping[str, Any] | None = None,
    set_metadata: Mapping[str, Any] | None = None,
    add_datasets: Sequence[str] = (),
    remove_datasets: Sequence[str] = (),
    name: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> list[Input]:
    """Change what is given of all of them; at most 10,000. ``metadata`` and ``facts`` are laid over what there is, a
    None takes a key away; ``set_…`` put the given in the place of all there was. Regions are annotations of their own:
    ``annotate``.

    Returns the inputs as they are now. Raises InputError, AccessError, NotFoundError when none is there.
    """
    rows = visible(user, inputs)
    require_editor(user, rows)
    added, put = labels_of(add_concepts), labels_of(set_concepts) if set_concepts is not None else None
    for slug in add_datasets:
        check_id(slug.strip(), "A dataset's id")
    if put is not None:
        labels.remove([*rows], None)
    labels.remove(rows, remove_concepts)
    for app in apps_of(rows):
        those = [row for row in rows if row.app_id == app.pk]
        labels.write([(row, label) for row in those for label in [*(put or []), *added]], user)
        labels.put_into(those, app, add_datasets)
    if remove_datasets:
        labels.take_out_of(rows, remove_datasets)
    _write_words(rows, metadata, set_metadata, name)
    if facts:
        for row in rows:
            row.facts = _laid_over(row.facts, facts)
        Input.objects.bulk_update(rows, ["facts"], batch_size=200)
    now = timezone.now()
    for some in labels.batches(rows):
        Input.objects.filter(pk__in=[row.pk for row in some]).update(modified_at=now)
    return rows


def _write_words(
    rows: Sequence[Input], metadata: Mapping[str, Any] | None, put: Mapping[str, Any] | None, name: str | None
) -> None:
    """What inputs are found by."""
    if metadata is None and put is None and name is None:
        return
    if name is not None and not plain_name(name).strip():
        raise InputError("A name needs a letter.", argument="name")
    for row in rows:
        if put is not None:
            row.metadata = check_metadata(put)
        if metadata is not None:
            row.metadata = check_metadata(_laid_over(row.metadata, metadata))
        if name is not None:
            row.name = plain_name(name).strip()[:MAX_NAME]
    Input.objects.bulk_update(rows, ["metadata", "name"], batch_size=200)
    for some in labels.batches(rows):
        ledger.index(some)


def _laid_over(there: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(there) if isinstance(there, dict) else {}
    for key, value in given.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), dict):
            merged[key] = _laid_over(merged[key], value)
        else:
            merged[key] = value
    return merged
