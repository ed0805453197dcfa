"""Loading files: documents are read, cut into chunks and stored batch by batch.

A batch, the removal of obsolete chunks and the resume point are one transaction. Wherever a load is interrupted, the
same load run again continues after the last batch; a finished load, run again, changes nothing. The server need not
have flushed a batch to disk before it takes the next: until the load has ended, a crash of the server may undo the last
batches, resume points included.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from uuid import UUID

from psycopg.rows import class_row

from pgvec_admin.database import Connection
from pgvec_admin.engine import collections
from pgvec_admin.engine.collections import Collection
from pgvec_admin.errors import DataRejectedError
from pgvec_admin.loading import chunk, readers, staging
from pgvec_admin.loading.chunk import Chunker, Chunking
from pgvec_admin.loading.columns import Mapping
from pgvec_admin.loading.lanes import Lanes
from pgvec_admin.loading.readers import Input
from pgvec_admin.loading.records import BadRow, Document, Record
from pgvec_admin.loading.staging import Merged, Rejected, Row

BATCH = 2000  # 1,000 to 5,000 are equally fast; a smaller one loses less to an interruption
# texts differ in length: a batch ends here as well
BATCH_CHARACTERS = 16 * 1024 * 1024

Report = Callable[[int, int | None], None]
Reject = Callable[[Rejected], None]


@dataclass(frozen=True)
class LoadResult:
    """Rows of a collection that were inserted, updated, found unchanged, removed; documents rejected and resumed.

    `resumed` documents were stored by an earlier, interrupted run. `counted_anew`: the keyword statistics were
    refreshed at the end.
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    resumed: int = 0
    counted_anew: bool = False
    seconds: float = 0.0

    @property
    def rows(self) -> int:
        """Rows that were stored, or found unchanged."""
        return self.inserted + self.updated + self.unchanged


@dataclass(frozen=True)
class LoadOptions:
    """How files become rows: which columns, how texts are cut (None: whole), and whether rows of tables are cut too.

    `tenant` tells the loads of one file for several tenants apart; the connection decides whose rows they are.
    """

    mapping: Mapping = field(default_factory=Mapping)
    chunking: Chunking | None = field(default_factory=Chunking)
    chunk_rows: bool = False
    batch: int = BATCH
    tenant: UUID | None = None


@dataclass(frozen=True)
class _ResumePoint:
    """A file whose load was interrupted: of its documents, the first `position` are stored."""

    source: str
    fingerprint: str
    position: int


