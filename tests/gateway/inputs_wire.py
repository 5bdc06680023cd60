"""Inputs over the wire, asked in a line: pictures, texts and the calls on them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from clarifai_grpc.grpc.api import resources_pb2, service_pb2
from PIL import Image

from tests.gateway.asking import new_id, whose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.gateway.live import Live

OWNER = whose("owner", "main")


def picture(width: int = 64, height: int = 48, kind: str = "PNG") -> bytes:
    """Noise: no two are alike."""
    stream = io.BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(stream, kind)
    return stream.getvalue()


def image(content: bytes | None = None, slug: str = "", **facts: Any) -> resources_pb2.Input:
    data = facts.pop("data", {})
    told = resources_pb2.Data(image=resources_pb2.Image(base64=content or picture()), **data)
    return resources_pb2.Input(id=slug or new_id("in"), data=told, **facts)


def text(words: str, slug: str = "", **facts: Any) -> resources_pb2.Input:
    data = facts.pop("data", {})
    told = resources_pb2.Data(text=resources_pb2.Text(raw=words), **data)
    return resources_pb2.Input(id=slug or new_id("in"), data=told, **facts)


def concept(name: str, value: float = 1.0) -> resources_pb2.Concept:
    return resources_pb2.Concept(id=name, name=name, value=value)


def region(name: str, left: float, top: float, right: float, bottom: float) -> resources_pb2.Region:
    box = resources_pb2.BoundingBox(left_col=left, top_row=top, right_col=right, bottom_row=bottom)
    return resources_pb2.Region(
        region_info=resources_pb2.RegionInfo(bounding_box=box), data=resources_pb2.Data(concepts=[concept(name)])
    )


def post(gateway: Live, *inputs: Any, user: str = "owner", **fields: Any) -> Any:
    request = service_pb2.PostInputsRequest(user_app_id=OWNER, inputs=inputs, **fields)
    return gateway.call("PostInputs", request, user=user)


def get(gateway: Live, slug: str, *, user: str = "owner") -> Any:
    return gateway.call("GetInput", service_pb2.GetInputRequest(user_app_id=OWNER, input_id=slug), user=user)


def listed(gateway: Live, *, user: str = "owner", **fields: Any) -> Any:
    return gateway.call("ListInputs", service_pb2.ListInputsRequest(user_app_id=OWNER, **fields), user=user)


def patch(gateway: Live, *inputs: Any, action: str = "merge", user: str = "owner") -> Any:
    request = service_pb2.PatchInputsRequest(user_app_id=OWNER, inputs=inputs, action=action)
    return gateway.call("PatchInputs", request, user=user)


def delete(gateway: Live, *slugs: str, user: str = "owner") -> Any:
    return gateway.call("DeleteInputs", service_pb2.DeleteInputsRequest(user_app_id=OWNER, ids=slugs), user=user)


def job(gateway: Live, slug: str, *, user: str = "owner") -> Any:
    request = service_pb2.GetInputsAddJobRequest(user_app_id=OWNER, id=slug)
    return gateway.call("GetInputsAddJob", request, user=user)


def ids(reply: Any) -> Sequence[str]:
    return [one.id for one in reply.inputs]
