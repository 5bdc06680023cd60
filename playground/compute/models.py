"""Where models run: clusters, their nodepools, deployments on them, their replicas, and each deployment's history.

Desired state is these rows; the controller (``controller.py``) makes it so and writes back what it observes. The fields
that programs set are those of the V2 messages; ``services.py`` checks and changes them.
"""

from __future__ import annotations

from clarifai_grpc.grpc.api import resources_pb2
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.utils import timezone

from playground.catalog.ids import validate_id
from playground.catalog.models import PRIVATE, PUBLIC, VISIBILITIES, Model, ModelVersion, User
from playground.compute.usage.models import Usage as Usage  # a table of this app, too


class ClusterQuerySet(models.QuerySet["Cluster"]):
    def visible_to(self, user: User | AnonymousUser) -> ClusterQuerySet:
        """One's own, public ones, and those with a nodepool that is public or the built-in shared one."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        open_pools = Nodepool.objects.filter(Q(is_shared=True) | Q(visibility=PUBLIC))
        return self.filter(Q(owner=user) | Q(visibility=PUBLIC) | Q(pk__in=open_pools.values("cluster")))


class Cluster(models.Model):
    """A named place with nodepools. ``cloud_provider`` and ``region`` are labels for people; they decide nothing."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="clusters")
    slug = models.CharField(max_length=64, validators=[validate_id])
    description = models.TextField(blank=True, default="")
    cloud_provider = models.CharField(max_length=64, blank=True, default="")
    region = models.CharField(max_length=64, blank=True, default="")
    managed_by = models.CharField(max_length=64, blank=True, default="")
    cluster_type = models.CharField(max_length=64, blank=True, default="")
    visibility = models.PositiveSmallIntegerField(choices=VISIBILITIES, default=PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    objects = ClusterQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "slug"], name="cluster_slug_per_owner")]

    def __str__(self) -> str:
        return f"{self.owner.username}/{self.slug}"


