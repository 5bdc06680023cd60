"""Addresses of the Inputs-Manager, the Input-Viewer, and of inputs' bytes."""

from __future__ import annotations

from django.urls import path

from inputs.views import files, manager, viewer

app_name = "inputs"
urlpatterns = [
    path("", manager.manager, name="manager"),
    path("rows", manager.rows, name="rows"),
    path("summary", manager.summary, name="summary"),
    path("files/<str:token>/thumbnail", files.thumbnail, name="thumbnail"),
    path("files/<str:token>/preview", files.preview, name="preview"),
    path("files/<str:token>/original", files.original, name="original"),
    path("<str:input_id>/", viewer.viewer, name="viewer"),
]
