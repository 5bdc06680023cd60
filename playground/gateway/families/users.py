"""GetUser: oneself, and owners of what one may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clarifai_grpc.grpc.api import resources_pb2, service_pb2

from playground.catalog.models import App, Model, User
from playground.compute.routing import ME
from playground.gateway.families.owners import write_time
from playground.protocol.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable


def find_user(caller: User, user_id: str) -> User:
    """``me`` and nothing mean the caller. Raises NotFoundError for whoever shares nothing with them."""
    if user_id in (*ME, caller.username):
        return caller
    owners = User.objects.filter(apps__in=App.objects.visible_to(caller)) | User.objects.filter(
        apps__models__in=Model.objects.visible_to(caller)
    )
    found = owners.filter(username=user_id).first()
    if found is None:
        raise NotFoundError(f"No user {user_id} for you. They do not exist, or share nothing with you.")
    return found


def get_user(caller: User, request: service_pb2.GetUserRequest) -> service_pb2.SingleUserResponse:
    user = find_user(caller, request.user_app_id.user_id)
    message = resources_pb2.User(id=user.username, first_name=user.first_name, last_name=user.last_name)
    write_time(message.created_at, user.date_joined)
    return service_pb2.SingleUserResponse(user=message)


HANDLERS: dict[str, Callable[..., object]] = {"GetUser": get_user}
