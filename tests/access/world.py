"""An app with everybody in it that matters: who owns it, who may what in it, and who has nothing to do with it."""

from __future__ import annotations

from pathlib import Path

from playground.catalog.models import PUBLIC, AccessToken, App, Membership, Model, User
from playground.catalog.services import add_model
from playground.catalog.tokens import create_token, revoke_token
from playground.compute.models import Cluster, Deployment, Nodepool, Placement
from playground.compute.services import ensure_shared_deployment
from playground.compute.setup import ensure_shared_nodepool

Role = Membership.Role

# Who owns the app, the members by their role, a stranger, an administrator; and one who may not come in any more.
OWNER, CO_OWNER, MEMBER, VIEWER, STRANGER, ADMIN, SHUT_OUT = PEOPLE = (
    "olive",
    "otto",
    "merle",
    "vera",
    "stan",
    "ada",
    "sam",
)


def make(folder: Path) -> None:
    """The people; olive's app with the private model ``echo`` and the public ``open``; deployments of some of them."""
    people = {name: User.objects.create_user(name) for name in PEOPLE}
    ensure_shared_nodepool(_administrator(people[ADMIN]))
    app = App.objects.create(owner=people[OWNER], slug="main")
    for name, role in ((CO_OWNER, Role.OWNER), (MEMBER, Role.MEMBER), (VIEWER, Role.VIEWER), (SHUT_OUT, Role.MEMBER)):
        Membership.objects.create(app=app, user=people[name], role=role)
    private = add_model(app, folder, model_id="echo").model
    opened = add_model(app, folder, model_id="open").model
    Model.objects.filter(pk=opened.pk).update(visibility=PUBLIC)
    for model in (private, opened):
        ensure_shared_deployment(model)
    _deploy(people[OWNER], "for-all", private, visibility=PUBLIC)
    _deploy(people[OWNER], "olives", private)
    _deploy(people[MEMBER], "merles", private)
    User.objects.filter(username=SHUT_OUT).update(is_active=False)


def _administrator(user: User) -> User:
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def _deploy(owner: User, slug: str, model: Model, **fields: int) -> None:
    """On a nodepool of the owner's own, so that it has an address by place too."""
    cluster, _ = Cluster.objects.get_or_create(owner=owner, slug=f"{owner.username}-cluster")
    nodepool = Nodepool.objects.create(cluster=cluster, slug=slug)
    made = Deployment.objects.create(owner=owner, slug=slug, model=model, nodepool=nodepool, min_replicas=0, **fields)
    Placement.objects.create(deployment=made, nodepool=nodepool)


def tokens() -> dict[str, str]:
    """A token of each person, and ``revoked``, which was one of olive's."""
    found = {name: create_token(User.objects.get(username=name), "test") for name in PEOPLE}
    found["revoked"] = create_token(User.objects.get(username=OWNER), "old")
    revoke_token(AccessToken.objects.get(name="old"))
    return found
