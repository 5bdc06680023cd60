"""The list of models."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from playground.play.queries.models import list_models, rows_of
from playground.play.views.asking import user_of

PAGE_SIZE = 50


@login_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()
    user = user_of(request)
    found = list_models(user, text=text).values_list("pk", flat=True)
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = rows_of(user, list(page.object_list))
    return render(request, "play/models.html", {"area": "models", "rows": rows, "page": page, "text": text})
