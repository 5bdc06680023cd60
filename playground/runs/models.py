"""Runs and their events. A run belongs to the server, not to the page that began it."""

from __future__ import annotations

import secrets
import uuid
from typing import TYPE_CHECKING, Any

import orjson
from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.http import urlencode

from playground.catalog.models import Model, ModelVersion, User, Workflow, WorkflowVersion
from playground.media.models import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

MIXED = int(StatusCode.MIXED_STATUS)


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User | AnonymousUser, *, key: str = "") -> RunQuerySet:
        """One's own runs; with the key of a link that was given out, for reading, the one behind it too."""
        if not user.is_authenticated:
            return self.none()
        mine = Q(user=user) | Q(share_key=key, user__is_active=True) if key else Q(user=user)
        return self.filter(mine, deleted_at=None)

    def of_what_is_seen_by(self, user: User) -> RunQuerySet:
        """Runs of models and workflows that ``user`` sees now."""
        models, workflows = Model.objects.visible_to(user), Workflow.objects.visible_to(user)
        return self.filter(Q(model__in=models) | Q(workflow__in=workflows))

    def of(self, subject: Model | Workflow) -> RunQuerySet:
        return self.filter(workflow=subject) if isinstance(subject, Workflow) else self.filter(model=subject)


def new_share_key() -> str:
    """What makes a run's link readable: 32 hex digits that nobody guesses."""
    return secrets.token_hex(16)


class Run(models.Model):
    """One call of a model or workflow made in the browser: what was asked, where it went, what came back, when."""

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        FAILED = "failed"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, help_text="chosen by the page, so that a repeated start is the same run")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="runs")
    model = models.ForeignKey(Model, on_delete=models.CASCADE, null=True, blank=True, related_name="runs")
    version = models.ForeignKey(ModelVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, null=True, blank=True, related_name="runs")
    workflow_version = models.ForeignKey(
        WorkflowVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    method = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict, help_text="by name, plain; bytes as {'media': id}")
    selector = models.JSONField(
        default=dict, help_text="as asked: {} | {deployment_id} | {compute_cluster_id, nodepool_id}"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)
    served_by = models.JSONField(default=dict, help_text="{deployment_id, nodepool_id, compute_cluster_id, is_shared}")
    error = models.JSONField(default=dict, help_text="{name, message, details, request_id, code}")
    output_count = models.PositiveIntegerField(default=0)
    prompt_tokens = models.PositiveIntegerField(default=0)
    completion_tokens = models.PositiveIntegerField(default=0)
    characters = models.PositiveIntegerField(default=0, help_text="of text in the outputs")
    first_output_ms = models.FloatField(null=True, blank=True)
    total_ms = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    worker = models.CharField(max_length=64, blank=True, default="")
    asked = models.CharField(max_length=160, blank=True, default="", help_text="the first words of what was asked")
    searched = models.TextField(blank=True, default="", help_text="what a search finds it by, in small letters")
    kept_bytes = models.PositiveBigIntegerField(default=0, help_text="of its row and events; its files count apart")
    share_key = models.CharField(max_length=32, blank=True, default="", help_text="of its link; empty: not shared")
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="when its owner deleted it; soon it is gone")

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["user", "model", "-created_at"], name="run_user_model_created"),
            models.Index(fields=["user", "-created_at"], name="run_user_created"),
            # All that lists count and narrow by, so that none of a run's long texts is read for it.
            models.Index(
                fields=["user", "deleted_at", "model", "workflow", "state", "method", "-created_at"], name="run_facts"
            ),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="run_deleted"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(model__isnull=False, workflow=None) | Q(model=None, workflow__isnull=False),
                name="run_of_model_or_workflow",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject.slug}.{self.method} {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("play:run", args=[self.id])

    @property
    def subject(self) -> Model | Workflow:
        """What was called."""
        found = self.model or self.workflow
        assert found is not None  # the row's own constraint
        return found

    @property
    def is_mixed(self) -> bool:
        """Whether some nodes of a workflow answered, and some failed."""
        return self.state == self.State.FAILED and self.error.get("code") == MIXED

    @property
    def is_running(self) -> bool:
        return self.state == self.State.RUNNING

    @property
    def shared_url(self) -> str:
        """The link by which others read it; "" while there is none."""
        return f"{self.get_absolute_url()}?{urlencode({'key': self.share_key})}" if self.share_key else ""

    def events(self, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """The stored events numbered above ``after``, in order."""
        blocks = self.event_blocks.filter(last__gt=after).order_by("first")
        for block in blocks.iterator():
            for event in orjson.loads(bytes(block.events)):
                if event["n"] > after:
                    yield event

    def last_event(self) -> dict[str, Any] | None:
        """The newest that is stored."""
        block = self.event_blocks.order_by("-last").first()
        return orjson.loads(bytes(block.events))[-1] if block else None


class EventBlock(models.Model):
    """Some consecutive events of a run as one JSON array: a run of 20,000 tokens is a few hundred rows, not 20,000."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="event_blocks")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    events = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "first"], name="event_block_first")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.first} to {self.last}"


class RunMedia(models.Model):
    """A stored file that a run was given or gave: kept as long as some run has it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="files")
    reference = models.ForeignKey(Reference, on_delete=models.CASCADE, related_name="run_uses")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "reference"], name="run_media_once")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.reference_id}"


