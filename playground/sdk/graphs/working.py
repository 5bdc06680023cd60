"""One node's work: what it does itself with what it takes, then a call of its model for each value that came apart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from playground.protocol.errors import InputError, ModelError, PlaygroundError
from playground.protocol.fields import Field, Types
from playground.protocol.signatures import output_field
from playground.sdk.calls import Answer
from playground.sdk.graphs.pieces import Piece, crop, fill, gather, in_words, keep, piece_of
from playground.sdk.graphs.planning import Bind, Plan, Step, shown_field

STARTED, OUTPUT, FINISHED, FAILED, SKIPPED = "started", "output", "finished", "failed", "skipped"
AT_ONCE = 4  # calls of one node, where it is called for several values
MOST_CALLS = 100  # of one node

Call: TypeAlias = Callable[[Step, Mapping[str, Any]], AsyncIterator[Answer]]
"""Calls a step's model with these arguments: one answer, or one for each piece of a method that answers so."""
Pieces: TypeAlias = Sequence[Piece]


@dataclass(frozen=True, slots=True)
class NodeEvent:
    """News of a node. An ``output`` adds to those before it: texts and lists are joined, anything else is the whole.

    ``field`` is the type of all of it, ``answer`` the model's own where there was one. ``after`` names the node that a
    skipped one hung on. ``seconds`` is how long the node took so far.
    """

    node: str
    kind: str
    value: Any = None
    field: Field | None = None
    answer: Answer | None = None
    error: PlaygroundError | None = None
    after: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Round:
    """One call: its arguments, and the piece that its answer is about."""

    arguments: Mapping[str, Any]
    lead: Piece


class Work:
    """A step of a run. ``given`` are the workflow's own arguments; ``tell`` hears of what comes."""

    def __init__(
        self, plan: Plan, step: Step, given: Mapping[str, Piece], call: Call, tell: Callable[[NodeEvent], None]
    ) -> None:
        self._plan = plan
        self._step = step
        self._given = given
        self._call = call
        self._tell = tell
        self._field = shown_field(step.flow)
        self._began = time.monotonic()

    async def do(self, taken: Sequence[Pieces]) -> Pieces:
        """The node's pieces, from those that its inputs gave, in their order."""
        values = await self._act(taken)
        if self._step.node.model is not None:
            return await self._ask([*values, *([self._given[name]] for name in self._step.extras)])
        made = self._made(values)
        await self._show(made, 0)
        return made

    # Its own acts.

    async def _act(self, taken: Sequence[Pieces]) -> list[Pieces]:
        node, at = self._step.node, self._step.cropped
        values = [self._kept(pieces) for pieces in taken]
        cut = [await asyncio.to_thread(self._crop, values[at])] if node.crop is not None else []
        if node.prompt:
            return [[self._fill(values)], *cut]
        return [*values[:at], *cut, *values[at + 1 :]] if cut else values

    def _kept(self, pieces: Pieces) -> Pieces:
        rule = self._step.node.keep
        if rule is None:
            return pieces
        return [Piece(keep(piece.value, rule), piece.picture, piece.place) for piece in pieces]

    def _crop(self, pieces: Pieces) -> Pieces:
        how, name = self._step.node.crop, self._step.picture
        assert how is not None
        cut: list[Piece] = []
        for piece in pieces:
            picture = self._given[name].picture if name else piece.picture
            if picture is None:
                raise InputError("There is no picture to crop: the regions are of none.")
            cut += crop(piece, how, picture)
        return cut[: how.at_most]

    def _fill(self, values: Sequence[Pieces]) -> Piece:
        node, step = self._step.node, self._plan.step
        pairs = zip(node.inputs, values, strict=True)
        words = {name: in_words(gather(step(name).flow, pieces)) for name, pieces in pairs}
        given = in_words(self._given[self._step.text].value) if self._step.text else ""
        return Piece(fill(node.prompt, words, given))

    def _made(self, values: Sequence[Pieces]) -> Pieces:
        """What a node without a model gives: what its last act made."""
        node = self._step.node
        if node.crop is not None and not node.prompt:
            return values[self._step.cropped]
        return values[self._step.kept if node.keep is not None and not node.prompt else 0]

    # Calls.

    async def _ask(self, values: Sequence[Pieces]) -> Pieces:
        rounds = self._rounds(values)
        if len(rounds) > MOST_CALLS:
            raise InputError(f"{self._step.node.id} would be called {len(rounds)} times; {MOST_CALLS} are allowed.")
        if not rounds:
            await self._show([], 0)
        limit = asyncio.Semaphore(AT_ONCE)
        made: list[Piece] = []
        tasks = [asyncio.create_task(self._one(each, limit)) for each in rounds]
        try:
            for number, task in enumerate(tasks):
                piece, answer = await task
                made.append(piece)
                if not self._is_told_in_pieces:
                    await self._show([piece], number, answer)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return made

    @property
    def _is_told_in_pieces(self) -> bool:
        return self._step.streams and not self._step.flow.is_split

    def _rounds(self, values: Sequence[Pieces]) -> list[Round]:
        apart = next((each for each in self._step.binds if each.is_apart), None)
        rest = [each for each in self._step.binds if each is not apart]
        common = dict(self._step.fixed) | {each.argument: _one_of(values[each.source], each) for each in rest}
        if apart is None:
            return [Round(common, self._lead(values, rest))]
        pieces = _items(values[apart.source], apart)
        return [Round({**common, apart.argument: piece.value}, piece) for piece in pieces]

    @staticmethod
    def _lead(values: Sequence[Pieces], binds: Sequence[Bind]) -> Piece:
        """Which of a call's values its answer is about: a picture, else what comes first."""
        pieces = [values[each.source][0] for each in binds]
        pictures = (piece for piece in pieces if piece.picture is not None and piece.picture is piece.value)
        return next(pictures, pieces[0] if pieces else Piece(None))

    async def _one(self, each: Round, limit: asyncio.Semaphore) -> tuple[Piece, Answer | None]:
        step = self._step
        assert step.signature is not None
        is_text = output_field(step.signature).type == Types.STR
        answers: list[Answer] = []
        async with limit:
            async for answer in self._call(step, each.arguments):
                answers.append(answer)
                if self._is_told_in_pieces:
                    self._say(answer.value if is_text else [answer.value], answer)
        values = [answer.value for answer in answers]
        if not values and not step.streams:
            raise ModelError(f"{step.node.id} gave no answer.")
        value = values[-1] if not step.streams else "".join(values) if is_text else values
        return Piece(value, each.lead.picture, each.lead.place), answers[-1] if answers else None

    async def _show(self, pieces: Pieces, number: int, answer: Answer | None = None) -> None:
        if pieces or self._step.flow.is_split:
            self._say(await asyncio.to_thread(gather, self._step.flow, pieces, first=number), answer)

    def _say(self, value: Any, answer: Answer | None) -> None:
        seconds = time.monotonic() - self._began
        self._tell(NodeEvent(self._step.node.id, OUTPUT, value, self._field, answer, seconds=seconds))


def _one_of(pieces: Pieces, each: Bind) -> Any:
    return [pieces[0].value] if each.how == "wrap" else pieces[0].value


def _items(pieces: Pieces, each: Bind) -> list[Piece]:
    if each.how == "each":
        return [piece_of(item) for piece in pieces for item in piece.value or ()]
    return [Piece([piece.value] if each.how == "wrap" else piece.value, piece.picture, piece.place) for piece in pieces]
