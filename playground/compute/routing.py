"""Where a call goes: a pure function over a snapshot of what its caller may see.

| selector | goes to |
| --- | --- |
| deployment | that deployment; the caller's own, or that of the user the selector names |
| cluster + nodepool | this model's deployment that lists that nodepool, wherever of its nodepools it is now |
| none | the model's shared deployment |

All else is refused before anything runs, in words that name what is wrong and what exists. A snapshot holds nothing
that its user may not see, so what is hidden reads the same as what does not exist. Nothing is silently re-routed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode

from playground.protocol.errors import ConflictError, InputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_APP_ID = "main"
ME = ("", "me")
_SHOWN = 20
MOST_ID_LENGTH = 160  # no id that we give is as long


@dataclass(frozen=True)
class ModelKey:
    """A model's address: ``user/app/models/model``."""

    user_id: str
    app_id: str
    model_id: str

    def __str__(self) -> str:
        return f"{self.user_id}/{self.app_id}/models/{self.model_id}"


@dataclass(frozen=True)
class ModelEntry:
    """A model with the ids of its versions, newest first."""

    key: ModelKey
    version_ids: tuple[str, ...]


@dataclass(frozen=True)
class NodepoolKey:
    """A nodepool's address: its cluster's owner, the cluster, itself."""

    user_id: str
    cluster_id: str
    nodepool_id: str
    pk: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.cluster_id}/{self.nodepool_id}"


@dataclass(frozen=True)
class DeploymentEntry:
    """A deployment as routing sees it. ``pinned`` is the version it keeps to; "" follows the latest.

    ``nodepool`` is where it is; ``others`` are the further ones that it may be on.
    """

    pk: int
    user_id: str
    deployment_id: str
    model: ModelKey
    nodepool: NodepoolKey
    pinned: str = ""
    others: tuple[NodepoolKey, ...] = ()
    is_shared: bool = False
    is_enabled: bool = True
    queue_limit: int = 256
    max_replicas: int = 1

    def __str__(self) -> str:
        return f"{self.deployment_id} (shared)" if self.is_shared else self.deployment_id

    def lists(self, nodepool: NodepoolKey) -> bool:
        """Whether it may be there."""
        return nodepool == self.nodepool or nodepool in self.others

    def seen_on(self, nodepool_pk: int) -> DeploymentEntry:
        """The same where a replica of it really is: on one of its nodepools, while it moves from one to another."""
        if nodepool_pk == self.nodepool.pk:
            return self
        return replace(self, nodepool=next((one for one in self.others if one.pk == nodepool_pk), self.nodepool))


class Selector(NamedTuple):
    """Where a caller wants to go; all empty: the shared deployment."""

    deployment_id: str = ""
    deployment_user_id: str = ""
    cluster_id: str = ""
    nodepool_id: str = ""
    cluster_user_id: str = ""
    runner_id: str = ""
    is_given: bool = False


NO_SELECTOR = Selector()


class Request(NamedTuple):
    """What a call says about its destination, as it came: ids may be empty."""

    user_id: str
    app_id: str
    model_id: str
    version_id: str = ""
    selector: Selector = NO_SELECTOR


@dataclass(frozen=True)
class Route:
    """The deployment a call goes to, and what it serves."""

    deployment: DeploymentEntry
    model: ModelEntry
    version_id: str


@dataclass(frozen=True)
class Snapshot:
    """What ``user_id`` may see, indexed for routing."""

    user_id: str
    models: Mapping[ModelKey, ModelEntry]
    deployments: Mapping[ModelKey, tuple[DeploymentEntry, ...]]
    by_id: Mapping[tuple[str, str], DeploymentEntry]
    nodepools: frozenset[NodepoolKey]
    built_in: NodepoolKey | None = None

    @classmethod
    def of(
        cls,
        user_id: str,
        *,
        models: Iterable[ModelEntry],
        deployments: Iterable[DeploymentEntry],
        nodepools: Iterable[NodepoolKey],
        built_in: NodepoolKey | None = None,
    ) -> Snapshot:
        by_model: dict[ModelKey, list[DeploymentEntry]] = {}
        by_id: dict[tuple[str, str], DeploymentEntry] = {}
        for entry in deployments:
            by_model.setdefault(entry.model, []).append(entry)
            by_id[entry.user_id, entry.deployment_id] = entry
        return cls(
            user_id=user_id,
            models={entry.key: entry for entry in models},
            deployments={key: tuple(entries) for key, entries in by_model.items()},
            by_id=by_id,
            nodepools=frozenset(nodepools),
            built_in=built_in,
        )


