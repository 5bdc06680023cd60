"""First-run set-up: what exists from the first start on. Run at every start; changes nothing that is already so."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from playground import catalog, runner
from playground.catalog.services import add_model, ensure_owner
from playground.catalog.workflows import add_workflow
from playground.compute.models import Cluster, Nodepool
from playground.compute.services import ensure_shared_deployment
from playground.sdk.graphs import GraphError

if TYPE_CHECKING:
    from playground.catalog.models import App, User

logger = logging.getLogger(__name__)

CLUSTER_ID = "local"
NODEPOOL_ID = "shared"
EXAMPLES = Path(runner.__file__).parent / "examples"
WORKFLOWS = Path(catalog.__file__).parent / "examples"
# In the order in which they are made ready; `hello` needs no environment and is there at once.
BUILT_IN = ("hello", "smollm2", "nanodet", "efficientnet", "movenet", "blazeface", "selfie", "speak")


def ensure(*, demo: bool = True) -> None:
    """Owner, app, cluster, shared nodepool, the built-in models with their shared deployments, and workflows of them.

    Without ``demo`` only ``hello`` is among them, which needs neither downloads nor much memory.
    """
    owner, app = ensure_owner()
    ensure_shared_nodepool(owner)
    for folder in built_in_folders():
        if demo or folder.name == BUILT_IN[0]:
            ensure_built_in_model(app, folder)
    if demo:
        ensure_built_in_workflows(owner, app)


def ensure_shared_nodepool(owner: User) -> Nodepool:
    """The built-in nodepool that every model's shared deployment lives on."""
    cluster, _ = Cluster.objects.get_or_create(
        owner=owner,
        slug=CLUSTER_ID,
        defaults={"description": "This machine", "cloud_provider": "local", "region": "local"},
    )
    nodepool, _ = Nodepool.objects.get_or_create(
        cluster=cluster, slug=NODEPOOL_ID, defaults={"description": "Shared by all models", "is_shared": True}
    )
    return nodepool


def built_in_folders() -> list[Path]:
    folders = {file.parent.name: file.parent for file in EXAMPLES.glob("*/config.yaml")}
    known = [name for name in BUILT_IN if name in folders]
    return [folders[name] for name in known + sorted(folders.keys() - set(known))]


def ensure_built_in_model(app: App, folder: Path) -> None:
    """The folder as a model of ``app``, its latest version being the folder as it is now."""
    version = add_model(app, folder)
    ensure_shared_deployment(version.model, min_replicas=0)


def ensure_built_in_workflows(owner: User, app: App) -> None:
    """Those that are not there, of models that are; one that was edited stays as it is."""
    known = set(app.workflows.values_list("slug", flat=True))
    for file in sorted(WORKFLOWS.glob("*.yaml")):
        if file.stem in known:
            continue
        try:
            add_workflow(owner, app, file.read_text(encoding="utf-8"))
        except GraphError as error:
            logger.info("The workflow %s is left out: %s", file.stem, error.message)
