"""Workflows from asynchronous code: what the catalog has, and predictions; the twins of ``workflows.py``."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Sequence
from pathlib import Path

from clarifai_grpc.grpc.api import resources_pb2

from playground.sdk import workflow_asks
from playground.sdk.async_management import Family
from playground.sdk.calls import Data
from playground.sdk.link import AsyncLink, Token
from playground.sdk.new_inputs import NewInput
from playground.sdk.oldform import read_file
from playground.sdk.resources import Visibility
from playground.sdk.workflow_asks import Deployments, OutputConfig, Results, WorkflowInfo


class AsyncWorkflows(Family):
    """``client.workflows``: what the catalog has; ``client.workflow(…)`` predicts with one."""

    async def list(self, *, user_id: str = "", app_id: str = "") -> builtins.list[WorkflowInfo]:
        """One's own, or those of ``user_id`` that one may see."""
        return await self._all(workflow_asks.list_workflows(user_id, app_id))

    async def get(self, reference: str) -> WorkflowInfo:
        """By ``people-pose`` or ``owner/main/workflows/people-pose``."""
        return await self._do(workflow_asks.get_workflow(reference))

    async def create(
        self,
        workflow_id: str,
        yaml: str,
        *,
        app_id: str = "main",
        user_id: str = "",
        description: str | None = None,
        visibility: Visibility | None = None,
    ) -> WorkflowInfo:
        """From its YAML. Raises InputError with all that is wrong with it, by lines; ConflictError for an id in use."""
        asked = workflow_asks.create_workflow(workflow_id, yaml, app_id, user_id, description, visibility)
        return await self._do(asked)

    async def edit(
        self,
        reference: str,
        *,
        yaml: str | None = None,
        description: str | None = None,
        visibility: Visibility | None = None,
    ) -> WorkflowInfo:
        """Other YAML is a new version; what is None stays as it is."""
        return await self._do(workflow_asks.edit_workflow(reference, yaml, description, visibility))

    async def delete(self, reference: str) -> None:
        """With its versions and runs."""
        await self._do(workflow_asks.delete_workflow(reference))


class AsyncWorkflow(Family):
    """A workflow, by its page's address or reference, or by its ids.

    >>> workflow = AsyncWorkflow("http://127.0.0.1:8000/owner/main/workflows/people-pose", token=token)
    >>> reply = await workflow.predict_by_filepath("street.jpg")
    >>> for output in reply.results[0].outputs:
    ...     print(output.id, output.data.regions)

    A reply has a result for each input, with an output for each node, in order, under the node's id.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        workflow_id: str = "",
        user_id: str = "",
        app_id: str = "",
        version_id: str = "",
        base_url: str | None = None,
        pat: Token = None,
        token: Token = None,
        link: AsyncLink | None = None,
    ) -> None:
        self._address = workflow_asks.find_workflow(url, workflow_id, user_id, app_id, version_id)
        super().__init__(link if link is not None else AsyncLink(base_url, pat if token is None else token))

    async def predict(
        self,
        inputs: Sequence[resources_pb2.Input | NewInput | Data],
        *,
        output_config: OutputConfig = None,
        deployments: Deployments = None,
    ) -> Results:
        """On up to 32 inputs. ``deployments`` send nodes, by their ids, to deployments of one's own choice.

        Raises MixedError, which holds the reply, where only some nodes or inputs failed.
        """
        return await self._do(workflow_asks.predict(self._address, inputs, output_config, deployments))

    async def predict_by_bytes(
        self,
        input_bytes: bytes,
        input_type: str | None = None,
        *,
        output_config: OutputConfig = None,
        deployments: Deployments = None,
    ) -> Results:
        """Without an ``input_type``, the bytes tell what they are."""
        data = workflow_asks.by_bytes(input_bytes, input_type)
        return await self.predict([data], output_config=output_config, deployments=deployments)

    async def predict_by_filepath(
        self,
        filepath: str | Path,
        input_type: str | None = None,
        *,
        output_config: OutputConfig = None,
        deployments: Deployments = None,
    ) -> Results:
        data = workflow_asks.by_bytes(await asyncio.to_thread(read_file, filepath), input_type)
        return await self.predict([data], output_config=output_config, deployments=deployments)

    async def predict_by_url(
        self,
        url: str,
        input_type: str | None = None,
        *,
        output_config: OutputConfig = None,
        deployments: Deployments = None,
    ) -> Results:
        """The server fetches it. Without an ``input_type``, the address's ending tells what it leads to."""
        data = workflow_asks.by_url(url, input_type)
        return await self.predict([data], output_config=output_config, deployments=deployments)

    async def info(self) -> WorkflowInfo:
        """What the catalog has of it."""
        at = self._address
        owner = at.user_id or "me"
        return await self._do(workflow_asks.get_workflow(f"{owner}/{at.app_id}/workflows/{at.workflow_id}"))

    async def close(self) -> None:
        await self._link.close()
