"""Files to batches: documents are read, cut into chunks and numbered. Touches no database."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.loading import chunk, columns, converted, readers
from pgvec_admin.loading.chunk import Chunker, Chunking
from pgvec_admin.loading.records import BadRow, Document, Record
from pgvec_admin.loading.sources import Input
from pgvec_admin.loading.staging import Rejected, Row
from pgvec_admin.loading.stored import Stored

BATCH = 2000  # 1,000 to 5,000 are equally fast; a smaller one loses less to an interruption
# texts differ in length: a batch ends here as well
BATCH_CHARACTERS = 16 * 1024 * 1024


@dataclass(frozen=True)
class LoadOptions:
    """How files become rows: which columns, how texts are cut (None: whole), and whether rows of tables are cut too.

    `prune` removes rows that the files have no more. `tenant` tells the loads of one file for several tenants apart;
    the connection decides whose rows they are.
    """

    mapping: columns.Mapping = field(default_factory=columns.Mapping)
    chunking: Chunking | None = field(default_factory=Chunking)
    chunk_rows: bool = False
    batch: int = BATCH
    tenant: UUID | None = None
    prune: bool = False


@dataclass(frozen=True)
class ResumePoint:
    """A file whose load was interrupted: of its documents, the first `position` are stored."""

    source: str
    fingerprint: str
    position: int


@dataclass(frozen=True)
class Ended:
    """A source that was read to its end: stored rows that it has no more (`gone`), or may have as bad rows (`unsure`).

    `ids` are the ids that its rows gave, where it had rows before; with `everything` none of its rows counts but these.
    Of a `damaged` one, rows that could not be read may be among those that seem to be gone.
    """

    source: str
    gone: Sequence[str] = ()
    unsure: Sequence[str] = ()
    ids: Mapping[str, int] | None = None
    damaged: bool = False
    everything: bool = False
    noted: bool = False  # whether there is a resume point


@dataclass
class Batch:
    """What is stored in one transaction. `done` is the share of all input that has been read by its end."""

    records: list[tuple[Record, str]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    complete: dict[str, int] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    chunked: bool = False
    resumed: int = 0
    characters: int = 0
    resume_at: ResumePoint | None = None
    done: float | None = None
    rows: list[Row] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether its rows, if they are new, are all that has to be stored."""
        return not (self.chunked or self.complete or self.ended)


