"""``manage.py runner DIR``: serve one model folder; ``python -m playground.runner DIR`` does it without Django."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand

from playground.runner.__main__ import run


class Command(BaseCommand):
    help = (
        "Serve one model folder on a port, without gateway or web. Its flags are those of python -m playground.runner."
    )

    def run_from_argv(self, argv: list[str]) -> None:
        sys.argv = argv[1:]
        run()
