"""Inputs that people keep: pictures, texts, sounds and films, with what is said about them and what models found.

Every list and look-up goes through ``visible_to(user)``. Rows are changed through ``inputs.services``, which keep the
tallies and the search exact in the same transaction.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import ExpressionWrapper, F, Q, Value
from django.db.models.lookups import Exact, In
from django.urls import reverse

from playground.catalog.models import App, Model, User, Workflow
from playground.media.models import Reference

if TYPE_CHECKING:
    from collections.abc import Sequence

UNDO = timedelta(minutes=10)
MAX_ID = 128
MAX_NAME = 255


def new_input_id() -> str:
    """An input's id where nobody chose one: 32 hex digits, as official programs make them."""
    return uuid.uuid4().hex


def validate_input_id(value: str) -> None:
    """Programs name inputs after files, so nearly any text may be an id. Raises ValidationError."""
    if not value or len(value) > MAX_ID or not value.isprintable() or "/" in value or value.strip(" .") == "":
        raise ValidationError(
            f"{value[:140]!r} cannot be an id: use 1 to {MAX_ID} printable characters without a slash."
        )


class Kind(models.TextChoices):
    """What an input is, decided by its bytes."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"


class Status(models.IntegerChoices):
    """V2's status codes of an input; ``status_words`` say why one failed."""

    READY = StatusCode.INPUT_DOWNLOAD_SUCCESS
    WAITING = StatusCode.INPUT_DOWNLOAD_PENDING
    FAILED = StatusCode.INPUT_DOWNLOAD_FAILED
    DOWNLOADING = StatusCode.INPUT_DOWNLOAD_IN_PROGRESS


# The app as no index has it: a database that has no statistics takes any index on apps for better than keys.
SHELF = ExpressionWrapper(F("app_id") + Value(0), output_field=models.BigIntegerField())


class InputQuerySet(models.QuerySet["Input"]):
    def visible_to(self, user: User | AnonymousUser) -> InputQuerySet:
        """Those of the apps in which ``user`` has a role; never those that were deleted, however short ago."""
        if not user.is_authenticated:
            return self.none()
        here = self.filter(deleted_at=None)
        return here if user.is_superuser else here.filter(In(SHELF, App.objects.with_role(user).values("pk")))

    def on_shelf(self, app: App) -> InputQuerySet:
        """Of the app, for queries that name their rows by key: those are looked up, not the app's million others."""
        return self.filter(Exact(SHELF, app.pk))

    def alive(self) -> InputQuerySet:
        """Those that are not deleted."""
        return self.filter(deleted_at=None)

    def at(self, user_id: str, app_id: str, input_id: str) -> InputQuerySet:
        """The input at an address ``user_id/app_id/inputs/input_id``: at most one."""
        return self.filter(app__owner__username=user_id, app__slug=app_id, slug=input_id)


class Dataset(models.Model):
    """A named pile of inputs of an app."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="datasets")
    slug = models.CharField(max_length=MAX_ID, validators=[validate_input_id])
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "slug"], name="dataset_slug_per_app")]

    def __str__(self) -> str:
        return f"{self.app}/datasets/{self.slug}"


class AddJob(models.Model):
    """What came of inputs that a program added together."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="add_jobs")
    slug = models.CharField(max_length=MAX_ID, validators=[validate_input_id])
    pending = models.PositiveIntegerField(default=0, help_text="inputs given by address that are not fetched yet")
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    modified_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "slug"], name="add_job_slug_per_app")]

    def __str__(self) -> str:
        return f"{self.app}/inputs/add_jobs/{self.slug}"


