"""``manage.py compute``: clusters and nodepools, and all that a YAML file wants to be there."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from playground.catalog.models import User
from playground.catalog.services import OWNER_ID
from playground.compute import services
from playground.compute.machine import in_words, this_machine
from playground.compute.manifests.applying import apply
from playground.compute.manifests.shapes import read_manifest
from playground.compute.models import Cluster, Nodepool
from playground.management.base import PlaygroundCommand, find_user
from playground.management.columns import columns
from playground.management.finding import read_secret


class Command(PlaygroundCommand):
    help = "Make clusters, nodepools and deployments as a YAML file says; list and delete clusters and nodepools."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
        applying = acts.add_parser("apply", help="make it as the file says, all of it or nothing; again: nothing")
        applying.add_argument("file", metavar="FILE.yaml", help="what there should be; - reads standard input")
        listing = acts.add_parser("list", help="clusters and nodepools, and what this machine has")
        deleting = acts.add_parser("delete", help="a cluster, or a nodepool; one that is in use stays")
        deleting.add_argument("name", metavar="CLUSTER[/NODEPOOL]")
        for one in (applying, listing, deleting):
            one.add_argument("--user", default=OWNER_ID, help="whose they are (owner)")

    def handle(self, *args: Any, act: str, user: str, file: str = "", name: str = "", **options: Any) -> None:
        acting = find_user(user)
        match act:
            case "apply":
                self.apply(acting, file)
            case "list":
                self.list(acting)
            case _:
                self.delete(acting, name)

    def apply(self, user: User, file: str) -> None:
        documents, notes = read_manifest(read_file(file), file)
        if not documents:
            raise CommandError(f"{file} has no documents.")
        outcomes = apply(user, documents, read_secret)
        for note in notes:
            self.stderr.write(note)
        for outcome in outcomes:
            self.stdout.write(f"{outcome.kind.replace('_', ' ')} {outcome.name} {outcome.what}")

    def list(self, user: User) -> None:
        nodepools = Nodepool.objects.visible_to(user).select_related("cluster__owner").order_by("cluster_id", "pk")
        rows: list[tuple[object, ...]] = [
            (pool, pool.cluster.owner.username, pool.engine, label_of(pool.cluster), sizes_of(pool))
            for pool in nodepools
        ]
        empty = Cluster.objects.visible_to(user).filter(nodepools=None).select_related("owner").order_by("pk")
        rows += [(f"{row.slug}/", row.owner.username, "", label_of(row), "no nodepools") for row in empty]
        for line in columns(["CLUSTER/NODEPOOL", "USER", "ENGINE", "LABELS", "SIZES"], rows):
            self.stdout.write(line)
        machine = this_machine()
        self.stdout.write(
            f"This machine: {machine.cpus:g} processors, {in_words(machine.memory)} of memory, "
            f"{machine.accelerators or 'no'} accelerators"
        )

    def delete(self, user: User, name: str) -> None:
        cluster, is_nodepool, nodepool = name.partition("/")
        if is_nodepool:
            row = services.find_cluster(user, cluster, owner=user.username)
            services.delete_nodepools(user, row, [nodepool])
        else:
            services.delete_clusters(user, [cluster])
        self.stdout.write(f"{name} deleted")


def read_file(name: str) -> str:
    """The text of a file, or of standard input. Raises ``CommandError``."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"Cannot read {name}: {getattr(error, 'strerror', None) or error}.") from None


def label_of(cluster: Cluster) -> str:
    """Words for people, which decide nothing."""
    return " ".join(part for part in (cluster.cloud_provider, cluster.region) if part)


def sizes_of(nodepool: Nodepool) -> str:
    if nodepool.engine == Nodepool.Engine.REMOTE:
        return ", ".join(address["address"] for address in nodepool.addresses)
    return ", ".join(str(kind["id"]) for kind in nodepool.instance_types) or "the whole machine"
