"""The table of contents: every page and every socket."""

from __future__ import annotations

from importlib.util import find_spec

from channels.routing import URLRouter
from django.urls import include, path

from playground.doors import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("", include("playground.catalog.urls")),
]
# While the rooms are still being built, those that stand are open.
if find_spec("playground.media.urls"):
    urlpatterns.append(path("media/", include("playground.media.urls", namespace="media")))
if find_spec("playground.play.urls"):
    urlpatterns.append(path("", include("playground.play.urls", namespace="play")))

handler400 = "playground.middleware.bad_request"
handler403 = "playground.middleware.forbidden"
handler404 = "playground.middleware.not_found"
handler500 = "playground.middleware.server_error"

sockets = []
if find_spec("playground.runs.consumers"):
    from playground.runs.consumers import RunConsumer

    sockets.append(path("ws/runs/", RunConsumer.as_asgi()))
socket_router = URLRouter(sockets)
