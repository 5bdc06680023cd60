"""Whether we are up (``/healthz``) and whether a prediction could get through (``/readyz``): plain text, no session."""

from __future__ import annotations

import asyncio

import grpc
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from grpc_health.v1 import health_pb2

_DEADLINE_S = 1.0


async def healthz(request: HttpRequest) -> HttpResponse:
    return _plain("ok")


async def readyz(request: HttpRequest) -> HttpResponse:
    gateway, database = await asyncio.gather(is_gateway_serving(), sync_to_async(is_database_there)())
    if gateway and database:
        return _plain("ready")
    missing = [name for name, there in [("gateway", gateway), ("database", database)] if not there]
    response = _plain(f"not ready: no answer from {' and '.join(missing)}", status=503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # whoever asks each second knows already
    return response


async def is_gateway_serving() -> bool:
    """Ask the gateway's standard health service, over the very port that clients use."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.GATEWAY_HOST, settings.GATEWAY_HOST)
    address = f"{host}:{settings.GATEWAY_PORT}"
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await check(health_pb2.HealthCheckRequest(), timeout=_DEADLINE_S)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def is_database_there() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _plain(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain", headers={"Cache-Control": "no-store"})
