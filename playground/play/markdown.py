"""Markdown of models and authors as HTML that is safe anywhere: text that looks like HTML stays text.

Nothing in it is loaded by reading it: a picture becomes a link. Links lead outside, never into this site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.renderer import RendererProtocol
    from markdown_it.token import Token
    from markdown_it.utils import EnvType, OptionsDict

MAX_CHARACTERS = 40_000  # the worst of texts takes the reader about a second
_HEADING = 2  # what is "#" in a text stands below the page's own title
_TAGS = {
    *("a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s"),
    *("div", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "code": {"class"}, "ol": {"start"}, "td": {"style"}, "th": {"style"}}
# What is wider than its column scrolls by itself, with the keyboard too.
_SCROLLER = {"class": "prose__wide", "tabindex": "0", "role": "region", "aria-label": "Table"}
_FIXED = {"a": {"target": "_blank"}, "div": _SCROLLER, "pre": {"tabindex": "0"}}
_ALIGNED = {f"text-align:{side}" for side in ("left", "center", "right")}


def render(text: str, *, breaks: bool = True) -> SafeString:
    """The text as HTML; what is longer than MAX_CHARACTERS stays as it is written.

    With ``breaks`` a line that ends, ends on screen, as models mean it; in a file it ends where its column did.
    """
    if len(text) > MAX_CHARACTERS:
        return mark_safe(f"<pre>{escape(text)}</pre>")
    cleaned = nh3.clean(
        (_answers if breaks else _files).render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_checked,
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values=_FIXED,
        url_schemes={"http", "https", "mailto"},
    )
    return mark_safe(cleaned)


def _checked(tag: str, name: str, value: str) -> str | None:
    """The value of an attribute, or None where it is not one of ours."""
    if name == "href":
        return value if value.lower().startswith(("http://", "https://", "mailto:")) else None
    if name == "style":
        return value if value in _ALIGNED else None
    if name == "class":
        return value if value.startswith("language-") and value.removeprefix("language-").isalnum() else None
    return value


def _render_picture(
    renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """A link in place of the picture: to show it would tell its server who reads this."""
    token = tokens[index]
    source = str(token.attrs.get("src", ""))
    return f'<a href="{escape(source)}">{escape(token.content or source)}</a>'


def _lower_headings(state: object) -> None:
    for token in getattr(state, "tokens", ()):
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _HEADING - 1, 6)}"


def _build(*, breaks: bool) -> MarkdownIt:
    """CommonMark without HTML, with tables and strike-through."""
    made = MarkdownIt("commonmark", {"html": False, "breaks": breaks}).enable(["table", "strikethrough"])
    made.core.ruler.push("lower_headings", _lower_headings)
    made.add_render_rule("image", _render_picture)
    made.add_render_rule("table_open", lambda *_: "<div><table>\n")
    made.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return made


_answers, _files = _build(breaks=True), _build(breaks=False)
