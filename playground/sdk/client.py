"""The two doors of the SDK, ``Client`` and ``AsyncClient``: twins written by hand, the same names in both worlds."""

from __future__ import annotations

from collections.abc import Iterable

from playground.sdk.async_model import AsyncModel
from playground.sdk.calls import Signature
from playground.sdk.link import AsyncLink, Link
from playground.sdk.model import Model


class Client(Link):
    """Calls models from ordinary code; safe to share between threads.

    >>> with Client("http://127.0.0.1:8001", token) as client:
    ...     print(client.model("hello").predict("Ada"))

    ``token`` may be a function, asked before each call. ``timeout`` is for one answer, ``stream_timeout`` for a
    stream, in seconds; ``on_wait`` is told while a model is being deployed.
    """

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
