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
        self._is_single = threads == 1

    async def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop, run = asyncio.get_running_loop(), _fresh if self._is_single else _alone
        return await loop.run_in_executor(self._executor, partial(run, function, *args, **kwargs))

    async def close(self) -> None:
        """A single thread ends what it is at; several, whose work may take long, are not waited for."""
        if self._is_single:
            await asyncio.get_running_loop().run_in_executor(self._executor, _close)
        self._executor.shutdown(wait=False, cancel_futures=not self._is_single)


def _fresh(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    connection.close_at = None  # however old: only one that broke is made anew
    close_old_connections()
    return function(*args, **kwargs)


def _alone(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return _fresh(function, *args, **kwargs)
    finally:
        _close()


def _close() -> None:
    connection.close()  # the proxy gives each thread its own
