"""What the commands share: the flags that win over the environment, errors as one line."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from playground.catalog.models import User
from playground.processes.files import raise_open_files
from playground.protocol.errors import PlaygroundError


class PlaygroundCommand(BaseCommand):
    """A command whose errors are one clear line on stderr, and exit status 1."""

    requires_system_checks = []
    _is_terminal = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Flags that ``manage.py`` has put into the environment before the settings were read."""
        parser.add_argument("--host", metavar="H", help="the web's address (PLAYGROUND_HOST, 127.0.0.1)")
        parser.add_argument("--port", metavar="N", help="the web's port (PLAYGROUND_PORT, 8000)")
        parser.add_argument("--gateway-host", metavar="H", help="the gateway's address (PLAYGROUND_GATEWAY_HOST)")
        parser.add_argument("--gateway-port", metavar="N", help="the gateway's port (PLAYGROUND_GATEWAY_PORT, 8001)")
        parser.add_argument("--data-dir", metavar="DIR", help="where everything is kept (PLAYGROUND_DATA_DIR)")
        parser.add_argument("--no-demo", action="store_true", help="no built-in models but hello (PLAYGROUND_DEMO=0)")

    def run_from_argv(self, argv: list[str]) -> None:
        self._is_terminal = True
        raise_open_files()
        super().run_from_argv(argv)

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (CommandError, ImproperlyConfigured, PlaygroundError) as error:
            if not self._is_terminal:
                raise
            self.stderr.write(str(error))
            raise SystemExit(1) from None


def find_user(name: str) -> User:
    """The user of that name. Raises ``CommandError``, naming those there are."""
    try:
        user = User.objects.filter(username=name).first()
    except OperationalError as error:
        raise CommandError(f"The data folder has no users yet ({error}): start the playground once.") from None
    if user is None:
        names = ", ".join(User.objects.order_by("username").values_list("username", flat=True)[:10])
        raise CommandError(f"There is no user {name}. There are: {names or 'none yet; start the playground once'}.")
    return user
