"""Where models run: clusters, their nodepools, deployments on them, and each deployment's history.

Desired state is these rows; the controller (``controller.py``) makes it so and writes back what it observes.
"""

from __future__ import annotations

from clarifai_grpc.grpc.api import resources_pb2
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from playground.catalog.ids import validate_id
from playground.catalog.models import PRIVATE, PUBLIC, VISIBILITIES, Model, ModelVersion, User


class ClusterQuerySet(models.QuerySet["Cluster"]):
    def visible_to(self, user: User | AnonymousUser) -> ClusterQuerySet:
        """One's own, and the built-in one with the shared nodepool."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(owner=user) | Q(nodepools__is_shared=True)).distinct()


class Cluster(models.Model):
    """A named place with nodepools. ``cloud_provider`` and ``region`` are labels for people; they decide nothing."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="clusters")
    slug = models.CharField(max_length=64, validators=[validate_id])
    description = models.TextField(blank=True, default="")
    cloud_provider = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ClusterQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "slug"], name="cluster_slug_per_owner")]

    def __str__(self) -> str:
        return f"{self.owner.username}/{self.slug}"


class NodepoolQuerySet(models.QuerySet["Nodepool"]):
    def visible_to(self, user: User | AnonymousUser) -> NodepoolQuerySet:
        """Those of one's own clusters, and the built-in shared one."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(cluster__owner=user) | Q(is_shared=True))


class Nodepool(models.Model):
    """Machines of one kind in a cluster. ``engine`` decides how replicas are kept on it."""

    class Engine(models.TextChoices):
        LOCAL = "local"

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="nodepools")
    slug = models.CharField(max_length=64, validators=[validate_id])
    description = models.TextField(blank=True, default="")
    engine = models.CharField(max_length=16, choices=Engine.choices, default=Engine.LOCAL)
    is_shared = models.BooleanField(default=False, help_text="The built-in pool of shared deployments")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NodepoolQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cluster", "slug"], name="nodepool_slug_per_cluster")]

    def __str__(self) -> str:
        return f"{self.cluster.slug}/{self.slug}"


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    def visible_to(self, user: User | AnonymousUser) -> DeploymentQuerySet:
        """One's own, and the shared and the public ones of every visible model."""
        if not user.is_authenticated:
            return self.none()
        is_open = Q(is_shared=True) | Q(visibility=PUBLIC)
        return self.filter(Q(owner=user) | (is_open & Q(model__in=Model.objects.visible_to(user))))


class Deployment(models.Model):
    """A model version placed on a nodepool. ``version`` empty: follow the latest."""

    class State(models.TextChoices):
        PENDING = "pending"
        BUILDING = "building"
        STARTING = "starting"
        READY = "ready"
        ZERO = "scaled to zero"
        DRAINING = "draining"
        FAILED = "failed"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="deployments")
    slug = models.CharField(max_length=80)
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="deployments")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    nodepool = models.ForeignKey(Nodepool, on_delete=models.PROTECT, related_name="deployments")
    is_shared = models.BooleanField(default=False)
    visibility = models.PositiveSmallIntegerField(choices=VISIBILITIES, default=PRIVATE)
    min_replicas = models.PositiveSmallIntegerField(default=1)
    max_replicas = models.PositiveSmallIntegerField(default=1)
    is_enabled = models.BooleanField(default=True)
    generation = models.PositiveIntegerField(
        default=1, help_text="Raised by each change of desired state, and by Retry"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    # What the controller observed.
    state = models.CharField(max_length=16, choices=State.choices, default=State.PENDING)
    reason = models.TextField(blank=True, default="", help_text="Why it is in this state, in words for a person")
    log_tail = models.TextField(blank=True, default="", help_text="The last lines of the log, when it failed")
    ready_replicas = models.PositiveSmallIntegerField(default=0)
    state_since = models.DateTimeField(auto_now_add=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "slug"], name="deployment_slug_per_owner")]

    def __str__(self) -> str:
        return f"{self.owner.username}/{self.slug}"

    @property
    def is_ready(self) -> bool:
        return self.state == self.State.READY

    @property
    def served_version(self) -> ModelVersion | None:
        """The version it serves: the pinned one, else the model's latest."""
        return self.version or self.model.latest

    @property
    def label(self) -> str:
        """What pages call it: *Shared* for the model's shared deployment, else its id."""
        return "Shared" if self.is_shared else self.slug

    def selector(self) -> resources_pb2.RunnerSelector:
        """Where it is, as replies name it: deployment, nodepool and cluster."""
        cluster = self.nodepool.cluster
        nodepool = resources_pb2.Nodepool(
            id=self.nodepool.slug,
            compute_cluster=resources_pb2.ComputeCluster(id=cluster.slug, user_id=cluster.owner.username),
        )
        deployment = resources_pb2.Deployment(id=self.slug, user_id=self.owner.username, nodepools=[nodepool])
        return resources_pb2.RunnerSelector(deployment=deployment, nodepool=nodepool)


class Transition(models.Model):
    """One change of a deployment's state, with its time: what timelines and *usually* are made of."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="transitions")
    state = models.CharField(max_length=16, choices=Deployment.State.choices)
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.deployment.slug}: {self.state}"


class Lease(models.Model):
    """Who runs the controller: the gateway that holds this row until ``expires_at`` and renews it."""

    name = models.CharField(max_length=32, primary_key=True)
    holder = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
