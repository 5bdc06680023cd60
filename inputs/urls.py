"""Addresses of the Inputs-Manager, the Input-Viewer, and of inputs' bytes."""

from __future__ import annotations

from django.urls import path

from inputs.views import acting, adding, exporting, files, manager, predictions, viewer, walking

app_name = "inputs"
urlpatterns = [
    path("", manager.manager, name="manager"),
    path("add", adding.add, name="add"),
    path("act", acting.act, name="act"),
    path("walk", walking.walk, name="walk"),
    path("rows", manager.rows, name="rows"),
    path("summary", manager.summary, name="summary"),
    path("files/<str:token>/thumbnail", files.thumbnail, name="thumbnail"),
    path("files/<str:token>/preview", files.preview, name="preview"),
    path("files/<str:token>/original", files.original, name="original"),
    path("export", exporting.export_all, name="export_all"),
    path("restore", predictions.restore, name="restore"),
    path("<str:input_id>/", viewer.viewer, name="viewer"),
    path("<str:input_id>/annotations", predictions.annotate, name="annotations"),
    path("<str:input_id>/annotations/remove", predictions.unannotate, name="unannotate"),
    path("<str:input_id>/annotations/<int:pk>", predictions.annotation, name="annotation"),
    path("<str:input_id>/edit", predictions.edit, name="edit"),
    path("<str:input_id>/delete", predictions.delete, name="delete"),
    path("<str:input_id>/borrow", predictions.borrow, name="borrow"),
    path("<str:input_id>/predictions", predictions.predictions, name="predictions"),
    path("<str:input_id>/predictions/<int:pk>/accept", predictions.accept, name="accept"),
    path("<str:input_id>/export", exporting.export, name="export"),
]
