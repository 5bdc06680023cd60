"""Questions about inputs: which there are in an app, how many, what stands beside one. Nothing is changed here.

app = find_app(user, "olive/main")                  # or the user's own, for ""
wanted = Filter.from_query(request.GET)
found = page(user, app, wanted, after=request.GET.get("after", ""))
found.rows, found.next, found.previous              # the cursors are "" at the ends
count(user, app, wanted)                            # 2918, or "10,000+"
"""

from __future__ import annotations

from inputs.queries.facets import Facets, concepts_of, datasets_of, facets
from inputs.queries.filters import ORDERS, Filter
from inputs.queries.finding import apps_of, find_app, find_input, find_inputs
from inputs.queries.narrowing import narrowed, uncounted
from inputs.queries.pages import COUNTED, Around, Page, around, count, ids, page, total

__all__ = [
    "COUNTED",
    "ORDERS",
    "Around",
    "Facets",
    "Filter",
    "Page",
    "apps_of",
    "around",
    "concepts_of",
    "count",
    "datasets_of",
    "facets",
    "find_app",
    "find_input",
    "find_inputs",
    "ids",
    "narrowed",
    "page",
    "total",
    "uncounted",
]
