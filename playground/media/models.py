"""Bytes once, by content hash; references to them by id; uploads in parts. No bytes in the database."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.urls import reverse

from playground.catalog.models import User


def new_media_id() -> str:
    """A reference's id: 32 hex digits that nobody guesses."""
    return secrets.token_hex(16)


class Blob(models.Model):
    """Some bytes, once: stored under their sha256 in the data folder."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField(help_text="bytes")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.size} bytes)"


class ReferenceQuerySet(models.QuerySet["Reference"]):
    def visible_to(self, user: User | AnonymousUser) -> ReferenceQuerySet:
        """One's own, and the samples, which belong to nobody and are for anyone signed in."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(Q(owner=user) | Q(owner=None))


class Reference(models.Model):
    """Somebody's use of a blob: what runs and pages name. One picture of two users is one blob and two of these."""

    id = models.CharField(max_length=32, primary_key=True, default=new_media_id)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="references")
    content_type = models.CharField(max_length=100, help_text="decided by looking at the bytes")
    name = models.CharField(max_length=255, blank=True, default="")
    width = models.PositiveIntegerField(null=True, blank=True, help_text="pixels, of a picture as it is shown")
    height = models.PositiveIntegerField(null=True, blank=True)
    is_sample = models.BooleanField(default=False)
    is_kept = models.BooleanField(default=False, help_text="a run or an input uses it: the sweep leaves it alone")
    is_held = models.BooleanField(default=False, help_text="an input has it: runs that end do not let it go")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReferenceQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.name or self.id} ({self.content_type})"

    def get_absolute_url(self) -> str:
        return reverse("media:content", args=[self.id])


class Upload(models.Model):
    """An upload on its way, in parts of at most 4 MiB; its bytes so far lie in the data folder."""

    id = models.CharField(max_length=32, primary_key=True, default=new_media_id)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=255)
    size = models.PositiveBigIntegerField(help_text="bytes, as announced")
    received = models.PositiveBigIntegerField(default=0, help_text="bytes")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.name}: {self.received} of {self.size}"
