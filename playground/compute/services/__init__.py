"""Every act on clusters, nodepools and deployments: who asks comes first, is checked, and refused by name.

One act is one transaction, which also tells the other processes. Pages, commands, admin and wire all come here.
"""

from __future__ import annotations

from playground.compute.services.builds import read_build_log
from playground.compute.services.clusters import (
    ClusterFacts,
    create_cluster,
    delete_clusters,
    edit_cluster,
    find_cluster,
)
from playground.compute.services.deployments import (
    DeploymentFacts,
    create_deployment,
    delete_deployments,
    edit_deployment,
    ensure_shared_deployment,
    find_deployment,
    scale,
    set_enabled,
)
from playground.compute.services.environment import environment_of
from playground.compute.services.logs import log_path, read_log, read_tail
from playground.compute.services.models import add_model_folder, delete_model, find_model, find_version
from playground.compute.services.nodepools import (
    NodepoolFacts,
    create_nodepool,
    delete_nodepools,
    edit_nodepool,
    find_nodepool,
)
from playground.compute.services.owners import may_change, require_change
from playground.compute.services.placement import need_of, why_not
from playground.compute.services.states import record_state, retry

__all__ = [
    "ClusterFacts",
    "DeploymentFacts",
    "NodepoolFacts",
    "add_model_folder",
    "create_cluster",
    "create_deployment",
    "create_nodepool",
    "delete_clusters",
    "delete_deployments",
    "delete_model",
    "delete_nodepools",
    "edit_cluster",
    "edit_deployment",
    "edit_nodepool",
    "ensure_shared_deployment",
    "environment_of",
    "find_cluster",
    "find_deployment",
    "find_model",
    "find_nodepool",
    "find_version",
    "log_path",
    "may_change",
    "need_of",
    "read_build_log",
    "read_log",
    "read_tail",
    "record_state",
    "require_change",
    "retry",
    "scale",
    "set_enabled",
    "why_not",
]
