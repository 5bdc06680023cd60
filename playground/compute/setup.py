"""First-run set-up: what exists from the first start on. Run at every start; changes nothing that is already so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playground import runner
from playground.catalog.services import add_model, ensure_owner
from playground.compute.models import Cluster, Nodepool
from playground.compute.services import ensure_shared_deployment

if TYPE_CHECKING:
    from playground.catalog.models import App, User

CLUSTER_ID = "local"
NODEPOOL_ID = "shared"
EXAMPLES = Path(runner.__file__).parent / "examples"
# In the order in which they are made ready; `hello` needs no environment and is there at once.
BUILT_IN = ("hello", "smollm2", "nanodet", "efficientnet")


def ensure(*, demo: bool = True) -> None:
    """Owner, app, cluster, shared nodepool and, with ``demo``, the built-in models with their shared deployments."""
    owner, app = ensure_owner()
    ensure_shared_nodepool(owner)
    if demo:
        ensure_built_in_models(app)


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


def ensure_built_in_models(app: App, examples: Path = EXAMPLES) -> None:
    """Each folder of ``examples`` as a model of ``app``, its latest version being the folder as it is now."""
    folders = {file.parent.name: file.parent for file in examples.glob("*/config.yaml")}
    known = [name for name in BUILT_IN if name in folders]
    for name in known + sorted(folders.keys() - set(known)):
        version = add_model(app, folders[name])
        ensure_shared_deployment(version.model)