class NodepoolQuerySet(models.QuerySet["Nodepool"]):
    def visible_to(self, user: User | AnonymousUser) -> NodepoolQuerySet:
        """Those of one's own clusters, public ones, and the built-in shared one: also those one may deploy on."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(Q(cluster__owner=user) | Q(is_shared=True) | Q(visibility=PUBLIC))


class Nodepool(models.Model):
    """Machines of one kind in a cluster. ``engine`` decides how replicas are kept on it."""

    class Engine(models.TextChoices):
        LOCAL = "local"
        REMOTE = "remote"

    cluster = models.ForeignKey(Cluster, on_delete=models.PROTECT, related_name="nodepools")
    slug = models.CharField(max_length=64, validators=[validate_id])
    description = models.TextField(blank=True, default="")
    engine = models.CharField(max_length=16, choices=Engine.choices, default=Engine.LOCAL)
    is_shared = models.BooleanField(default=False, help_text="The built-in pool of shared deployments")
    addresses = models.JSONField(
        default=list, blank=True, help_text='Of engine remote: [{"address": "host:port", "tls": false}]'
    )
    instance_types = models.JSONField(
        default=list, blank=True, help_text='[{"id": "small", "compute_info": {"cpu_limit": "1", "cpu_memory": "1Gi"}}]'
    )
    capacity_types = models.JSONField(default=list, blank=True, help_text="1 on demand, 2 spot: labels")
    min_instances = models.PositiveSmallIntegerField(default=0)
    max_instances = models.PositiveSmallIntegerField(default=1)
    visibility = models.PositiveSmallIntegerField(choices=VISIBILITIES, default=PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

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
        if user.is_superuser:
            return self
        is_open = Q(is_shared=True) | Q(visibility=PUBLIC)
        return self.filter(Q(owner=user) | (is_open & Q(model__in=Model.objects.visible_to(user))))


class Deployment(models.Model):
    """A model version placed on a nodepool. ``version`` empty: follow the latest.

    ``placements`` are the nodepools it may be on, in order of preference; ``nodepool`` is the one it is on.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        BUILDING = "building"
        STARTING = "starting"
        READY = "ready"
        ZERO = "scaled to zero"
        DRAINING = "draining"
        FAILED = "failed"

    class Stage(models.TextChoices):
        """How far a replica is while it starts: the reason of that state."""

        PROCESS = "starting the process"
        LOADING = "loading the model"
        CHECK = "waiting for its first health check"

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="deployments")
    slug = models.CharField(max_length=80)
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="deployments")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    nodepool = models.ForeignKey(Nodepool, on_delete=models.PROTECT, related_name="deployments")
    is_shared = models.BooleanField(default=False)
    visibility = models.PositiveSmallIntegerField(choices=VISIBILITIES, default=PRIVATE)
    description = models.TextField(blank=True, default="")
    scheduling_choice = models.PositiveSmallIntegerField(default=4, help_text="As it was given: a label")
    min_replicas = models.PositiveSmallIntegerField(default=1)
    max_replicas = models.PositiveSmallIntegerField(default=1)
    traffic_history_seconds = models.PositiveIntegerField(default=60)
    scale_up_delay_seconds = models.PositiveIntegerField(default=5)
    scale_down_delay_seconds = models.PositiveIntegerField(default=60)
    scale_to_zero_delay_seconds = models.PositiveIntegerField(default=900)
    disable_packing = models.BooleanField(default=False)
    queue_limit = models.PositiveIntegerField(default=256, help_text="Calls in flight and waiting, over all replicas")
    is_enabled = models.BooleanField(default=True)
    generation = models.PositiveIntegerField(
        default=1, help_text="Raised by each change of desired state, and by Retry"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

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


class Placement(models.Model):
    """A nodepool that a deployment may be on; the lowest ``position`` that fits is taken."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="placements")
    nodepool = models.ForeignKey(Nodepool, on_delete=models.PROTECT, related_name="placements")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["deployment", "nodepool"], name="placement_once")]

    def __str__(self) -> str:
        return f"{self.deployment.slug} on {self.nodepool}"


class EnvironmentVariable(models.Model):
    """What a deployment's runners find in their environment.

    A secret is write-only: ``sealed`` holds it encrypted, ``value`` is empty, and it is opened for the runner alone.
    """

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="environment")
    name = models.CharField(max_length=128)
    value = models.TextField(blank=True, default="")
    sealed = models.BinaryField(default=bytes, blank=True)
    is_secret = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["deployment", "name"], name="environment_name_once")]

    def __str__(self) -> str:
        return self.name


class Replica(models.Model):
    """A runner as the controller observes it now. Rows of replicas that are gone are deleted."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="replicas")
    nodepool = models.ForeignKey(Nodepool, on_delete=models.CASCADE, related_name="replicas")
    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    slug = models.CharField(max_length=64, unique=True, help_text="The runner's id")
    state = models.CharField(max_length=16, choices=Deployment.State.choices, default=Deployment.State.STARTING)
    reason = models.TextField(blank=True, default="")
    memory_bytes = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.deployment.slug}: {self.slug}"


class Transition(models.Model):
    """One change of a deployment's state, with its time: what timelines and *usually* are made of."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="transitions")
    state = models.CharField(max_length=16, choices=Deployment.State.choices)
    reason = models.TextField(blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)
    marks = models.JSONField(
        default=dict, blank=True, help_text="Of a start: when each stage was reached, in seconds after ``at``"
    )

    def __str__(self) -> str:
        return f"{self.deployment.slug}: {self.state}"


class ReplicaCountQuerySet(models.QuerySet["ReplicaCount"]):
    def visible_to(self, user: User | AnonymousUser) -> ReplicaCountQuerySet:
        """Of the deployments that one sees."""
        return self.filter(deployment__in=Deployment.objects.visible_to(user).order_by().values("pk"))


class ReplicaCount(models.Model):
    """From when on so many replicas of a deployment were ready, until the next of these rows says otherwise."""

    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="replica_counts")
    at = models.DateTimeField(default=timezone.now)
    ready = models.PositiveSmallIntegerField()

    objects = ReplicaCountQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["deployment", "at"], name="replicas_over_time")]

    def __str__(self) -> str:
        return f"{self.deployment.slug}: {self.ready}"


class Lease(models.Model):
    """Who runs the controller: the gateway that holds this row until ``expires_at`` and renews it."""

    name = models.CharField(max_length=32, primary_key=True)
    holder = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"
