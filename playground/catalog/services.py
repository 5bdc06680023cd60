"""Acts on the catalog: the owner and their app, models and their versions, signatures once they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from playground.catalog.folders import ModelFolder, read_folder
from playground.catalog.models import App, Model, ModelVersion, User, note_change

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from clarifai_grpc.grpc.api import resources_pb2

OWNER_ID = "owner"
MAIN_APP_ID = "main"


@transaction.atomic
def ensure_owner() -> tuple[User, App]:
    """The first user, an administrator who signs in by link alone, and their app ``main``."""
    owner = User.objects.filter(username=OWNER_ID).first()
    if owner is None:
        owner = User.objects.create_user(OWNER_ID, is_staff=True, is_superuser=True)
    app, created = App.objects.get_or_create(owner=owner, slug=MAIN_APP_ID)
    if created:
        note_change("app", app.pk)
    return owner, app


def add_model(app: App, path: Path, *, model_id: str = "", type_id: str = "") -> ModelVersion:
    """The version of ``app``'s model that the folder at ``path`` is: a new one when any of its files changed.

    Id and type come from the folder's config unless given. Raises ConfigError when it is no model folder.
    """
    folder = read_folder(path)
    return _add_version(app, folder, model_id=model_id or folder.model_id, type_id=type_id or folder.type_id)


@transaction.atomic
def _add_version(app: App, folder: ModelFolder, *, model_id: str, type_id: str) -> ModelVersion:
    facts = {"type_id": type_id, "description": folder.description}
    model, created = Model.objects.get_or_create(app=app, slug=model_id, defaults=facts)
    latest = model.latest
    if latest is not None and latest.digest == folder.digest and latest.folder == str(folder.path):
        return latest
    if not created:
        Model.objects.filter(pk=model.pk).update(**facts)
    version = ModelVersion.objects.create(
        model=model,
        folder=str(folder.path),
        digest=folder.digest,
        config=folder.config,
        requirements=folder.requirements,
    )
    note_change("model", model.pk)
    return version


@transaction.atomic
def store_signatures(version: ModelVersion, signatures: Sequence[resources_pb2.MethodSignature]) -> bool:
    """Keep what loading ``version`` gave, in order of declaration; whether that was news."""
    if version.signatures == list(signatures):
        return False
    version.signatures = list(signatures)
    version.save(update_fields=["signatures_proto"])
    note_change("model", version.model_id)
    return True
