"""The few tags that all templates share: icons, states, figures and times. Built in, so no ``{% load %}``."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from playground import __version__

register = template.Library()

NO_BREAK = "\u00a0"
_BACKTICKS = re.compile(r"`{1,2}([^`]+)`{1,2}")

# The shape of a deployment's or run's state, where its name differs from the modifier's.
_STATE_SHAPES = {"scaled to zero": "zero", "running": "live"}


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """A drawing of the sprite, hidden from readers: the word beside it, or the button's name, speaks."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', classes, static("icons.svg"), name
    )


@register.simple_tag
def state(value: str, classes: str = "", label: str | None = None) -> SafeString:
    """The mark of a state with its word; ``label`` replaces the word."""
    text = value if label is None else label
    return format_html('<span class="state state--{} {}">{}</span>', state_shape(value), classes, text)


@register.filter
def state_shape(value: str) -> str:
    return _STATE_SHAPES.get(value, value)


@register.filter
def capital(value: str) -> str:
    """The first letter large; the rest stays as it is."""
    return value[:1].upper() + value[1:]


@register.filter
def figure(value: float | None) -> str:
    """A count with thousands apart: 18,402. Missing is an en dash."""
    if value is None:
        return "–"  # noqa: RUF001 - the dash for "missing"
    text = f"{int(value):,}" if float(value).is_integer() else f"{value:,}"
    return text.replace("-", "−")  # noqa: RUF001 - a true minus sign


@register.filter
def milliseconds(value: float | None) -> str:
    """A duration given in ms, as a person says it: 84 ms, 2.6 s, 1 min 12 s. Missing is an en dash."""
    if value is None:
        return "–"  # noqa: RUF001 - the dash for "missing"
    if value < 999.5:
        return f"{max(value, 0):.0f}{NO_BREAK}ms"
    return seconds(value / 1000)


@register.filter
def in_ms(value: float | None) -> float | None:
    """Seconds as milliseconds, for the filter above."""
    return None if value is None else value * 1000


@register.filter
def seconds(value: float | None) -> str:
    """A duration given in seconds: 0.3 s, 21 s, 1 min 12 s, 2 h 5 min."""
    if value is None:
        return "–"  # noqa: RUF001 - the dash for "missing"
    value = max(value, 0)
    if value < 59.95:
        return f"{value:.1f}{NO_BREAK}s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60}{NO_BREAK}min {whole % 60}{NO_BREAK}s"
    return f"{whole // 3600}{NO_BREAK}h {whole % 3600 // 60}{NO_BREAK}min"


@register.simple_tag
def ago(at: datetime | None, short: bool = False) -> SafeString | str:
    """A time as its age, kept right in the page, with the exact time in the reader's zone as its title.

    ``short`` leaves out the word "ago".
    """
    if at is None:
        return ""
    return format_html(
        '<relative-time{}><time datetime="{}">{}</time></relative-time>',
        mark_safe(" data-short") if short else "",
        at.isoformat(timespec="seconds"),
        age(at).removeprefix("just ").removesuffix(" ago") if short else age(at),
    )


@register.simple_tag
def local_time(at: datetime) -> SafeString:
    """An exact time; the page shows it in the reader's zone."""
    return format_html(
        '<local-time><time datetime="{}">{}</time></local-time>',
        at.isoformat(timespec="milliseconds"),
        f"{at:%b} {at.day}, {at:%H:%M:%S} UTC",
    )


@register.filter
def megabytes(value: int | None) -> str:
    """A size given in bytes: 31 MB, 1.2 GB. Nothing measured yet is an en dash."""
    if not value:
        return "–"  # noqa: RUF001 - the dash for "missing"
    return f"{value / 1e9:.1f}{NO_BREAK}GB" if value >= 999_500_000 else f"{value / 1e6:.0f}{NO_BREAK}MB"


def age(at: datetime, now: datetime | None = None) -> str:
    """now, 12 s ago, 9 min ago, 3 h ago, 2 days ago; after a week the date."""
    passed = ((now or timezone.now()) - at).total_seconds()
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h")):
        if passed < limit:
            return "just now" if passed < 3 else f"{int(passed // size)}{NO_BREAK}{unit} ago"
    if passed < 7 * 86_400:
        days = int(passed // 86_400)
        return f"{days}{NO_BREAK}{'day' if days == 1 else 'days'} ago"
    return f"{at:%b} {at.day}, {at.year}"


@register.filter
def as_json(value: Any) -> str:
    """A value as JSON text for a data attribute; the template escapes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@register.filter
def first_paragraph(text: str) -> str:
    """The opening of a description, headings left out: what stands in heads and lists."""
    paragraphs = (part.strip() for part in text.split("\n\n"))
    return " ".join(next((part for part in paragraphs if part and not part.startswith("#")), "").split())


@register.filter
def prose(text: str) -> SafeString:
    """An author's words as they are, with what stands between backticks as code."""
    pieces = _BACKTICKS.split(text)
    return format_html_join("", "{}", ((_code(piece) if i % 2 else piece,) for i, piece in enumerate(pieces)))


def _code(text: str) -> SafeString:
    return format_html("<code>{}</code>", text.strip())


@register.filter
def unquoted(text: str) -> str:
    """The same without its backticks, where no code can stand."""
    return _BACKTICKS.sub(r"\1", text)


@register.filter
def initials(name: str) -> str:
    """What stands in a person's avatar."""
    return name[:2]


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """This page's query string with some parameters changed; an empty value takes one away."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = str(value)
    return "?" + urlencode([(name, value) for name, values in parameters.lists() for value in values])


@register.simple_tag
def server_now() -> str:
    """The server's clock, from which the page counts ages."""
    return timezone.now().isoformat(timespec="milliseconds")


@register.simple_tag
def version() -> str:
    return __version__
