"""The Input-Viewer: one input, large."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.decorators import login_required
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inputs import addresses
from inputs.queries import find_input

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
@login_required
def viewer(request: HttpRequest, input_id: str) -> HttpResponse:
    found = find_input(request.user, input_id, request.GET.get("app", ""))
    context = {"input": found, "preview": addresses.preview(request.user, found)}
    return render(request, "inputs/viewer.html", context)
