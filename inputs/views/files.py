"""Inputs' bytes over HTTP: only behind addresses that ``inputs.addresses`` signed, checked again when followed."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import Http404, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from inputs import addresses
from inputs.models import Input
from inputs.pictures import PREVIEW, THUMBNAIL, ensure_preview
from playground.catalog.models import User
from playground.media import views as media

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

_NOTHING = "Nothing is here for you. It does not exist, or is not shared with you."


@require_safe
def thumbnail(request: HttpRequest, token: str) -> HttpResponseBase:
    """The small picture that was made when the input was added."""
    row = _find(request, token)
    return row if not isinstance(row, Input) else _send_made(request, token, row, THUMBNAIL)


@require_safe
def preview(request: HttpRequest, token: str) -> HttpResponseBase:
    """The large picture, made when it is first looked at."""
    row = _find(request, token)
    if not isinstance(row, Input):
        return row
    unkept = ensure_preview(row)
    if unkept and row.reference is not None:
        return _short_lived(media.send_unkept(unkept, row.reference, PREVIEW, "image/webp"), token)
    return _send_made(request, token, row, PREVIEW)


@require_safe
def original(request: HttpRequest, token: str) -> HttpResponseBase:
    """The bytes as they were added, in ranges where asked; with ``?save`` to be saved whatever they are."""
    row = _find(request, token)
    if not isinstance(row, Input):
        return row
    if row.reference is None:
        raise Http404(_NOTHING)
    response = media.send(request, row.reference)
    if "save" in request.GET:
        response["Content-Disposition"] = content_disposition_header(True, row.title) or "attachment"
    return _short_lived(response, token)


def _find(request: HttpRequest, token: str) -> Input | HttpResponseBase:
    """The input that the address is about; a redirection to a fresh address where this one has lapsed meanwhile, for
    the very user whom it was made for."""
    ticket = addresses.read(token)
    if ticket is None:
        raise Http404(_NOTHING)
    user = User.objects.filter(pk=ticket.user_id, is_active=True).first()
    is_theirs = user is not None and request.user.pk == user.pk
    if user is None or not (is_theirs or ticket.is_for_program) or (ticket.has_lapsed and not is_theirs):
        raise Http404(_NOTHING)
    rows = Input.objects.visible_to(user).select_related("reference__blob")
    row = rows.filter(pk=ticket.input_id).first()
    if row is None:
        raise Http404(_NOTHING)
    if ticket.has_lapsed:
        assert request.resolver_match is not None
        fresh = reverse(f"inputs:{request.resolver_match.url_name}", args=[addresses.issue(user, row)])
        query = request.META.get("QUERY_STRING", "")
        return HttpResponseRedirect(f"{fresh}?{query}" if query else fresh, status=HTTPStatus.FOUND)
    return row


def _send_made(request: HttpRequest, token: str, row: Input, form: str) -> HttpResponseBase:
    if row.reference is None or not row.has_thumbnail:
        raise Http404(_NOTHING)
    return _short_lived(media.send_made(request, row.reference, form, "image/webp"), token)


def _short_lived(response: HttpResponseBase, token: str) -> HttpResponseBase:
    """Kept by the browser alone, and no longer than the address is good for."""
    ticket = addresses.read(token)
    if ticket is not None:
        response["Cache-Control"] = f"private, max-age={ticket.seconds_left}, immutable"
    return response
