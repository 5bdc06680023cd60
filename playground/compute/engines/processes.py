"""One runner process: started with an allow-listed environment, its secret by standard input, watched by its health.

Its standard input stays open as long as we live: when it closes, however we ended, the runner ends itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
from typing import TYPE_CHECKING, Any

import grpc

from playground.compute.builds.lines import copy_lines
from playground.compute.engines.base import Endpoint, Stage
from playground.compute.engines.memory import resident_bytes
from playground.processes.memory import MALLOC

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

STOP_SECONDS = 1.5
_HEALTH_METHOD = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"  # HealthCheckResponse(status=SERVING)
_CHECK_EVERY = 10.0
_CHECK_TIMEOUT = 10.0
_CHECKS_MISSED = 3
_ADDRESS_LINE = "listening on "
_LOADING_LINE = "loading the model"
_PIPE = " pipe "
CHANNEL_OPTIONS = (("grpc.enable_http_proxy", 0),)


class RunnerGoneError(Exception):
    """The process ended, or stopped answering; the message says how."""


class RunnerProcess:
    """A started runner. ``wait_ready``, then ``wait_gone``; ``stop`` in any case."""

    def __init__(self, process: asyncio.subprocess.Process, say: Callable[[str], None]) -> None:
        self._process = process
        self._say = say
        self._secret = secrets.token_urlsafe(24)
        self._is_loading: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._last_line = ""
        self._has_loaded = False
        self._output = asyncio.gather(self._read_output(), self._read_errors())
        self._channel: grpc.aio.Channel | None = None

    @classmethod
    async def start(
        cls,
        python: Path,
        folder: Path,
        *,
        environment: Mapping[str, str],
        fetch_allow: Sequence[str],
        say: Callable[[str], None],
    ) -> RunnerProcess:
        command = [str(python), "-m", "playground.runner", str(folder), "--port", "0", "--stdin-config"]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env={**MALLOC, **environment, "PYTHONUNBUFFERED": "1"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        runner = cls(process, say)
        assert process.stdin is not None
        # A process that is gone already: ConnectionError, from uvloop RuntimeError. wait_ready says how it ended.
        with contextlib.suppress(ConnectionError, RuntimeError):
            process.stdin.write(
                json.dumps({"secret": runner._secret, "fetch_allow": list(fetch_allow)}).encode() + b"\n"
            )
            await process.stdin.drain()
        return runner

    @property
    def pid(self) -> int:
        return self._process.pid

    def resident_bytes(self) -> int:
        """What it holds in memory now, with all that it started."""
        return resident_bytes(self._process.pid)

    async def wait_ready(self, on_stage: Callable[[Stage], None]) -> Endpoint:
        """Where it answers, once its model is loaded; ``on_stage`` hears how far it is. Raises RunnerGoneError."""
        exit_status = asyncio.ensure_future(self._process.wait())
        try:
            for reached, stage in ((self._is_loading, Stage.LOADING), (self._address, Stage.CHECK)):
                awaited: set[asyncio.Future[Any]] = {reached, self._address, exit_status}
                await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                if not reached.done() and not self._address.done():
                    raise RunnerGoneError(await self._how_it_ended())
                on_stage(stage)
            address, _, pipe_port = self._address.result().partition(_PIPE)
            endpoint = Endpoint(address, self._secret, int(pipe_port or 0))
            self._channel = grpc.aio.insecure_channel(endpoint.address, options=CHANNEL_OPTIONS)
            while not await self._is_serving():
                if exit_status.done():
                    raise RunnerGoneError(await self._how_it_ended())
                await asyncio.sleep(0.03)
            self._has_loaded = True
            return endpoint
        finally:
            exit_status.cancel()

    async def wait_gone(self) -> str:
        """How it ended, in words; also when it has not answered its health checks for long."""
        missed = 0
        while missed < _CHECKS_MISSED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CHECK_EVERY):
                    await self._process.wait()
                return await self._how_it_ended()
            missed = 0 if await self._is_serving() else missed + 1
        return "it no longer answers its health checks"

    async def stop(self) -> None:
        """SIGTERM, then after 1.5 s SIGKILL, to it and to whatever it started."""
        if self._process.returncode is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
        self._signal(signal.SIGKILL)
        await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._channel is not None:
            await self._channel.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await self._output
        self._output.cancel()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)

    async def _is_serving(self) -> bool:
        assert self._channel is not None
        check = self._channel.unary_unary(_HEALTH_METHOD)
        try:
            reply: bytes = await check(b"", timeout=_CHECK_TIMEOUT)
        except grpc.aio.AioRpcError:
            return False
        return reply == _SERVING

    async def _how_it_ended(self) -> str:
        status = await self._process.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.shield(self._output)
        how = f"was ended by {signal.Signals(-status).name}" if status < 0 else f"exited with status {status}"
        # Its last line tells why it could not load. Later ones are about calls, which are not everybody's business.
        is_told = status and self._last_line and not self._has_loaded
        return f"the runner {how}" + (f": {self._last_line}" if is_told else "")

    async def _read_output(self) -> None:
        assert self._process.stdout is not None
        await copy_lines(self._process.stdout, self._hear)

    async def _read_errors(self) -> None:
        assert self._process.stderr is not None
        await copy_lines(self._process.stderr, self._note)

    def _hear(self, line: str) -> None:
        if line == _LOADING_LINE and not self._is_loading.done():
            self._is_loading.set_result(None)
        if line.startswith(_ADDRESS_LINE) and not self._address.done():
            self._address.set_result(line.removeprefix(_ADDRESS_LINE).strip())
        self._say(line)

    def _note(self, line: str) -> None:
        if line.strip():
            self._last_line = line.strip()[:500]
        self._say(line)
