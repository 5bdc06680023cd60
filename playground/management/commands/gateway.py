"""``manage.py gateway``: the V2 gRPC API, and the controller that keeps deployments."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from playground.doors import logs
from playground.gateway import server
from playground.management.base import PlaygroundCommand
from playground.processes import start


class Command(PlaygroundCommand):
    help = "Serve the gRPC API and keep deployments running. (`playground` starts this by itself.)"

    def handle(self, *args: Any, **options: Any) -> None:
        logs.to_files(settings.LOG_DIR, "gateway")
        start.wait_until_prepared(settings.DATA_DIR, "rows")
        server.main()
