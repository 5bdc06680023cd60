"""The one door for pages and sockets. Any ASGI server can stand in front of it; ``manage.py web`` starts Daphne.

From the outside in: addresses put right, static files, then Django for pages; origin and session, then the routes of
``urls.py`` for sockets; on servers that know lifespan, running work is flushed at its end.
"""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
pages = get_asgi_application()  # sets Django up: what is imported below needs that

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from playground.doors import static  # noqa: E402
from playground.doors.bodies import BodyDoor  # noqa: E402
from playground.doors.lifespan import Lifespan  # noqa: E402
from playground.doors.proxies import AddressDoor  # noqa: E402
from playground.doors.sockets import OriginDoor, SocketLimits  # noqa: E402
from playground.urls import sockets  # noqa: E402

application = AddressDoor(
    ProtocolTypeRouter(
        {
            "http": static.serve(BodyDoor(pages, limit=settings.MAX_BODY_BYTES)),
            "websocket": OriginDoor(SocketLimits(AuthMiddlewareStack(sockets), limit=settings.MAX_SOCKET_BYTES)),
            "lifespan": Lifespan(),
        }
    ),
    trusted=settings.TRUSTED_PROXIES,
    sub_path=settings.SUB_PATH,
)