class Worker(models.Model):
    """A web process that executes runs, with the time it was last heard of: its runs die with it."""

    id = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.id


class ComparisonQuerySet(models.QuerySet["Comparison"]):
    def visible_to(self, user: User | AnonymousUser, *, key: str = "") -> ComparisonQuerySet:
        """One's own; with the key of a link that was given out, for reading, the one behind it too."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(user=user) | Q(share_key=key, user__is_active=True) if key else Q(user=user))


class Comparison(models.Model):
    """Some targets asked the same: what was compared, and with what. Its runs are in rounds, one for each *Run all*."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="comparisons")
    name = models.CharField(max_length=120, blank=True, default="")
    kind = models.CharField(max_length=16, help_text="of the input: text, image, audio or video")
    given = models.JSONField(
        null=True, blank=True, help_text="the input, plain: a text, or {media, content_type, name}"
    )
    panes = models.JSONField(default=list, help_text="[{id, target}]: a target as a page's address names it")
    reference = models.CharField(
        max_length=8, blank=True, default="", help_text="the pane that others are held against"
    )
    share_key = models.CharField(max_length=32, blank=True, default="", help_text="of its link; empty: not shared")
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)

    objects = ComparisonQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "-modified_at"], name="comparison_user_modified")]

    def __str__(self) -> str:
        return self.name or f"Comparison {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("play:comparison", args=[self.pk])

    @property
    def shared_url(self) -> str:
        """The link by which others read it; "" while there is none."""
        return f"{self.get_absolute_url()}?{urlencode({'key': self.share_key})}" if self.share_key else ""


class Round(models.Model):
    """One *Run all* of a comparison: what it asked then, and whom, whatever was changed since."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="rounds")
    number = models.PositiveIntegerField(help_text="from 1")
    kind = models.CharField(max_length=16)
    given = models.JSONField(null=True, blank=True)
    panes = models.JSONField(default=list)
    reference = models.CharField(max_length=8, blank=True, default="")
    repeats = models.PositiveSmallIntegerField(default=1, help_text="how often each pane is asked, but for the warm-up")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comparison", "number"], name="round_of_comparison")]

    def __str__(self) -> str:
        return f"{self.comparison_id}: round {self.number}"


class ComparedRun(models.Model):
    """A run's place in a comparison. It is noted before the run begins, so no row of that need be there yet."""

    comparison = models.ForeignKey(Comparison, on_delete=models.CASCADE, related_name="runs")
    run_id = models.UUIDField()
    pane = models.CharField(max_length=8)
    round = models.PositiveIntegerField(help_text="which *Run all*, from 1")
    turn = models.PositiveSmallIntegerField(help_text="which repeat, from 1; 0 is the warm-up, which does not count")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["comparison", "run_id"], name="compared_run_once")]
        indexes = [models.Index(fields=["comparison", "round", "pane", "turn"], name="compared_run_place")]

    def __str__(self) -> str:
        return f"{self.comparison_id}: {self.run_id}"
