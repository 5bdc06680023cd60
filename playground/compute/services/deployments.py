"""Acts on deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.models import Model, ModelVersion, User, note_change
from playground.compute.models import Deployment, Nodepool, Placement, Transition
from playground.compute.services.checks import DEPLOYMENT, DESCRIPTION_LENGTH, set_fields
from playground.compute.services.environment import set_environment
from playground.compute.services.logs import log_path
from playground.compute.services.nodepools import require_use
from playground.compute.services.owners import require_change
from playground.compute.services.placement import need_of, place
from playground.compute.services.states import begin_again

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

DAY = 24 * 3600
MAX_REPLICAS = 1000
MAX_QUEUE = 100_000
SCHEDULING = range(1, 9)
_SECONDS = (
    "traffic_history_seconds",
    "scale_up_delay_seconds",
    "scale_down_delay_seconds",
    "scale_to_zero_delay_seconds",
)
_RESTARTING = {"version", "nodepool"}


class DeploymentFacts(TypedDict, total=False):
    """What can be said of a deployment.

    ``version`` None follows the latest; ``nodepools`` stand in order of preference; ``environment`` and ``secrets`` are
    put in place by name, beside those that are there, and None removes one.
    """

    version: ModelVersion | None
    nodepools: Sequence[Nodepool]
    description: str
    min_replicas: int
    max_replicas: int
    traffic_history_seconds: int
    scale_up_delay_seconds: int
    scale_down_delay_seconds: int
    scale_to_zero_delay_seconds: int
    disable_packing: bool
    queue_limit: int
    scheduling_choice: int
    visibility: int
    environment: Mapping[str, str | None]
    secrets: Mapping[str, str | None]
    is_enabled: bool


def find_deployment(user: User, slug: str, *, owner: str = "") -> Deployment:
    """The deployment of that id which ``user`` can see: of ``owner`` where that is said, else their own first."""
    visible = Deployment.objects.visible_to(user).select_related("owner", "model__app__owner", "nodepool__cluster")
    named = visible.filter(owner__username=owner) if owner else visible
    found = sorted(named.filter(slug=slug).order_by("pk"), key=lambda row: row.owner_id != user.pk)
    if not found:
        raise DEPLOYMENT.not_there(slug, visible.order_by("pk")[:20])
    return found[0]


@transaction.atomic
def create_deployment(user: User, slug: str, model: Model, **facts: Unpack[DeploymentFacts]) -> Deployment:
    """Places it on the first of ``nodepools`` that fits; the controller brings it up."""
    require_role(user, model.app, Role.MEMBER)
    DEPLOYMENT.check_id(slug)
    if Deployment.objects.filter(owner=user, slug=slug).exists():
        raise DEPLOYMENT.clash(f"{user.username} has a deployment {slug} already. Choose another id, or edit that one.")
    if not facts.get("nodepools"):
        raise DEPLOYMENT.wrong("nodepools", "A deployment needs a nodepool to be on.")
    deployment = Deployment(owner=user, slug=slug, model=model)
    for name, value in _checked(facts).items():
        setattr(deployment, name, value)
    deployment.version = _checked_version(model, facts.get("version"))
    nodepools = _usable(user, facts["nodepools"])
    _check_whole(deployment)
    deployment.nodepool = place(nodepools, need_of(deployment.served_version), deployment.min_replicas)
    deployment.save()
    _set_placements(deployment, nodepools)
    set_environment(user, deployment, facts.get("environment", {}), facts.get("secrets", {}))
    Transition.objects.create(deployment=deployment, state=deployment.state)
    note_change("deployment", deployment.pk)
    return deployment


@transaction.atomic
def edit_deployment(user: User, deployment: Deployment, **changes: Unpack[DeploymentFacts]) -> Deployment:
    """A change of what runs begins another generation; the rest applies without a restart. The same again does nothing.

    Raises as ``create_deployment`` does. What was read of ``deployment`` is brought up to date.
    """
    require_change(user, deployment)
    _refresh(deployment)
    values = _checked(changes)
    if "version" in changes:
        values["version"] = _checked_version(deployment.model, changes["version"])
    if _runs_more(deployment, changes):
        require_role(user, deployment.model.app, Role.MEMBER)
    planned = Deployment.objects.select_related("model__app", "version", "nodepool__cluster").get(pk=deployment.pk)
    for name, value in values.items():
        setattr(planned, name, value)
    _check_whole(planned)
    nodepools = _nodepools_of(user, planned, changes)
    if changes.keys() & {"version", "nodepools", "min_replicas"}:
        values["nodepool"] = place(nodepools, need_of(planned.served_version), planned.min_replicas)
    _write(user, deployment, values, nodepools, changes)
    return deployment


def _runs_more(deployment: Deployment, changes: DeploymentFacts) -> bool:
    """Whether more of the model would run, or other code: who left the app may stop a deployment, and delete it."""
    if changes.keys() & {"version", "environment", "secrets", "nodepools"} or changes.get("is_enabled"):
        return True
    least, most = changes.get("min_replicas", 0), changes.get("max_replicas", 0)
    return least > deployment.min_replicas or most > deployment.max_replicas


def scale(user: User, deployment: Deployment, min_replicas: int, max_replicas: int) -> Deployment:
    return edit_deployment(user, deployment, min_replicas=min_replicas, max_replicas=max_replicas)


def set_enabled(user: User, deployment: Deployment, is_enabled: bool) -> Deployment:
    """Off: its replicas are drained and stopped, and calls refused. On: it begins again from ``pending``."""
    return edit_deployment(user, deployment, is_enabled=is_enabled)


@transaction.atomic
def delete_deployments(user: User, slugs: Sequence[str], *, owner: User | None = None) -> None:
    """All of them or none; ``owner`` is whose they are, where ``user`` is a superuser. Shared ones stay."""
    owner = owner or user
    for slug in dict.fromkeys(slugs):
        visible = Deployment.objects.visible_to(user).filter(owner=owner)
        deployment = visible.filter(slug=slug).first()
        if deployment is None:
            raise DEPLOYMENT.not_there(slug, visible.order_by("pk")[:20])
        require_change(user, deployment)
        if deployment.is_shared:
            raise DEPLOYMENT.clash(f"The deployment {slug} is the shared one of {deployment.model}, and stays with it.")
        remove(deployment)


def remove(deployment: Deployment) -> None:
    """Inside a transaction: the row, what hangs on it, and its log. The controller drains and stops its replicas."""
    pk, log = deployment.pk, log_path(deployment)
    deployment.delete()
    note_change("deployment", pk)
    transaction.on_commit(lambda: _forget_log(log))


def _forget_log(log: Path) -> None:
    for path in (log, log.with_suffix(".log.1")):
        path.unlink(missing_ok=True)


@transaction.atomic
def ensure_shared_deployment(model: Model, *, min_replicas: int = 1) -> Deployment:
    """The model's deployment on the built-in shared nodepool: what calls without a selector go to.

    With a replica at all times the first call finds it warm; ``scale`` says otherwise later.
    """
    existing = Deployment.objects.filter(model=model, is_shared=True).first()
    if existing is not None:
        return existing
    nodepool = Nodepool.objects.get(is_shared=True)
    deployment = Deployment.objects.create(
        owner=model.app.owner,
        slug=_free_shared_slug(model),
        model=model,
        nodepool=nodepool,
        is_shared=True,
        min_replicas=min_replicas,
        max_replicas=1,
    )
    _set_placements(deployment, [nodepool])
    Transition.objects.create(deployment=deployment, state=deployment.state)
    note_change("deployment", deployment.pk)
    return deployment


def _free_shared_slug(model: Model) -> str:
    """``shared-MODEL``; with the app's name, then a number, where somebody has that already."""
    plain, with_app = f"shared-{model.slug}", f"shared-{model.app.slug}-{model.slug}"[:76]
    taken = set(Deployment.objects.filter(owner=model.app.owner).values_list("slug", flat=True))
    wanted = [plain, with_app, *(f"{with_app}-{number}" for number in range(2, 100))]
    return next(slug for slug in wanted if slug not in taken)


