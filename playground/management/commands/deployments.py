"""``manage.py deployments``: models placed on nodepools, as they are wanted and as they are."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from playground.catalog.models import PRIVATE, PUBLIC, Model, User
from playground.catalog.services import OWNER_ID
from playground.compute import services
from playground.compute.models import Deployment
from playground.management.base import PlaygroundCommand, find_user
from playground.management.columns import columns
from playground.management.finding import find_deployment, find_model, find_nodepool, read_secrets, read_values
from playground.management.watching import follow_log

NUMBERS = {
    "--min": ("min_replicas", "replicas kept at all times (1); 0 lets it scale to zero"),
    "--max": ("max_replicas", "replicas at most (1)"),
    "--queue-limit": ("queue_limit", "calls in flight and waiting, beyond which callers are told to come again (256)"),
    "--traffic-history": ("traffic_history_seconds", "seconds that its load is averaged over (60)"),
    "--scale-up-delay": ("scale_up_delay_seconds", "seconds of high load before a replica more (5)"),
    "--scale-down-delay": ("scale_down_delay_seconds", "seconds of low load before a replica fewer (60)"),
    "--scale-to-zero-delay": ("scale_to_zero_delay_seconds", "idle seconds before it scales to zero (900)"),
}
VISIBILITIES = {"private": PRIVATE, "public": PUBLIC}
LATEST = "latest"


class Command(PlaygroundCommand):
    help = "Create, edit, list, scale, retry, switch off and on, and delete deployments; read their logs."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        creating = add_act(acts, "create", "places a model on a nodepool")
        creating.add_argument("--model", required=True, metavar="REF", help="MODEL or USER/APP/models/MODEL")
        editing = add_act(acts, "edit", "changes what is given; a change of what runs restarts it without a gap")
        for one, is_new in ((creating, True), (editing, False)):
            add_facts(one, needs_nodepool=is_new)
        listing = acts.add_parser("list", help="those that the user can see, with their states")
        listing.add_argument("--user", default=OWNER_ID, help="whose view it is (owner)")
        scaling = add_act(acts, "scale", "other limits for the number of replicas")
        scaling.add_argument("--min", type=int, dest="min_replicas", metavar="N")
        scaling.add_argument("--max", type=int, dest="max_replicas", metavar="N")
        logs = add_act(acts, "logs", "what its builds and replicas wrote")
        logs.add_argument("--lines", type=int, default=200, metavar="N", help="the last so many (200)")
        logs.add_argument("--follow", action="store_true", help="go on as lines are written, until Ctrl-C")
        add_act(acts, "retry", "begins again after a failure")
        add_act(acts, "enable", "lets it run again")
        add_act(acts, "disable", "drains and stops it; calls are refused")
        add_act(acts, "delete", "drains and stops it, for good")

    def handle(self, *args: Any, act: str, user: str, **options: Any) -> None:
        acting = find_user(user)
        if act == "list":
            self.list(acting)
        elif act == "create":
            self.create(acting, **options)
        else:
            self.change(acting, find_deployment(acting, options["id"]), act, options)

    def create(self, user: User, *, id: str, model: str, **options: Any) -> None:
        found, version = find_model(user, model)
        facts: dict[str, Any] = {"version": version} | read_facts(user, found, options)
        deployment = services.create_deployment(user, id, found, **facts)
        self.stdout.write(f"{deployment.slug} created on {deployment.nodepool}")

    def change(self, user: User, deployment: Deployment, act: str, options: dict[str, Any]) -> None:
        match act:
            case "logs":
                self.logs(deployment, options["lines"], follow=options["follow"])
                return
            case "edit":
                self.edit(user, deployment, options)
            case "scale":
                limits = [options["min_replicas"], options["max_replicas"]]
                if limits == [None, None]:
                    raise CommandError("Say --min, --max, or both.")
                self.edit(user, deployment, options)
            case "retry":
                services.retry(user, deployment)
            case "delete":
                services.delete_deployments(user, [deployment.slug], owner=deployment.owner)
            case _:
                services.set_enabled(user, deployment, act == "enable")
        self.stdout.write(f"{options['id']} {DONE[act]}")

    def edit(self, user: User, deployment: Deployment, options: dict[str, Any]) -> None:
        facts = read_facts(user, deployment.model, options)
        if not facts:
            raise CommandError("Say what should be otherwise: --help tells what can.")
        services.edit_deployment(user, deployment, **facts)

    def list(self, user: User) -> None:
        found = Deployment.objects.visible_to(user).order_by("pk")
        rows = [
            (
                row if row.owner_id != user.pk else row.slug,
                row.model,
                row.nodepool,
                row.ready_replicas,
                f"{row.min_replicas} to {row.max_replicas}",
                row.state if row.is_enabled else "disabled",
                row.reason if row.is_enabled else "",
            )
            for row in found.select_related("owner", "model__app__owner", "nodepool__cluster")
        ]
        for line in columns(["DEPLOYMENT", "MODEL", "NODEPOOL", "READY", "WANTED", "STATE", "REASON"], rows):
            self.stdout.write(line)

    def logs(self, deployment: Deployment, lines: int, *, follow: bool) -> None:
        for line in services.read_log(deployment, max(lines, 0)) if lines > 0 else []:
            self.stdout.write(line)
        if follow:
            for line in follow_log(services.log_path(deployment)):
                self.stdout.write(line)
                self.stdout.flush()


DONE = {
    "edit": "changed",
    "scale": "scaled",
    "retry": "begins again",
    "enable": "enabled",
    "disable": "disabled",
    "delete": "deleted",
}


def add_act(acts: Any, name: str, words: str) -> CommandParser:
    """An act on one deployment."""
    parser: CommandParser = acts.add_parser(name, help=words)
    parser.add_argument("id", metavar="ID")
    parser.add_argument("--user", default=OWNER_ID, help="whose it is (owner)")
    return parser


def add_facts(parser: CommandParser, *, needs_nodepool: bool) -> None:
    parser.add_argument(
        "--nodepool",
        action="append",
        required=needs_nodepool,
        metavar="CLUSTER/NODEPOOL",
        help="where it may be; several, in order of preference: the first that has room is taken",
    )
    parser.add_argument("--version", metavar="V", help="stay at this version; without, or with latest, the newest")
    parser.add_argument(
        "--env", action="append", metavar="NAME=VALUE", help="in its runners' environment; NAME- removes it"
    )
    parser.add_argument(
        "--secret",
        action="append",
        metavar="NAME",
        help="as --env, but nobody reads it again: from the environment, or asked",
    )
    parser.add_argument("--description", metavar="TEXT")
    parser.add_argument("--visibility", choices=VISIBILITIES, help="public: everyone who sees the model may use it")
    for flag, (name, words) in NUMBERS.items():
        parser.add_argument(flag, type=int, dest=name, metavar="N", help=words)


def read_facts(user: User, model: Model, options: dict[str, Any]) -> dict[str, Any]:
    """Those that were given, by the names that the services know them by."""
    names = ("description", *(name for name, _ in NUMBERS.values()))
    facts = {name: options[name] for name in names if options.get(name) is not None}
    if version := options.get("version"):
        facts["version"] = None if version == LATEST else services.find_version(model, version)
    if options.get("nodepool"):
        facts["nodepools"] = [find_nodepool(user, name) for name in options["nodepool"]]
    if options.get("visibility"):
        facts["visibility"] = VISIBILITIES[options["visibility"]]
    if options.get("env"):
        facts["environment"] = read_values(options["env"])
    if options.get("secret"):
        facts["secrets"] = read_secrets(options["secret"])
    return facts
