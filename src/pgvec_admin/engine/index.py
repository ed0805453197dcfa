"""Vector indexes: built concurrently, watched while they grow, and never left behind invalid."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.errors import UsageError

Report = Callable[[int, int | None, str], None]

FEW = 50_000  # rows of which a build takes no long time
LONG = 2.0  # minutes, of which the user is told before


def _silent(done: int, total: int | None, note: str) -> None:
    """The report function of a caller that wants none."""
    del done, total, note


@dataclass(frozen=True)
class VectorIndex:
    """An index on a collection's embedding; `valid` is False for the leftover of a build that failed.

    `condition` is that of the rows in it, as SQL; None for all.
    """

    name: str
    method: str
    storage: str
    distance: str
    valid: bool
    size_bytes: int
    definition: str
    condition: str | None = None


@dataclass(frozen=True)
class Kept:
    """The setting of a collection that `keep_recall` has found, its recall@10 on the collection's own rows, latencies.

    `hint` says what to do where the recall is not `reached`.
    """

    setting: str
    value: int
    recall: float | None
    p50_ms: float | None
    p95_ms: float | None
    reached: bool
    hint: str | None


@dataclass(frozen=True)
class Build:
    """What `create` did: the index, whether it was there already, and the recall that its tuning reached."""

    name: str
    statement: str
    existed: bool
    kept: Kept | None = None


@dataclass(frozen=True)
class Graph:
    """`m` and `ef_construction` for the rows of a collection, by `pgvec.graph_plan`, and why."""

    m: int
    ef_construction: int
    note: str


@dataclass(frozen=True)
class Option:
    """An index that a collection could have, by `pgvec.index_plan`: sizes in bytes, `recall` of its storage."""

    method: str
    storage: str
    index_bytes: float
    build_bytes: float
    fits: str
    seconds: float | None
    recall: float | None
    recommended: bool
    maintenance_work_mem: str
    workers: int
    note: str


@dataclass(frozen=True)
class Item:
    """A line of `pgvec.scale_plan`: `now` is None where unknown; `unit` is rows, bytes, seconds, tables or servers."""

    what: str
    now: float | None
    planned: float
    unit: str
    why: str


def scale_plan(
    connection: Connection, collection: str, *, rows: int, tenants: int | None = None, memory: int | None = None
) -> list[Item]:
    """What a collection would take at so many rows and tenants; `memory` of each server in bytes."""
    with connection.cursor(row_factory=class_row(Item)) as cursor:
        return cursor.execute(
            "select * from pgvec.scale_plan(%s, %s, %s, %s)", (collection, rows, tenants, memory)
        ).fetchall()


def vector_indexes(connection: Connection, collection: str) -> list[VectorIndex]:
    """The vector indexes of a collection."""
    with connection.cursor(row_factory=class_row(VectorIndex)) as cursor:
        return cursor.execute("select * from pgvec.vector_indexes(%s)", (collection,)).fetchall()


def plan(
    connection: Connection,
    collection: str,
    *,
    m: int = 16,
    ef_construction: int = 64,
    measure: bool = True,
    memory: int | None = None,
) -> list[Option]:
    """The indexes that a collection could have; `measure` times builds and measures recall on its own rows.

    `memory` is what a build may take, in bytes; None leaves that to `pgvec.server_memory`.
    """
    with connection.cursor(row_factory=class_row(Option)) as cursor:
        return cursor.execute(
            "select * from pgvec.index_plan(%s, %s, %s, %s, %s)", (collection, m, ef_construction, measure, memory)
        ).fetchall()


def choose(options: list[Option], method: str | None, storage: str | None) -> Option | None:
    """The recommended option, or the one of that method and storage; None where a plan has none such."""
    for option in options:
        if method is None and storage is None:
            if option.recommended:
                return option
        elif method in (None, option.method) and storage in (None, option.storage):
            return option
    return None


def create(
    where: Target,
    collection: str,
    *,
    method: str | None = None,
    storage: str | None = None,
    m: int | None = None,
    ef_construction: int | None = None,
    lists: int | None = None,
    rows_that: Mapping[str, Any] | None = None,
    maintenance_work_mem: str | None = None,
    workers: int | None = None,
    tune: float = 0.0,
    warn: Callable[[str], None] = lambda _: None,
    report: Report = _silent,
) -> Build:
    """Build an index for the collection's distance, without blocking writers; drops an invalid leftover first.

    Without a method and a storage it is the one that `plan` recommends. `rows_that`: a filter; over its rows alone,
    beside the index of all rows, which is tuned and says what to build. `tune`: seconds for measuring, half before the
    build, where neither `m` nor `ef_construction` is given (`pgvec.graph_plan`), all after it (`keep_recall`); for 0
    nothing is measured. `warn` is called, before the build, if it will not fit into memory or takes long. `report` gets
    blocks done, blocks in all and the phase, from pg_stat_progress_create_index. Whatever interrupts the build, it
    leaves no invalid index.
    """
    with database.connect(where, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")  # of this session only, as are the settings below
        graph = Graph(m or 16, ef_construction or 64, "")
        if rows_that is not None:
            method, storage, tune = "hnsw", storage or _storage(connection, collection), 0.0
        if tune and method in (None, "hnsw") and m is None and ef_construction is None:
            graph = _graph(connection, collection, tune / 2)
        m, ef_construction = graph.m, graph.ef_construction
        chosen = _chosen(connection, collection, method, storage, m=m, ef_construction=ef_construction)
        if chosen:
            method, storage = chosen.method, chosen.storage
        rows = connection.execute(
            "select index_name, statement from pgvec.index_definition(%s, %s, %s, %s, %s, %s, %s)",
            (
                collection,
                method or "hnsw",
                storage,
                m,
                ef_construction,
                lists,
                None if rows_that is None else Jsonb(rows_that),
            ),
        ).fetchall()
        name, statements = rows[0][0], [row[1] for row in rows]
        _await_builds(connection, collection)
        found = {index.name: index for index in vector_indexes(connection, collection)}
        if name in found and found[name].valid:
            _note(connection, collection)
            kept = keep_recall(connection, collection, seconds=tune, only_due=False) if tune else None
            return Build(name, found[name].definition, existed=True, kept=kept)
        for index in found.values():
            if not index.valid:
                drop(connection, collection, index.name)
        if chosen and chosen.fits == "no" and not maintenance_work_mem:
            warn(
                f"the build needs {chosen.build_bytes / 1e6:,.0f} MB and gets {chosen.maintenance_work_mem}:"
                " beyond that it goes on, many times slower"
            )
        if chosen and chosen.method == "hnsw" and graph.note and (m, ef_construction) != (16, 64):
            warn(f"m {m} and ef_construction {ef_construction}, since {graph.note}")
        minutes = _minutes(connection, collection, chosen, m, ef_construction) if chosen and tune else 0.0
        if minutes >= LONG:
            warn(f"the build takes about {minutes:,.0f} minutes")

        settings = {
            "maintenance_work_mem": maintenance_work_mem or (chosen and chosen.maintenance_work_mem),
            "max_parallel_maintenance_workers": chosen.workers if workers is None and chosen else workers,
        }
        for setting, value in settings.items():
            if value is not None:
                connection.execute("select set_config(%s, %s, false)", (setting, str(value)))
        try:
            with _watched(where, connection.info.backend_pid, report):
                for statement in statements:
                    connection.execute(statement)
            _note(connection, collection)
        except BaseException:
            _drop_leftover(where, collection, name)
            raise
        kept = keep_recall(connection, collection, seconds=tune, only_due=False) if tune else None
        return Build(name, ";\n".join(statements), existed=False, kept=kept)


def _minutes(connection: Connection, collection: str, chosen: Option, m: int, ef_construction: int) -> float:
    """How long a build may take, from that of a sample; 0 for so few rows that it would take as long as the build."""
    row = connection.execute(
        "select pgvec.build_seconds(%(collection)s, %(method)s, %(storage)s, e.rows, %(m)s, %(ef_construction)s)"
        " from (select pgvec.estimate_rows(pgvec.of_model(%(collection)s)) as rows) as e where e.rows > %(few)s",
        {
            "collection": collection,
            "method": chosen.method,
            "storage": chosen.storage,
            "m": m,
            "ef_construction": ef_construction,
            "few": FEW,
        },
    ).fetchone()
    return row[0] / (1 + chosen.workers) / 60 if row else 0.0


def _storage(connection: Connection, collection: str) -> str | None:
    """What the index of all rows holds."""
    found = [one for one in vector_indexes(connection, collection) if one.valid and one.condition is None]
    return found[0].storage if found else None


def _graph(connection: Connection, collection: str, seconds: float) -> Graph:
    with connection.cursor(row_factory=class_row(Graph)) as cursor:
        (graph,) = cursor.execute(
            "select m, ef_construction, note from pgvec.graph_plan(%s, %s)", (collection, seconds)
        ).fetchall()
    return graph


def keep_recall(
    connection: Connection, collection: str, *, seconds: float = 20.0, wanted: float = 0.98, only_due: bool = True
) -> Kept | None:
    """Tune the index of a collection whose rows have doubled since that was done last, or any (`only_due` False).

    None where nothing is due, where another session is at it, and for roles that may not: nobody but the owner of the
    engine writes settings.
    """
    if not _may(connection, "pgvec.keep_recall(text, float8, float8, boolean)"):
        return None
    with connection.cursor(row_factory=class_row(Kept)) as cursor:
        return cursor.execute(
            "select * from pgvec.keep_recall(%s, %s, %s, %s)", (collection, seconds, wanted, only_due)
        ).fetchone()


def prewarm(connection: Connection, collection: str) -> int:
    """Read a collection's indexes and rows into the server's memory, by pg_prewarm where it is; bytes."""
    if not _may(connection, "pgvec.prewarm(text)"):
        return 0
    row = connection.execute("select pgvec.prewarm(%s)", (collection,)).fetchone()
    return row[0] if row else 0


def _may(connection: Connection, function: str) -> bool:
    """Whether the present role may call a function of the engine; no error where it is of a later release."""
    row = connection.execute("select has_function_privilege(to_regprocedure(%s), 'execute')", (function,)).fetchone()
    return bool(row and row[0])


def _chosen(
    connection: Connection, collection: str, method: str | None, storage: str | None, *, m: int, ef_construction: int
) -> Option | None:
    """What to build; None for a combination that is not in the plan: `pgvec.index_definition` decides about it."""
    options = plan(connection, collection, m=m, ef_construction=ef_construction, measure=False)
    chosen = choose(options, method, storage)
    if chosen is None and method is None and storage is None:
        chosen = choose(plan(connection, collection, m=m, ef_construction=ef_construction), None, None)
        if chosen is None:
            raise UsageError(
                f"no vector index can be recommended for collection {collection!r}",
                f"pgvec-admin index plan {collection} says why; --method and --storage choose one nevertheless",
            )
    return chosen


def drop(connection: Connection, collection: str, name: str) -> None:
    """Drop one of the collection's vector indexes, without blocking; on an autocommit connection."""
    _await_builds(connection, collection)
    for (statement,) in connection.execute("select pgvec.index_removal(%s, %s)", (collection, name)).fetchall():
        connection.execute(statement)
    _note(connection, collection)


