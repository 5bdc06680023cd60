"""No request body is larger than one part of an upload: refused by its header, or counted as it comes."""

from __future__ import annotations

from playground.doors.shapes import Application, Event, Receive, Scope, Send


class _TooLargeError(Exception):
    pass


class BodyDoor:
    """Answers 413 to bodies past ``limit`` bytes. (Before Daphne, which reads bodies whole, stands a stricter one.)"""

    def __init__(self, application: Application, *, limit: int) -> None:
        self.application = application
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        claimed = dict(scope["headers"]).get(b"content-length", b"0")
        if not claimed.isdigit() or int(claimed) > self.limit:
            await refuse(send)
            return
        taken, has_started = 0, False

        async def counted() -> Event:
            nonlocal taken
            event: Event = await receive()
            if event["type"] == "http.request":
                taken += len(event.get("body", b""))
                if taken > self.limit:
                    raise _TooLargeError
            return event

        async def watched(event: Event) -> None:
            nonlocal has_started
            has_started = True
            await send(event)

        try:
            await self.application(scope, counted, watched)
        except _TooLargeError:
            if not has_started:
                await refuse(send)


async def refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers, "trailers": False})
    await send({"type": "http.response.body", "body": b"The body is too large.\n", "more_body": False})
