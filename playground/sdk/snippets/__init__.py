"""Calls as code: for one call, with its arguments and where it goes, what a program or a terminal would write.

Pure: a signature, plain arguments (as forms and runs hold them), a selector and an address go in, text comes out. What
is written is complete: it runs as it stands, with the token in the environment and the files it names beside it.
"""

from __future__ import annotations

from collections.abc import Callable

from playground.sdk.snippets.asks import Ask, Call, Snippet, UnsayableError, prepare
from playground.sdk.snippets.commands import write_command, write_official_command
from playground.sdk.snippets.scripts import write_async, write_official, write_sync

__all__ = ["Ask", "Call", "Snippet", "prepare", "write_snippets"]

_WRITERS: tuple[tuple[str, str, str, Callable[[Call], Snippet]], ...] = (
    ("python", "Python", "", write_sync),
    ("async", "Python, async", "", write_async),
    ("clarifai", "Clarifai SDK", "", write_official),
    ("cli", "Terminal", "sh", write_command),
    ("clarifai-cli", "Clarifai CLI", "sh", write_official_command),
)


def write_snippets(call: Call) -> list[Snippet]:
    """The call in each of its languages; where one of them cannot say it, a snippet without code that says why."""
    return [_write(call, *entry) for entry in _WRITERS]


def _write(call: Call, slug: str, title: str, language: str, write: Callable[[Call], Snippet]) -> Snippet:
    try:
        made = write(call)
    except UnsayableError as error:
        made = Snippet(refusal=str(error))
    return made.named(slug, title, language or "python")
