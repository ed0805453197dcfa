"""What must hold for the server: its catalog, its sessions, its log, its memory."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pgvec_admin.server import embedded
from soak.checks import Check, check
from soak.commands import command
from soak.measure import Recorder
from soak.workers import Activity
from soak.world import World

# a session may cache plans and compiled code, but not grow forever
_GROWTH_KB = 24_000
_LEAST_SECONDS = 20.0

_TABLES = "select distinct p::regclass::text from pgvec.collections as c, pgvec.partitions(c.text_table) as p"
_SCANS = """
set enable_seqscan = {scan};
set enable_indexscan = {index};
set enable_indexonlyscan = {index};
set enable_bitmapscan = {index};
"""
_INTERNAL = re.compile(r"\bXX\d{3}\b|\bPANIC\b|TRAP:|signal (4|6|7|8|11)\b")


class Memory(Activity):
    """Samples the private memory of the sessions of the server, in kB."""

    def __init__(self, world: World) -> None:
        super().__init__("memory")
        self.samples: dict[int, list[tuple[float, int]]] = defaultdict(list)
        self._data = world.instance.data.resolve()

    def run(self) -> None:
        """Every second."""
        while not self.ended.wait(1.0):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    if (process / "cwd").readlink() != self._data:
                        continue
                    status = (process / "status").read_text()
                except OSError:
                    continue
                found = re.search(r"RssAnon:\s*(\d+)", status)
                if found:
                    self.samples[int(process.name)].append((time.monotonic(), int(found[1])))

    def largest(self) -> int:
        """The most that any process had."""
        return max((size for samples in self.samples.values() for _, size in samples), default=0)

    def growing(self) -> list[str]:
        """Processes that lived long, and grew in the second half of their life."""
        grown = []
        for pid, samples in self.samples.items():
            if samples[-1][0] - samples[0][0] < _LEAST_SECONDS:
                continue
            middle, last = samples[len(samples) // 2][1], samples[-1][1]
            if last - middle > _GROWTH_KB:
                grown.append(f"process {pid} grew from {middle:,} to {last:,} kB")
        return grown


def server_checks(world: World, recorder: Recorder, memory: Memory) -> Iterator[Check]:
    """Catalog, sessions, log and memory."""
    with world.connect(embedded.SUPERUSER) as admin:
        invalid = [
            str(row[0]) for row in admin.execute("select indexrelid::regclass::text from pg_index where not indisvalid")
        ]
        yield check("no invalid index", invalid, "pg_index")
        yield check("indexes hold what the tables hold", _scans_differ(world), "counts by either")
        # recall is measured by the checks of the data, by many more questions
        for told, options in {
            "verify": "--seconds 2",
            "verify --tenants": "--seconds 0.1",
            "status --check": "",
        }.items():
            ran = command(world, recorder, "verify", *told.split(), *options.split())
            yield check(f"pgvec-admin {told}", [] if ran.well else [ran.errors.strip()], "exit code 0")
        others = admin.execute(
            "select usename, state, left(query, 80) from pg_stat_activity"
            " where backend_type = 'client backend' and pid <> pg_backend_pid()"
        ).fetchall()
        yield check("no session is left", [str(row) for row in others], "pg_stat_activity")
        locks = admin.execute(
            "select locktype, relation::regclass::text, mode from pg_locks where pid <> pg_backend_pid()"
        ).fetchall()
        prepared = admin.execute("select gid from pg_prepared_xacts").fetchall()
        yield check("no lock is left", [str(row) for row in locks + prepared], "pg_locks")
        yield check("no temporary table is left", _temporary(world), "pg_class")
    yield check("no internal error in the log", _internal(world), "XX..., PANIC, assertions, signals")
    yield check(
        "memory does not grow", memory.growing(), f"{len(memory.samples)} processes, at most {memory.largest():,} kB"
    )


def _scans_differ(world: World) -> list[str]:
    """Counts by the primary key and by the lexemes, compared with counts by reading the tables."""
    differences = []
    with world.connect(embedded.SUPERUSER) as admin:
        for (table,) in admin.execute(_TABLES.encode()).fetchall():
            queries = [
                f"select count(id) from (select id from {table} order by id) as x",
                *(f"select count(*) from {table} where fts @@ 'w{word}'" for word in (1, 2, 3, 10, 100, 1000)),
            ]
            counts = []
            for scan, index in (("on", "off"), ("off", "on")):
                admin.execute(_SCANS.format(scan=scan, index=index).encode())
                counts.append([admin.execute(query.encode()).fetchone() for query in queries])
            if counts[0] != counts[1]:
                differences.append(f"{table}: {counts[0]}, by its indexes {counts[1]}")
    return differences


def _temporary(world: World) -> list[str]:
    """Autovacuum, which runs every two seconds, removes the temporary tables of killed sessions."""
    until = time.monotonic() + 60
    while True:
        with world.connect(embedded.SUPERUSER) as admin:
            found = admin.execute("select oid::regclass::text from pg_class where relpersistence = 't'").fetchall()
        if not found or time.monotonic() > until:
            return [str(row[0]) for row in found]
        time.sleep(0.2)


def _internal(world: World) -> list[str]:
    """Lines of the log, each with the next that its session has written; a session that we killed ends by signal 9."""
    logs = [path for path in (world.instance.log, world.instance.log.with_name("server.log.1")) if path.exists()]
    found = []
    for path in logs:
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines):
            if _INTERNAL.search(line):
                session = re.search(r"\[\d+\]", line)
                after = [other for other in lines[number + 1 :] if session and session[0] in other]
                found.append(" ".join([line, *after[:1]]))
    return found
