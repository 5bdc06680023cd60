"""A replica that is an official runner: each call is mended on its way there and back (see ``dialect``)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playground.gateway.dialect import Dialect, mend_reply
from playground.protocol.errors import PlaygroundError

if TYPE_CHECKING:
    from playground.gateway.dialect import Asked
    from playground.gateway.replicas import Replica, Upstream
    from playground.protocol.pipes import CallHead


class OfficialReplica:
    """The same three calls as any replica's, to a runner that is told apart by its ``dialect``."""

    def __init__(self, far: Replica, dialect: Dialect) -> None:
        self._far = far
        self._dialect = dialect

    async def post(self, head: CallHead, request: bytes) -> bytes:
        content, asked = await self._dialect.mend_request(head.rpc, request)
        return mend_reply(await self._far.post(head, content), asked, is_owner=head.is_owner)

    async def open(self, head: CallHead, request: bytes) -> Upstream:
        content, asked = await self._dialect.mend_request(head.rpc, request)
        return _OfficialCall(await self._far.open(head, content), self._dialect, asked, is_owner=head.is_owner)

    async def fate(self, request_id: str, seconds: float) -> bytes:
        return await self._far.fate(request_id, seconds)

    async def close(self) -> None:
        await self._far.close()


class _OfficialCall:
    """A message that cannot be mended ends the call, and the next reply read says why."""

    def __init__(self, far: Upstream, dialect: Dialect, asked: list[Asked], *, is_owner: bool) -> None:
        self._far = far
        self._dialect = dialect
        self._asked = asked
        self._is_owner = is_owner
        self._failure: PlaygroundError | None = None

    async def read(self) -> bytes | None:
        try:
            reply = await self._far.read()
        except (PlaygroundError, asyncio.CancelledError):
            self._raise_failure()
            raise
        self._raise_failure()
        return None if reply is None else mend_reply(reply, self._asked, is_owner=self._is_owner)

    def _raise_failure(self) -> None:
        task = asyncio.current_task()
        if self._failure is not None and not (task and task.cancelling()):
            raise self._failure from None

    async def write(self, message: bytes) -> None:
        if self._failure is not None:
            return
        try:
            mended = await self._dialect.mend_item(self._asked[0], message)
        except PlaygroundError as error:
            self._failure = error
            self._far.end()
            return
        if mended is not None:
            await self._far.write(mended)

    async def done_writing(self) -> None:
        if self._failure is None:
            await self._far.done_writing()

    def end(self) -> None:
        self._far.end()
