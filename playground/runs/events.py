"""Every event of a run, and how it is written. Pages, storage and history all read this one form.

Each event is a JSON object with ``n`` (its number in the run, from 1), ``kind`` and ``t`` (milliseconds since the run
began), and what its function below takes.
"""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass
from typing import Any

import orjson

from playground.protocol.errors import PlaygroundError

logger = logging.getLogger(__name__)

STARTED, DEPLOYING, ROUTED, INPUT, OUTPUT = "started", "deploying", "routed", "input", "output"
NODE = "node"
PASSING = "passing"
STOPPING = "stopping"
FINISHED, FAILED, STOPPED = "finished", "failed", "stopped"
LAST_KINDS = frozenset({FINISHED, FAILED, STOPPED})

Fields = dict[str, Any]


@dataclass
class Figures:
    """What a run measured, on the server's monotonic clock; it stands in the last event and in the run's row."""

    total_ms: float | None = None
    first_output_ms: float | None = None
    outputs: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    characters: int = 0


def started(*, method: str, asked: Fields, state: str) -> Fields:
    """The call is on its way; ``state`` is that of the deployment asked for, where there is one."""
    return {"method": method, "asked": asked, "state": state}


def deploying(*, deployment: str, state: str, reason: str, waited_s: float) -> Fields:
    """The deployment is not ready yet; the call goes on by itself when it is."""
    return {"deployment": deployment, "state": state, "reason": reason, "waited_s": round(waited_s, 1)}


def routed(*, served_by: Fields, as_asked: bool, queued_ms: float = 0.0) -> Fields:
    """Where the call runs, as the answer says: deployment_id, nodepool_id, compute_cluster_id, is_shared.

    ``queued_ms`` is how long it waited there for a free replica, where that is worth telling.
    """
    fields: Fields = {"served_by": served_by, "as_asked": as_asked}
    return fields | {"queued_ms": queued_ms} if queued_ms else fields


def given(index: int, facts: Fields) -> Fields:
    """One input of a stream, on its way to the model; ``i`` counts from 0.

    ``facts`` hold its plain ``value``, or the ``size`` and ``content_type`` of live bytes, which are not kept; and the
    ``key`` by which the page knows it that sent it.
    """
    return {"i": index, **facts}


def output(index: int, value: Any, tokens: int = 0, of: int | None = None) -> Fields:
    """One output, plain; ``i`` counts from 0; ``tokens`` is how many were made so far, where that is news; ``of`` is
    the index of the input that a stream's output answers, where the runner says."""
    fields: Fields = {"i": index, "value": value}
    if tokens:
        fields["tokens"] = tokens
    if of is not None:
        fields["of"] = of
    return fields


def node(node_id: str, state: str, milliseconds: float, facts: Fields) -> Fields:
    """News of a workflow's node: ``state`` is started, finished, failed or skipped, after so long of its own.

    ``facts`` may hold ``served_by`` and ``as_asked``, the ``error`` of a failed one, and ``after``, the node that a
    skipped one hung on. Its outputs are events of the kind output, with its id as ``node``.
    """
    return {"node": node_id, "state": state, "ms": round(milliseconds, 1), **facts}


def passing(index: int) -> Fields:
    """From output ``index`` on a live stream is shown and not kept: its events have no number any more."""
    return {"i": index}


def finished(figures: Figures) -> Fields:
    return dict(vars(figures))


def stopping() -> Fields:
    """Somebody has asked to stop it: now the model is told."""
    return {}


def stopped(figures: Figures, fate: str) -> Fields:
    """``fate`` is "stopped" where the model has stopped computing, "computing" where it cannot be stopped, and
    "unknown" where its runner does not say."""
    return {**vars(figures), "fate": fate}


def failed(error: Fields, figures: Figures) -> Fields:
    return {"error": error, **vars(figures)}


def describe_error(error: PlaygroundError) -> Fields:
    """An error as events, refusals and rows hold it; one that arose here gets its request id, and a line in the log."""
    if not error.call_id:
        error.call_id = secrets.token_hex(8)
        logger.info("%s: %s: %s", error.call_id, error.name, error.message)
    fields: Fields = {
        "name": error.name,
        "message": error.message,
        "details": error.details,
        "request_id": error.call_id,
        "code": error.code,
    }
    return fields | ({"traceback": error.traceback} if error.traceback else {})


def encode(number: int, milliseconds: float, kind: str, fields: Fields) -> bytes:
    """An event as JSON."""
    event = {"n": number, "kind": kind, "t": round(milliseconds, 1), **fields}
    try:
        return orjson.dumps(event)
    except TypeError:  # numbers past 64 bits, or other keys than text, which the plain codec can write
        return json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
