"""``manage.py models``: adds model folders, which only those with a terminal here may; lists and deletes models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError, CommandParser

from playground.catalog.folders import read_folder
from playground.catalog.models import Model, ModelVersion, User
from playground.catalog.services import MAIN_APP_ID, OWNER_ID
from playground.compute import lease, services
from playground.compute.machine import read_size, this_machine
from playground.compute.models import Deployment
from playground.management.base import PlaygroundCommand, find_user
from playground.management.columns import columns
from playground.management.finding import find_app, find_model
from playground.management.loading import load_once
from playground.management.watching import wait_ready

if TYPE_CHECKING:
    from playground.compute.engines.base import Observed


class Command(PlaygroundCommand):
    help = "Add a model folder (models are trusted code: it runs as you), list models, delete one."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        adding = acts.add_parser("add", help="a folder as a model, or as a new version of it: built, loaded, deployed")
        adding.add_argument("folder", metavar="DIR", help="config.yaml, 1/model.py, requirements.txt; it is copied")
        adding.add_argument("--id", required=True, help="what the model is called here")
        adding.add_argument("--type", required=True, help="such as text-to-text or visual-detector")
        adding.add_argument("--app", default=MAIN_APP_ID, help="the user's app that it goes to (main)")
        adding.add_argument("--no-wait", action="store_true", help="return at once; the gateway makes it ready")
        adding.add_argument(
            "--elsewhere", action="store_true", help="do not run it on this machine, but only where it is deployed to"
        )
        listing = acts.add_parser("list", help="those that the user can see")
        deleting = acts.add_parser("delete", help="a model with its versions and runs; one that is deployed stays")
        deleting.add_argument("ref", metavar="REF", help="MODEL or USER/APP/models/MODEL")
        for one in (adding, listing, deleting):
            one.add_argument("--user", default=OWNER_ID, help="whose they are (owner)")

    def handle(self, *args: Any, act: str, user: str, **options: Any) -> None:
        acting = find_user(user)
        match act:
            case "add":
                self.add(acting, **options)
            case "list":
                self.list(acting)
            case _:
                model, _ = find_model(acting, options["ref"])
                services.delete_model(acting, model)
                self.stdout.write(f"{options['ref']} deleted")

    def add(
        self,
        user: User,
        *,
        folder: str,
        id: str,
        type: str,
        app: str,
        no_wait: bool,
        elsewhere: bool,
        **options: Any,
    ) -> None:
        path = Path(folder).expanduser().resolve()
        if not elsewhere:
            check_fits(path)
        version = services.add_model_folder(find_app(user, app), path, model_id=id, type_id=type, is_here=not elsewhere)
        self.say(f"{version.model}, version {version.slug}")
        if not (no_wait or elsewhere):
            self.wait(version)

    def wait(self, version: ModelVersion) -> None:
        """Until it has been loaded once; exit status 1 with the log's last lines where that fails."""
        deployment = Deployment.objects.get(model=version.model, is_shared=True)
        if version.signatures and deployment.state != Deployment.State.FAILED:
            self.say("This version is there already.")
            return
        done = self.load(deployment, version)
        if done.state == Deployment.State.FAILED:
            if done.log_tail:
                self.stderr.write(done.log_tail)
            raise CommandError(f"{version.model.slug} failed: {done.reason}")
        version.refresh_from_db()
        self.say(f"methods: {', '.join(one.name for one in version.signatures) or 'none told'}")

    def load(self, deployment: Deployment, version: ModelVersion) -> Deployment | Observed:
        """By the gateway that runs, by starting its shared deployment; else here."""
        runs = deployment.is_enabled and deployment.version_id in (None, version.pk)
        if runs and lease.is_led():
            return wait_ready(deployment, version, self.say)
        why = f"{deployment.slug} does not run this version" if lease.is_led() else "No gateway is running"
        then = "" if lease.is_led() else " It is deployed with the next start: python manage.py playground"
        self.say(f"{why}: it is built and loaded here, once.{then}")
        return load_once(deployment, version)

    def list(self, user: User) -> None:
        rows = []
        for model in Model.objects.visible_to(user).select_related("app__owner").order_by("pk"):
            latest = model.latest
            methods = ", ".join(one.name for one in latest.signatures) if latest else ""
            rows.append((model, model.type_id, latest.slug if latest else "", model.versions.count(), methods))
        for line in columns(["MODEL", "TYPE", "LATEST", "VERSIONS", "METHODS"], rows):
            self.stdout.write(line)

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def check_fits(path: Path) -> None:
    """Raises ``CommandError`` where this machine lacks what the folder's model needs, with what there is."""
    need = read_size(read_folder(path).config.get("inference_compute_info"), "inference_compute_info")
    if lacking := this_machine().lacks(need):
        raise CommandError(
            f"The model needs {lacking} on this machine. With --elsewhere it is added all the same, to be deployed on "
            "a nodepool of engine remote."
        )
