"""``manage.py token``: a new access token, alone on the last line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from playground.catalog.services import OWNER_ID
from playground.catalog.tokens import create_token
from playground.management.base import PlaygroundCommand, find_user


class Command(PlaygroundCommand):
    help = "Create an access token for programs and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--user", default=OWNER_ID, help="whose token it is (owner)")
        parser.add_argument("--name", default="terminal", help="what it is called in the list of tokens")

    def handle(self, *args: Any, user: str, name: str, **options: Any) -> None:
        self.stdout.write(create_token(find_user(user), name))
