"""``manage.py token``: a new access token, alone on the last line; or an end to one, with ``--revoke``."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from playground.catalog.services import OWNER_ID
from playground.catalog.tokens import create_token, find_tokens, revoke_token
from playground.management.base import PlaygroundCommand, find_user

MOST_DAYS = 3650


class Command(PlaygroundCommand):
    help = "Create an access token for programs and print it, once; or revoke one."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--user", default=OWNER_ID, help="whose token it is (owner)")
        parser.add_argument("--name", default="terminal", help="what it is called in the list of tokens")
        parser.add_argument("--days", type=int, metavar="N", help="after so many days it opens nothing (never)")
        parser.add_argument(
            "--revoke", metavar="TOKEN", help="revoke this token of the user instead: whole, or its beginning"
        )

    def handle(
        self, *args: Any, user: str, name: str, days: int | None = None, revoke: str | None = None, **options: Any
    ) -> None:
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--days {days}: give 1 to {MOST_DAYS}.")
        owner = find_user(user)
        if revoke is None:
            self.stdout.write(create_token(owner, name, days=days))
            return
        found = find_tokens(owner, revoke)
        if len(found) != 1:
            raise CommandError(
                f"{user} has {len(found) or 'no'} tokens in use that begin like this. Give the whole token."
            )
        revoke_token(found[0])
        self.stdout.write(f"Revoked {found[0].prefix}… of {user}.")
