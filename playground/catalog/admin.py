"""The catalog as administrators see it in Django's admin: to read, and to end tokens. Changes have their own pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from playground.catalog.models import (
    AccessToken,
    App,
    Membership,
    Model,
    ModelVersion,
    User,
    Workflow,
    WorkflowVersion,
)
from playground.catalog.tokens import revoke_token

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    Base = admin.ModelAdmin[Any]
else:
    Base = admin.ModelAdmin


class StaffAdmin(Base):
    """For every administrator; the site itself lets nobody else in."""

    list_per_page = 50
    show_full_result_count = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True


class ReadOnlyAdmin(StaffAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserAdmin(ReadOnlyAdmin):
    fields = ("username", "is_active", "is_staff", "is_superuser", "date_joined", "last_login")
    list_display = ("username", "is_active", "is_staff", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    search_fields = ("username",)


class AppAdmin(ReadOnlyAdmin):
    fields = ("owner", "slug", "description", "visibility", "created_at")
    list_display = ("__str__", "visibility", "created_at")
    list_filter = ("visibility",)
    list_select_related = ("owner",)
    search_fields = ("slug", "owner__username")


class MembershipAdmin(ReadOnlyAdmin):
    fields = ("app", "user", "role")
    list_display = ("app", "user", "role")
    list_filter = ("role",)
    list_select_related = ("app__owner", "user")


class ModelAdmin(ReadOnlyAdmin):
    fields = ("app", "slug", "type_id", "description", "visibility", "created_at", "modified_at")
    list_display = ("__str__", "type_id", "visibility", "created_at")
    list_filter = ("type_id", "visibility")
    list_select_related = ("app__owner",)
    search_fields = ("slug",)


class ModelVersionAdmin(ReadOnlyAdmin):
    fields = ("model", "slug", "folder", "digest", "config", "requirements", "methods", "created_at")
    list_display = ("slug", "model", "methods", "created_at")
    list_select_related = ("model__app__owner",)
    search_fields = ("slug", "model__slug")

    @admin.display(description="methods")
    def methods(self, version: ModelVersion) -> str:
        return ", ".join(one.name for one in version.signatures)


class WorkflowAdmin(ReadOnlyAdmin):
    fields = ("app", "slug", "description", "visibility", "created_at", "modified_at")
    list_display = ("__str__", "visibility", "created_at")
    list_filter = ("visibility",)
    list_select_related = ("app__owner",)
    search_fields = ("slug",)


class WorkflowVersionAdmin(ReadOnlyAdmin):
    fields = ("workflow", "slug", "yaml", "created_at")
    list_display = ("slug", "workflow", "created_at")
    list_select_related = ("workflow__app__owner",)
    search_fields = ("slug", "workflow__slug")


class AccessTokenAdmin(ReadOnlyAdmin):
    """Only by its beginning; what it is kept as is shown to nobody."""

    fields = ("user", "name", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_display = ("prefix", "user", "name", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    actions = ("revoke",)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, tokens: QuerySet[AccessToken]) -> None:
        found = list(tokens.filter(revoked_at=None))
        for token in found:
            revoke_token(token)
        self.message_user(request, f"Tokens revoked: {len(found)}")


ADMINS: dict[Any, type[StaffAdmin]] = {
    User: UserAdmin,
    App: AppAdmin,
    Membership: MembershipAdmin,
    Model: ModelAdmin,
    ModelVersion: ModelVersionAdmin,
    Workflow: WorkflowAdmin,
    WorkflowVersion: WorkflowVersionAdmin,
    AccessToken: AccessTokenAdmin,
}
