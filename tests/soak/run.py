"""One soak: everything at once for a while, and then the checks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import installation
from pgvec_admin.database import Connection
from soak.checks import EMBEDDED, Check, check, data_checks
from soak.commands import command
from soak.faults import Faults, planned
from soak.ledger import Ledger
from soak.measure import Failure, Fault, Recorder, Summary
from soak.operators import Indexer, Loader, Upgrader
from soak.rows import ADOPTED, Rows
from soak.searches import HttpReader, Reader
from soak.upkeep import Memory, server_checks
from soak.workers import Activity, Worker
from soak.world import OWNER, POSTGREST, TENANTS, World
from soak.writers import AdoptedWriter, Counter, Embedder, Rival, Writer

_LEFTOVERS = """
select c.name from pgvec.collections as c
 where exists (select from pgvec.vector_indexes(c.name) as i where not i.valid)
"""

Tamper = Callable[[World, Connection], None]


@dataclass(frozen=True)
class Settings:
    """How long, drawn from which seed, on which PostgreSQL; faults at which seconds (None: as planned for the time)."""

    seconds: float
    seed: int
    postgres: int
    faults: list[tuple[float, str]] | None = None
    services: bool = True


@dataclass(frozen=True)
class Report:
    """The results of a soak."""

    settings: Settings
    seconds: float
    operations: list[Summary]
    faults: list[Fault]
    expected: list[Failure]
    unexpected: list[Failure]
    rows: int
    checks: list[Check]

    @property
    def passed(self) -> bool:
        """Whether everything held."""
        return all(one.passed for one in self.checks)


def soak(settings: Settings, say: Callable[[str], None], tamper: Tamper | None = None) -> Report:
    """Run it. `tamper` may corrupt something before the checks, as the owner."""
    with installation.folder("pgvec-soak-") as directory:
        folder = Path(directory)
        world = World(folder, settings.postgres, Rows(settings.seed), Ledger())
        try:
            say(f"seed {settings.seed}, PostgreSQL {settings.postgres}, {settings.seconds:.0f} s")
            world.prepare()
            return _soak(world, settings, say, tamper)
        finally:
            world.instance.stop()


def _soak(world: World, settings: Settings, say: Callable[[str], None], tamper: Tamper | None) -> Report:
    with ExitStack() as services:
        addresses = {}
        if settings.services:
            addresses["service"] = services.enter_context(world.service())
            if POSTGREST.exists():
                addresses["PostgREST"] = services.enter_context(world.postgrest())
        releases = [world.release("next", wider=True), world.release("after", wider=False)]
        say("working")
        recorder = Recorder()
        workers = _workers(world, recorder, releases, addresses)
        faults = Faults(
            world, recorder, planned(settings.seconds, settings.seed) if settings.faults is None else settings.faults
        )
        memory = Memory(world)
        activities: list[Activity] = [*workers, faults, memory]
        for activity in activities:
            activity.start()
        while (left := recorder.started + settings.seconds - time.monotonic()) > 0:
            time.sleep(min(left, 1))
            if any(activity.crash for activity in activities):
                break
        say("ending")
        for activity in activities:
            activity.ended.set()
        for activity in activities:
            activity.join()
        seconds = time.monotonic() - recorder.started
        operations = recorder.summaries()
    for activity in activities:
        if activity.crash:
            raise activity.crash
    say(f"{sum(one.count for one in operations):,} operations, {len(recorder.faults)} faults; checking")
    checks = _checks(world, recorder, memory, releases[-1], tamper)
    expected = [failure for failure in recorder.failures if recorder.expected(failure)]
    unexpected = [failure for failure in recorder.failures if not recorder.expected(failure)]
    told = [f"{one.kind}: {one.state} {one.message}" for one in unexpected]
    checks.insert(0, check("no unexpected error", told, f"{len(expected)} because of faults"))
    return Report(settings, seconds, operations, recorder.faults, expected, unexpected, len(world.ledger), checks)


def _workers(world: World, recorder: Recorder, releases: list[Path], addresses: dict[str, str]) -> list[Worker]:
    return [
        Reader(world, recorder, "notes"),
        Reader(world, recorder, "members", TENANTS[0]),
        Reader(world, recorder, ADOPTED),
        Reader(world, recorder, "papers"),
        *(HttpReader(world, recorder, by, address) for by, address in addresses.items()),
        Writer(world, recorder, "one", "notes"),
        Writer(world, recorder, "two", "notes"),
        *(Writer(world, recorder, "one", "members", tenant) for tenant in TENANTS[:2]),
        Writer(world, recorder, "one", "drafts", embeds=False),
        AdoptedWriter(world, recorder, 1000),
        AdoptedWriter(world, recorder, 2000),
        Embedder(world, recorder, "one", list(EMBEDDED)),
        Embedder(world, recorder, "two", list(EMBEDDED)),
        *(Rival(world, recorder, number) for number in range(3)),
        Counter(world, recorder),
        Loader(world, recorder),
        Indexer(world, recorder),
        Upgrader(world, recorder, releases),
    ]


def _checks(world: World, recorder: Recorder, memory: Memory, release: Path, tamper: Tamper | None) -> list[Check]:
    """`release` leads back to the functions of the checkout."""
    recall = sum(recorder.recalls) / max(len(recorder.recalls), 1)
    wrong = [*recorder.wrong, *([f"recall {recall:.4f}"] if recall < 0.99 else [])]
    checks = [check("answers under load", wrong, f"{len(recorder.recalls):,} known beforehand, recall {recall:.4f}")]
    quiet = Recorder()
    embedder = Embedder(world, quiet, "last", [])
    command(world, quiet, "migrate", "migrate", "--overwrite-drift", checkout=release)
    command(world, quiet, "migrate", "migrate", "--overwrite-drift")
    # the leftover of a build killed at the end is for the next build to remove
    for (collection,) in embedder.connection().execute(_LEFTOVERS.encode()).fetchall():
        command(world, quiet, "index create", "index", "create", collection)
    for collection in EMBEDDED:
        while embedder.embed(collection):
            pass
    embedder.close()
    if tamper:
        with world.connect(OWNER) as owner:
            tamper(world, owner)
    checks += data_checks(world)
    checks += server_checks(world, quiet, memory)
    told = [f"{one.kind}: {one.state} {one.message}" for one in quiet.failures if one.kind != "verify"]
    return [*checks, check("the checks themselves", told, "no error")]
