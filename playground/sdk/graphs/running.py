"""Runs a workflow's plan: what is independent at the same time, and each node's news as they come.

One failed node fails what hangs on it, and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol.errors import DeployingError, ModelError, PlaygroundError, ServerError
from playground.protocol.signatures import bind
from playground.sdk.graphs.pieces import Piece, piece_of
from playground.sdk.graphs.planning import Plan, Step
from playground.sdk.graphs.working import FAILED, FINISHED, SKIPPED, STARTED, Call, NodeEvent, Pieces, Work

logger = logging.getLogger(__name__)
_NOTHING = "Nothing was run."


async def run_plan(plan: Plan, arguments: Mapping[str, Any], call: Call) -> AsyncGenerator[NodeEvent, None]:
    """Runs every node; leaving the loop cancels what is going on. Raises InputError where the workflow's own arguments
    do not fit, DeployingError while the methods of its models are not known; a failed node is an event."""
    if plan.unknown:
        model = plan.step(plan.unknown[0]).node.model
        name = model.model_id if model is not None else plan.unknown[0]
        raise DeployingError(f"The methods of {name} are not known before it has been loaded once.")
    given = bind(plan.signature, (), arguments)
    news: asyncio.Queue[NodeEvent] = asyncio.Queue()
    run = _Run(plan, {name: piece_of(value) for name, value in given.items()}, call, news.put_nowait)
    left = len(plan.steps)
    try:
        run.start()
        while left:
            event = await news.get()
            left -= event.kind in (FINISHED, FAILED, SKIPPED)
            yield event
    finally:
        await run.cancel()


class _Run:
    """The tasks of one run: one for each node, which first waits for those that it takes from."""

    def __init__(self, plan: Plan, given: Mapping[str, Piece], call: Call, tell: Callable[[NodeEvent], None]) -> None:
        self._plan = plan
        self._given = given
        self._call = call
        self._tell = tell
        self._tasks: dict[str, asyncio.Task[Pieces | None]] = {}

    def start(self) -> None:
        for step in self._plan.steps:
            self._tasks[step.node.id] = asyncio.create_task(self._node(step), name=f"node {step.node.id}")

    async def cancel(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _node(self, step: Step) -> Pieces | None:
        """The node's pieces; None where it gave none."""
        node, taken = step.node, []
        for name in node.inputs:
            pieces = await asyncio.shield(self._tasks[name])
            if pieces is None:
                self._tell(NodeEvent(node.id, SKIPPED, after=name))
                return None
            taken.append(pieces)
        began = time.monotonic()
        self._tell(NodeEvent(node.id, STARTED))
        try:
            made = await Work(self._plan, step, self._given, self._call, self._tell).do(taken)
        except PlaygroundError as error:
            error.message = error.message.replace(_NOTHING, self._what_ran(step))
            self._tell(NodeEvent(node.id, FAILED, error=error, seconds=time.monotonic() - began))
            return None
        except Exception:  # the door of a node: whatever it was, the node ends and says so
            logger.exception("The node %s broke", node.id)
            broken = ServerError(f"Something failed inside the server at {node.id}. Its log says what.")
            self._tell(NodeEvent(node.id, FAILED, error=broken, seconds=time.monotonic() - began))
            return None
        self._tell(NodeEvent(node.id, FINISHED, seconds=time.monotonic() - began))
        return made

    def _what_ran(self, step: Step) -> str:
        """Of a call that was refused it is said that nothing was run: that is true of a node, not of its workflow."""
        if len(self._plan.steps) == 1:
            return _NOTHING
        node = step.node
        were = "were" if len(node.inputs) > 1 else "was"
        return f"{_and(list(node.inputs))} {were} run, {node.id} was not." if node.inputs else f"{node.id} was not run."


def outcome_of(plan: Plan, failed: Mapping[str, PlaygroundError]) -> PlaygroundError | None:
    """What a run of a workflow ends with: nothing where every node answered; the one error where none did that counts;
    else a mixed status that names what failed."""
    if not failed:
        return None
    dead = set(failed)
    for step in plan.steps:
        if dead & set(step.node.inputs):
            dead.add(step.node.id)
    answered = len(plan.steps) - len(dead)
    first = next(iter(failed))
    if len(plan.steps) == 1:
        return failed[first]
    hung = [step.node.id for step in plan.steps if step.node.id in dead and step.node.id not in failed]
    words = f"{', '.join(failed)} failed: {failed[first].message}"
    words += "" if words.endswith((".", "!", "?")) or not hung else "."
    words += f" {_and(hung)} hung on that and did not run." if hung else ""
    if not answered:
        error = failed[first]
        return type(error)(words, code=error.code, call_id=error.call_id, details=error.details)
    words = f"{answered} of {len(plan.steps)} nodes answered. {words}"
    return ModelError(words, code=StatusCode.MIXED_STATUS, call_id=failed[first].call_id, details=failed[first].details)


def _and(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
