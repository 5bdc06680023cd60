"""How the command starts the guard, gives it work, and becomes the light process in front of it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

from playground.processes import front
from playground.protocol.errors import ConflictError

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 6.0


def lock(folder: Path) -> int:
    """Take the data folder for this start, until its last process has ended. Raises ``ConflictError``.

    A former start that is just ending (its command gone, its guard still at work) is waited for.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode().strip()
            if _is_alive(holder) or time.monotonic() > deadline:
                raise ConflictError(
                    f"The data folder {folder} is in use by another playground (process {holder or 'unknown'}). "
                    "Stop that one, or choose another with --data-dir or PLAYGROUND_DATA_DIR."
                ) from None
            time.sleep(0.05)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
            return descriptor


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ValueError:
        return False
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def preparing(folder: Path, what: str) -> Iterator[None]:
    """While this lasts, ``wait_until_prepared`` waits: a process can load its modules while ``what`` is made for it."""
    descriptor = os.open(folder / f"preparing-{what}", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def wait_until_prepared(folder: Path, what: str) -> None:
    """Return at once where nobody is preparing it."""
    descriptor = os.open(folder / f"preparing-{what}", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    os.close(descriptor)


class Guarded:
    """The guard as its command sees it; should the command fail or be stopped before it stands in front, all ends."""

    def __init__(self, *, held: list[int]) -> None:
        """Start it; ``held`` are descriptors that it keeps open: sockets to hand on, the lock."""
        reading, self._pipe = os.pipe()
        arguments = python_with("guard", reading, *held)
        self._process = subprocess.Popen(arguments, pass_fds=[reading, *held], start_new_session=True)
        os.close(reading)

    def __enter__(self) -> Self:
        for number in front.ENDING:
            signal.signal(number, self._leave)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._end()

    def _leave(self, *_: object) -> None:
        """All in the handler: an exception raised from one can be lost, as in a destructor."""
        front.say_stopping()
        self._end()
        os._exit(0)

    def _end(self) -> None:
        for number in front.ENDING:
            signal.signal(number, signal.SIG_IGN)
        os.close(self._pipe)
        deadline = time.monotonic() + front.PATIENCE_S
        with contextlib.suppress(ChildProcessError):  # it has ended already
            while time.monotonic() < deadline and os.waitpid(self._process.pid, os.WNOHANG) == (0, 0):
                time.sleep(0.02)

    def keep(self, name: str, *arguments: str, sockets: list[int] | None = None) -> None:
        """Have it start ``manage.py ARGUMENTS…`` and keep it alive."""
        whole = [sys.executable, str(_ROOT / "manage.py"), *arguments]
        order = {"name": name, "arguments": whole, "sockets": sockets or []}
        os.write(self._pipe, json.dumps(order).encode() + b"\n")

    def stand_in_front(self) -> NoReturn:
        """Become the light process. Does not return."""
        os.set_inheritable(self._pipe, True)
        signal.pthread_sigmask(signal.SIG_BLOCK, front.ENDING)  # it takes them as soon as it can
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, python_with("front", self._process.pid, self._pipe))


def python_with(module: str, *arguments: int) -> list[str]:
    """A Python with the standard library alone, running ``module`` of this package."""
    code = f"import sys; sys.path.append({str(_ROOT)!r}); from playground.processes.{module} import main; main()"
    return [sys.executable, "-I", "-S", "-c", code, *map(str, arguments)]
