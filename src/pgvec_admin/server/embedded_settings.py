"""Settings of the embedded server, fitted to the machine, and the file that holds them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MB = 1 << 20
GB = 1 << 30


@dataclass(frozen=True)
class Machine:
    """What the server may use: `memory` and free `shared_memory` (/dev/shm) in bytes, `cores`."""

    memory: int
    cores: int
    shared_memory: int


def this_machine() -> Machine:
    """The machine, or the container, that this process runs in."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Machine(min([physical, *memory_limits()]), _cores(), _free_shared_memory())


def _cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_shared_memory() -> int:
    try:
        volume = os.statvfs("/dev/shm")  # noqa: S108 - measured, nothing is written there
    except OSError:
        return 0
    return volume.f_bavail * volume.f_frsize


def memory_limits(groups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Iterator[int]:
    """Memory limits in bytes of the control groups of this process and of those above them, versions 1 and 2."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            top, file = root, "memory.max"
        elif "memory" in controllers.split(","):
            top, file = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = Path(name.lstrip("/"))
        # a container often sees its own group as the root: missing files are skipped
        for directory in (group, *group.parents):
            try:
                yield int((top / directory / file).read_text())
            except (OSError, ValueError):  # missing, or "max"
                continue


def fitted(machine: Machine) -> dict[str, str]:
    """Settings for `machine`: a quarter of the memory for buffers, an eighth for building indexes."""
    maintenance = max(min(machine.memory // 8, 2 * GB), 64 * MB)
    settings = {
        "shared_buffers": _megabytes(max(min(machine.memory // 4, 4 * GB), 32 * MB)),
        "effective_cache_size": _megabytes(machine.memory * 3 // 4),
        "maintenance_work_mem": _megabytes(maintenance),
        "max_wal_size": "4GB",
        # a replica that is stopped for good must not fill the disk of its primary: beyond this it is copied again
        "max_slot_wal_keep_size": "4GB",
        "max_worker_processes": str(max(8, machine.cores)),
        "max_parallel_workers": str(machine.cores),
        # the process that builds an index works too, beside its helpers
        "max_parallel_maintenance_workers": str(min(machine.cores - 1, 7)),
    }
    if machine.shared_memory < maintenance:
        # a parallel HNSW build holds its graph, up to maintenance_work_mem, in dynamic shared memory;
        # the 64 MB that containers get in /dev/shm end it with "could not resize shared memory segment"
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def as_file(settings: Mapping[str, str]) -> str:
    """The text of a configuration file with these settings."""
    lines = (as_line(name, value) for name, value in settings.items())
    return "\n".join(
        ["# Written by pgvec-admin at every start; your own settings belong in postgresql.conf.", *lines, ""]
    )


def as_line(name: str, value: str) -> str:
    """A line of a configuration file."""
    escaped = value.replace("\\", "\\\\").replace("'", "''")
    return f"{name} = '{escaped}'"


def _megabytes(count: int) -> str:
    return f"{count // MB}MB"
