"""``manage.py workflows``: adds workflows from YAML files, lists, shows and deletes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from playground.catalog import workflows
from playground.catalog.models import PUBLIC, User, Workflow
from playground.catalog.services import MAIN_APP_ID, OWNER_ID
from playground.management.base import PlaygroundCommand, find_user
from playground.management.columns import columns
from playground.management.finding import find_app
from playground.play.graphs import chain
from playground.sdk.graphs import GraphError, Plan
from playground.sdk.workflow_asks import parse_workflow

LARGEST = 256 * 1024


class Command(PlaygroundCommand):
    help = "Add a workflow from its YAML, list workflows, show the YAML of one, delete one."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        adding = acts.add_parser("add", help="a file as a workflow, or as a new version of it")
        adding.add_argument("file", metavar="FILE", help="Clarifai's workflow YAML; problems are told by their lines")
        adding.add_argument("--id", default="", help="what it is called here, instead of the id in the file")
        adding.add_argument("--app", default=MAIN_APP_ID, help="the user's app that it goes to (main)")
        adding.add_argument("--public", action="store_true", help="anybody who is signed in here may see and run it")
        listing = acts.add_parser("list", help="those that the user can see")
        showing = acts.add_parser("show", help="the YAML of one")
        deleting = acts.add_parser("delete", help="one with its versions and runs")
        for one in (showing, deleting):
            one.add_argument("ref", metavar="REF", help="WORKFLOW or USER/APP/workflows/WORKFLOW")
        for one in (adding, listing, showing, deleting):
            one.add_argument("--user", default=OWNER_ID, help="whose they are (owner)")

    def handle(self, *args: Any, act: str, user: str, **options: Any) -> None:
        acting = find_user(user)
        match act:
            case "add":
                self.add(acting, options["file"], options["app"], options["id"], is_public=options["public"])
            case "list":
                self.list(acting)
            case "show":
                self.stdout.write(workflows.find_version(find(acting, options["ref"])).yaml)
            case _:
                workflows.delete_workflow(acting, find(acting, options["ref"]))
                self.stdout.write(f"{options['ref']} deleted")

    def add(self, user: User, file: str, app_id: str, workflow_id: str, *, is_public: bool) -> None:
        path = Path(file).expanduser()
        app = find_app(user, app_id)
        visibility = PUBLIC if is_public else None
        try:
            version = workflows.add_workflow(user, app, read(path), workflow_id=workflow_id, visibility=visibility)
        except GraphError as error:
            lines = [f"{path}:{problem.line}: {problem.message}" for problem in error.problems]
            raise CommandError("\n".join(lines)) from None
        self.stdout.write(f"{version.workflow}, version {version.slug}")

    def list(self, user: User) -> None:
        found = Workflow.objects.visible_to(user).select_related("app__owner").order_by("pk")
        rows = []
        for workflow in found:
            version = workflow.latest
            plan = workflows.plans_of(user, [version])[version.pk] if version is not None else None
            nodes = chain(plan.graph) if isinstance(plan, Plan) else "cannot be run"
            rows.append((workflow, version.slug if version else "", workflow.versions.count(), nodes))
        for line in columns(["WORKFLOW", "LATEST", "VERSIONS", "NODES"], rows):
            self.stdout.write(line)


def read(path: Path) -> str:
    """Raises ``CommandError`` where it is no text."""
    try:
        if path.stat().st_size > LARGEST:
            raise CommandError(f"{path} is larger than the {LARGEST // 1024} kB that a workflow may have.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def find(user: User, ref: str) -> Workflow:
    named = parse_workflow(ref)
    return workflows.find_workflow(user, named.user_id or user.username, named.app_id, named.workflow_id)
