"""Django's admin at ``/admin/``, for administrators who are signed in as everybody else is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.urls import get_script_prefix, reverse

from inputs.admin import ADMINS as INPUTS
from playground.catalog.admin import ADMINS as CATALOG
from playground.catalog.views import sign_out
from playground.compute.admin import ADMINS as COMPUTE

if TYPE_CHECKING:
    from django.http import HttpRequest


class Site(admin.AdminSite):
    """Without passwords: signing in and out are ours."""

    site_header = site_title = "Model Playground"
    index_title = "Administration"

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return super().each_context(request) | {"site_url": get_script_prefix()}

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.user.is_authenticated:
            raise PermissionDenied  # signed in, and no administrator: doing it again changes nothing
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return sign_out(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        raise Http404


site = Site()
for row, how in (CATALOG | COMPUTE | INPUTS).items():
    site.register(row, how)
