"""Addresses of the catalog."""

from __future__ import annotations

from django.urls import path

from playground.catalog import sharing_views, token_views, views

APP = "<str:user_id>/<str:app_id>"

urlpatterns = [
    path("sign-in/", views.sign_in, name="signin"),
    path("sign-out/", views.sign_out, name="signout"),
    path("tokens/", token_views.show_tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", token_views.revoke, name="token_revoke"),
    path("apps/", sharing_views.apps, name="apps"),
    path(f"{APP}/settings", sharing_views.settings, name="app_settings"),
    path(f"{APP}/settings/members", sharing_views.add_member, name="app_members"),
    path(f"{APP}/settings/members/remove", sharing_views.remove_member, name="app_member_remove"),
    path(f"{APP}/settings/visibility", sharing_views.change_visibility, name="app_visibility"),
]
