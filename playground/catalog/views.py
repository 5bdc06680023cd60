"""Signing in and out."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import get_script_prefix
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from playground.catalog import attempts
from playground.catalog.forms import SignInForm

_BACKEND = "django.contrib.auth.backends.ModelBackend"


@never_cache
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Takes a pasted link or an access token; a signed-in visitor goes on at once."""
    target = _next_of(request)
    if request.method == "GET" and request.user.is_authenticated:
        return redirect(target)
    if request.method == "POST" and attempts.is_exhausted(request):
        return show_sign_in(request, SignInForm(), problem=attempts.TOO_MANY, status=429)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.user, backend=_BACKEND)
        return redirect(target)
    if form.errors:
        attempts.note_failure(request)
    return show_sign_in(request, form, status=403 if form.errors else 200)


def sign_in_by_link(request: HttpRequest) -> HttpResponse:
    """Exchange ``?token=…`` on any page for the session cookie, and redirect to the same page without it."""
    token = request.GET["token"]
    if attempts.is_exhausted(request):
        return show_sign_in(request, SignInForm(), problem=attempts.TOO_MANY, status=429)
    form = SignInForm({"token": token})
    if form.is_valid():
        if request.user != form.user:
            login(request, form.user, backend=_BACKEND)
    elif not request.user.is_authenticated:
        attempts.note_failure(request)
        return show_sign_in(request, SignInForm(), problem=str(form.errors["token"][0]), status=403)
    rest = request.GET.copy()
    del rest["token"]
    path = "/" + request.path.lstrip("/\\")  # "//elsewhere/" would leave this host
    response = HttpResponseRedirect(f"{path}?{rest.urlencode()}" if rest else path)
    response["Cache-Control"] = "no-store"
    return response


def show_sign_in(request: HttpRequest, form: SignInForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"form": form, "problem": problem, "next": _next_of(request)}
    return render(request, "catalog/sign_in.html", context, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("signin")


def _next_of(request: HttpRequest) -> str:
    """Where to go after signing in: the page that was asked for, if it is one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return get_script_prefix()
