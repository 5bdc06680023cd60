"""Inputs as administrators see them in Django's admin: to read. Changes have their own pages."""

from __future__ import annotations

from typing import Any

from inputs.models import AddJob, Annotation, Concept, Dataset, Input, Prediction, Tally
from playground.catalog.admin import ReadOnlyAdmin, StaffAdmin


class InputAdmin(ReadOnlyAdmin):
    fields = (
        *("app", "owner", "slug", "kind", "name", "reference", "source_url", "metadata", "status", "status_words"),
        *("width", "height", "duration_s", "captured_at", "created_at", "modified_at", "deleted_at", "add_job"),
    )
    list_display = ("slug", "app", "kind", "name", "status", "created_at", "deleted_at")
    list_filter = ("kind", "status")
    list_select_related = ("app__owner",)
    search_fields = ("=slug",)
    ordering = ("-pk",)


class ConceptAdmin(ReadOnlyAdmin):
    fields = list_display = ("app", "slug", "name", "created_at")
    list_select_related = ("app__owner",)
    search_fields = ("slug", "name")


class DatasetAdmin(ReadOnlyAdmin):
    fields = list_display = ("app", "slug", "created_at")
    list_select_related = ("app__owner",)
    search_fields = ("slug",)


class AnnotationAdmin(ReadOnlyAdmin):
    fields = (
        "input",
        "concept",
        "value",
        "left",
        "top",
        "right",
        "bottom",
        "text",
        "created_by",
        "origin",
        "created_at",
    )
    list_display = ("pk", "input", "concept", "value", "origin", "created_by", "created_at")
    list_select_related = ("input__app__owner", "concept", "created_by")
    ordering = ("-pk",)


class PredictionAdmin(ReadOnlyAdmin):
    """Without what it holds: that is its user's."""

    fields = (
        "input",
        "user",
        "model",
        "workflow",
        "version",
        "method",
        "deployment_asked",
        "deployment_served",
        "created_at",
    )
    list_display = ("pk", "input", "user", "model", "workflow", "method", "created_at")
    list_select_related = ("input__app__owner", "user", "model__app__owner", "workflow__app__owner")
    ordering = ("-pk",)


class TallyAdmin(ReadOnlyAdmin):
    fields = list_display = ("app", "kind", "count")
    list_select_related = ("app__owner",)


class AddJobAdmin(ReadOnlyAdmin):
    fields = list_display = ("app", "slug", "pending", "succeeded", "failed", "created_at", "modified_at")
    list_select_related = ("app__owner",)


ADMINS: dict[Any, type[StaffAdmin]] = {
    Input: InputAdmin,
    Concept: ConceptAdmin,
    Dataset: DatasetAdmin,
    Annotation: AnnotationAdmin,
    Prediction: PredictionAdmin,
    AddJob: AddJobAdmin,
    Tally: TallyAdmin,
}