class Reading:
    """Turns files into batches, skipping what an earlier run has stored."""

    def __init__(
        self, options: LoadOptions, resume: Mapping[str, ResumePoint], before: Stored, tell: Callable[[str], None]
    ) -> None:
        self._options = options
        self._resume = resume
        self._before = before
        self._tell = tell
        self._chunkers: dict[bool, Chunker] = {}
        self._batch = Batch()
        # sources that rows name themselves end with the load, unless a file of theirs could not be read to its end
        self._named: set[str] = set()
        self._cut: set[str] = set()
        self._unreadable = False
        self._lines: dict[str, int] = {}
        self._files: dict[str, str] = {}
        self._twice: Counter[tuple[str, str]] = Counter()
        self._damaged = False

    def batches(self, inputs: Sequence[Input]) -> Iterator[Batch]:
        """The batches of all files in order. Small files share one."""
        whole = sum(source.size for source in inputs) or None
        before = 0
        for source in inputs:
            for read in self._texts(source) if source.is_text else self._table(source, alone=len(inputs) == 1):
                yield self._take(whole and (before + read) / whole)
            before += source.size
        self._batch.ended += [Ended(name, *self._before.numbers.left(name)) for name in sorted(self._named - self._cut)]
        for (first, second), count in self._twice.items():
            self._tell(f"{count:,} ids of {second} are in {first} too: the rows of the later file count")
        yield self._take(1.0)

    def _take(self, done: float | None) -> Batch:
        taken, self._batch = replace(self._batch, done=done), Batch()
        return taken

    @property
    def _full(self) -> bool:
        return len(self._batch.records) >= self._options.batch or self._batch.characters >= BATCH_CHARACTERS

    def _texts(self, source: Input) -> Iterator[int]:
        """Adds a text; yields where the batch is full."""
        chunker = self._chunker(markdown=source.format in converted.MARKDOWN)
        self._batch.chunked = True
        for item in self._items(source, alone=False):
            if isinstance(item, BadRow):
                self._batch.rejected.append(Rejected(source.name, item.line, item.reason, item.row))
                if item.empty and source.name in self._before.sources:
                    self._batch.ended.append(Ended(source.name, ids={}, everything=True))
                continue
            made = chunk.records(item, chunker, source=source.name, index=0)
            assert not isinstance(made, BadRow), "a text has no embedding"
            self._add_records(made, source, item)
            self._batch.complete[source.name] = len(made)
        if self._full:
            yield source.size

    def _table(self, source: Input, *, alone: bool) -> Iterator[int]:
        """Adds a table; yields the bytes that were read, where the batch is full."""
        chunker = self._chunker(markdown=False) if self._options.chunk_rows else None
        fingerprint = _fingerprint(source, self._options)
        point = self._resume.get(source.name)
        skip = point.position if point and point.fingerprint == fingerprint else 0
        self._batch.resumed += skip
        self._lines, self._damaged = {}, False
        named: set[str] = set()
        noted = point is not None
        for position, item in enumerate(self._items(source, alone=alone), 1):
            self._batch.chunked |= chunker is not None
            if position <= skip:  # stored before: only its number and faults still count
                kept, self._batch = self._batch, Batch(rejected=self._batch.rejected)
                self._add(item, source, chunker, named)
                self._batch = kept
                continue
            self._add(item, source, chunker, named)
            if self._full:
                self._batch.resume_at = ResumePoint(source.name, fingerprint, position)
                noted = True
                yield source.read
        if self._unreadable:
            self._cut |= named
            return
        self._named |= named - {source.name}
        known = source.name in self._before.sources
        if known or noted:
            gone, unsure = self._before.numbers.left(source.name)
            whole = known and not chunker and self._options.mapping.source is None
            ids = self._lines if whole else None
            self._batch.ended.append(Ended(source.name, gone, unsure, ids, self._damaged, noted=noted))

    def _items(self, source: Input, *, alone: bool) -> Iterator[Document | BadRow]:
        """The documents of a file; one of several files that cannot be read (on) is told as a bad row of line 0."""
        self._unreadable = False
        try:
            yield from readers.documents(source, self._options.mapping)
        except (DataRejectedError, UsageError) as error:
            if alone:
                raise
            self._unreadable = True
            self._batch.rejected.append(Rejected(source.name, 0, error.message.removeprefix(f"{source.name} ")))

    def _add(self, item: Document | BadRow, source: Input, chunker: Chunker | None, named: set[str]) -> None:
        numbers = self._before.numbers
        if isinstance(item, BadRow):
            self._batch.rejected.append(Rejected(source.name, item.line, item.reason, item.row))
            self._damaged |= not item.empty
            numbers.skip(source.name)
            return
        if item.id is not None and not self._first(item, item.id, source):
            return
        name = item.source or source.name
        made = chunk.records(item, chunker, source=name, index=0)
        if isinstance(made, BadRow):
            self._batch.rejected.append(Rejected(source.name, made.line, made.reason, made.row))
            self._damaged = True
            return
        if item.id is None:
            named.add(name)
            places = [numbers.take(name, record.content) for record in made]
            made = [
                replace(record, id=f"{name}#{place}", chunk_index=place)
                for record, place in zip(made, places, strict=True)
            ]
        elif chunker:
            self._batch.complete[item.id] = len(made)
        elif item.id in self._before.chunked:
            self._batch.complete[item.id] = 0  # it was cut before, and is whole now
        self._add_records(made, source, item)

    def _first(self, item: Document, id_: str, source: Input) -> bool:
        """Whether no row before has this id; one of the same file is a bad row, one of another is counted."""
        earlier = self._lines.setdefault(id_, item.line)
        if earlier != item.line:
            reason = f"id {id_!r} was in line {earlier} already"
            self._batch.rejected.append(Rejected(source.name, item.line, reason, {"id": id_, "content": item.content}))
            return False
        first = self._files.setdefault(id_, source.name)
        if first != source.name:
            self._twice[first, source.name] += 1
        return True

    def _add_records(self, made: Sequence[Record], source: Input, item: Document) -> None:
        self._batch.records += [(record, source.name) for record in made]
        self._batch.characters += len(item.content)

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
        source.delimiter,
        source.encoding,
        options.mapping,
        options.chunking,
        options.chunk_rows,
        options.tenant,
    )
    return hashlib.sha256(repr(what).encode()).hexdigest()