def route(snapshot: Snapshot, request: Request) -> Route:
    """The one place ``request`` goes to. Raises NotFoundError, InputError or ConflictError when there is none."""
    _check_ids(request)
    model = find_model(snapshot, request)
    if request.version_id:
        _check_version(model, request.version_id)
    deployment = _find_deployment(snapshot, model, request.selector)
    served = deployment.pinned or next(iter(model.version_ids), "")
    if not served:
        raise NotFoundError(f"The model {model.key} has no version yet.", code=StatusCode.MODEL_DOES_NOT_EXIST)
    if request.version_id and request.version_id != served:
        raise ConflictError(
            f"The deployment {deployment.deployment_id} serves version {served} of {model.key.model_id}, not version "
            f"{request.version_id}. Nothing was run.",
            code=StatusCode.DEPLOYMENT_INVALID_REQUEST,
        )
    if not deployment.is_enabled:
        raise ConflictError(
            f"The deployment {deployment.deployment_id} is switched off. Nothing was run.",
            code=StatusCode.DEPLOYMENT_DISABLED,
        )
    if not deployment.max_replicas:
        raise ConflictError(
            f"The deployment {deployment.deployment_id} may have no replica: its maximum is 0. Nothing was run.",
            code=StatusCode.MODEL_NOT_DEPLOYED,
        )
    return Route(deployment=deployment, model=model, version_id=served)


def _check_ids(request: Request) -> None:
    """What can be no id is not looked for, nor said again in errors and logs. Raises InputError."""
    *ids, selector = request
    *others, _ = selector
    for given in (*ids, *others):
        if len(given) > MOST_ID_LENGTH or not given.isprintable():
            raise InputError(
                f"An id of the call has {len(given)} characters, or some that cannot be printed: ids have at most "
                f"{MOST_ID_LENGTH} printable ones. Nothing was run.",
                code=StatusCode.MODEL_INVALID_REQUEST,
            )


def find_model(snapshot: Snapshot, request: Request) -> ModelEntry:
    """The model that ``request`` addresses. Raises NotFoundError, InputError."""
    if not request.model_id:
        raise InputError("The call names no model: give model_id.", code=StatusCode.MODEL_INVALID_REQUEST)
    user_id = snapshot.user_id if request.user_id in ME else request.user_id
    key = ModelKey(user_id, request.app_id or DEFAULT_APP_ID, request.model_id)
    entry = snapshot.models.get(key)
    if entry is None:
        near = [str(other) for other in snapshot.models if other.user_id == user_id and other.app_id == key.app_id]
        raise NotFoundError(
            f"No model {key} for you. It does not exist, or is not shared with you. Nothing was run. "
            + _there_is(near or [str(other) for other in snapshot.models], "model"),
            code=StatusCode.MODEL_DOES_NOT_EXIST,
        )
    return entry


def _check_version(model: ModelEntry, version_id: str) -> None:
    if version_id not in model.version_ids:
        raise NotFoundError(
            f"The model {model.key} has no version {version_id}. Nothing was run. "
            + _there_is(model.version_ids, "version"),
            code=StatusCode.MODEL_DOES_NOT_EXIST,
        )


def _find_deployment(snapshot: Snapshot, model: ModelEntry, selector: Selector) -> DeploymentEntry:
    _check_selector(selector)
    if selector.deployment_id:
        return _by_id(snapshot, model, selector)
    if selector.nodepool_id:
        return _on_nodepool(snapshot, model, selector)
    shared = [entry for entry in snapshot.deployments.get(model.key, ()) if entry.is_shared]
    if not shared:
        raise NotFoundError(
            f"The model {model.key} has no shared deployment. Nothing was run. " + _deployments_of(snapshot, model),
            code=StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        )
    return shared[0]


def _check_selector(selector: Selector) -> None:
    """Refuse what names no one place: both kinds, half a pair, a runner, or nothing at all."""
    has_pair = bool(selector.nodepool_id or selector.cluster_id)
    if selector.runner_id:
        raise InputError(
            f"A call cannot choose the runner {selector.runner_id}: choose a deployment, or a cluster and nodepool. "
            "Nothing was run.",
            code=StatusCode.RUNNER_INVALID_ARGUMENT,
        )
    if selector.deployment_id and has_pair:
        raise InputError(
            f"The call names both the deployment {selector.deployment_id} and the nodepool "
            f"{selector.cluster_id or '?'}/{selector.nodepool_id or '?'}: choose one of them. Nothing was run.",
            code=StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
        )
    if selector.nodepool_id and not selector.cluster_id:
        raise InputError(
            f"The call names the nodepool {selector.nodepool_id} without its cluster: give compute_cluster_id too. "
            "Nothing was run.",
            code=StatusCode.COMPUTE_CLUSTER_INVALID_ARGUMENT,
        )
    if selector.cluster_id and not selector.nodepool_id:
        raise InputError(
            f"The call names the cluster {selector.cluster_id} without a nodepool: give nodepool_id too. "
            "Nothing was run.",
            code=StatusCode.NODEPOOL_INVALID_ARGUMENT,
        )
    if selector.is_given and not selector.deployment_id and not has_pair:
        raise InputError(
            "The call has a runner selector that names nothing: give deployment_id, or compute_cluster_id and "
            "nodepool_id, or leave it out for the shared deployment. Nothing was run.",
            code=StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
        )


