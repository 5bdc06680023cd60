"""The table of contents: every page and every socket."""

from __future__ import annotations

from channels.routing import URLRouter
from django.urls import include, path, re_path

from playground.admin import site
from playground.doors import health
from playground.doors.sockets import nowhere
from playground.runs.consumers import RunConsumer

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", site.urls),
    path("", include("playground.catalog.urls")),
    path("media/", include("playground.media.urls")),
    path("inputs/", include("inputs.urls")),
    path("", include("playground.play.urls")),
]

sockets = URLRouter(
    [
        path("ws/runs/", RunConsumer.as_asgi()),
        re_path("", nowhere),  # type: ignore[arg-type]  # an ASGI application, for Channels' router
    ]
)

handler400 = "playground.middleware.bad_request"
handler403 = "playground.middleware.forbidden"
handler404 = "playground.middleware.not_found"
handler500 = "playground.middleware.server_error"
