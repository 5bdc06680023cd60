"""Models as deployments need them: finding one and its versions; and deleting one, with what only it needs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.folders import keep_folder, read_folder
from playground.catalog.ids import validate_id
from playground.catalog.models import Model, ModelVersion, note_change
from playground.catalog.services import MAIN_APP_ID, OWNER_ID, add_model
from playground.compute.models import Deployment
from playground.compute.services.deployments import ensure_shared_deployment, remove
from playground.compute.services.states import begin_again
from playground.protocol.errors import ConflictError, InputError, NotFoundError

if TYPE_CHECKING:
    from playground.catalog.models import App, User


def find_model(user: User, slug: str, *, app: str = "", owner: str = "") -> Model:
    """The model that ``user`` can see; without ``owner``, their own in app ``main``, else the built-in owner's."""
    visible = Model.objects.visible_to(user).select_related("app__owner")
    owners = [owner] if owner else [user.username, OWNER_ID]
    for name in owners:
        found = visible.at(name, app or MAIN_APP_ID, slug).first()
        if found is not None:
            return found
    names = ", ".join(str(model) for model in visible.order_by("pk")[:20])
    raise NotFoundError(
        f"No model {owners[0]}/{app or MAIN_APP_ID}/models/{slug} for you. It does not exist, or is not shared with "
        f"you. There are: {names or 'none yet'}.",
        code=StatusCode.MODEL_DOES_NOT_EXIST,
    )


def find_version(model: Model, slug: str) -> ModelVersion:
    found = model.versions.filter(slug=slug).first()
    if found is None:
        names = ", ".join(model.versions.order_by("-pk").values_list("slug", flat=True)[:20])
        raise NotFoundError(
            f"The model {model.slug} has no version {slug}. There are: {names or 'none'}.",
            code=StatusCode.MODEL_DOES_NOT_EXIST,
        )
    return found


def add_model_folder(app: App, path: Path, *, model_id: str, type_id: str, is_here: bool = True) -> ModelVersion:
    """The folder, copied, as a model of ``app`` or the next version of it, with its shared deployment.

    That one leaves the memory when it has not been called for a while. Without ``is_here`` it is switched off: the
    model runs only where it is deployed to. Deployments that follow the latest version and had failed begin again.
    Raises ConfigError, InputError.
    """
    for name in (model_id, type_id):
        try:
            validate_id(name)
        except ValidationError as error:
            raise InputError(error.messages[0]) from None
    kept = keep_folder(read_folder(path), settings.MODELS_DIR)
    with transaction.atomic():
        version = add_model(app, kept.path, model_id=model_id, type_id=type_id)
        if version.model.type_id != type_id:  # said anew of a folder that is there already
            Model.objects.filter(pk=version.model_id).update(type_id=type_id)
            note_change("model", version.model_id)
        shared = ensure_shared_deployment(version.model, min_replicas=0)
        if not is_here:
            Deployment.objects.filter(pk=shared.pk).update(is_enabled=False)
            note_change("deployment", shared.pk)
        failed = Deployment.objects.filter(model=version.model, version=None, state=Deployment.State.FAILED)
        for deployment in failed:
            begin_again(deployment)
            note_change("deployment", deployment.pk)
    return version


@transaction.atomic
def delete_model(user: User, model: Model) -> None:
    """The model, its versions, runs and shared deployment. Refused while somebody's deployment runs it."""
    require_role(user, model.app, Role.OWNER)
    own = Deployment.objects.filter(model=model, is_shared=False).select_related("owner").order_by("pk")
    if names := ", ".join(str(row) for row in own[:20]):
        raise ConflictError(
            f"The model {model.slug} is in use by the deployments {names}. Delete them first.",
            code=StatusCode.DEPLOYMENT_INVALID_REQUEST,
        )
    for deployment in Deployment.objects.filter(model=model):
        remove(deployment)
    pk, folders = model.pk, [Path(version.folder) for version in model.versions.all()]
    model.delete()
    note_change("model", pk)
    transaction.on_commit(lambda: _forget_copies(folders))


def _forget_copies(folders: list[Path]) -> None:
    """Of our own copies, those that no version is any more."""
    for folder in folders:
        if folder.parent == settings.MODELS_DIR and not ModelVersion.objects.filter(folder=str(folder)).exists():
            shutil.rmtree(folder, ignore_errors=True)
