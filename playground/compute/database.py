"""Database work for asynchronous code: a thread with a connection, or a few of them, away from the loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from django.db import close_old_connections, connection

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """``await thread(function, …)`` runs ``function`` where it may use the ORM: one after another, or so many at once.

    A single thread keeps its connection; of several, each lets go of its own when it is done.
    """

    def __init__(self, name: str, *, threads: int = 1) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._run = _fresh if threads == 1 else _alone

    async def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(self._run, function, *args, **kwargs))

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._executor, _close)
        self._executor.shutdown(wait=False)


def _fresh(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    close_old_connections()
    return function(*args, **kwargs)


def _alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return _fresh(function, *args, **kwargs)
    finally:
        _close()


def _close() -> None:
    connection.close()  # the proxy gives each thread its own
