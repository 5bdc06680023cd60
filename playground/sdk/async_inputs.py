"""Inputs from asynchronous code: upload, list, edit, delete; the twin of ``inputs.py``."""

from __future__ import annotations

import asyncio
import builtins
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Self, Unpack

from playground.protocol.errors import DeadlineError, PlaygroundError
from playground.sdk import input_asks
from playground.sdk.async_management import Family
from playground.sdk.input_asks import PER_PAGE, Batch, InputEdits, InputInfo, Shelf, State, Uploaded
from playground.sdk.inputs import PAUSE_SECONDS, OnProgress
from playground.sdk.link import AsyncLink
from playground.sdk.new_inputs import InputFacts, Kind, NewInput, batches, files_of


class AsyncInputs(Family):
    """``client.inputs``: pictures, films, sounds and texts of an app; ``client.inputs.of("other")`` of another one.

    >>> made = await client.inputs.upload_file("cat.jpg", concepts=["cat"])
    >>> (await client.inputs.get(made.id)).width
    640
    """

    def __init__(self, link: AsyncLink, app_id: str = "main", user_id: str = "") -> None:
        super().__init__(link)
        self._shelf = Shelf(app_id, user_id)

    def of(self, app_id: str, *, user_id: str = "") -> Self:
        """The inputs of another app, one's own or that of ``user_id``."""
        return type(self)(self._link, app_id, user_id)

    async def list(
        self, *, ids: Iterable[str] = (), state: State | None = None, page: int = 0, per_page: int = PER_PAGE
    ) -> builtins.list[InputInfo]:
        """All, newest first, or one page, counted from 1. Where there are many: ``each``."""
        if page:
            asked = input_asks.list_inputs(self._shelf, ids=ids, state=state, page=page, per_page=per_page)
            return await self._do(asked)
        return [one async for one in self.each(ids=ids, state=state, per_page=per_page)]

    async def each(
        self, *, ids: Iterable[str] = (), state: State | None = None, per_page: int = PER_PAGE
    ) -> AsyncIterator[InputInfo]:
        """One after another, newest first; a page is asked for when it is needed."""
        asked = input_asks.list_inputs(self._shelf, ids=ids, state=state, page=0, per_page=per_page)
        while True:
            asked.request.page += 1
            page = await self._do(asked)
            if not page:
                return
            for one in page:
                yield one

    async def get(self, input_id: str) -> InputInfo:
        """One, with its text where it is one. Raises NotFoundError."""
        return await self._do(input_asks.get_input(self._shelf, input_id))

    async def upload_bytes(self, content: bytes, *, kind: Kind | None = None, **facts: Unpack[InputFacts]) -> InputInfo:
        """What it is, is found out from the bytes."""
        return await self._upload(NewInput(content=content, kind=kind, facts=facts))

    async def upload_text(self, text: str, **facts: Unpack[InputFacts]) -> InputInfo:
        return await self._upload(NewInput(text=text, facts=facts))

    async def upload_file(
        self, path: str | Path, *, kind: Kind | None = None, **facts: Unpack[InputFacts]
    ) -> InputInfo:
        return await self._upload(NewInput(path=path, kind=kind, facts=facts))

    async def upload_url(self, url: str, *, kind: Kind = "image", **facts: Unpack[InputFacts]) -> InputInfo:
        """The server fetches it, perhaps later: ``wait_until_ready`` waits for that."""
        return await self._upload(NewInput(url=url, kind=kind, facts=facts))

    async def upload_many(
        self, sources: Iterable[NewInput], *, parallel: int = 4, on_progress: OnProgress | None = None
    ) -> builtins.list[Uploaded]:
        """What came of each, in their order: one that fails does not stop the others.

        ``on_progress`` is told how many are done, from this task.
        """
        done: dict[int, builtins.list[Uploaded]] = {}
        running: dict[asyncio.Task[builtins.list[Uploaded]], int] = {}
        waiting, number = batches(sources), 0
        try:
            while batch := await asyncio.to_thread(next, waiting, None):
                running[asyncio.create_task(self._upload_batch(batch))] = number
                number += 1
                if len(running) >= max(parallel, 1):
                    await _collect(running, done, on_progress)
            while running:
                await _collect(running, done, on_progress)
        finally:
            for task in running:
                task.cancel()
        return [one for number in sorted(done) for one in done[number]]

    async def upload_folder(
        self,
        folder: str | Path,
        *,
        kind: Kind | None = None,
        parallel: int = 4,
        on_progress: OnProgress | None = None,
        **facts: Unpack[InputFacts],
    ) -> builtins.list[Uploaded]:
        """Every file in it and in its folders, named by its path in there; ``facts`` are said of each."""
        return await self.upload_many(files_of(folder, kind, facts), parallel=parallel, on_progress=on_progress)

    async def edit(self, input_id: str, **edits: Unpack[InputEdits]) -> InputInfo:
        """Adds concepts (one that is there gets the new value) and datasets, and sets these keys of the metadata."""
        return await self._do(input_asks.edit_input(self._shelf, input_id, "merge", edits))

    async def replace(self, input_id: str, **edits: Unpack[InputEdits]) -> InputInfo:
        """Puts these in the place of what was there; the wire cannot say that something becomes empty."""
        return await self._do(input_asks.edit_input(self._shelf, input_id, "overwrite", edits))

    async def remove(self, input_id: str, **edits: Unpack[InputEdits]) -> InputInfo:
        """Takes away these concepts, datasets and keys of the metadata (whatever their values)."""
        return await self._do(input_asks.edit_input(self._shelf, input_id, "remove", edits))

    async def delete(self, *input_ids: str) -> None:
        """All of them or none."""
        await self._do(input_asks.delete_inputs(self._shelf, input_ids))

    async def wait_until_ready(self, *input_ids: str, seconds: float = 60.0) -> builtins.list[InputInfo]:
        """Those that were given by address, once they are fetched or have failed. Raises DeadlineError."""
        until = time.monotonic() + seconds
        while True:
            found = [await self.get(name) for name in input_ids]
            waiting = [one.id for one in found if one.state == "waiting"]
            if not waiting:
                return found
            if time.monotonic() > until:
                raise DeadlineError(f"Still being fetched after {seconds:g} s: {', '.join(waiting)}.")
            await asyncio.sleep(PAUSE_SECONDS)

    async def _upload(self, source: NewInput) -> InputInfo:
        return await self._do(input_asks.upload(self._shelf, source))

    async def _upload_batch(self, sources: builtins.list[NewInput]) -> builtins.list[Uploaded]:
        batch = await asyncio.to_thread(Batch, sources)
        asked = batch.ask(self._shelf)
        try:
            return batch.outcome([]) if asked is None else await self._do(asked)
        except PlaygroundError as error:
            return batch.outcome([], error)


async def _collect(
    running: dict[asyncio.Task[builtins.list[Uploaded]], int],
    done: dict[int, builtins.list[Uploaded]],
    on_progress: OnProgress | None,
) -> None:
    """Waits for a batch to end."""
    ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        done[running.pop(task)] = task.result()
    if on_progress is not None:
        on_progress(sum(len(found) for found in done.values()))
