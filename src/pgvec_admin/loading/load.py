"""Loading files: documents are read, cut into chunks and stored batch by batch.

A batch, the removal of obsolete chunks and the resume point are one transaction. Wherever a load is interrupted, the
same load run again continues after the last batch; a finished load, run again, changes nothing. The server need not
have flushed a batch to disk before it takes the next: until the load has ended, a crash of the server may undo the last
batches, resume points included.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from psycopg import sql
from psycopg.rows import class_row

from pgvec_admin.database import Connection
from pgvec_admin.engine import collections, index
from pgvec_admin.engine.collections import Collection
from pgvec_admin.engine.index import Kept
from pgvec_admin.errors import DataRejectedError
from pgvec_admin.loading import staging, stored
from pgvec_admin.loading.lanes import Lanes
from pgvec_admin.loading.reading import BATCH, Batch, Ended, LoadOptions, Reading, ResumePoint
from pgvec_admin.loading.records import Record
from pgvec_admin.loading.sources import Input, silently
from pgvec_admin.loading.space import Space
from pgvec_admin.loading.staging import Merged, Rejected

ANALYZE_ABOVE = 0.01  # the share of a table's rows that changed
TUNE = 20.0  # seconds for tuning the index anew, where the rows have doubled

Report = Callable[[int, int | None], None]
Reject = Callable[[Rejected], None]


@dataclass(frozen=True)
class LoadResult:
    """Rows of a collection that were inserted, updated, found unchanged, removed; documents rejected and resumed.

    `resumed` documents were stored by an earlier, interrupted run. `gone`: rows that the files have no more, and that
    are still stored; with `prune` they are removed. `counted_anew`: the keyword statistics were refreshed at the end.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    resumed: int = 0
    gone: int = 0
    counted_anew: bool = False
    kept: Kept | None = None
    prewarmed: int = 0
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Rows that were stored, or found unchanged."""
        return self.inserted + self.updated + self.unchanged


def load_records(
    connection: Connection, collection: str, records: Iterable[Record], *, report: Report | None = None
) -> LoadResult:
    """Store records in a collection; existing identical ones stay untouched.

    `connection` is in autocommit mode. Raises DataRejectedError for a record that cannot be stored.
    """
    batch, batches = Batch(), []
    for record in records:
        batch.records.append((record, "record"))
        if len(batch.records) == BATCH:
            batches.append(batch)
            batch = Batch()
    return _store(connection, collections.get(connection, collection), [*batches, batch], _stop, report)


def load_files(
    connection: Connection,
    collection: str,
    inputs: Sequence[Input],
    options: LoadOptions,
    *,
    restart: bool = False,
    strict: bool = False,
    reject: Reject | None = None,
    report: Report | None = None,
    tell: Callable[[str], None] | None = None,
    another: Callable[[], Connection] | None = None,
) -> LoadResult:
    """Load files into a collection: texts cut into chunks, rows of tables as they are.

    `reject` is called with every bad row, which is left out; `strict` raises DataRejectedError at the first. `restart`
    ignores the resume points of an interrupted run. `report` gets the rows done, and how many there may be in all.
    `tell` gets what else the user should know, a line each. `connection` is in autocommit mode, and so is the one that
    `another` opens where two batches can be copied at a time; the caller closes it.
    """
    target = collections.get(connection, collection)
    space = Space(connection, collection)
    space.check_files(inputs)
    resume = _resume_points(connection, target)
    if restart:
        resume = {name: replace(point, fingerprint="none") for name, point in resume.items()}
    before = stored.stored(connection, collection, inputs, other_sources=options.mapping.source is not None)
    files = [Ended(name, ids={}, everything=True) for name in stored.gone_files(before.sources, inputs)]
    batches = Reading(options, resume, before, tell or silently).batches(inputs)
    batches = itertools.chain(batches, [Batch(ended=files, done=1.0)] if files else [])
    return _store(
        connection,
        target,
        batches,
        _stop if strict else reject,
        report,
        another,
        prune=options.prune,
        tell=tell,
        space=space,
    )


def _stop(rejected: Rejected) -> None:
    raise DataRejectedError(str(rejected), "fix it and load again; what was loaded before it stays")


def _store(
    connection: Connection,
    collection: Collection,
    batches: Iterable[Batch],
    reject: Reject | None,
    report: Report | None,
    another: Callable[[], Connection] | None = None,
    *,
    prune: bool = False,
    tell: Callable[[str], None] | None = None,
    space: Space | None = None,
) -> LoadResult:
    assert connection.autocommit, "a batch is a transaction"
    started = time.monotonic()
    stage = staging.Staging(connection, collection)
    result = LoadResult()
    refused_names = set[str | None]()

    def prepared() -> Iterator[Batch]:
        for batch in batches:
            batch.rows, faulty = staging.encode(batch.records, collection)
            batch.rejected += faulty
            for name in staging.names(faulty) & batch.complete.keys():  # it stays as it was
                del batch.complete[str(name)]
                batch.rows = [row for row in batch.rows if name not in row.names]
            yield batch

    lanes = Lanes[Batch](stage, another)
    # closed explicitly: garbage collection could run in the reading thread, which would then wait for itself
    with closing(_ahead(prepared())) as ahead, closing(lanes.run(ahead)) as stored_batches:
        for batch, inserted in stored_batches:
            with inserted.ending() if inserted else connection.transaction():
                if inserted:
                    merged, refused = Merged(inserted=len(batch.rows)), list[Rejected]()
                else:
                    connection.execute("set local synchronous_commit = off")
                    merged, refused = stage.merge(batch.rows, batch.complete, reuse_embeddings=batch.chunked)
                used = (inserted or stage).connection
                refused_names |= staging.names(batch.rejected + refused)
                ended = [_kept(one) if one.source in refused_names else one for one in batch.ended]
                removed, gone = _end_sources(used, collection.name, ended, prune, tell or silently)
                merged += Merged(removed=removed)
                _note_resume_point(used, collection, batch)
                rejected = batch.rejected + refused
                for one in rejected if reject else []:
                    assert reject is not None
                    reject(one)  # may raise: then the batch is not stored
            result = _sum(result, merged, batch, len(rejected), gone)
            if report:
                seen = result.rows + result.resumed
                report(seen, max(seen, round(seen / batch.done)) if batch.done else None)
            if space:
                space.check(batch.done)
    due = collections.keyword_statistics(connection, collection.name).due
    with ThreadPoolExecutor(1, thread_name_prefix="load-analyze") as pool:
        analyzed = pool.submit(_analyze, lanes.spare, collection, result) if due and lanes.spare else None
        if due:
            collections.refresh_statistics(connection, collection.name)
        if analyzed:
            analyzed.result()
        else:
            _analyze(connection, collection, result)
    # a commit that waits for the disk, and thus for all commits before it
    connection.execute("select pg_logical_emit_message(true, 'pgvec', 'loaded')")
    seconds = time.monotonic() - started
    kept = index.keep_recall(connection, collection.name, seconds=TUNE) if result.inserted else None
    warm = index.prewarm(connection, collection.name) if result.inserted + result.updated else 0
    return replace(result, counted_anew=due, kept=kept, prewarmed=warm, seconds=seconds)


def _kept(one: Ended) -> Ended:
    """The end of a source with rows that could not be stored: what seems to be gone may be their earlier version."""
    return replace(one, gone=(), unsure=[*one.unsure, *one.gone], damaged=True)


def _sum(result: LoadResult, merged: Merged, batch: Batch, rejected: int, gone: int) -> LoadResult:
    return replace(
        result,
        inserted=result.inserted + merged.inserted,
        updated=result.updated + merged.updated,
        unchanged=result.unchanged + merged.unchanged,
        removed=result.removed + merged.removed,
        rejected=result.rejected + rejected,
        resumed=result.resumed + batch.resumed,
        gone=result.gone + gone,
    )


def _ahead(items: Iterator[Batch]) -> Generator[Batch]:
    """The same batches, the next one read in a thread while the caller stores the last.

    After each write to the server the caller has to get the GIL back. By default the reading thread holds it for
    another 5 ms, and the server runs out of rows.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(min(usual, 0.0002))
    try:
        with ThreadPoolExecutor(1, thread_name_prefix="load-reading") as pool:
            coming = pool.submit(next, items, None)
            while (item := coming.result()) is not None:
                coming = pool.submit(next, items, None)
                yield item
    finally:
        sys.setswitchinterval(usual)


