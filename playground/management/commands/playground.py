"""``manage.py playground``: the newcomer's command. Prepares the data folder, then starts and keeps everything."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from inputs import services as inputs
from inputs.pictures import painters
from playground import __version__
from playground.catalog import links
from playground.catalog.services import ensure_owner
from playground.compute import setup
from playground.doors import static
from playground.management.base import PlaygroundCommand
from playground.media.services import ensure_samples
from playground.processes import ports, start


class Command(PlaygroundCommand):
    help = "Start everything: database, owner, built-in models, web and gateway. Ctrl-C ends it all."

    def handle(self, *args: Any, **options: Any) -> None:
        lock = start.lock(settings.DATA_DIR)
        listener = ports.bind(settings.HOST, settings.PORT, name="--port or PLAYGROUND_PORT")
        gateway_name = "--gateway-port or PLAYGROUND_GATEWAY_PORT"
        ports.bind(settings.GATEWAY_HOST, settings.GATEWAY_PORT, name=gateway_name).close()
        self.say(f"Model Playground {__version__}, data in {settings.DATA_DIR}")
        with start.Guarded(held=[listener.fileno(), lock]) as guarded:
            # Both load while what they need is made; hello is under way before the web takes a share of the processors.
            with start.preparing(settings.DATA_DIR, "pages"):
                with start.preparing(settings.DATA_DIR, "rows"):
                    guarded.keep("gateway", "gateway")
                    self.prepare_rows()
                guarded.keep("web", "web", "--fd", str(listener.fileno()), sockets=[listener.fileno()])
                self.prepare_pages()
            self.put_samples()
            connection.close()
            guarded.stand_in_front()

    def prepare_rows(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("Preparing the database")
            call_command("migrate", verbosity=0, interactive=False)
        setup.ensure(demo=settings.DEMO)
        SessionStore.clear_expired()

    def prepare_pages(self) -> None:
        """What the web serves; and where it is reached, told before it answers."""
        link = links.link_for(links.renew())
        static.collect()
        ensure_samples()
        self.warn_about_open_addresses()
        self.say(f"Open {link}")
        self.say(f"API  {links.dialled(settings.GATEWAY_HOST)}:{settings.GATEWAY_PORT}")

    def put_samples(self) -> None:
        """Inputs to try, while people can come in already."""
        if settings.DEMO:
            inputs.ensure_samples(ensure_owner()[1])
            painters.close()

    def warn_about_open_addresses(self) -> None:
        for name, host in [("web", settings.HOST), ("gateway", settings.GATEWAY_HOST)]:
            if not is_loopback(host):
                self.say(
                    f"Warning: the {name} listens on {host} without TLS: tokens and data can be read on the way. "
                    "Put a proxy with TLS in front, and set PLAYGROUND_PUBLIC_URL."
                )

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
