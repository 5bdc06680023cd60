"""The list of models, the list that leads from one model to another, and what an author says about one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from playground.catalog.models import Model
from playground.play.markdown import render as render_markdown
from playground.play.queries.models import find_model, likely_models, list_models, rows_of, tally_models
from playground.play.views.asking import user_of

PAGE_SIZE = 50
SWITCH_SIZE = 30
# Whoever goes to another model stays at the same tab.
_TABS = {
    "deployments": "play:model_deployments",
    "runs": "play:model_runs",
    "api": "play:model_api",
    "versions": "play:model_versions",
}


@login_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """``q``, ``type`` and ``state`` filter, ``sort=used`` puts those first that one used last."""
    user = user_of(request)
    text, type_id, state = (request.GET.get(name, "").strip() for name in ("q", "type", "state"))
    by_use = request.GET.get("sort") == "used"
    found = list_models(user, text=text, type_id=type_id, state=state, by_use=by_use).values_list("pk", flat=True)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "area": "models",
        "rows": rows_of(user, list(page.object_list)),
        "page": page,
        "text": text,
        "type": type_id,
        "wanted": state,
        "is_narrowed": bool(text or type_id or state),
        "by_use": by_use,
        # The table that asks anew each few seconds leaves the filters as they are.
        "tally": None if request.headers.get("HX-Request") else tally_models(user),
    }
    return render(request, "play/models.html", context)


@login_required
@require_safe
def model_switch(request: HttpRequest) -> HttpResponse:
    """The models that match ``q``, the likeliest first, each with its address at the same ``tab``."""
    user = user_of(request)
    text = request.GET.get("q", "").strip()
    found = likely_models(user, text).values_list("pk", flat=True)
    rows = rows_of(user, list(found[:SWITCH_SIZE]))
    context = {
        "text": text,
        "total": found.count(),
        "entries": [(row, _address(row.model, request.GET.get("tab", ""))) for row in rows],
        "current": request.GET.get("model", ""),
    }
    return render(request, "play/_switch_list.html", context)


def _address(model: Model, tab: str) -> str:
    if tab not in _TABS:
        return model.get_absolute_url()
    return reverse(_TABS[tab], args=[model.app.owner.username, model.app.slug, model.slug])


@login_required
@require_safe
def model_about(request: HttpRequest, user_id: str, app_id: str, model_id: str) -> HttpResponse:
    """The description from the model's folder."""
    found = find_model(user_of(request), user_id, app_id, model_id)
    return render(request, "play/_about_words.html", {"words": render_markdown(found.description, breaks=False)})