def _by_id(snapshot: Snapshot, model: ModelEntry, selector: Selector) -> DeploymentEntry:
    user_id = snapshot.user_id if selector.deployment_user_id in ME else selector.deployment_user_id
    named = snapshot.by_id.get((user_id, selector.deployment_id))
    if named is None:
        whose = "" if user_id == snapshot.user_id else f" of {user_id}"
        raise NotFoundError(
            f"No deployment {selector.deployment_id}{whose} for you. It does not exist, or is not shared with you. "
            "Nothing was run. " + _deployments_of(snapshot, model),
            code=StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        )
    if named.model != model.key:
        raise InputError(
            f"The deployment {selector.deployment_id} serves {named.model}, not {model.key}. Nothing was run. "
            + _deployments_of(snapshot, model),
            code=StatusCode.DEPLOYMENT_INVALID_ARGUMENT,
        )
    return named


def _on_nodepool(snapshot: Snapshot, model: ModelEntry, selector: Selector) -> DeploymentEntry:
    nodepool = _find_nodepool(snapshot, selector)
    here = [entry for entry in snapshot.deployments.get(model.key, ()) if entry.lists(nodepool)]
    own = [entry for entry in here if entry.user_id == snapshot.user_id and not entry.is_shared]
    candidates = own or [entry for entry in here if entry.is_shared] or here
    if not candidates:
        raise NotFoundError(
            f"The nodepool {nodepool} has no deployment of {model.key} for you. Nothing was run. "
            + _deployments_of(snapshot, model),
            code=StatusCode.DEPLOYMENT_DOES_NOT_EXIST,
        )
    if len(candidates) > 1:
        raise InputError(
            f"The nodepool {nodepool} has several deployments of {model.key}: say which by deployment_id. "
            "Nothing was run. " + _there_is([str(entry) for entry in candidates], "deployment"),
            code=StatusCode.NODEPOOL_INVALID_ARGUMENT,
        )
    return candidates[0]


def _find_nodepool(snapshot: Snapshot, selector: Selector) -> NodepoolKey:
    """The caller's own (or the named user's); the built-in one goes by its name for everybody."""
    user_id = snapshot.user_id if selector.cluster_user_id in ME else selector.cluster_user_id
    key = NodepoolKey(user_id, selector.cluster_id, selector.nodepool_id)
    if key in snapshot.nodepools:
        return key
    in_cluster = [
        pool for pool in snapshot.nodepools if (pool.user_id, pool.cluster_id) == (user_id, selector.cluster_id)
    ]
    built_in = snapshot.built_in
    if built_in and not in_cluster and user_id == snapshot.user_id and str(built_in) == str(key):
        return built_in
    everything = sorted(map(str, in_cluster or snapshot.nodepools))
    if in_cluster:
        raise NotFoundError(
            f"The cluster {selector.cluster_id} has no nodepool {selector.nodepool_id} for you. Nothing was run. "
            + _there_is(everything, "nodepool"),
            code=StatusCode.NODEPOOL_DOES_NOT_EXIST,
        )
    raise NotFoundError(
        f"No cluster {selector.cluster_id} for you. It does not exist, or is not shared with you. Nothing was run. "
        + _there_is(everything, "nodepool"),
        code=StatusCode.COMPUTE_CLUSTER_DOES_NOT_EXIST,
    )


def _deployments_of(snapshot: Snapshot, model: ModelEntry) -> str:
    entries = snapshot.deployments.get(model.key, ())
    names = [str(entry) if entry.user_id == snapshot.user_id else f"{entry} of {entry.user_id}" for entry in entries]
    return _there_is(names, "deployment", of=f" of {model.key.model_id}")


def _there_is(names: Iterable[str], noun: str, *, of: str = "") -> str:
    listed = list(names)
    if not listed:
        return f"There is no {noun}{of} for you."
    rest = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    verb, plural = ("is", "") if len(listed) == 1 else ("are", "s")
    return f"The {noun}{plural}{of} you can use {verb} {', '.join(listed[:_SHOWN])}{rest}."
