"""Static files: collected into the data folder, small and under hashed names, served with an age without end."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from wsgiref.headers import Headers

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from servestatic import ServeStaticASGI

from playground.doors.shapes import Application, Receive, Scope, Send

_FINGERPRINT = ".fingerprint"
# Of django-htmx only htmx itself is ours to serve; some of its extensions import what is not there.
_LEFT_OUT = ["ext", "htmax*", "debug.js", "django-htmx.js", "htmx-2.js", "htmx-4.js", "htmx.js"]
# Of the admin, what none of our pages there asks for: that would take longer than all the rest.
_LEFT_OUT += ["select2", "gis", "jquery.js", "xregexp.js"]


# Ours, by the folder they stand in.
_SQUEEZED = {"css": "text/css", "js": "application/javascript"}


class HashedStorage(ManifestStaticFilesStorage):
    """Names carry a hash of their contents; imports between JavaScript modules are rewritten to those names.

    Where nothing has been collected (tests, debugging), plain names.
    """

    support_js_module_import_aggregation = True
    # One for each module that a chain of imports is long: a name is known when those inside have theirs.
    max_post_process_passes = 30

    def post_process(self, paths: dict[str, Any], dry_run: bool = False, **options: Any) -> Iterator[Any]:
        """Comments and long names are for readers of the source: what goes over the wire leaves them out."""
        for name in paths:
            kind = _SQUEEZED.get(name.partition("/")[0])
            if kind and not dry_run and self._squeeze(name, kind):
                paths[name] = (self, name)
        return super().post_process(paths, dry_run, **options)

    def _squeeze(self, name: str, kind: str) -> bool:
        try:
            import minify  # slow to load, and wanted only here
        except ImportError:  # no wheel for this machine
            return False
        with self.open(name) as file:
            small = minify.string(kind, file.read().decode())
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(small)
        return True

    def stored_name(self, name: str) -> str:
        return super().stored_name(name) if self.hashed_files and not settings.DEBUG else name


def collect() -> bool:
    """Bring ``STATIC_ROOT`` up to date; whether there was anything to do. Raises ``ImproperlyConfigured``."""
    found = fingerprint()
    mark = settings.STATIC_ROOT / _FINGERPRINT
    if mark.is_file() and mark.read_text() == found:
        return False
    quiet = {"interactive": False, "stdout": io.StringIO(), "stderr": io.StringIO()}
    try:
        call_command("collectstatic", clear=True, ignore_patterns=_LEFT_OUT, **quiet)
    except ValueError as error:  # a style sheet or module that names what is not there
        raise ImproperlyConfigured(f"The static files cannot be collected: {error}") from None
    mark.write_text(found)
    return True


def fingerprint() -> str:
    """Changes whenever a static file, the sub-path, or the place of the collection does."""
    facts = sorted(_source_files())
    return hashlib.sha256(json.dumps([settings.STATIC_URL, str(settings.STATIC_ROOT), facts]).encode()).hexdigest()


def _source_files() -> Iterator[tuple[str, int, int]]:
    for finder in get_finders():
        for path, storage in finder.list([]):
            facts = os.stat(storage.path(path))
            yield path, facts.st_size, facts.st_mtime_ns


def serve(application: Any) -> Application:
    """``application`` with the static files in front of it."""
    return ASGIStaticFilesHandler(application) if settings.DEBUG else StaticDoor(application)


class StaticDoor:
    """Serves what was collected by the time of the first request: a process may load while that is going on."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.served(scope, receive, send)

    @cached_property
    def served(self) -> Application:
        settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
        served: Application = ServeStaticASGI(
            self.application,
            root=settings.STATIC_ROOT,
            prefix=settings.STATIC_URL,
            allow_all_origins=False,
            add_headers_function=_add_headers,
        )
        return served


def _add_headers(headers: Headers, path: str, url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