def _write(
    user: User,
    deployment: Deployment,
    values: Mapping[str, Any],
    nodepools: Sequence[Nodepool],
    changes: DeploymentFacts,
) -> None:
    changed = set_fields(deployment, values)
    if "nodepools" in changes and _set_placements(deployment, nodepools):
        changed.add("placements")
    if set_environment(user, deployment, changes.get("environment", {}), changes.get("secrets", {})):
        changed.add("environment")
    if "is_enabled" in changed and deployment.is_enabled:
        begin_again(deployment)
    elif changed & {*_RESTARTING, "environment"}:
        set_fields(deployment, {"generation": deployment.generation + 1})
    if changed:
        deployment.save(update_fields=["modified_at"])
        note_change("deployment", deployment.pk)


def _refresh(deployment: Deployment) -> None:
    try:
        deployment.refresh_from_db()
    except Deployment.DoesNotExist:
        raise DEPLOYMENT.not_there(deployment.slug, ()) from None


def _set_placements(deployment: Deployment, nodepools: Sequence[Nodepool]) -> bool:
    before = list(deployment.placements.values_list("nodepool_id", flat=True))
    if before == [nodepool.pk for nodepool in nodepools]:
        return False
    deployment.placements.all().delete()
    Placement.objects.bulk_create(
        Placement(deployment=deployment, nodepool=nodepool, position=position)
        for position, nodepool in enumerate(nodepools)
    )
    return True


