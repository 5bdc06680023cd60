"""Reading what a deployment's builds and replicas wrote."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from pathlib import Path

    from playground.compute.models import Deployment

_TAIL_BYTES = 256 * 1024


def log_path(deployment: Deployment) -> Path:
    """Where the deployment's builds and replicas write their lines."""
    folder: Path = settings.LOG_DIR
    return folder / f"{deployment.pk}-{deployment.slug}.log"


def read_log(deployment: Deployment, lines: int = 200) -> list[str]:
    """The last lines of the deployment's log, oldest first; none when nothing was written yet."""
    return read_tail(log_path(deployment), lines)


def read_tail(path: Path, lines: int) -> list[str]:
    """The last ``lines`` of a text file, reading no more of it than 256 KiB."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:]
