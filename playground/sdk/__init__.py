"""The SDK: calls models of a playground (or of any V2 service) from Python, in ordinary or asynchronous code.

>>> from playground.sdk import Model
>>> Model("http://127.0.0.1:8000/owner/main/models/hello", token=token).predict("Ada")
'Hello, Ada!'

A name is loaded from its module when it is first asked for: importing the package costs what gRPC costs, and a program
that only reads answers never loads what only calls need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import grpc  # noqa: F401  what every name here stands on: loaded with the package, so that the first call is not slow
from clarifai_grpc.grpc.api import service_pb2  # noqa: F401  likewise

if TYPE_CHECKING:
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
    from playground.sdk.async_inputs import AsyncInputs
    from playground.sdk.async_model import AsyncModel
    from playground.sdk.async_workflows import AsyncWorkflow
    from playground.sdk.calls import Answer, ModelAddress, ServedBy, Waiting, parse_reference
    from playground.sdk.client import AsyncClient, Client
    from playground.sdk.input_asks import InputInfo, Uploaded
    from playground.sdk.inputs import Inputs
    from playground.sdk.model import Model
    from playground.sdk.new_inputs import NewInput
    from playground.sdk.resources import (
        App,
        Cluster,
        Deployment,
        InstanceType,
        ModelInfo,
        Nodepool,
        Runner,
        VersionInfo,
    )
    from playground.sdk.streams import AsyncStream, Stream
    from playground.sdk.workflow_asks import MixedError, WorkflowInfo
    from playground.sdk.workflows import Workflow

_HOMES = {
    "AccessError": "playground.protocol.errors",
    "Answer": "playground.sdk.calls",
    "App": "playground.sdk.resources",
    "AsyncClient": "playground.sdk.client",
    "AsyncInputs": "playground.sdk.async_inputs",
    "AsyncModel": "playground.sdk.async_model",
    "AsyncStream": "playground.sdk.streams",
    "AsyncWorkflow": "playground.sdk.async_workflows",
    "Audio": "playground.protocol.values",
    "Client": "playground.sdk.client",
    "Cluster": "playground.sdk.resources",
    "Concept": "playground.protocol.values",
    "ConfigError": "playground.protocol.errors",
    "ConflictError": "playground.protocol.errors",
    "DeadlineError": "playground.protocol.errors",
    "DeployingError": "playground.protocol.errors",
    "Deployment": "playground.sdk.resources",
    "Frame": "playground.protocol.values",
    "Image": "playground.protocol.values",
    "InputError": "playground.protocol.errors",
    "InputInfo": "playground.sdk.input_asks",
    "Inputs": "playground.sdk.inputs",
    "InstanceType": "playground.sdk.resources",
    "JSON": "playground.protocol.values",
    "MixedError": "playground.sdk.workflow_asks",
    "Model": "playground.sdk.model",
    "ModelAddress": "playground.sdk.calls",
    "ModelError": "playground.protocol.errors",
    "ModelInfo": "playground.sdk.resources",
    "NamedFields": "playground.protocol.values",
    "NewInput": "playground.sdk.new_inputs",
    "Nodepool": "playground.sdk.resources",
    "NotFoundError": "playground.protocol.errors",
    "OverloadedError": "playground.protocol.errors",
    "PlaygroundError": "playground.protocol.errors",
    "Region": "playground.protocol.values",
    "Runner": "playground.sdk.resources",
    "ServedBy": "playground.sdk.calls",
    "ServerError": "playground.protocol.errors",
    "StoppedError": "playground.protocol.errors",
    "Stream": "playground.sdk.streams",
    "Text": "playground.protocol.values",
    "UnavailableError": "playground.protocol.errors",
    "Uploaded": "playground.sdk.input_asks",
    "VersionInfo": "playground.sdk.resources",
    "Video": "playground.protocol.values",
    "Waiting": "playground.sdk.calls",
    "Workflow": "playground.sdk.workflows",
    "WorkflowInfo": "playground.sdk.workflow_asks",
    "parse_reference": "playground.sdk.calls",
}


def __getattr__(name: str) -> Any:
    """Load ``name`` from its home, once: PEP 562."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "JSON",
    "AccessError",
    "Answer",
    "App",
    "AsyncClient",
    "AsyncInputs",
    "AsyncModel",
    "AsyncStream",
    "AsyncWorkflow",
    "Audio",
    "Client",
    "Cluster",
    "Concept",
    "ConfigError",
    "ConflictError",
    "DeadlineError",
    "DeployingError",
    "Deployment",
    "Frame",
    "Image",
    "InputError",
    "InputInfo",
    "Inputs",
    "InstanceType",
    "MixedError",
    "Model",
    "ModelAddress",
    "ModelError",
    "ModelInfo",
    "NamedFields",
    "NewInput",
    "Nodepool",
    "NotFoundError",
    "OverloadedError",
    "PlaygroundError",
    "Region",
    "Runner",
    "ServedBy",
    "ServerError",
    "StoppedError",
    "Stream",
    "Text",
    "UnavailableError",
    "Uploaded",
    "VersionInfo",
    "Video",
    "Waiting",
    "Workflow",
    "WorkflowInfo",
    "parse_reference",
]
