"""Adding inputs: look into what is given first, several at a time, then write all of it in one short transaction."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db import transaction
from django.db.models import F

from inputs import search
from inputs.models import MAX_NAME, AddJob, Input, Kind, Status, new_input_id
from inputs.pictures import painters
from inputs.services import fetching, labels, ledger
from inputs.services.given import (
    DuplicateError,
    Given,
    Label,
    OnDuplicate,
    Said,
    check,
    check_id,
    check_metadata,
    labels_of,
)
from inputs.services.looking import Looked, looked_into
from inputs.services.storing import fill, put, put_missing, refer
from playground.catalog.access import Role, require_role
from playground.media import blobs
from playground.media import services as media
from playground.protocol.errors import InputError, PlaygroundError, ServerError

if TYPE_CHECKING:
    from playground.catalog.models import App, User
    from playground.media.models import Reference, Upload

logger = logging.getLogger(__name__)
MOST_AT_ONCE = 1000


def add_input(
    user: User,
    app: App,
    *,
    slug: str = "",
    data: bytes | BinaryIO | None = None,
    upload: Upload | None = None,
    reference: Reference | str | None = None,
    text: str | None = None,
    url: str | None = None,
    name: str = "",
    metadata: Mapping[str, Any] | None = None,
    concepts: Sequence[Said] = (),
    datasets: Sequence[str] = (),
    on_duplicate: OnDuplicate = "refuse",
    kind: str = "",
    wait: bool = False,
) -> Input:
    """Keep one input, given as bytes, a whole upload, a stored file, a text or an address.

    An address is fetched in the background; with ``wait``, before this returns. Raises InputError for what is damaged,
    too large or of no kind we keep, DuplicateError (it names the existing input), AccessError.
    """
    given = Given(
        slug=slug,
        data=data,
        upload=upload,
        reference=media.find(user, reference) if isinstance(reference, str) else reference,
        text=text,
        url=url,
        name=name,
        metadata=metadata or {},
        concepts=concepts,
        datasets=datasets,
        on_duplicate=on_duplicate,
        kind=kind,
    )
    (made,) = add_inputs(user, app, [given], wait=wait)
    if isinstance(made, PlaygroundError):
        raise made
    return made


def add_inputs(
    user: User, app: App, given: Sequence[Given], *, job: str = "", wait: bool = False
) -> list[Input | PlaygroundError]:
    """Keep several; each comes back as its input, or as the error that says why not. ``job`` counts them together.

    Raises AccessError where the user may not add here, InputError for too many at once.
    """
    require_role(user, app, Role.MEMBER)
    if len(given) > MOST_AT_ONCE:
        raise InputError(f"At most {MOST_AT_ONCE:,} inputs can be added at once; these are {len(given):,}.")
    if job:
        check_id(job, "The id of an upload")
    with contextlib.ExitStack() as files:
        laid: list[str] = []
        looked = _look_into_all(given, files, laid)
        with blobs.lock(), media.removing_unnamed(laid):
            put_missing([one for one in looked if isinstance(one, Looked)])
            made = _write(user, app, given, looked, job, is_soon=not wait)
    _forget_uploads(given, made)
    if wait:
        for row in made:
            if isinstance(row, Input) and row.is_under_way:
                fetching.fetch(row.pk)
                row.refresh_from_db()
    return made


# -- looking --

_Result = Looked | PlaygroundError | None


def _look_into_all(given: Sequence[Given], files: contextlib.ExitStack, laid: list[str]) -> list[_Result]:
    """What is in each, found out and put in place side by side; the database is not asked. ``laid`` hears of what lies
    there then, whole or not."""
    if len(given) == 1:
        return [_look_into(given[0], files, laid)]
    with ThreadPoolExecutor(min(len(given), 2 * painters.count), thread_name_prefix="look") as threads:
        return list(threads.map(lambda one: _look_into(one, files, laid), given))


def _look_into(given: Given, files: contextlib.ExitStack, laid: list[str]) -> _Result:
    """None for an address, which is looked into when it is fetched."""
    try:
        check(given)
        if given.url is not None:
            fetching.check(given.url)
            return None
        looked = files.enter_context(looked_into(given))
        laid.append(looked.sha256)
        put(looked)
        return looked
    except PlaygroundError as error:
        return error
    except OSError as error:  # a full disk, above all
        logger.exception("An input could not be stored")
        why = "the server's disk is full" if blobs.is_full(error) else error.strerror or str(error)
        return ServerError(f"{given.name or 'The file'} could not be stored: {why}. Try again when that is mended.")


# -- writing --


@transaction.atomic
def _write(
    user: User, app: App, given: Sequence[Given], looked: Sequence[_Result], job: str, *, is_soon: bool
) -> list[Input | PlaygroundError]:
    ledger.hold(app)
    there = _There(app, given, looked)
    results: list[Input | PlaygroundError] = []
    fresh: list[_Fresh] = []
    for one, found in zip(given, looked, strict=True):
        if isinstance(found, PlaygroundError):
            results.append(found)
            continue
        existing = there.existing(one, found)
        if (isinstance(existing, Input) and one.on_duplicate == "offer") or isinstance(existing, PlaygroundError):
            results.append(existing)
        else:
            row = _row(user, app, one, found)
            there.note(row, found)
            fresh.append(_Fresh(row, one, found))
            results.append(row)
    _keep(user, app, fresh)
    _count_job(app, job, results, {id(one.row) for one in fresh})
    for row in (one.row for one in fresh if is_soon and one.row.is_under_way):
        transaction.on_commit(partial(fetching.soon, row.pk))
    return results


@dataclass(frozen=True, slots=True)
class _Fresh:
    row: Input
    given: Given
    looked: Looked | None


class _There:
    """What the app has already of what is given: ids, bytes, addresses."""

    def __init__(self, app: App, given: Sequence[Given], looked: Sequence[_Result]) -> None:
        rows = Input.objects.alive().on_shelf(app)
        self._app = app
        slugs = [one.slug for one in given if one.slug]
        self._slugs = {row.slug: row for row in rows.filter(slug__in=slugs)}
        hashes = {found.sha256 for found in looked if isinstance(found, Looked)}
        same = (
            rows.filter(reference__blob__in=hashes).select_related("reference", "app__owner", "owner").order_by("-pk")
        )
        self._bytes = {row.reference.blob_id: row for row in same if row.reference is not None}
        found = [pk for one in given if one.url for pk in _fetched_from(app, one.url)]
        fetched = rows.filter(pk__in=found).exclude(status=Status.FAILED)  # what failed may be tried again
        self._urls = {row.source_url: row for row in fetched} if found else {}

    def existing(self, given: Given, looked: Looked | None) -> Input | DuplicateError | None:
        """The input that has the same bytes, where a second shall not be; an error where that is refused."""
        if given.slug in self._slugs:
            row = self._slugs[given.slug]
            return DuplicateError(f"The app {self._app} has an input {given.slug} already.", row)
        if given.on_duplicate == "keep":
            return None
        row_there = self._bytes.get(looked.sha256) if looked is not None else self._urls.get(given.url or "")
        if row_there is None or given.on_duplicate == "offer":
            return row_there
        what = "the same bytes" if looked is not None else "the same address"
        return DuplicateError(f"{row_there.title} has {what} already: input {row_there.slug}.", row_there)

    def note(self, row: Input, looked: Looked | None) -> None:
        self._slugs[row.slug] = row
        if looked is not None:
            self._bytes[looked.sha256] = row
        elif row.source_url:
            self._urls[row.source_url] = row


def _fetched_from(app: App, url: str) -> list[int]:
    return search.find(search.Query(app.pk, pairs=((search.ORIGIN, url),)), limit=10)


def _row(user: User, app: App, given: Given, looked: Looked | None) -> Input:
    row = Input(
        app=app,
        owner=user,
        slug=given.slug or new_input_id(),
        kind=given.kind or Kind.IMAGE,
        name=media.plain_name(given.name).strip()[:MAX_NAME],
        metadata=check_metadata(given.metadata),
        source_url=given.url or "",
        facts=dict(given.facts),
        status=Status.WAITING,
        status_words="It will be fetched soon.",
    )
    if looked is not None:
        fill(row, looked)
    return row


def _keep(user: User, app: App, fresh: Sequence[_Fresh]) -> None:
    for one in fresh:
        if one.looked is not None:
            one.row.reference = refer(user, one.looked, one.given.reference)
    rows = [one.row for one in fresh]
    Input.objects.bulk_create(rows)
    said: list[tuple[Input, Label]] = [(one.row, label) for one in fresh for label in labels_of(one.given.concepts)]
    labels.write(said, user)
    for slug in dict.fromkeys(slug for one in fresh for slug in one.given.datasets):
        labels.put_into([one.row for one in fresh if slug in one.given.datasets], app, [slug])
    ledger.count(rows)
    ledger.index(rows, {one.row.pk: one.looked.text if one.looked else "" for one in fresh})


def _count_job(app: App, job: str, results: Sequence[Input | PlaygroundError], fresh: set[int]) -> None:
    """An upload of many is done when nothing of it is pending."""
    if not job:
        return
    AddJob.objects.get_or_create(app=app, slug=job)
    row = AddJob.objects.get(app=app, slug=job)
    waiting = [one for one in results if isinstance(one, Input) and id(one) in fresh and one.is_under_way]
    failed = sum(isinstance(one, PlaygroundError) for one in results)
    AddJob.objects.filter(pk=row.pk).update(
        pending=F("pending") + len(waiting),
        failed=F("failed") + failed,
        succeeded=F("succeeded") + len(results) - failed - len(waiting),
    )
    Input.objects.filter(pk__in=[one.pk for one in waiting]).update(add_job=row)


def _forget_uploads(given: Sequence[Given], made: Sequence[Input | PlaygroundError]) -> None:
    """An upload is used up, whether it became an input or was refused for what it is; one that can go on stays."""
    for one, result in zip(given, made, strict=True):
        if one.upload is not None and isinstance(result, Input | InputError | DuplicateError):
            media.remove_upload(one.upload)
