"""``python -m playground.runner DIR --port N``: serve one model folder. ``manage.py runner`` does the same.

With ``--stdin-config`` the first line of standard input is a JSON object (``secret``, ``fetch_allow``, ``threads``,
``queue``, ``grace``), and the runner ends when standard input closes: it does not outlive who started it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playground.protocol import loops
from playground.protocol.errors import ConfigError, PlaygroundError
from playground.runner.server import Limits, serve

logger = logging.getLogger("playground.runner")

GUARDED_GRACE = 1.0  # whoever started us waits little longer before it ends us for good


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; gives the exit status."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        private_input = _take_stdin() if options.stdin_config else None
        limits = _read_limits(private_input) if private_input is not None else Limits(grace=options.grace)
        say = _take_stdout()
        loops.run(_run(options, limits, private_input, say))
    except PlaygroundError as error:
        logger.error("%s", error.message)
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # the last door: the model's own code runs below
        logger.exception("the model could not be loaded")
        logger.error("%s: %s", type(error).__name__, error)
        return 1
    return 0


def run() -> None:
    """``main``, then out at once: a model's threads that hang are not waited for."""
    status = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="runner", description="Serve one model folder on the V2 wire.")
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds config.yaml and 1/model.py")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds that running calls get on SIGTERM")
    parser.add_argument("--stdin-config", action="store_true", help="secret and limits come as one line of JSON")
    return parser


def _take_stdin() -> int:
    """Standard input for ourselves: a model that reads it finds it empty."""
    private = os.dup(0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return private


def _read_limits(private_input: int) -> Limits:
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(private_input, 1)):
        line += byte
    try:
        given: dict[str, Any] = json.loads(line or b"{}")
        given = {name: value for name, value in given.items() if value is not None}
        given["fetch_allow"] = tuple(given.get("fetch_allow", ()))
        return Limits(**{"grace": GUARDED_GRACE, **given})
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigError(f"the configuration on standard input cannot be read: {error}") from None


def _take_stdout() -> Callable[[str], None]:
    """Standard output for ourselves: what a model prints goes to the log, standard error."""
    private = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def say(line: str) -> None:
        private.write(f"{line}\n")
        private.flush()

    return say


async def _run(
    options: argparse.Namespace, limits: Limits, private_input: int | None, say: Callable[[str], None]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if private_input is not None:
        _watch_input(private_input, loop, stop)
        say("loading the model")  # who drives a runner shows it; for anybody else the first line is the address
    await serve(
        options.folder,
        host=options.host,
        port=options.port,
        limits=limits,
        on_ready=lambda address: say(f"listening on {address}"),
        stop=stop,
    )


def _watch_input(private_input: int, loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    def watch() -> None:
        while os.read(private_input, 4096):
            pass
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


if __name__ == "__main__":
    run()