def _resume_points(connection: Connection, collection: Collection) -> dict[str, ResumePoint]:
    """The files of interrupted loads into this collection, by name."""
    with connection.cursor(row_factory=class_row(ResumePoint)) as cursor:
        found = cursor.execute("select * from pgvec.resume_points(%s)", (collection.name,)).fetchall()
    return {point.source: point for point in found}


def _note_resume_point(connection: Connection, collection: Collection, batch: Batch) -> None:
    point = batch.resume_at
    if point and point.fingerprint and batch.rows:
        connection.execute(
            "select pgvec.note_load(%s, %s, %s, %s, %s)",
            (collection.name, point.source, point.fingerprint, point.position, batch.rows[-1].record.id),
        )
    for ended in batch.ended:
        if ended.noted:
            connection.execute("select pgvec.note_load(%s, %s)", (collection.name, ended.source))


def _end_sources(
    connection: Connection, collection: str, ended: Sequence[Ended], prune: bool, tell: Callable[[str], None]
) -> tuple[int, int]:
    """Remove what sources have no more; returns how many rows that were, and how many are left for `prune`."""
    removed = left = 0
    found = {
        everything: stored.ids_of(
            connection,
            collection,
            [one.source for one in ended if one.ids is not None and one.everything is everything],
            whole=not everything,
        )
        for everything in (False, True)
    }
    for one in ended:
        removed += stored.remove(connection, collection, one.gone)
        gone = list(one.unsure)
        if one.ids is not None:
            gone += [id_ for id_ in found[one.everything].get(one.source, ()) if id_ not in one.ids]
        if gone and prune and not one.damaged:
            removed += stored.remove(connection, collection, gone)
        elif gone:
            left += len(gone)
            why = "; nothing is pruned of a file with bad rows" if prune else ""
            tell(f"{one.source}: {len(gone):,} stored rows are no longer in it{why}")
    return removed, left


def _analyze(connection: Connection, collection: Collection, result: LoadResult) -> None:
    """Analyze the table where much of it changed; for who may not, the server only warns.

    Not while an index is built: that waits for all older snapshots, this one's too, and would be waited for.
    """
    changed = result.inserted + result.updated + result.removed
    rows = connection.execute(
        "select reltuples from pg_catalog.pg_class where oid = %s::regclass", (collection.relation,)
    ).fetchone()
    if changed and changed >= ANALYZE_ABOVE * max(0.0, rows[0] if rows else 0.0):
        connection.execute(sql.SQL("analyze (skip_locked) {}").format(sql.SQL(collection.relation)))
