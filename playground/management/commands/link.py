"""``manage.py link``: the link that signs the owner in, again."""

from __future__ import annotations

from typing import Any

from playground.catalog import links
from playground.management.base import PlaygroundCommand
from playground.protocol.errors import ConflictError


class Command(PlaygroundCommand):
    help = "Print the link that signs the owner in; it is valid until the next start of the server."

    def handle(self, *args: Any, **options: Any) -> None:
        secret = links.current()
        if not secret:
            raise ConflictError("No server was started on this data folder yet. Run: python manage.py playground")
        self.stdout.write(links.link_for(secret))