class Input(models.Model):
    """A picture, text, sound or film of an app. Sizes and boxes are of a picture as it is shown, turned upright."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="inputs", db_index=False)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="inputs")
    slug = models.CharField(max_length=MAX_ID, default=new_input_id, validators=[validate_input_id])
    kind = models.CharField(max_length=8, choices=Kind.choices)
    # RESTRICT, as PROTECT would hold a user's own references back when the user goes with all they have.
    reference = models.ForeignKey(
        Reference,
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="inputs",
        help_text="its bytes; empty only while an input given by address waits, or when that failed",
    )
    source_url = models.TextField(blank=True, default="", help_text="where it was fetched from")
    name = models.CharField(max_length=MAX_NAME, blank=True, default="")
    metadata = models.JSONField(default=dict, blank=True)
    status = models.PositiveIntegerField(choices=Status.choices, default=Status.READY)
    status_words = models.CharField(max_length=500, blank=True, default="")
    width = models.PositiveIntegerField(null=True, blank=True, help_text="pixels, of a picture or film as it is shown")
    height = models.PositiveIntegerField(null=True, blank=True)
    duration_s = models.FloatField(null=True, blank=True)
    captured_at = models.DateTimeField(null=True, blank=True, help_text="as the camera noted it")
    facts = models.JSONField(
        default=dict, blank=True, help_text="{colours: [{hex, share}], frames, format, peaks, excerpt, characters}"
    )
    has_thumbnail = models.BooleanField(default=False)
    has_preview = models.BooleanField(default=False, help_text="made already; what can have one gets it when seen")
    created_at = models.DateTimeField(auto_now_add=True)
    modified_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, help_text="soon it is gone, bytes and all")
    delete_token = models.CharField(max_length=32, blank=True, default="", help_text="brings back what went together")
    add_job = models.ForeignKey(AddJob, on_delete=models.SET_NULL, null=True, blank=True, related_name="inputs")
    datasets = models.ManyToManyField(Dataset, related_name="inputs", blank=True)

    objects = InputQuerySet.as_manager()

    class Meta:
        constraints = [
            # What was deleted and may come back does not hold its id.
            models.UniqueConstraint(
                fields=["app", "slug"], condition=Q(deleted_at__isnull=True), name="input_slug_per_app"
            )
        ]
        indexes = [
            models.Index(
                fields=["app", "-created_at", "-id"], condition=Q(deleted_at__isnull=True), name="input_newest"
            ),
            models.Index(
                fields=["app", "kind", "-created_at", "-id"], condition=Q(deleted_at__isnull=True), name="input_of_kind"
            ),
            models.Index(fields=["slug"], condition=Q(deleted_at__isnull=True), name="input_by_slug"),
            models.Index(fields=["app", "name", "id"], condition=Q(deleted_at__isnull=True), name="input_by_name"),
            models.Index(fields=["app", "deleted_at"], condition=Q(deleted_at__isnull=False), name="input_deleted"),
            models.Index(fields=["status"], condition=~Q(status=Status.READY), name="input_not_ready"),
        ]

    def __str__(self) -> str:
        return f"{self.app}/inputs/{self.slug}"

    def get_absolute_url(self) -> str:
        """The viewer's page on it, whichever of the reader's apps it lies in."""
        app = f"{self.app.owner.username}/{self.app.slug}"
        return f"{reverse('inputs:viewer', args=[self.slug])}?app={quote(app)}"

    @property
    def title(self) -> str:
        """What people call it: its file's name, else its id."""
        return self.name or self.slug

    @property
    def is_ready(self) -> bool:
        return self.status == Status.READY

    @property
    def is_under_way(self) -> bool:
        """Given by address, and not fetched yet."""
        return self.status in (Status.WAITING, Status.DOWNLOADING)


class Concept(models.Model):
    """What one can say of an input, once per app. ``slug`` is the id that programs use; its colour follows from it."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="concepts")
    slug = models.CharField(max_length=MAX_ID, validators=[validate_input_id])
    name = models.CharField(max_length=MAX_NAME)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "slug"], name="concept_slug_per_app")]

    def __str__(self) -> str:
        return f"{self.app}/concepts/{self.slug}"


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def visible_to(self, user: User | AnonymousUser) -> PredictionQuerySet:
        """One's own, of inputs that one still sees."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(user=user, input__in=Input.objects.visible_to(user))


