"""Deleting apps and versions: what is in use stays, and the error says what by."""

from __future__ import annotations

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.models import App, ModelVersion, User, note_change
from playground.compute.models import Deployment
from playground.protocol.errors import ConflictError

_SHOWN = 20


@transaction.atomic
def delete_app(user: User, app: App) -> None:
    """One that is empty."""
    require_role(user, app, Role.OWNER)
    if names := ", ".join(app.models.order_by("pk").values_list("slug", flat=True)[:_SHOWN]):
        raise ConflictError(
            f"The app {app} is in use: it has the models {names}. Delete them first.",
            code=StatusCode.CONN_INVALID_REQUEST,
        )
    pk = app.pk
    app.delete()
    note_change("app", pk)


@transaction.atomic
def delete_version(user: User, version: ModelVersion) -> None:
    """Deployments that follow the latest version go on with the one before."""
    model = version.model
    require_role(user, model.app, Role.OWNER)
    pinned = Deployment.objects.filter(version=version).select_related("owner").order_by("pk")
    if names := ", ".join(str(row) for row in pinned[:_SHOWN]):
        raise ConflictError(
            f"The version {version.slug} is in use by the deployments {names}. Delete them, or pin them to another.",
            code=StatusCode.MODEL_INVALID_REQUEST,
        )
    if model.versions.count() == 1:
        raise ConflictError(
            f"{version.slug} is the only version of {model}. Delete the model instead.",
            code=StatusCode.MODEL_INVALID_REQUEST,
        )
    version.delete()
    note_change("model", model.pk)
