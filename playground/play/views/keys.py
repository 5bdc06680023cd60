"""The sheet of keys: a page of its own, and the part that any page opens over itself."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

# By where they act: each with what it does.
KEYS: tuple[tuple[str, tuple[tuple[tuple[str, ...], str], ...]], ...] = (
    (
        "Everywhere",
        (
            (("/",), "Search"),
            (("?",), "This sheet"),
            (("Esc",), "Close what lies on top; it never stops a run"),
        ),
    ),
    (
        "A model",
        (
            (("Ctrl", "Enter"), "Run"),
            (("Ctrl", "."), "Stop"),
            (("↑", "↓"), "A number's next step; with Shift, ten"),
        ),
    ),
    (
        "Tables",
        (
            (("↑", "↓", "←", "→"), "Move; Home and End to the ends"),
            (("Space",), "Choose the row; with Shift and arrows, more rows"),
            (("Enter",), "Open the row"),
            (("Shift", "F10"), "The row's menu"),
        ),
    ),
    (
        "An input",
        (
            (("←", "→"), "The one before, the next"),
            (("+", "-", "0", "1"), "Zoom in, out, fit, each pixel; with Shift, arrows pan"),
            (("T",), "Predict mode on or off"),
            (("P",), "Predict"),
            (("C",), "Choose a model or workflow"),
            (("[", "]"), "Threshold down, up"),
            (("{", "}"), "Opacity down, up"),
            (("H",), "Hide what lies on it, show it again"),
            (("X",), "Hide the region that is marked"),
            (("L",), "Layers"),
            (("A",), "Accept all above the threshold"),
            (("U",), "Predict as one browses"),
            (("B",), "Draw a box"),
            (("I",), "What is known of it"),
            (("V",), "Invert"),
        ),
    ),
    (
        "Menus",
        (
            (("↑", "↓"), "Move; Home and End to the ends"),
            (("a", "…", "z"), "Find by its first letters"),
        ),
    ),
)


@login_required
@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    is_part = bool(request.headers.get("HX-Request"))
    template = "play/_keys.html" if is_part else "play/keys.html"
    response = render(request, template, {"groups": KEYS})
    response["Vary"] = "HX-Request"
    return response