class Prediction(models.Model):
    """What a model or workflow found in an input when one last asked it there: a layer beside the annotations."""

    input = models.ForeignKey(Input, on_delete=models.CASCADE, related_name="predictions")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    model = models.ForeignKey(Model, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    version = models.CharField(max_length=64, blank=True, default="", help_text="the version's id")
    deployment = models.ForeignKey(
        "compute.Deployment", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    deployment_asked = models.CharField(max_length=200, blank=True, default="", help_text="its id; empty for Shared")
    deployment_served = models.CharField(max_length=200, blank=True, default="", help_text="where it ran")
    method = models.CharField(max_length=200)
    arguments = models.JSONField(default=dict, blank=True, help_text="by name, plain, without the input itself")
    run = models.ForeignKey("runs.Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    outputs = models.JSONField(default=list, help_text="plain, as runs keep them")
    nodes = models.JSONField(default=list, blank=True, help_text="of a workflow: how each ended, and its outputs")
    files = models.ManyToManyField(Reference, related_name="predictions", blank=True)
    total_ms = models.FloatField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["input", "user", "-created_at"], name="prediction_of_input")]
        constraints = [
            models.CheckConstraint(
                condition=Q(model__isnull=False, workflow=None) | Q(model=None, workflow__isnull=False),
                name="prediction_of_one_target",
            )
        ]

    def __str__(self) -> str:
        return f"{self.input} by {self.method} of {self.model or self.workflow}"


class Annotation(models.Model):
    """Something said of an input: a concept of the whole, or with a box of a region; a region may hold text instead."""

    class Origin(models.TextChoices):
        PERSON = ""
        ACCEPTED = "accepted"

    input = models.ForeignKey(Input, on_delete=models.CASCADE, related_name="annotations", db_index=False)
    concept = models.ForeignKey(Concept, on_delete=models.CASCADE, null=True, blank=True, db_index=False)
    value = models.FloatField(default=1.0, help_text="from 0, it is not so, to 1, it is")
    # Shares of the input's width and height; all four or none.
    top = models.FloatField(null=True, blank=True)
    left = models.FloatField(null=True, blank=True)
    bottom = models.FloatField(null=True, blank=True)
    right = models.FloatField(null=True, blank=True)
    text = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.CharField(max_length=16, choices=Origin.choices, blank=True, default=Origin.PERSON)
    prediction = models.ForeignKey(Prediction, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["input", "concept"], name="annotation_of_input"),
            models.Index(fields=["concept", "input"], name="annotation_of_concept"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(top=None, left=None, bottom=None, right=None)
                | Q(top__gte=0, left__gte=0, bottom__lte=1, right__lte=1, top__lte=F("bottom"))
                & Q(left__lte=F("right")),
                name="annotation_box_whole",
            ),
            models.UniqueConstraint(
                fields=["input", "concept"],
                condition=Q(top__isnull=True, concept__isnull=False),
                name="annotation_whole_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.input}: {self.concept.slug if self.concept else self.text[:40]}"

    @property
    def box(self) -> tuple[float, float, float, float] | None:
        """Left, top, right, bottom as shares of the picture, as V2's SDK has regions; None for the whole input."""
        if self.left is None or self.top is None or self.right is None or self.bottom is None:
            return None
        return self.left, self.top, self.right, self.bottom

    @box.setter
    def box(self, edges: Sequence[float] | None) -> None:
        self.left, self.top, self.right, self.bottom = edges if edges is not None else (None,) * 4


class Tally(models.Model):
    """How many inputs of a kind an app has, kept in the transactions that change it: no page counts a million rows."""

    app = models.ForeignKey(App, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["app", "kind"], name="tally_once")]

    def __str__(self) -> str:
        return f"{self.app}: {self.count} of {self.kind}"