def _nodepools_of(user: User, deployment: Deployment, changes: DeploymentFacts) -> list[Nodepool]:
    """Those given, checked; else those it has."""
    if "nodepools" not in changes:
        placed = deployment.placements.select_related("nodepool__cluster").order_by("position")
        return [placement.nodepool for placement in placed] or [deployment.nodepool]
    wanted = _usable(user, changes["nodepools"])
    if deployment.is_shared and [nodepool.pk for nodepool in wanted] != [deployment.nodepool_id]:
        raise DEPLOYMENT.clash(f"The deployment {deployment.slug} is shared: it stays on {deployment.nodepool}.")
    return wanted


def _usable(user: User, nodepools: Sequence[Nodepool]) -> list[Nodepool]:
    if not nodepools:
        raise DEPLOYMENT.wrong("nodepools", "A deployment needs a nodepool to be on.")
    if len({nodepool.pk for nodepool in nodepools}) < len(nodepools):
        raise DEPLOYMENT.wrong("nodepools", "One nodepool is named twice.")
    for nodepool in nodepools:
        require_use(user, nodepool)
    return list(nodepools)


def _checked_version(model: Model, version: ModelVersion | None) -> ModelVersion | None:
    if version is not None and version.model_id != model.pk:
        raise DEPLOYMENT.wrong("version", f"The version {version.slug} is not one of {model}.")
    return version


def _check_whole(deployment: Deployment) -> None:
    if deployment.min_replicas > deployment.max_replicas:
        raise DEPLOYMENT.wrong(
            "min_replicas",
            f"min_replicas is {deployment.min_replicas}, above max_replicas, which is {deployment.max_replicas}.",
        )


def _checked(facts: DeploymentFacts) -> dict[str, Any]:
    """The plain fields among ``facts``, each within its bounds."""
    checked: dict[str, Any] = {}
    for name, value in facts.items():
        match name:
            case "description":
                checked[name] = DEPLOYMENT.check_text(value, name, DESCRIPTION_LENGTH)
            case "disable_packing" | "is_enabled":
                checked[name] = DEPLOYMENT.check_switch(value, name)
            case "visibility":
                checked[name] = DEPLOYMENT.check_visibility(value)
            case "scheduling_choice":
                checked[name] = DEPLOYMENT.check_count(value, name, SCHEDULING[0], SCHEDULING[-1])
            case "min_replicas":
                checked[name] = DEPLOYMENT.check_count(value, name, 0, MAX_REPLICAS)
            case "max_replicas":
                checked[name] = DEPLOYMENT.check_count(value, name, 1, MAX_REPLICAS)
            case "queue_limit":
                checked[name] = DEPLOYMENT.check_count(value, name, 1, MAX_QUEUE)
            case _ if name in _SECONDS:
                checked[name] = DEPLOYMENT.check_count(value, name, 0, DAY)
    return checked
