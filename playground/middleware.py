"""What happens to each page on its way: its id, its headers, the link that signs in, and our errors made into pages."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

import grpc
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render, resolve_url
from django.template import TemplateDoesNotExist

from playground.catalog.views import sign_in_by_link
from playground.doors.logs import current_request_id
from playground.protocol.errors import PlaygroundError

logger = logging.getLogger(__name__)
Next = Callable[[HttpRequest], HttpResponseBase]

_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.ABORTED: 502,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


POLICY = "; ".join(
    [
        "default-src 'self'",
        "style-src-attr 'unsafe-inline'",  # bars and boxes carry their figures in style attributes
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    ]
)


class RequestIdMiddleware:
    """Names each request: the id stands in the reply, in the log, and on the page of an error."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.request_id = secrets.token_hex(8)  # type: ignore[attr-defined]
        current_request_id.set(request.request_id)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response


# Pages on which a person names pictures by URL show them from where they are.
POLICY_WITH_PICTURES = POLICY.replace("img-src 'self' data: blob:", "img-src 'self' data: blob: http: https:")


class SecurityHeadersMiddleware:
    """A page loads from here alone, and nothing inline; answers with a policy of their own (stored bytes) keep it.

    A view that sets ``response.shows_pictures`` lets pictures, and nothing else, come from anywhere.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        policy = POLICY_WITH_PICTURES if getattr(response, "shows_pictures", False) else POLICY
        response.setdefault("Content-Security-Policy", policy)
        response.setdefault("Permissions-Policy", "camera=(self), microphone=(self), geolocation=()")
        return response


class LinkMiddleware:
    """``?token=…`` signs in on any page that is fetched."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "GET" and "token" in request.GET:
            return sign_in_by_link(request)
        return self.get_response(request)


class ErrorMiddleware:
    """Makes a ``PlaygroundError`` the page, partial or JSON that was asked for, with the request's id."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.htmx and response.status_code == 302 and _leads_to_sign_in(response):  # type: ignore[attr-defined]
            here = request.htmx.current_url_abs_path or request.get_full_path()  # type: ignore[attr-defined]
            target = redirect_to_login(here)["Location"]
            return HttpResponse(status=204, headers={"HX-Redirect": target})
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PlaygroundError):
            return None
        status = _STATUS.get(error.grpc_code, 500)
        logger.log(logging.ERROR if status >= 500 else logging.INFO, "%s: %s", error.name, error.message)
        return show_error(request, title=error.message, status=status, details=error.details, name=error.name)


def _leads_to_sign_in(response: HttpResponseBase) -> bool:
    return response["Location"].startswith(resolve_url(settings.LOGIN_URL))


def show_error(
    request: HttpRequest, *, title: str, status: int, details: str = "", name: str = "", remedy: str = ""
) -> HttpResponse:
    """An error as a page, as a partial for htmx, or as JSON for modules that ask for it."""
    request_id = getattr(request, "request_id", "")
    if "application/json" in request.headers.get("Accept", ""):
        body = {"name": name, "message": title, "request_id": request_id}
        return JsonResponse({"error": body}, status=status)
    template = "errors/_error.html" if getattr(request, "htmx", False) else "errors/error.html"
    context = {"title": title, "status": status, "details": details, "remedy": remedy, "request_id": request_id}
    try:
        return render(request, template, context, status=status)
    except TemplateDoesNotExist:
        logger.exception("A template of the error page is missing")
        return HttpResponse(f"{title}\n", status=status, content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return show_error(request, title="The server cannot read this request.", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    remedy = "Reload the page, then try again." if reason else "Sign in as someone who may."
    return show_error(request, title="This is not allowed for you.", status=403, remedy=remedy)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    title = "Nothing is here for you. It does not exist, or is not shared with you."
    return show_error(request, title=title, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """The last resort: no template, no session, no database, as any of them may be what failed."""
    request_id = getattr(request, "request_id", "")
    text = f"The server failed on this page. Its log tells why, under request {request_id}.\n"
    return HttpResponse(text, status=500, content_type="text/plain")
