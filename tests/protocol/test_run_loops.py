"""Our processes run on uvloop where it is installed, and on asyncio's own loop elsewhere."""

from __future__ import annotations

import asyncio
import subprocess
import sys

from playground.protocol import loops

WITHOUT = """
import sys
sys.modules["uvloop"] = None
import asyncio
from playground.protocol import loops
async def name(): return type(asyncio.get_running_loop()).__module__
print(loops.run(name()))
"""


async def loop_module() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_uvloop_runs_what_is_given() -> None:
    assert loops.run(loop_module()) == "uvloop"


def test_without_it_asyncio_does() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "asyncio.unix_events"
