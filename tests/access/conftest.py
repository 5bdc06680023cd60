"""The world on a data folder of its own, with a gateway that serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway import live
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

MAKE = """
from pathlib import Path
from django.core.management import call_command
from tests.access import world
call_command("migrate", verbosity=0, interactive=False)
world.make(Path(sys.argv[1]))
print(json.dumps(world.tokens()))
"""


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[live.Live]:
    running = live.Live(tmp_path_factory.mktemp("access"), free_port())
    running.tokens = running.django(MAKE, str(live.ECHO))
    running.start()
    for model in ("echo", "open"):
        live.wait_for(lambda model=model: _is_up(running, model), f"{model} to be ready", 40)
    yield running
    running.stop()


def _is_up(running: live.Live, model: str) -> bool:
    return bool(running.predict(live.ask(model=model, user="olive"), user="olive").status.code == live.OK)