def _await_builds(connection: Connection, collection: str) -> None:
    """Wait until no other build runs on the table: that of a client which was killed goes on in the server.

    CREATE and DROP INDEX CONCURRENTLY would wait for its lock with a snapshot, which that build waits for in turn: a
    deadlock. LOCK TABLE takes none.
    """
    ((table,),) = connection.execute("select (pgvec.of_model(%s)).base::text", (collection,)).fetchall()
    with connection.transaction():
        connection.execute(f"lock table {table} in share update exclusive mode".encode())


def _note(connection: Connection, collection: str) -> None:
    """Cache the index in the collection's row, so that searches need not look for it."""
    connection.execute("select pgvec.note_index(%s)", (collection,))


def _drop_leftover(where: Target, collection: str, name: str) -> None:
    """After a failed build, on a fresh connection: the one that built may be broken or still cancelling."""
    with database.connect(where, autocommit=True) as connection:
        if any(index.name == name and not index.valid for index in vector_indexes(connection, collection)):
            drop(connection, collection, name)


@contextmanager
def _watched(where: Target, backend: int, report: Report) -> Iterator[None]:
    """Reports, from a thread, the progress of another session's index build, in blocks of the table."""
    finished = threading.Event()

    def watch() -> None:
        with database.connect(where, autocommit=True) as connection:
            while not finished.wait(0.3):
                row = connection.execute(
                    "select phase, blocks_total,"
                    " case when tuples_total > 0 then blocks_total * tuples_done / tuples_total else blocks_done end"
                    " from pg_catalog.pg_stat_progress_create_index where pid = %s",
                    (backend,),
                ).fetchone()
                if row:
                    report(row[2], row[1] or None, row[0])

    thread = threading.Thread(target=watch, name="index-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()