@dataclass
class _Batch:
    """What is stored in one transaction. `done` is the share of all input that has been read by its end."""

    records: list[tuple[Record, str]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    complete: dict[str, int] = field(default_factory=dict)
    chunked: bool = False
    resumed: int = 0
    characters: int = 0
    resume_at: _ResumePoint | None = None
    ended: str | None = None
    done: float | None = None
    rows: list[Row] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether its rows, if they are new, are all that has to be stored."""
        return not (self.chunked or self.complete)


def load_records(
    connection: Connection, collection: str, records: Iterable[Record], *, report: Report | None = None
) -> LoadResult:
    """Store records in a collection; existing identical ones stay untouched.

    `connection` is in autocommit mode. Raises DataRejectedError for a record that cannot be stored.
    """
    batch, batches = _Batch(), []
    for record in records:
        batch.records.append((record, "record"))
        if len(batch.records) == BATCH:
            batches.append(batch)
            batch = _Batch()
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
    another: Callable[[], Connection] | None = None,
) -> LoadResult:
    """Load files into a collection: texts cut into chunks, rows of tables as they are.

    `reject` is called with every bad row, which is left out; `strict` raises DataRejectedError at the first. `restart`
    ignores the resume points of an interrupted run. `report` gets the rows done, and how many there may be in all.
    `connection` is in autocommit mode, and so is the one that `another` opens where two batches can be copied at a
    time; the caller closes it.
    """
    target = collections.get(connection, collection)
    resume = {} if restart else _resume_points(connection, target)
    batches = _Reading(options, resume).batches(inputs)
    return _store(connection, target, batches, _stop if strict else reject, report, another)


def _stop(rejected: Rejected) -> None:
    raise DataRejectedError(str(rejected), "fix it and load again; what was loaded before it stays")


def _store(
    connection: Connection,
    collection: Collection,
    batches: Iterable[_Batch],
    reject: Reject | None,
    report: Report | None,
    another: Callable[[], Connection] | None = None,
) -> LoadResult:
    assert connection.autocommit, "a batch is a transaction"
    started = time.monotonic()
    stage = staging.Staging(connection, collection)
    result = LoadResult()

    def prepared() -> Iterator[_Batch]:
        for batch in batches:
            batch.rows, faulty = staging.encode(batch.records, collection)
            batch.rejected += faulty
            yield batch

    # closed explicitly: garbage collection could run in the reading thread, which would then wait for itself
    with closing(_ahead(prepared())) as ahead, closing(Lanes[_Batch](stage, another).run(ahead)) as lanes:
        for batch, inserted in lanes:
            with inserted.ending() if inserted else connection.transaction():
                if inserted:
                    merged, refused = Merged(inserted=len(batch.rows)), list[Rejected]()
                else:
                    connection.execute("set local synchronous_commit = off")
                    merged, refused = stage.merge(batch.rows, batch.complete, reuse_embeddings=batch.chunked)
                _note_resume_point((inserted or stage).connection, collection, batch)
                rejected = batch.rejected + refused
                for one in rejected if reject else []:
                    assert reject is not None
                    reject(one)  # may raise: then the batch is not stored
            result = _sum(result, merged, batch, len(rejected))
            if report:
                seen = result.rows + result.resumed
                report(seen, max(seen, round(seen / batch.done)) if batch.done else None)
    due = collections.keyword_statistics(connection, collection.name).due
    if due:
        collections.refresh_statistics(connection, collection.name)
    # a commit that waits for the disk, and thus for all commits before it
    connection.execute("select pg_logical_emit_message(true, 'pgvec', 'loaded')")
    return replace(result, counted_anew=due, seconds=time.monotonic() - started)


def _sum(result: LoadResult, merged: Merged, batch: _Batch, rejected: int) -> LoadResult:
    return replace(
        result,
        inserted=result.inserted + merged.inserted,
        updated=result.updated + merged.updated,
        unchanged=result.unchanged + merged.unchanged,
        removed=result.removed + merged.removed,
        rejected=result.rejected + rejected,
        resumed=result.resumed + batch.resumed,
    )


def _ahead(items: Iterator[_Batch]) -> Generator[_Batch]:
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


class _Reading:
    """Turns files into batches, skipping what an earlier run has stored. Touches no database."""

    def __init__(self, options: LoadOptions, resume: dict[str, _ResumePoint]) -> None:
        self._options = options
        self._resume = resume
        self._chunkers: dict[bool, Chunker] = {}
        # the number of chunks so far of every source whose chunks we number
        self._counts: Counter[str] = Counter()
        self._lines: dict[str, int] = {}

    def batches(self, inputs: Sequence[Input]) -> Iterator[_Batch]:
        """The batches of all files in order; texts share them, a table has its own."""
        whole = sum(source.size for source in inputs) or None
        before = 0
        texts = _Batch(chunked=True)
        for source in inputs:
            if source.is_text:
                self._text(source, texts)
                if self._full(texts):
                    yield replace(texts, done=whole and (before + source.size) / whole)
                    texts = _Batch(chunked=True)
            else:
                if texts.records or texts.rejected or texts.complete:
                    yield replace(texts, done=whole and before / whole)
                    texts = _Batch(chunked=True)
                for batch, read in self._table(source):
                    yield replace(batch, done=whole and (before + read) / whole)
            before += source.size
        yield replace(texts, done=1.0)

    def _full(self, batch: _Batch) -> bool:
        return len(batch.records) >= self._options.batch or batch.characters >= BATCH_CHARACTERS

    def _text(self, source: Input, batch: _Batch) -> None:
        chunker = self._chunker(markdown=source.format == "md")
        for item in readers.documents(source, self._options.mapping):
            self._add(item, source, chunker, batch)
        if self._counts[source.name]:
            batch.complete[source.name] = self._counts.pop(source.name)

    def _table(self, source: Input) -> Iterator[tuple[_Batch, int]]:
        chunker = self._chunker(markdown=False) if self._options.chunk_rows else None
        fingerprint = _fingerprint(source, self._options)
        point = self._resume.get(source.name)
        skip = point.position if point and point.fingerprint == fingerprint else 0
        self._lines.clear()
        batch = _Batch(chunked=chunker is not None, resumed=skip)
        position, kept = 0, _Batch()
        for position, item in enumerate(readers.documents(source, self._options.mapping), 1):
            if position <= skip:
                # stored before: only their numbers and faults still count
                self._add(item, source, chunker, kept)
                kept.records.clear()
                batch.rejected = kept.rejected
                continue
            self._add(item, source, chunker, batch)
            if self._full(batch):
                batch.resume_at = _ResumePoint(source.name, fingerprint, position)
                yield batch, source.read
                batch = _Batch(chunked=chunker is not None)
        self._counts.setdefault(source.name, 0)
        batch.complete.update(self._counts)
        batch.ended = source.name
        self._counts.clear()
        yield batch, source.size

    def _add(self, item: Document | BadRow, source: Input, chunker: Chunker | None, batch: _Batch) -> None:
        if isinstance(item, BadRow):
            batch.rejected.append(Rejected(source.name, item.line, item.reason, item.row))
            if not source.is_text:
                self._counts[source.name] += 1  # a bad row keeps its number for when it is fixed
            return
        if item.id is not None:
            earlier = self._lines.setdefault(item.id, item.line)
            if earlier != item.line:
                reason = f"id {item.id!r} was in line {earlier} already"
                batch.rejected.append(
                    Rejected(source.name, item.line, reason, {"id": item.id, "content": item.content})
                )
                return
        numbered = item.id is None
        name = item.source or source.name
        made = chunk.records(item, chunker, source=name, index=self._counts[name] if numbered else 0)
        if isinstance(made, BadRow):
            batch.rejected.append(Rejected(source.name, made.line, made.reason, made.row))
            return
        if numbered:
            self._counts[name] += len(made)
        elif chunker:
            batch.complete[str(item.id)] = len(made)
        batch.records += [(record, source.name) for record in made]
        batch.characters += len(item.content)

    def _chunker(self, *, markdown: bool) -> Chunker | None:
        if self._options.chunking is None:
            return None
        if markdown not in self._chunkers:
            self._chunkers[markdown] = Chunker(self._options.chunking, markdown=markdown)
        return self._chunkers[markdown]


def _fingerprint(source: Input, options: LoadOptions) -> str:
    """A hash of the file and of the options of its load; empty for stdin, which cannot be read again."""
    if source.path is None:
        return ""
    told = source.path.stat()
    what = (
        told.st_size,
        told.st_mtime_ns,
        source.format,
        options.mapping,
        options.chunking,
        options.chunk_rows,
        options.tenant,
    )
    return hashlib.sha256(repr(what).encode()).hexdigest()


def _resume_points(connection: Connection, collection: Collection) -> dict[str, _ResumePoint]:
    """The files of interrupted loads into this collection, by name."""
    with connection.cursor(row_factory=class_row(_ResumePoint)) as cursor:
        found = cursor.execute("select * from pgvec.resume_points(%s)", (collection.name,)).fetchall()
    return {point.source: point for point in found}


def _note_resume_point(connection: Connection, collection: Collection, batch: _Batch) -> None:
    point = batch.resume_at
    if point and point.fingerprint and batch.rows:
        connection.execute(
            "select pgvec.note_load(%s, %s, %s, %s, %s)",
            (collection.name, point.source, point.fingerprint, point.position, batch.rows[-1].record.id),
        )
    if batch.ended is not None:
        connection.execute("select pgvec.note_load(%s, %s)", (collection.name, batch.ended))
