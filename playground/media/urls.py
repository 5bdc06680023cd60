"""Addresses of media: stored bytes, and uploads in parts."""

from __future__ import annotations

from django.urls import path

from playground.media import views

app_name = "media"
urlpatterns = [
    path("uploads/", views.uploads, name="uploads"),
    path("uploads/<slug:upload_id>", views.upload, name="upload"),
    path("uploads/<slug:upload_id>/<int:offset>", views.part, name="part"),
    path("uploads/<slug:upload_id>/finish", views.finish, name="finish"),
    path("<slug:reference_id>", views.content, name="content"),
]
