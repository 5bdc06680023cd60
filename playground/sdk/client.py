"""The two doors of the SDK, ``Client`` and ``AsyncClient``: twins written by hand, the same names in both worlds.

Beside ``model``, which calls one, each has what manages them: ``clusters``, ``nodepools``, ``deployments``, ``models``,
``apps`` and ``runners``, with ``list``, ``get``, ``create``, ``edit`` and ``delete`` where there is such an act; and
``inputs``, which uploads too, and ``workflows``, one of which ``workflow`` runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from playground.sdk.async_inputs import AsyncInputs
from playground.sdk.async_management import (
    AsyncApps,
    AsyncClusters,
    AsyncDeployments,
    AsyncModels,
    AsyncNodepools,
    AsyncRunners,
)
from playground.sdk.async_model import AsyncModel
from playground.sdk.async_workflows import AsyncWorkflow, AsyncWorkflows
from playground.sdk.calls import Signature
from playground.sdk.inputs import Inputs
from playground.sdk.link import AsyncLink, Link
from playground.sdk.management import Apps, Clusters, Deployments, Models, Nodepools, Runners
from playground.sdk.model import Model
from playground.sdk.workflows import Workflow, Workflows


class Client(Link):
    """Calls models from ordinary code; safe to share between threads.

    >>> with Client("http://127.0.0.1:8001", token) as client:
    ...     print(client.model("hello").predict("Ada"))

    ``token`` may be a function, asked before each call. ``timeout`` is for one answer, ``stream_timeout`` for a
    stream, in seconds; ``on_wait`` is told while a model is being deployed.
    """

    @cached_property
    def clusters(self) -> Clusters:
        return Clusters(self)

    @cached_property
    def nodepools(self) -> Nodepools:
        return Nodepools(self)

    @cached_property
    def deployments(self) -> Deployments:
        return Deployments(self)

    @cached_property
    def models(self) -> Models:
        return Models(self)

    @cached_property
    def apps(self) -> Apps:
        return Apps(self)

    @cached_property
    def runners(self) -> Runners:
        return Runners(self)

    @cached_property
    def inputs(self) -> Inputs:
        return Inputs(self)

    @cached_property
    def workflows(self) -> Workflows:
        return Workflows(self)

    def workflow(
        self,
        url: str | None = None,
        *,
        workflow_id: str = "",
        user_id: str = "",
        app_id: str = "",
        version_id: str = "",
    ) -> Workflow:
        """A workflow by its page's address or reference (``owner/main/workflows/people-pose``), or by its ids."""
        return Workflow(url, workflow_id=workflow_id, user_id=user_id, app_id=app_id, version_id=version_id, link=self)

    def model(
        self,
        url: str | None = None,
        *,
        model_id: str = "",
        user_id: str = "",
        app_id: str = "",
        version_id: str = "",
        deployment_id: str = "",
        deployment_user_id: str = "",
        compute_cluster_id: str = "",
        nodepool_id: str = "",
        signatures: Iterable[Signature] | None = None,
    ) -> Model:
        """A model by its page's address or reference (``hello``, ``owner/main/models/hello``), or by its ids."""
        return Model(
            url,
            model_id=model_id,
            user_id=user_id,
            app_id=app_id,
            version_id=version_id,
            deployment_id=deployment_id,
            deployment_user_id=deployment_user_id,
            compute_cluster_id=compute_cluster_id,
            nodepool_id=nodepool_id,
            signatures=signatures,
            link=self,
        )


class AsyncClient(AsyncLink):
    """Calls models from asynchronous code. Its connections belong to the loop that is running when a call is made.

    >>> async with AsyncClient("http://127.0.0.1:8001", token) as client:
    ...     print(await client.model("hello").predict("Ada"))

    ``token`` may be a function, asked before each call. ``timeout`` is for one answer, ``stream_timeout`` for a
    stream, in seconds; ``on_wait`` is told while a model is being deployed.
    """

    @cached_property
    def clusters(self) -> AsyncClusters:
        return AsyncClusters(self)

    @cached_property
    def nodepools(self) -> AsyncNodepools:
        return AsyncNodepools(self)

    @cached_property
    def deployments(self) -> AsyncDeployments:
        return AsyncDeployments(self)

    @cached_property
    def models(self) -> AsyncModels:
        return AsyncModels(self)

    @cached_property
    def apps(self) -> AsyncApps:
        return AsyncApps(self)

    @cached_property
    def runners(self) -> AsyncRunners:
        return AsyncRunners(self)

    @cached_property
    def inputs(self) -> AsyncInputs:
        return AsyncInputs(self)

    @cached_property
    def workflows(self) -> AsyncWorkflows:
        return AsyncWorkflows(self)

    def workflow(
        self,
        url: str | None = None,
        *,
        workflow_id: str = "",
        user_id: str = "",
        app_id: str = "",
        version_id: str = "",
    ) -> AsyncWorkflow:
        """A workflow by its page's address or reference (``owner/main/workflows/people-pose``), or by its ids."""
        return AsyncWorkflow(
            url, workflow_id=workflow_id, user_id=user_id, app_id=app_id, version_id=version_id, link=self
        )

    def model(
        self,
        url: str | None = None,
        *,
        model_id: str = "",
        user_id: str = "",
        app_id: str = "",
        version_id: str = "",
        deployment_id: str = "",
        deployment_user_id: str = "",
        compute_cluster_id: str = "",
        nodepool_id: str = "",
        signatures: Iterable[Signature] | None = None,
    ) -> AsyncModel:
        """A model by its page's address or reference (``hello``, ``owner/main/models/hello``), or by its ids."""
        return AsyncModel(
            url,
            model_id=model_id,
            user_id=user_id,
            app_id=app_id,
            version_id=version_id,
            deployment_id=deployment_id,
            deployment_user_id=deployment_user_id,
            compute_cluster_id=compute_cluster_id,
            nodepool_id=nodepool_id,
            signatures=signatures,
            link=self,
        )
