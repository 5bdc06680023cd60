"""How many files a process of ours may have open: each call in flight takes a socket at either end."""

from __future__ import annotations

import contextlib
import sys

MOST = 65_536

if sys.platform == "win32":

    def raise_open_files() -> None:
        """There is no such limit here."""

else:
    import resource

    def raise_open_files() -> None:
        """As many as the system lets us have, for this process and all that it starts; many shells begin at 1024."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
