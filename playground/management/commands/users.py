"""``manage.py users``: who may come in."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from playground.catalog import links
from playground.catalog.ids import validate_id
from playground.catalog.models import User, note_change
from playground.catalog.tokens import create_token
from playground.management.base import PlaygroundCommand, find_user


class Command(PlaygroundCommand):
    help = "Add users, list them, print a sign-in link, shut one out or let them in again."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        acts.add_parser("list", help="names, one a line")
        for act, words in [
            ("add", "a new user: prints a sign-in link, good for a week, and an access token"),
            ("link", "a new sign-in link, good for a week"),
            ("shut-out", "this user's links, tokens and sessions stop working"),
            ("let-in", "undoes shut-out"),
        ]:
            acts.add_parser(act, help=words).add_argument("name")

    def handle(self, *args: Any, act: str, name: str = "", **options: Any) -> None:
        match act:
            case "list":
                self.list()
            case "add":
                self.add(name)
            case "link":
                self.stdout.write(links.link_for(links.make_user_token(find_user(name))))
            case _:
                self.set_active(name, is_active=act == "let-in")

    def list(self) -> None:
        for user in User.objects.order_by("username"):
            notes = [note for note, holds in [("admin", user.is_staff), ("shut out", not user.is_active)] if holds]
            self.stdout.write(" ".join([user.username, *(f"({note})" for note in notes)]))

    def add(self, name: str) -> None:
        try:
            validate_id(name)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from None
        if User.objects.filter(username__iexact=name).exists():
            raise CommandError(f"There is a user {name} already. A new link: python manage.py users link {name}")
        user = User(username=name)
        user.set_unusable_password()
        user.save()
        self.stdout.write(f"Sign in  {links.link_for(links.make_user_token(user))}")
        self.stdout.write(f"Token    {create_token(user, 'first')}")

    def set_active(self, name: str, *, is_active: bool) -> None:
        user = find_user(name)
        user.is_active = is_active
        with transaction.atomic():
            user.save(update_fields=["is_active"])
            note_change("user", user.pk)
