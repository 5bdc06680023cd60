"""Clusters, nodepools and deployments in Django's admin. Every change goes through the services, which check it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpResponseRedirect

from playground.catalog.admin import StaffAdmin
from playground.compute import services
from playground.compute.admin_forms import DeploymentForm, NodepoolForm
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.protocol.errors import PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.forms import ModelForm
    from django.http import HttpRequest, HttpResponse


class ServiceAdmin(StaffAdmin):
    """What the services refuse is told on the page, and nothing has changed."""

    fixed: tuple[str, ...] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ids, and what hangs on them, are chosen once."""
        return (*self.readonly_fields, *(self.fixed if obj is not None else ()))

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        return self._told(request, super().changeform_view, *args, **options)

    def delete_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        return self._told(request, super().delete_view, *args, **options)

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **options: Any) -> Any:
        return self._told(request, super().response_action, queryset, *args, **options)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm[Any], change: bool) -> None:
        facts = {name: form.cleaned_data[name] for name in form.changed_data if name not in self.fixed}
        if change:
            self.edit(request.user, type(obj).objects.get(pk=obj.pk), facts)
        else:
            obj.pk = self.create(request.user, form.cleaned_data, facts).pk
        obj.refresh_from_db()

    def create(self, user: Any, given: dict[str, Any], facts: dict[str, Any]) -> Any:
        raise NotImplementedError

    def edit(self, user: Any, row: Any, facts: dict[str, Any]) -> None:
        raise NotImplementedError

    def _told(self, request: HttpRequest, act: Callable[..., Any], *args: Any, **options: Any) -> HttpResponse:
        try:
            done: HttpResponse = act(request, *args, **options)
        except PlaygroundError as error:
            self.message_user(request, error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return done


class ClusterAdmin(ServiceAdmin):
    fixed = ("slug",)
    fields = ("slug", "description", "cloud_provider", "region", "managed_by", "cluster_type", "visibility")
    list_display = ("__str__", "cloud_provider", "region", "visibility", "created_at")
    list_select_related = ("owner",)

    def create(self, user: Any, given: dict[str, Any], facts: dict[str, Any]) -> Cluster:
        return services.create_cluster(user, given["slug"], **_without(facts, *self.fixed))

    def edit(self, user: Any, row: Cluster, facts: dict[str, Any]) -> None:
        services.edit_cluster(user, row, **facts)

    def delete_model(self, request: HttpRequest, obj: Cluster) -> None:
        services.delete_clusters(request.user, [obj.slug], owner=obj.owner)  # type: ignore[arg-type]  # a signed-in one


class NodepoolAdmin(ServiceAdmin):
    form = NodepoolForm
    fixed = ("cluster", "slug")
    fields = (
        "cluster",
        "slug",
        "description",
        "engine",
        "addresses",
        "instance_types",
        "capacity_types",
        "min_instances",
        "max_instances",
        "visibility",
    )
    list_display = ("__str__", "engine", "is_shared", "visibility", "created_at")
    list_filter = ("engine",)
    list_select_related = ("cluster__owner",)

    def create(self, user: Any, given: dict[str, Any], facts: dict[str, Any]) -> Nodepool:
        return services.create_nodepool(user, given["cluster"], given["slug"], **_without(facts, *self.fixed))

    def edit(self, user: Any, row: Nodepool, facts: dict[str, Any]) -> None:
        services.edit_nodepool(user, row, **facts)

    def delete_model(self, request: HttpRequest, obj: Nodepool) -> None:
        services.delete_nodepools(request.user, obj.cluster, [obj.slug])  # type: ignore[arg-type]  # a signed-in one


class DeploymentAdmin(ServiceAdmin):
    form = DeploymentForm
    fixed = ("slug", "model")
    readonly_fields = ("owner", "is_shared", "state", "reason", "ready_replicas", "nodepool", "secret_names")
    list_display = ("__str__", "model", "nodepool", "state", "ready_replicas", "is_enabled")
    list_filter = ("state", "is_enabled", "is_shared")
    list_select_related = ("owner", "model__app__owner", "nodepool__cluster")
    search_fields = ("slug", "model__slug")
    actions = ("retry", "enable", "disable")

    @admin.display(description="secrets that are set")
    def secret_names(self, row: Deployment) -> str:
        return ", ".join(row.environment.filter(is_secret=True).values_list("name", flat=True))

    def create(self, user: Any, given: dict[str, Any], facts: dict[str, Any]) -> Deployment:
        return services.create_deployment(user, given["slug"], given["model"], **_gathered(facts, self.fixed))

    def edit(self, user: Any, row: Deployment, facts: dict[str, Any]) -> None:
        services.edit_deployment(user, row, **_gathered(facts, self.fixed))

    def delete_model(self, request: HttpRequest, obj: Deployment) -> None:
        services.delete_deployments(request.user, [obj.slug], owner=obj.owner)  # type: ignore[arg-type]  # a signed-in one

    @admin.action(description="Retry the selected deployments")
    def retry(self, request: HttpRequest, rows: QuerySet[Deployment]) -> None:
        for row in rows:
            services.retry(request.user, row)  # type: ignore[arg-type]  # a signed-in one

    @admin.action(description="Switch the selected deployments on")
    def enable(self, request: HttpRequest, rows: QuerySet[Deployment]) -> None:
        for row in rows:
            services.set_enabled(request.user, row, True)  # type: ignore[arg-type]  # a signed-in one

    @admin.action(description="Switch the selected deployments off")
    def disable(self, request: HttpRequest, rows: QuerySet[Deployment]) -> None:
        for row in rows:
            services.set_enabled(request.user, row, False)  # type: ignore[arg-type]  # a signed-in one


def _without(facts: dict[str, Any], *names: str) -> Any:
    return {name: value for name, value in facts.items() if name not in names}


def _gathered(facts: dict[str, Any], fixed: tuple[str, ...]) -> Any:
    """The one secret that the form takes, among the rest."""
    name, value = facts.get("secret_name"), facts.get("secret_value", "")
    rest = _without(facts, *fixed, "secret_name", "secret_value")
    return rest | {"secrets": {name: value}} if name else rest


ADMINS: dict[Any, type[StaffAdmin]] = {
    Cluster: ClusterAdmin,
    Nodepool: NodepoolAdmin,
    Deployment: DeploymentAdmin,
}
