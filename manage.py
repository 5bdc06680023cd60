#!/usr/bin/env python3
"""The command line: ``python manage.py playground`` starts everything, ``python manage.py help`` lists the rest."""

import os
import signal
import sys

OLDEST_PYTHON = (3, 11)  # this file itself must parse on older ones, to say so
FLAGS = {
    "--host": "PLAYGROUND_HOST",
    "--port": "PLAYGROUND_PORT",
    "--gateway-host": "PLAYGROUND_GATEWAY_HOST",
    "--gateway-port": "PLAYGROUND_GATEWAY_PORT",
    "--data-dir": "PLAYGROUND_DATA_DIR",
}
OWN_FLAGS = {"runner"}  # commands whose --host and --port are their own


def take_flags(arguments):
    """Move the flags to where the settings read them, so that they win for every command; give back the rest."""
    if not arguments or arguments[0] in OWN_FLAGS or {"-h", "--help", "--"} & set(arguments):
        return arguments
    rest = []
    waiting = iter(arguments)
    for argument in waiting:
        name, has_value, value = argument.partition("=")
        if name == "--no-demo":
            os.environ["PLAYGROUND_DEMO"] = "0"
        elif name in FLAGS:
            value = value if has_value else next(waiting, None)
            if value is None:
                sys.exit("{} needs a value.".format(name))
            os.environ[FLAGS[name]] = value
        else:
            rest.append(argument)
    return rest


def leave(*_):
    """Being stopped before anything is started is no failure. (An exception raised from here could be lost.)"""
    os._exit(0)


def main():
    if sys.version_info < OLDEST_PYTHON:
        running = ".".join(map(str, sys.version_info[:3]))
        sys.exit("The playground needs Python 3.11 or newer; this is {}. Start it with a newer one.".format(running))
    arguments = take_flags(sys.argv[1:])
    if arguments[:1] == ["playground"]:
        signal.signal(signal.SIGINT, leave)
        signal.signal(signal.SIGTERM, leave)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # a server that goes away is ours to tell, not gRPC's core
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed for this Python. Run: pip install -e .")
    try:
        settings.DATA_DIR  # noqa: B018  reads the settings now, so that a bad one is one clear line
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    execute_from_command_line([sys.argv[0], *arguments])


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
