"""How glibc keeps memory in our processes: pictures come and go with every call, so what one took the next takes again.

By default freed memory of that size goes back to the system, and is faulted in and zeroed again page by page: measured
on 200 kB pictures, two fifths of a relayed call's time. Read by the C library at a process's start; others ignore it.
"""

from __future__ import annotations

MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": str(4 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**20),
}
