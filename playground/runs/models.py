"""Runs and their events. A run belongs to the server, not to the page that began it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.urls import reverse

from playground.catalog.models import Model, ModelVersion, User

if TYPE_CHECKING:
    from collections.abc import Iterator


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, user: User | AnonymousUser) -> RunQuerySet:
        """One's own runs, and nobody else's."""
        return self.filter(user=user) if user.is_authenticated else self.none()


class Run(models.Model):
    """One call made in the browser: what was asked, where it went, what came back, when."""

    class State(models.TextChoices):
        RUNNING = "running"
        FINISHED = "finished"
        FAILED = "failed"
        STOPPED = "stopped"

    id = models.UUIDField(primary_key=True, help_text="chosen by the page, so that a repeated start is the same run")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="runs")
    model = models.ForeignKey(Model, on_delete=models.CASCADE, related_name="runs")
    version = models.ForeignKey(ModelVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
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

    objects = RunQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "model", "-created_at"], name="run_user_model_created")]

    def __str__(self) -> str:
        return f"{self.model.slug}.{self.method} {self.id}"

    def get_absolute_url(self) -> str:
        return reverse("play:run", args=[self.id])

    def events(self, *, after: int = 0) -> Iterator[dict[str, Any]]:
        """The stored events numbered above ``after``, in order."""
        blocks = self.event_blocks.filter(last__gt=after).order_by("first")
        for block in blocks.iterator():
            for event in orjson.loads(bytes(block.events)):
                if event["n"] > after:
                    yield event


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


class Worker(models.Model):
    """A web process that executes runs, with the time it was last heard of: its runs die with it."""

    id = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.id
