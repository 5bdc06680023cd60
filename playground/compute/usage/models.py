"""What was used: one row for each minute, hour and day in which a user's calls of one kind ended.

A call is in exactly one row of each span, so any span may be read alone. Nothing here refers to another table: rows
outlive the deployment, its model and its user, and keep their names as text.
"""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from playground.catalog.models import User

MINUTE, HOUR, DAY = 60, 3600, 86400
SPANS = (MINUTE, HOUR, DAY)


def kept_for(span: int) -> timedelta:
    """How long rows of this span are kept, by the settings."""
    days = {MINUTE: settings.USAGE_MINUTES_DAYS, HOUR: settings.USAGE_HOURS_DAYS, DAY: settings.USAGE_DAYS_DAYS}
    return timedelta(days=days[span])


class UsageQuerySet(models.QuerySet["Usage"]):
    def visible_to(self, user: User | AnonymousUser) -> UsageQuerySet:
        """All use of one's own deployments, also of those that are gone; of others' deployments one's own calls."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_superuser else self.filter(Q(owner_key=user.pk) | Q(user_key=user.pk))


class Usage(models.Model):
    """Calls of one user to one method of one deployment with one outcome, that ended within one span of time (UTC).

    Keys are primary keys as they were, never used again; 0 where there was nobody or nothing. Times are in seconds.
    """

    digest = models.CharField(max_length=32, primary_key=True, help_text="Of all that tells rows apart")
    span = models.PositiveIntegerField(choices=[(MINUTE, "minute"), (HOUR, "hour"), (DAY, "day")])
    start = models.BigIntegerField(help_text="In seconds since the epoch, as is last_at: a multiple of the span")
    deployment_key = models.BigIntegerField()
    owner_key = models.BigIntegerField(default=0, help_text="The deployment's owner")
    user_key = models.BigIntegerField(default=0, help_text="Who called")
    deployment = models.CharField(max_length=256, blank=True, default="", help_text="owner/deployment")
    model = models.CharField(max_length=320, blank=True, default="", help_text="user/app/models/model")
    version = models.CharField(max_length=64, blank=True, default="")
    method = models.CharField(max_length=64, blank=True, default="")
    user = models.CharField(max_length=150, blank=True, default="")
    outcome = models.CharField(max_length=64, help_text="The name of the status code that the call ended with")

    calls = models.BigIntegerField(default=0)
    outputs = models.BigIntegerField(default=0)
    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    bytes_in = models.BigIntegerField(default=0)
    bytes_out = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0.0, help_text="From a call's arrival to its end, added up")
    queue_seconds = models.FloatField(default=0.0, help_text="Of these, before a replica had it")
    latencies = models.BinaryField(default=bytes, help_text="A packed histogram, as are the next two")
    first_outputs = models.BinaryField(default=bytes)
    queue_times = models.BinaryField(default=bytes)
    last_at = models.FloatField(default=0.0, help_text="When the last of these calls ended")

    objects = UsageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["deployment_key", "span", "start"], name="usage_of_deployment"),
            models.Index(fields=["span", "start"], name="usage_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.deployment or self.deployment_key}: {self.method}, {self.outcome}, {self.calls} calls"
