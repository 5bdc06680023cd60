"""Calls the models of a workflow through a client of the SDK: in its user's name, by the way of every other call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

from playground.sdk.graphs.working import Call

if TYPE_CHECKING:
    from playground.sdk.calls import Answer, Waiting
    from playground.sdk.client import AsyncClient
    from playground.sdk.graphs.planning import Step


def call_through(
    client: AsyncClient,
    *,
    seconds: float | None = None,
    on_wait: Callable[[str, Waiting], None] | None = None,
    selectors: Mapping[str, Mapping[str, str]] | None = None,
) -> Call:
    """How ``run_plan`` calls models. ``on_wait`` is told which node waits for its model; ``selectors`` send nodes, by
    their ids, elsewhere than they say; ``seconds`` is the deadline of each call."""

    async def call(step: Step, arguments: Mapping[str, Any]) -> AsyncIterator[Answer]:
        node, signature = step.node, step.signature
        assert node.model is not None
        assert signature is not None
        told = None if on_wait is None else (lambda waiting: on_wait(node.id, waiting))
        model = client.model(
            model_id=node.model.model_id,
            user_id=node.model.user_id,
            app_id=node.model.app_id,
            version_id=node.model.version_id,
            signatures=[signature],
            **((selectors or {}).get(node.id) or node.selector),
        )
        if not step.streams:
            yield await model.call(signature.name, arguments, deadline=seconds, on_wait=told)
            return
        async with model.open_stream(signature.name, arguments, deadline=seconds, on_wait=told) as stream:
            async for answer in stream:
                yield answer

    return call
