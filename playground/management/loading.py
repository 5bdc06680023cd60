"""Loading a model once without a gateway: builds what it needs, starts it, keeps its signatures, and ends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playground.catalog.services import store_signatures
from playground.compute.controller import local_settings
from playground.compute.desired import spec_of
from playground.compute.engines.local import LocalEngine
from playground.compute.learning import ask_signatures
from playground.compute.models import Deployment

if TYPE_CHECKING:
    from clarifai_grpc.grpc.api import resources_pb2

    from playground.catalog.models import ModelVersion
    from playground.compute.engines.base import Observed, Spec


def load_once(deployment: Deployment, version: ModelVersion) -> Observed:
    """What became of it. Its states go to the terminal, as those of the gateway do."""
    spec = spec_of(deployment, version)
    observed, signatures = asyncio.run(_load(spec))
    if signatures:
        store_signatures(version, signatures)
    return observed


async def _load(spec: Spec) -> tuple[Observed, list[resources_pb2.MethodSignature]]:
    changed = asyncio.Event()
    engine = LocalEngine(local_settings(), lambda *_: changed.set(), lambda _: 0)
    try:
        engine.apply(spec, 1)
        while (observed := engine.observe(spec.id)) is None or not observed.is_settled:
            changed.clear()
            await changed.wait()
        if observed.state == Deployment.State.FAILED:
            return observed, []
        return observed, await ask_signatures(observed.endpoints[0])
    finally:
        await engine.close()
