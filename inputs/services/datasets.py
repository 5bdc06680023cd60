"""Datasets, named piles of an app's inputs: made empty, and deleted without what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api.status.status_code_pb2 import StatusCode
from django.db import transaction

from inputs.models import Dataset
from inputs.services.given import check_id
from playground.catalog.access import Role, require_role
from playground.protocol.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playground.catalog.models import App, User


@transaction.atomic
def create_dataset(user: User, app: App, slug: str) -> Dataset:
    """An empty one; putting inputs into one that is not there makes it too. Raises InputError, ConflictError."""
    require_role(user, app, Role.MEMBER)
    dataset, is_new = Dataset.objects.get_or_create(app=app, slug=check_id(slug.strip(), "A dataset's id"))
    if not is_new:
        words = f"The app {app} has a dataset {dataset.slug} already."
        raise ConflictError(words, code=StatusCode.DATABASE_DUPLICATE_KEY)
    return dataset


@transaction.atomic
def delete_datasets(user: User, app: App, slugs: Sequence[str]) -> None:
    """All of them or none; the inputs in them stay. Raises AccessError, NotFoundError."""
    require_role(user, app, Role.MEMBER)
    rows = Dataset.objects.filter(app=app, slug__in=list(slugs))
    if missing := sorted(set(slugs) - set(rows.values_list("slug", flat=True))):
        raise NotFoundError(f"The app {app} has no dataset {missing[0]}.")
    rows.delete()
