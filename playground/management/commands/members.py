"""``manage.py members``: whom an app is shared with, and as what."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from playground.catalog import sharing
from playground.catalog.access import Role
from playground.catalog.models import App
from playground.management.base import PlaygroundCommand, find_user


class Command(PlaygroundCommand):
    help = "Share an app: add members or change their role, remove them, list them."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        listing = acts.add_parser("list", help="who may do what, one a line; of every app unless one is given")
        listing.add_argument("app", nargs="?", default="", metavar="USER/APP")
        adding = acts.add_parser("add", help="a new member, or another role for one")
        removing = acts.add_parser("remove", help="ends a membership; takes effect within a second")
        for parser_of_one in (adding, removing):
            parser_of_one.add_argument("app", metavar="USER/APP")
            parser_of_one.add_argument("user", metavar="USER")
        adding.add_argument(
            "--role",
            choices=Role.values,
            default=Role.VIEWER.value,
            help="viewer calls the models, member also deploys them, owner also shares and changes the app (viewer)",
        )

    def handle(
        self, *args: Any, act: str, app: str, user: str = "", role: str = Role.VIEWER.value, **options: Any
    ) -> None:
        if act == "list":
            self.list(
                [find_app(app)] if app else App.objects.select_related("owner").order_by("owner__username", "slug")
            )
            return
        found = find_app(app)
        member = find_user(user)
        if act == "add":
            sharing.set_member(found.owner, found, member.username, role)
            self.stdout.write(f"{member.username} is {role} of {found}.")
        else:
            sharing.remove_member(found.owner, found, member.username)
            self.stdout.write(f"{member.username} is no member of {found} any more.")

    def list(self, apps: Any) -> None:
        for app in apps:
            self.stdout.write(f"{app} {app.owner.username} {Role.OWNER.value}")
            for member in sharing.members_of(app):
                self.stdout.write(f"{app} {member.user.username} {member.role}")


def find_app(address: str) -> App:
    """The app at ``USER/APP``. Raises ``CommandError``, naming those of that user."""
    name, _, slug = address.partition("/")
    owner = find_user(name)
    found = App.objects.select_related("owner").filter(owner=owner, slug=slug).first()
    if found is None:
        names = ", ".join(str(app) for app in owner.apps.order_by("slug")[:10]) or "none"
        raise CommandError(f"There is no app {address}: give it as USER/APP. Those of {name} are: {names}.")
    return found
