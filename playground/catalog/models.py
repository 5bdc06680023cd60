"""Who there is and what they have: users, apps, memberships, models, workflows, tokens; and what changed, when.

Every list and every look-up of what belongs to somebody goes through ``visible_to(user)``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from playground.catalog.ids import new_version_id, validate_id
from playground.sdk.graphs import read_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.sdk.graphs import Graph, Node

PRIVATE, PUBLIC = 10, 50
VISIBILITIES = [(PRIVATE, "private"), (PUBLIC, "public")]


class User(AbstractUser):
    """A person (or a program's account). ``username`` is the user id of every address. Administrators: ``is_staff``."""

    class Meta(AbstractUser.Meta):
        pass


class AppQuerySet(models.QuerySet["App"]):
    def visible_to(self, user: User | AnonymousUser) -> AppQuerySet:
        """Apps in which ``user`` has a role, and those that are public to anyone signed in."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_superuser else self.filter(_has_role(user) | Q(visibility=PUBLIC))

    def with_role(self, user: User | AnonymousUser) -> AppQuerySet:
        """Apps that ``user`` owns or is a member of; a superuser is an owner of all."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_superuser else self.filter(_has_role(user))


def _has_role(user: User) -> Q:
    return Q(owner=user) | Q(pk__in=Membership.objects.filter(user=user).values("app"))


class App(models.Model):
    """A user's shelf of models and inputs. ``slug`` is unique per owner."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="apps")
    slug = models.CharField(max_length=64, validators=[validate_id])
    description = models.TextField(blank=True, default="")
    visibility = models.PositiveSmallIntegerField(choices=VISIBILITIES, default=PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "slug"], name="app_slug_per_owner")]

    def __str__(self) -> str:
        return f"{self.owner.username}/{self.slug}"


class Membership(models.Model):
    """What a user who does not own an app may do in it."""

    class Role(models.TextChoices):
        VIEWER = "viewer"
        MEMBER = "member"
        OWNER = "owner"

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user.username} in {self.app}: {self.role}"


def _is_seen_by(user: User) -> Q:
    """Of what stands in an app with a visibility of its own."""
    if user.is_superuser:
        return Q()
    return Q(app__in=App.objects.with_role(user)) | Q(visibility=PUBLIC)


class ModelQuerySet(models.QuerySet["Model"]):
    def visible_to(self, user: User | AnonymousUser) -> ModelQuerySet:
        """Models of the apps in which ``user`` has a role, and public models of any app.

        A public app does not open its private models: each has a visibility of its own.
        """
        if not user.is_authenticated:
            return self.none()
        return self.filter(_is_seen_by(user))

    def deployable_by(self, user: User) -> ModelQuerySet:
        """Models of the apps in which ``user`` is a member or an owner."""
        if user.is_superuser:
            return self
        apps = Membership.objects.filter(user=user).exclude(role=Membership.Role.VIEWER).values("app")
        return self.filter(Q(app__owner=user) | Q(app__in=apps))

    def at(self, user_id: str, app_id: str, model_id: str) -> ModelQuerySet:
        """The model at an address ``user_id/app_id/models/model_id``: at most one."""
        return self.filter(app__owner__username=user_id, app__slug=app_id, slug=model_id)


class Model(models.Model):
    """A model of an app; what runs is one of its versions."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="models")
    slug = models.CharField(max_length=64, validators=[validate_id])
    type_id = models.CharField(max_length=64, default="any-to-any")
    description = models.TextField(blank=True, default="")
    visibility = models.PositiveSmallIntegerField(choices=VISIBILITIES, default=PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    objects = ModelQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "slug"], name="model_slug_per_app")]

    def __str__(self) -> str:
        return f"{self.app}/models/{self.slug}"

    def get_absolute_url(self) -> str:
        return reverse("play:model", args=[self.app.owner.username, self.app.slug, self.slug])

    @property
    def summary(self) -> str:
        """The description's first paragraph that is no heading, on one line."""
        paragraphs = (" ".join(part.split()) for part in self.description.split("\n\n"))
        return next((text for text in paragraphs if text and not text.startswith("#")), "")

    @property
    def latest(self) -> ModelVersion | None:
        """The newest version: the one a call means that names none."""
        return self.versions.order_by("-pk").first()  # as ``latest_version`` has it


