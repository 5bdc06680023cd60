"""A text's Markdown as HTML, for answers that are done: plain while they stream, formatted afterwards."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from playground.play.markdown import MAX_CHARACTERS, render
from playground.protocol.errors import InputError

MAX_BYTES = 4 * MAX_CHARACTERS


@login_required
@require_POST
def markdown(request: HttpRequest) -> HttpResponse:
    """The body's text, rendered. Raises InputError for one too long to format; it stays readable as it is."""
    if len(request.body) > MAX_BYTES:
        raise InputError(f"Texts of at most {MAX_CHARACTERS:,} characters are formatted.")
    text = request.body.decode("utf-8", "replace")
    if len(text) > MAX_CHARACTERS:
        raise InputError(f"Texts of at most {MAX_CHARACTERS:,} characters are formatted.")
    return HttpResponse(render(text))
