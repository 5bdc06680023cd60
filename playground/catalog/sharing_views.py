"""Pages on which apps are shared: those one has a role in, and each one's members and visibility."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from playground.catalog import sharing
from playground.catalog.access import Role, role_of
from playground.catalog.forms import MemberForm, VisibilityForm
from playground.catalog.models import PUBLIC, App, Model, User
from playground.protocol.errors import AccessError, InputError, NotFoundError, PlaygroundError

if TYPE_CHECKING:
    from collections.abc import Sequence


@login_required
@require_safe
def apps(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    found = App.objects.with_role(user).select_related("owner").annotate(models_count=Count("models"))
    rows = [(app, role_of(user, app)) for app in found.order_by("owner__username", "slug")]
    return render(request, "catalog/apps.html", {"rows": rows, "PUBLIC": PUBLIC})


@login_required
@require_safe
def settings(request: HttpRequest, user_id: str, app_id: str) -> HttpResponse:
    """Who is in the app and what in it is public: to be read by its members, to be changed by its owners."""
    return _show(request, _find(request, user_id, app_id), MemberForm())


@login_required
@require_POST
def add_member(request: HttpRequest, user_id: str, app_id: str) -> HttpResponse:
    """Also the way to another role."""
    app = _find(request, user_id, app_id)
    form = MemberForm(request.POST)
    if form.is_valid():
        try:
            member = sharing.set_member(_user(request), app, form.cleaned_data["name"], form.cleaned_data["role"])
        except AccessError:
            raise
        except PlaygroundError as error:
            form.add_error("name", error.message)
        else:
            return _done(request, app, f"{member.user.username} is {member.role} of {app}.")
    return _show(request, app, form, status=400)


@login_required
@require_POST
def remove_member(request: HttpRequest, user_id: str, app_id: str) -> HttpResponse:
    app, user, name = _find(request, user_id, app_id), _user(request), request.POST.get("name", "")
    sharing.remove_member(user, app, name)
    if name == user.username and role_of(user, app) is None:
        messages.info(request, f"You left {app}.")
        return redirect("apps")
    return _done(request, app, f"{name} is no member of {app} any more.")


@login_required
@require_POST
def change_visibility(request: HttpRequest, user_id: str, app_id: str) -> HttpResponse:
    app = _find(request, user_id, app_id)
    form = VisibilityForm(request.POST)
    if not form.is_valid():
        raise InputError(" ".join(_words(form.errors.values())))
    thing = _thing(app, form.cleaned_data["model"])
    sharing.set_visibility(_user(request), thing, form.cleaned_data["visibility"])
    return _done(request, app, f"{thing} is {thing.get_visibility_display()}.")


def _words(errors: Any) -> Sequence[str]:
    return [str(error) for each in errors for error in each]


def _thing(app: App, model_id: str) -> App | Model:
    if not model_id:
        return app
    found = app.models.filter(slug=model_id).first()
    if found is None:
        raise NotFoundError(f"The app {app} has no model {model_id}.")
    return found


def _find(request: HttpRequest, user_id: str, app_id: str) -> App:
    """The app at an address, for whom has a role in it; Http404 in the same words for none and for a hidden one."""
    rows = App.objects.with_role(_user(request)).select_related("owner")
    found = rows.filter(owner__username=user_id, slug=app_id).first()
    if found is None:
        raise Http404(f"No app {user_id}/{app_id} for you.")
    return found


def _show(request: HttpRequest, app: App, form: MemberForm, *, status: int = 200) -> HttpResponse:
    role = role_of(_user(request), app)
    context = {
        "app": app,
        "role": role,
        "is_owner": role is Role.OWNER,
        "is_member": app.memberships.filter(user=_user(request)).exists(),
        "members": sharing.members_of(app),
        "models": app.models.order_by("slug"),
        "roles": Role,
        "form": form,
        "PUBLIC": PUBLIC,
    }
    return render(request, "catalog/app_settings.html", context, status=status)


def _done(request: HttpRequest, app: App, words: str) -> HttpResponse:
    messages.info(request, words)
    return redirect("app_settings", app.owner.username, app.slug)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
