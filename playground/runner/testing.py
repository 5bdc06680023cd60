"""A live runner for tests: a class is served from a thread of this process, a folder by a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from playground.protocol import loops
from playground.runner.loader import Source
from playground.runner.model import ModelClass
from playground.runner.server import Limits, serve

__all__ = ["running"]


@contextlib.contextmanager
def running(target: type[ModelClass] | Path, *, limits: Limits | None = None, patience: float = 30.0) -> Iterator[str]:
    """The address of a runner that lives until the block is left.

    with running(Echo) as address:
        ...

    ``limits`` are a class's only. Raises what the model raised while it was loaded; TimeoutError past ``patience``
    seconds.
    """
    if isinstance(target, Path):
        with _running_folder(target) as address:
            yield address
    else:
        with _running_class(target, limits, patience) as address:
            yield address


@contextlib.contextmanager
def _running_folder(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "playground.runner", str(folder), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            heard = (line.split() for line in process.stdout)
            address = next((words[2] for words in heard if words[:2] == ["listening", "on"]), "")
            if not address:
                raise RuntimeError(f"the runner of {folder} exited with status {process.wait()}")
            yield address
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def _running_class(model_class: type[ModelClass], limits: Limits | None, patience: float) -> Iterator[str]:
    news: queue.Queue[str | BaseException | None] = queue.Queue()
    started: queue.Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def live() -> None:
        stop = asyncio.Event()
        started.put((asyncio.get_running_loop(), stop))
        source = Source(model_class, f"{model_class.__module__}.py")
        await serve(source, limits=limits or Limits(grace=0.2), on_ready=news.put, stop=stop)

    def work() -> None:
        try:
            loops.run(live())
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            news.put(error)
        news.put(None)

    thread = threading.Thread(target=work, name=f"runner of {model_class.__name__}", daemon=True)
    thread.start()
    loop, stop = started.get(timeout=patience)
    try:
        try:
            said = news.get(timeout=patience)
        except queue.Empty:
            raise TimeoutError(f"{model_class.__name__} was not ready after {patience:g} s") from None
        if isinstance(said, BaseException):
            raise said
        assert said is not None
        yield said.split()[0]
    finally:
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(stop.set)
        thread.join(patience)
