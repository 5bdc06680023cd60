"""The page of one's access tokens: made, shown once, ended."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from playground.catalog import tokens
from playground.catalog.forms import TokenForm
from playground.catalog.models import User
from playground.protocol.errors import ConflictError


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_tokens(request: HttpRequest) -> HttpResponse:
    """A new one is shown by the answer that made it, and by no other: so that is no redirect."""
    form = TokenForm(request.POST if request.method == "POST" else None)
    token = ""
    if form.is_bound and form.is_valid():
        try:
            token = tokens.create_token(_user(request), form.cleaned_data["name"], days=form.cleaned_data["days"])
        except ConflictError as error:
            form.add_error("name", error.message)
    is_refused = form.is_bound and not token
    context = {
        "form": form if is_refused else TokenForm(),
        "token": token,
        "token_name": form.cleaned_data["name"] if token else "",
        "tokens": tokens.list_tokens(_user(request)),
    }
    return render(request, "catalog/tokens.html", context, status=400 if is_refused else 200)


@login_required
@require_POST
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    row = tokens.revoke_own(_user(request), pk)
    messages.info(request, f"Revoked {row.name or row.prefix + '…'}. Calls with it are refused from now on.")
    return redirect("tokens")


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
