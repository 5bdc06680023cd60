#!/usr/bin/env python3
"""The command line: ``python manage.py playground`` starts everything, ``python manage.py help`` lists the rest."""

import os
import sys

OLDEST_PYTHON = (3, 11)


def main() -> None:
    if sys.version_info < OLDEST_PYTHON:
        running = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"The playground needs Python 3.11 or newer; this is Python {running}. Start it with a newer one.")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed for this Python. Run: pip install -e .")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "playground.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