class ModelVersion(models.Model):
    """One folder of a model as it was added, with the signatures that loading it gave."""

    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="versions")
    slug = models.CharField(max_length=64, default=new_version_id, validators=[validate_id])
    folder = models.CharField(max_length=1024, help_text="The model folder: config.yaml, 1/model.py, requirements.txt")
    digest = models.CharField(max_length=64, blank=True, default="", help_text="sha256 over the folder's files")
    config = models.JSONField(default=dict, blank=True)
    requirements = models.TextField(blank=True, default="")
    signatures_proto = models.BinaryField(default=bytes, blank=True, help_text="MethodSignatures, serialised")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["model", "slug"], name="version_slug_per_model")]

    def __str__(self) -> str:
        return f"{self.model}/versions/{self.slug}"

    @property
    def signatures(self) -> list[resources_pb2.MethodSignature]:
        """In the order of their declaration; empty until the folder has been loaded once."""
        holder = resources_pb2.ModelVersion.FromString(bytes(self.signatures_proto))
        return list(holder.method_signatures)

    @signatures.setter
    def signatures(self, signatures: Sequence[resources_pb2.MethodSignature]) -> None:
        holder = resources_pb2.ModelVersion(method_signatures=signatures)
        self.signatures_proto = holder.SerializeToString()


def latest_version(model: str, field: str = "pk") -> Subquery:
    """In a query: ``field`` of the version added last, whatever the clock said, of the model at the path ``model``."""
    return Subquery(ModelVersion.objects.filter(model=OuterRef(model)).order_by("-pk").values(field)[:1])


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    def visible_to(self, user: User | AnonymousUser) -> WorkflowQuerySet:
        """As models: those of the apps in which ``user`` has a role, and public ones of any app.

        Its models are looked up anew for whoever runs it: a workflow opens no model that is closed.
        """
        return self.filter(_is_seen_by(user)) if user.is_authenticated else self.none()

    def at(self, user_id: str, app_id: str, workflow_id: str) -> WorkflowQuerySet:
        """The workflow at an address ``user_id/app_id/workflows/workflow_id``: at most one."""
        return self.filter(app__owner__username=user_id, app__slug=app_id, slug=workflow_id)


class Workflow(models.Model):
    """A graph of models, of an app; what runs is one of its versions."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="workflows")
    slug = models.CharField(max_length=64, validators=[validate_id])
    description = models.TextField(blank=True, default="")
    visibility = models.PositiveSmallIntegerField(choices=VISIBILITIES, default=PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "slug"], name="workflow_slug_per_app")]

    def __str__(self) -> str:
        return f"{self.app}/workflows/{self.slug}"

    def get_absolute_url(self) -> str:
        return reverse("play:workflow", args=[self.app.owner.username, self.app.slug, self.slug])

    @property
    def latest(self) -> WorkflowVersion | None:
        """The newest version: the one that runs when none is named."""
        return self.versions.order_by("-pk").first()


class WorkflowVersion(models.Model):
    """A workflow as it was written once. ``playground.sdk.graphs`` reads both of its forms."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="versions")
    slug = models.CharField(max_length=64, default=new_version_id, validators=[validate_id])
    graph = models.JSONField(help_text="as sdk.graphs.to_plain gives it")
    yaml = models.TextField(help_text="as it was written")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workflow", "slug"], name="version_slug_per_workflow")]

    def __str__(self) -> str:
        return f"{self.workflow}/versions/{self.slug}"

    def read(self) -> Graph:
        """The graph, its models' addresses complete."""
        app = self.workflow.app
        graph = read_plain(self.graph)
        return replace(graph, id=self.workflow.slug, nodes=tuple(_addressed(node, app) for node in graph.nodes))


def _addressed(node: Node, app: App) -> Node:
    if node.model is None:
        return node
    return replace(node, model=node.model.within(app.owner.username, app.slug))


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def visible_to(self, user: User | AnonymousUser) -> AccessTokenQuerySet:
        """One's own, and nobody else's."""
        return self.filter(user=user) if user.is_authenticated else self.none()

    def good(self) -> AccessTokenQuerySet:
        """Neither revoked nor past their time."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)


class AccessToken(models.Model):
    """A personal access token. Only its sha256 is kept; ``prefix`` is what a person recognises it by."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="access_tokens")
    name = models.CharField(max_length=100, blank=True, default="")
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="opens nothing from then on; empty for never")
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="to the minute")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = AccessTokenQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.prefix}… of {self.user.username}"

    @property
    def has_lapsed(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


class Change(models.Model):
    """One row for each change that other processes must hear of, written in the transaction that made it."""

    kind = models.CharField(max_length=32)
    key = models.CharField(max_length=128)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind} {self.key}"


def note_change(kind: str, key: Any) -> None:
    """Tell the other processes that ``kind`` ``key`` changed. Call it inside the transaction that changes it."""
    Change.objects.create(kind=kind, key=str(key))
