"""Questions about runs and the acts on stored ones; what runs right now is the executor's."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import orjson
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from playground.catalog.models import User
from playground.protocol.errors import NotFoundError, UnavailableError
from playground.runs import events, words
from playground.runs.events import Figures
from playground.runs.models import EventBlock, Run, Worker

if TYPE_CHECKING:
    from collections.abc import Collection

logger = logging.getLogger(__name__)

DEAD_AFTER = timedelta(seconds=20)
PAGE_BLOCKS = 16


def outputs(run: Run) -> list[Any]:
    """The run's outputs in order, plain."""
    return [event["value"] for event in run.events() if event["kind"] == events.OUTPUT]


def nodes(run: Run) -> list[dict[str, Any]]:
    """The nodes of a workflow's run: how each ended, why it failed, and the places of what it gave in ``outputs``."""
    found: dict[str, dict[str, Any]] = {}
    place = 0
    for event in run.events():
        if event["kind"] == events.STARTED:
            described = [{name: one[name] for name in ("id", "shape")} for one in event.get("nodes", [])]
            found = {one["id"]: {**one, "state": "stopped", "outputs": []} for one in described}
        node = found.get(event.get("node", ""))
        if event["kind"] == events.OUTPUT:
            if node is not None:
                node["outputs"].append(place)
            place += 1
        elif event["kind"] == events.NODE and node is not None and event["state"] != "started":
            node["state"], node["as_asked"] = event["state"], event.get("as_asked")
            node["after"] = event.get("after", "")
            node["error"] = event.get("error", {}).get("message", "")
    return list(found.values())


@dataclass(frozen=True)
class Page:
    """Some stored events as JSON, several to an item where they lie together, and the number of the last one."""

    events: list[bytes]
    last: int
    is_end: bool


def read_events(user: User, run_id: UUID, after: int, key: str = "") -> Page:
    """The next stored events of a run above ``after``; of another's, with the ``key`` of its link.

    Raises NotFoundError for a run that is not there for this user, also as soon as its link is withdrawn.
    """
    # The state first: a run that has ended by now has all its events stored.
    found = Run.objects.visible_to(user, key=key).filter(pk=run_id).values_list("state", "user").first()
    if found is None:
        raise NotFoundError(f"No run {run_id} for you. It does not exist, or is not shared with you.")
    state, owner_id = found
    blocks = list(EventBlock.objects.filter(run=run_id, last__gt=after).order_by("first")[:PAGE_BLOCKS])
    pieces = [_above(block, after) for block in blocks]
    if owner_id != user.pk:
        pieces = [_without_tracebacks(piece) for piece in pieces]
    is_end = state != Run.State.RUNNING and len(blocks) < PAGE_BLOCKS
    return Page(pieces, blocks[-1].last if blocks else after, is_end)


def _above(block: EventBlock, after: int) -> bytes:
    """The block's events above ``after``, between the brackets."""
    content = bytes(block.events)
    if block.first <= after:
        content = orjson.dumps([event for event in orjson.loads(content) if event["n"] > after])
    return content[1:-1]


def without_traceback(event: dict[str, Any]) -> dict[str, Any]:
    """An event as others than its run's owner may read it: the lines of a model's code are not for them."""
    error = event.get("error")
    if not isinstance(error, dict) or "traceback" not in error:
        return event
    return event | {"error": {name: value for name, value in error.items() if name != "traceback"}}


def _without_tracebacks(piece: bytes) -> bytes:
    if b'"traceback"' not in piece:
        return piece
    return orjson.dumps([without_traceback(event) for event in orjson.loads(b"[" + piece + b"]")])[1:-1]


# Workers: the processes that execute runs.


def beat(worker_id: str) -> None:
    """This worker lives."""
    Worker.objects.update_or_create(pk=worker_id, defaults={"seen_at": timezone.now()})


def fail_dead_runs(worker_id: str = "") -> int:
    """Mark the running runs of dead workers as failed, keeping what arrived; returns how many there were.

    ``worker_id`` is the asking worker: one that ran on the same machine and whose process is gone is dead at once,
    any other after 20 s of silence.
    """
    since = timezone.now() - DEAD_AFTER
    alive = {worker_id, *Worker.objects.filter(seen_at__gte=since).values_list("pk", flat=True)}
    running = Run.objects.filter(state=Run.State.RUNNING, created_at__lt=timezone.now() - timedelta(seconds=1))
    dead = [run for run in running if run.worker not in alive or _is_gone(run.worker, worker_id)]
    for run in dead:
        fail_interrupted(run)
    Worker.objects.filter(seen_at__lt=since).exclude(pk=worker_id).delete()
    return len(dead)


def new_worker_id(token: str) -> str:
    """Names this process: machine, process id, and a token against process ids that come again."""
    return f"{socket.gethostname()[:30]}:{os.getpid()}:{token}"


def _is_gone(worker: str, asking: str) -> bool:
    if not asking or worker == asking or worker.split(":")[0] != asking.split(":")[0]:
        return False
    pid = int(worker.split(":")[1])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return pid == os.getpid()


@transaction.atomic
def fail_interrupted(run: Run) -> None:
    """End a run whose worker is gone: one more event, ``failed``, behind what is stored."""
    if not Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(state=Run.State.FAILED):
        return
    figures, last, elapsed = Figures(), 0, 0.0
    written: list[bytes] = []
    for event in run.events():
        last, elapsed = event["n"], event["t"]
        written.append(orjson.dumps(event))
        if event["kind"] == events.OUTPUT:
            figures.outputs += 1
            figures.characters += len(event["value"]) if isinstance(event["value"], str) else 0
            figures.first_output_ms = figures.first_output_ms or event["t"]
    figures.total_ms = elapsed
    kept = "What arrived is kept." if figures.outputs else "Nothing had arrived."
    error = events.describe_error(UnavailableError(f"The server that executed this run went away. {kept}"))
    ending = events.encode(last + 1, elapsed, events.FAILED, events.failed(error, figures))
    EventBlock.objects.create(run=run, first=last + 1, last=last + 1, events=b"[" + ending + b"]")
    Run.objects.filter(pk=run.pk).update(
        error=error, **words.kept_facts(run, [*written, ending]), **row_figures(figures)
    )
    logger.warning("Run %s failed: its worker %s is gone", run.pk, run.worker)


def row_figures(figures: Figures) -> dict[str, Any]:
    """The figures by the names of the row's fields."""
    fields = dict(vars(figures))
    return fields | {"output_count": fields.pop("outputs")}


class SignedIn(NamedTuple):
    """Who a socket belongs to, and by which session."""

    user_id: int
    session_key: str


def still_signed_in(known: Collection[SignedIn]) -> set[SignedIn]:
    """Those whose session goes on, and who may still come in."""
    sessions = Session.objects.filter(pk__in={each.session_key for each in known}, expire_date__gt=timezone.now())
    users = User.objects.filter(pk__in={each.user_id for each in known}, is_active=True)
    open_keys = set(sessions.values_list("pk", flat=True))
    active = set(users.values_list("pk", flat=True))
    return {each for each in known if each.session_key in open_keys and each.user_id in active}
