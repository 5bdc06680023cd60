"""Addresses of the catalog."""

from __future__ import annotations

from django.urls import path

from playground.catalog import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="signin"),
    path("sign-out/", views.sign_out, name="signout"),
]
