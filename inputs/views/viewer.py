"""The Input-Viewer: one input, large; as a page, and as JSON for the module that goes from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from inputs.models import Concept, Input
from inputs.queries import Filter, find_input
from inputs.queries.picked import unpack
from inputs.views.facts import Seen, facts_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from playground.catalog.models import User

KNOWN_CONCEPTS = 500


@require_safe
@login_required
def viewer(request: HttpRequest, input_id: str) -> HttpResponse:
    seen, row = find(request, input_id)
    facts = facts_of(seen, row)
    response: HttpResponse
    if "application/json" in request.headers.get("Accept", ""):
        response = JsonResponse(facts)
    else:
        context = {
            "area": "inputs",
            "facts": facts,
            "socket": f"{settings.SUB_PATH}/ws/runs/",
            "known_concepts": Concept.objects.filter(app=row.app).order_by("name")[:KNOWN_CONCEPTS],
        }
        response = render(request, "inputs/viewer.html", context)
    # One address for both: neither is shown in the other's place by a browser that goes back.
    patch_vary_headers(response, ["Accept"])
    response["Cache-Control"] = "private, no-store"
    return response


def find(request: HttpRequest, input_id: str) -> tuple[Seen, Input]:
    """The input an address names, and who looks at it how. Raises NotFoundError."""
    user: User = request.user  # type: ignore[assignment] # stands behind login_required
    row = find_input(user, input_id, request.GET.get("app", ""))
    picked = request.GET.get("of", "")
    is_among = bool(picked) and row.pk in unpack(picked)
    return Seen(user, row.app, Filter.from_query(request.GET), picked if is_among else ""), row
