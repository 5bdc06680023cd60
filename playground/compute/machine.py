"""Sizes: what a model needs, what an instance type gives, what this machine has; and in words what is lacking."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.protocol.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

RUNNER_BYTES = 64 * 2**20  # what a runner takes before its model takes anything
_CGROUP = Path("/sys/fs/cgroup")
_FACTORS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)(" + "|".join(_FACTORS) + r")")
_CPUS = re.compile(r"(\d+(?:\.\d+)?)(m?)")
COMPUTE_KEYS = frozenset(
    {
        "cpu_limit",
        "cpu_memory",
        "cpu_requests",
        "cpu_memory_requests",
        "num_accelerators",
        "accelerator_memory",
        "accelerator_type",
        "accelerator_topology",
    }
)


@dataclass(frozen=True)
class Size:
    """Processors, memory in bytes, and accelerators; 0 where nothing is said."""

    cpus: float = 0
    memory: int = 0
    accelerators: int = 0
    accelerator_memory: int = 0
    accelerator_types: tuple[str, ...] = ()

    def lacks(self, need: Size) -> str:
        """In words what ``need`` has more of than this, with what there is; "" when it fits."""
        wants = [
            (need.cpus > self.cpus, f"{_cpus(need.cpus)}, where there are {_cpus(self.cpus)}"),
            (need.memory > self.memory, f"{in_words(need.memory)} of memory, where there are {in_words(self.memory)}"),
            (
                need.accelerators > self.accelerators,
                f"{need.accelerators} accelerators, where there are {self.accelerators or 'none'}",
            ),
            (
                bool(need.accelerators and self.accelerator_memory < need.accelerator_memory),
                f"{in_words(need.accelerator_memory)} on its accelerator, where there are "
                f"{in_words(self.accelerator_memory)}",
            ),
        ]
        return " and ".join(words for lacks, words in wants if lacks)

    def within(self, offered: Size) -> str:
        """As ``offered.lacks(self)``, where what an offer leaves unsaid is not limited, and types are compared."""
        bounded = Size(
            cpus=offered.cpus or self.cpus,
            memory=offered.memory or self.memory,
            accelerators=offered.accelerators,
            accelerator_memory=offered.accelerator_memory or self.accelerator_memory,
        )
        if lacking := bounded.lacks(self):
            return lacking
        if self.accelerators and offered.accelerator_types and not self._takes(offered.accelerator_types):
            return f"an accelerator of type {' or '.join(self.accelerator_types)}"
        return ""

    def _takes(self, types: tuple[str, ...]) -> bool:
        """``NVIDIA-*`` stands for any of that maker."""
        asked = [kind.removesuffix("*") for kind in self.accelerator_types]
        return not asked or any(kind.startswith(tuple(asked)) for kind in types)


def read_size(info: Mapping[str, Any] | None, where: str = "compute_info") -> Size:
    """The size that a ``ComputeInfo`` in plain form means, as in ``inference_compute_info``. Raises InputError."""
    if info is None:
        return Size()
    if not isinstance(info, dict):
        raise InputError(f"{where} is not a mapping but {info!r}.", argument=where)
    kinds = info.get("accelerator_type") or []
    if not isinstance(kinds, str | list):
        raise InputError(f"{where}.accelerator_type is no list: {kinds!r}.", argument=where)
    return Size(
        cpus=read_cpus(info.get("cpu_limit"), f"{where}.cpu_limit"),
        memory=read_memory(info.get("cpu_memory"), f"{where}.cpu_memory"),
        accelerators=_read_count(info.get("num_accelerators"), f"{where}.num_accelerators"),
        accelerator_memory=read_memory(info.get("accelerator_memory"), f"{where}.accelerator_memory"),
        accelerator_types=(kinds,) if isinstance(kinds, str) else tuple(str(kind) for kind in kinds),
    )


def read_cpus(text: Any, where: str = "cpu_limit") -> float:
    """``"1"``, ``"0.5"`` and ``"500m"`` as processors; 0 for nothing."""
    if text is None or text == "":
        return 0
    found = _CPUS.fullmatch(str(text).strip()) if not isinstance(text, bool) else None
    if found is None:
        raise InputError(f'{where} is no number of processors: {text!r}. Give it like "2" or "500m".', argument=where)
    return float(found[1]) / (1000 if found[2] else 1)


def read_memory(text: Any, where: str = "cpu_memory") -> int:
    """``"1Gi"``, ``"512Mi"``, ``"1.5G"`` as bytes; 0 for nothing."""
    if text is None or text == "":
        return 0
    found = _MEMORY.fullmatch(str(text).strip()) if not isinstance(text, bool) else None
    if found is None:
        raise InputError(f'{where} is no amount of memory: {text!r}. Give it like "512Mi" or "1Gi".', argument=where)
    return int(float(found[1]) * _FACTORS[found[2]])


def _read_count(value: Any, where: str) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"{where} is no whole number: {value!r}.", argument=where)
    return value


def in_words(size: int) -> str:
    """Bytes as people write them in a compute_info: 1Gi, 512Mi."""
    unit, name = next(((unit, name) for unit, name in ((2**30, "Gi"), (2**20, "Mi")) if size >= unit), (1, " bytes"))
    return f"{size / unit:.3g}{name}"


def _cpus(count: float) -> str:
    return f"{count:g} processor{'' if count == 1 else 's'}"


@cache
def this_machine() -> Size:
    """What this process may use of the machine, limits of its container included."""
    return Size(cpus=_usable_cpus(), memory=_usable_memory(), accelerators=_accelerators(), accelerator_memory=2**63)


def _usable_cpus() -> float:
    count = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    quota, _, period = _read(_CGROUP / "cpu.max").partition(" ")
    return min(count, max(1.0, int(quota) / int(period))) if quota.isdigit() and period.isdigit() else count


def _usable_memory() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _read(_CGROUP / "memory.max")
    return min(total, int(limit)) if limit.isdigit() else total


def free_memory() -> int:
    """What nobody holds at this moment, in bytes, limits of the container included."""
    kilobytes = re.search(r"^MemAvailable:\s+(\d+)", _read(Path("/proc/meminfo")), re.MULTILINE)
    free = int(kilobytes[1]) * 1024 if kilobytes else _usable_memory()
    limit, held = _read(_CGROUP / "memory.max"), _read(_CGROUP / "memory.current")
    if limit.isdigit() and held.isdigit():
        droppable = re.search(r"^inactive_file (\d+)", _read(_CGROUP / "memory.stat"), re.MULTILINE)
        free = min(free, int(limit) - int(held) + (int(droppable[1]) if droppable else 0))
    return max(0, free)


def _accelerators() -> int:
    return sum(path.name.removeprefix("nvidia").isdigit() for path in Path("/dev").glob("nvidia*"))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
