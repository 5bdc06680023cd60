"""The SDK: calls models of a playground (or of any V2 service) from Python, in ordinary or asynchronous code.

>>> from playground.sdk import Model
>>> Model("http://127.0.0.1:8000/owner/main/models/hello", token=token).predict("Ada")
'Hello, Ada!'
"""

from __future__ import annotations

from playground.protocol.errors import (
    AccessError,
    ConfigError,
    ConflictError,
    DeadlineError,
    DeployingError,
    InputError,
    ModelError,
    NotFoundError,
    OverloadedError,
    PlaygroundError,
    ServerError,
    StoppedError,
    UnavailableError,
)
from playground.protocol.values import JSON, Audio, Concept, Frame, Image, NamedFields, Region, Text, Video
from playground.sdk.calls import Answer, ModelAddress, ServedBy, Waiting, parse_reference
from playground.sdk.client import AsyncClient, Client
from playground.sdk.model import AsyncModel, Model
from playground.sdk.streams import AsyncStream, Stream

__all__ = [
    "JSON",
    "AccessError",
    "Answer",
    "AsyncClient",
    "AsyncModel",
    "AsyncStream",
    "Audio",
    "Client",
    "Concept",
    "ConfigError",
    "ConflictError",
    "DeadlineError",
    "DeployingError",
    "Frame",
    "Image",
    "InputError",
    "Model",
    "ModelAddress",
    "ModelError",
    "NamedFields",
    "NotFoundError",
    "OverloadedError",
    "PlaygroundError",
    "Region",
    "ServedBy",
    "ServerError",
    "StoppedError",
    "Stream",
    "Text",
    "UnavailableError",
    "Video",
    "Waiting",
    "parse_reference",
]
