"""Inputs given by address: fetched in the background behind the fence, then looked into like any other.

A row that waits is the only order there is: whichever process wrote it starts at once, and the sweep starts again what
a process left behind as it ended.
"""

from __future__ import annotations

import functools
import importlib
import logging
import queue
import re
import threading
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from inputs.models import AddJob, Input, Status
from inputs.services import ledger
from inputs.services.given import Given
from inputs.services.looking import Looked, looked_into, new_file
from inputs.services.storing import fill, put, put_missing, refer
from playground.media import blobs
from playground.media import services as media
from playground.protocol.errors import InputError, PlaygroundError

if TYPE_CHECKING:
    from pathlib import Path

    from playground.protocol.fetch import Fence

logger = logging.getLogger(__name__)
LEFT_BEHIND = timedelta(minutes=5)
MAX_ADDRESS = 4000
_AT_ONCE = 4
_TIMEOUT_S = 60.0


def check(url: str) -> None:
    """Raises InputError for what is no address to fetch from; whether it may be reached is found out later."""
    if len(url) > MAX_ADDRESS or not url.lower().startswith(("http://", "https://")):
        raise InputError(f"An address begins with http:// or https://; this one is {url[:60]!r}.", argument="url")
    host = re.split(r"[/?#]", url, maxsplit=3)[2]
    if not host.partition(":")[0] or re.search(r"[\s\x00-\x1f]", host):
        raise InputError(f"An address names a host, as http://host/path; this one is {url[:60]!r}.", argument="url")
    if "@" in host:  # before it is kept where all of the app read it
        words = "An address with a user name or password in it is not fetched. Leave these out."
        raise InputError(words, argument="url")


def soon(input_id: int) -> None:
    """Fetch it in the background."""
    _waiting.put(input_id)
    _ensure_threads()


def fetch(input_id: int) -> None:
    """Fetch a row that waits, and write what came of it into the row. Of two who try, one does."""
    now = timezone.now()
    left = Q(status=Status.DOWNLOADING, modified_at__lt=now - LEFT_BEHIND)
    mine = Input.objects.alive().filter(Q(status=Status.WAITING) | left, pk=input_id)
    if not mine.update(status=Status.DOWNLOADING, status_words="It is being fetched.", modified_at=now):
        return
    row = Input.objects.select_related("app", "owner").get(pk=input_id)
    try:
        _fetch(row)
    except PlaygroundError as error:
        _fail(row, error.message)
    except OSError as error:
        logger.exception("Input %s could not be stored", row.pk)
        why = "the server's disk is full" if blobs.is_full(error) else error.strerror or str(error)
        _fail(row, f"It could not be stored: {why}. Try again when that is mended.")
    except BaseException:  # whoever called logs it; the row waits for nothing any more
        _fail(row, "It could not be fetched, for a reason that only the log tells.")
        raise


def start_left_behind() -> int:
    """Start what no process is at any more; how many rows these are."""
    before = timezone.now() - LEFT_BEHIND
    rows = Input.objects.alive().filter(status__in=(Status.WAITING, Status.DOWNLOADING), modified_at__lt=before)
    ids = list(rows.values_list("pk", flat=True)[:1000])
    for input_id in ids:
        soon(input_id)
    return len(ids)


def _fetch(row: Input) -> None:
    path = new_file()
    try:
        name = _download(row.source_url, path)
        with path.open("rb") as file, looked_into(Given(data=file, name=row.name or name)) as looked:
            put(looked)
            with blobs.lock(), media.removing_unnamed([looked.sha256]):
                put_missing([looked])
                _settle(row.pk, looked)
    finally:
        path.unlink(missing_ok=True)


def _download(url: str, path: Path) -> str:
    """The file's name, as its address has it."""
    most = max(
        settings.MAX_IMAGE_BYTES,
        settings.MAX_INPUT_VIDEO_BYTES,
        settings.MAX_INPUT_AUDIO_BYTES,
        settings.MAX_INPUT_TEXT_BYTES,
    )
    module = importlib.import_module("playground.protocol.fetch")  # its HTTP client takes long to load
    fence: Fence = module.Fence(
        tuple(ip_network(one) for one in settings.FETCH_ALLOW), max_bytes=most, timeout=_TIMEOUT_S
    )
    with path.open("xb") as file:
        fetched = fence.fetch_into(url, file)
    return fetched.url.split("?")[0].rstrip("/").rpartition("/")[2]


@transaction.atomic
def _settle(input_id: int, looked: Looked) -> None:
    row = Input.objects.select_related("app", "owner").select_for_update(of=("self",)).get(pk=input_id)
    if row.deleted_at is not None:
        return
    ledger.count([row], -1)
    fill(row, looked)
    row.reference = refer(row.owner, looked)
    row.save()
    ledger.count([row])
    ledger.index([row], {row.pk: looked.text})
    _count_job(row, "succeeded")


@transaction.atomic
def _fail(row: Input, words: str) -> None:
    failed = Input.objects.filter(pk=row.pk, status=Status.DOWNLOADING)
    if failed.update(status=Status.FAILED, status_words=words[:500], modified_at=timezone.now()):
        _count_job(row, "failed")


def _count_job(row: Input, outcome: str) -> None:
    if row.add_job_id is None:
        return
    AddJob.objects.filter(pk=row.add_job_id, pending__gt=0).update(
        pending=F("pending") - 1, **{outcome: F(outcome) + 1}
    )


# -- the background --

_waiting: queue.SimpleQueue[int] = queue.SimpleQueue()


@functools.cache
def _ensure_threads() -> None:
    """Daemons, so that no slow server on the far side keeps this process from ending."""
    for number in range(_AT_ONCE):
        threading.Thread(target=_work, name=f"fetch-{number}", daemon=True).start()


def _work() -> None:
    while True:
        input_id = _waiting.get()
        try:
            fetch(input_id)
        except Exception:  # the last door of this thread: the next input is none the worse for it
            logger.exception("Input %s could not be fetched", input_id)
        finally:
            close_old_connections()
            connection.close()
