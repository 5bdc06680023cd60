"""What in a request is only an address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.protocol.encoding import Data


def remote_media(data: Data) -> Iterator[Any]:
    """Every picture, sound, film or text in a request that is only an address, at any depth.

    Fetched content takes its place before decoding: in ``base64`` (raw bytes), in ``raw`` of a text.
    """
    for name in ("image", "audio", "video"):
        if data.HasField(name) and (media := getattr(data, name)).url and not media.base64:
            yield media
    if data.HasField("text") and data.text.url and not data.text.raw:
        yield data.text
    for part in data.parts:
        yield from remote_media(part.data)
    for frame in data.frames:
        yield from remote_media(frame.data)
    for region in data.regions:
        mask = region.region_info.mask.image
        if mask.url and not mask.base64:
            yield mask
        yield from remote_media(region.data)
