"""Rows on their way into a collection: checked, copied in binary into a staging table, merged from there by SQL."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from pgvec_admin.database import Connection
from pgvec_admin.engine.collections import Collection
from pgvec_admin.loading.records import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pgvec_admin.loading.records import Embedding

TYPES = ["text", "text", "int4", "text", "jsonb", "bytea"]
STAGED = sql.SQL("pg_temp.staged_documents")


def copy_into(table: sql.Composable) -> sql.Composed:
    """The COPY of rows of TYPES into a collection, or into STAGED."""
    return sql.SQL("copy {} (id, source, chunk_index, content, metadata, embedding) from stdin (format binary)").format(
        table
    )


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: its file, its line (0 where there is none), the reason, and the row."""

    file: str
    line: int
    reason: str
    row: Any = None
    names: frozenset[str | None] = frozenset()  # its id and its source, of a row that could not be stored

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.line else f"{self.file}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Row:
    """A record with the file it came from and its embedding in pgvector's binary form, ready to be copied."""

    record: Record
    file: str
    embedding: bytes | None

    @property
    def names(self) -> frozenset[str | None]:
        """Its id and its source."""
        return frozenset({self.record.id, self.record.source})

    def rejected(self, reason: str) -> Rejected:
        """This row, refused."""
        return _rejected(self.record, self.file, reason)


def names(rejected: Iterable[Rejected]) -> set[str | None]:
    """The ids and sources of rows that could not be stored."""
    return {name for one in rejected for name in one.names}


@dataclass(frozen=True)
class Merged:
    """Rows of a collection that were inserted, updated, found unchanged, removed."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    removed: int = 0

    def __add__(self, other: Merged) -> Merged:
        return Merged(
            self.inserted + other.inserted,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.removed + other.removed,
        )


def _json(value: Any) -> str | bytes:
    """JSON with the digits of decimals, which the standard library does not write."""
    try:
        return json.dumps(value)
    except TypeError:
        return orjson.dumps(_with_decimals(value))


def _with_decimals(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_decimals(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_decimals(inner) for inner in value]
    if isinstance(value, Decimal) or (isinstance(value, int) and not isinstance(value, bool)):
        return orjson.Fragment(str(value))
    return value


def encode(records: Sequence[tuple[Record, str]], collection: Collection) -> tuple[list[Row], list[Rejected]]:
    """Records (each with its file) as rows, and those whose embedding the collection cannot hold."""
    reasons: dict[int, str] = {}
    vectors: dict[int, Embedding] = {}
    for place, (record, _) in enumerate(records):
        if record.embedding is None:
            continue
        if len(record.embedding) == collection.dimensions:
            vectors[place] = record.embedding
        else:
            reasons[place] = (
                f"its embedding has {len(record.embedding)} dimensions,"
                f" collection {collection.name!r} has {collection.dimensions}"
            )
    binary: dict[int, bytes] = {}
    if vectors:
        import numpy as np
        from pgvector import Vector

        matrix = np.stack(list(vectors.values()))
        for place, vector, fault in zip(vectors, matrix, _faults(matrix, collection), strict=True):
            if fault:
                reasons[place] = fault
            else:
                binary[place] = Vector(vector).to_binary()
    rows = [
        Row(record, file, binary.get(place)) for place, (record, file) in enumerate(records) if place not in reasons
    ]
    return rows, [_rejected(*records[place], reason) for place, reason in sorted(reasons.items())]


def _faults(matrix: NDArray[np.float32], collection: Collection) -> list[str | None]:
    """What is wrong with each vector, as the column will hold it."""
    import numpy as np

    stored: NDArray[Any] = matrix
    if collection.storage == "halfvec":
        with np.errstate(over="ignore"):
            stored = matrix.astype(np.float16)
    nan = np.asarray(np.isnan(matrix).any(axis=1))
    infinite = ~np.asarray(np.isfinite(stored).all(axis=1))
    zero = ~np.asarray(stored.any(axis=1))
    faults: list[str | None] = [None] * len(matrix)
    for place in np.flatnonzero(nan | infinite | zero):
        if nan[place]:
            faults[place] = "its embedding has a NaN"
        elif infinite[place]:
            faults[place] = f"its embedding has an infinite value, or one too large for {collection.storage}"
        else:
            faults[place] = "its embedding is a zero vector"
    return faults


class Staging:
    """The staging table of one connection, for one collection."""

    def __init__(self, connection: Connection, collection: Collection) -> None:
        self.connection = connection
        self.collection = collection
        self._table = sql.SQL(collection.relation)  # regclass as text, quoted by the server
        self._direct = collection.storage == "vector"  # rows have this binary form
        self.all_new = False  # whether all rows before were new
        connection.execute("select pgvec.begin_staging(%s)", (collection.name,))
        # the triggers get a whole batch, which would spill to disk: a twentieth slower
        connection.execute(
            "select set_config('work_mem', '64MB', false)"
            " where pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')"
        )

    def insert(self, rows: Sequence[Row]) -> bool:
        """Copy new rows straight into the collection, in a transaction that stays open; False, without it, on failure.

        Waiting for another transaction counts as a failure: that one might wait for this one's end. Raises where the
        connection is lost.
        """
        try:
            self.connection.execute("begin")
            self.connection.execute("set local synchronous_commit = off")
            self.connection.execute("set local lock_timeout = '3s'")
            self._copy(rows, self._table)
            self.connection.execute("set local lock_timeout to default")
        except psycopg.Error:
            if self.connection.broken:
                raise
            self.undo()
            return False
        return True

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Commits the transaction that `insert` left open, after the block; rolls it back where that raises."""
        try:
            yield
        except BaseException:
            self.undo()
            raise
        self.connection.execute("commit")

    def undo(self) -> None:
        """Roll back what `insert` did."""
        with suppress(psycopg.Error):
            self.connection.execute("rollback")

    def cancel(self) -> None:
        """Make the statement that another thread runs here fail."""
        with suppress(psycopg.Error):
            self.connection.cancel_safe(timeout=5)

    def merge(
        self, rows: Sequence[Row], complete: Mapping[str, int], *, reuse_embeddings: bool
    ) -> tuple[Merged, list[Rejected]]:
        """Store rows, then end the sources of `complete` (with their numbers of chunks); in the caller's transaction.

        A row that the database refuses is found by halving the batch; the others are stored, but for those of a source
        that is complete: it stays as it was.
        """
        with self.connection.transaction() as attempt:
            merged, refused = self._merge(rows, reuse_embeddings)
            kept = names(refused) & complete.keys()
            if kept:
                raise psycopg.Rollback(attempt)
        if kept:
            merged, _ = self._merge([row for row in rows if not kept & row.names], reuse_embeddings)
            complete = {name: chunks for name, chunks in complete.items() if name not in kept}
        if complete:
            merged += self._call(complete, reuse_embeddings)
        return merged, refused

    def _merge(self, rows: Sequence[Row], reuse_embeddings: bool) -> tuple[Merged, list[Rejected]]:
        if not rows:
            return Merged(), []
        if not reuse_embeddings and self._inserted(rows):
            return Merged(inserted=len(rows)), []
        try:
            with self.connection.transaction():
                self._copy(rows, STAGED)
                return self._call({}, reuse_embeddings), []
        except psycopg.Error as error:
            if not _is_of_a_row(error):
                raise
            if len(rows) == 1:
                return Merged(), [rows[0].rejected(_reason(error))]
        middle = len(rows) // 2
        first, first_refused = self._merge(rows[:middle], reuse_embeddings)
        second, second_refused = self._merge(rows[middle:], reuse_embeddings)
        return first + second, first_refused + second_refused

    def _inserted(self, rows: Sequence[Row]) -> bool:
        """Copy entirely new rows straight into the collection, a fifth faster; False where that cannot be done.

        After rows that were all new the next ones are likely to be new, and are copied without asking.
        """
        if not self._direct:
            return False
        if not self.all_new:
            ids = [row.record.id for row in rows]
            found = self.connection.execute("select pgvec.count_ids(%s, %s)", (self.collection.name, ids)).fetchone()
            if found is None or found[0]:
                return False
        self.all_new = False
        try:
            with self.connection.transaction():
                self._copy(rows, self._table)
        except (psycopg.errors.FeatureNotSupported, psycopg.errors.InsufficientPrivilege):
            self._direct = False  # COPY does not work under row level security: not the owner
            return False
        except psycopg.Error as error:
            if not _is_of_a_row(error):
                raise
            return False
        self.all_new = True
        return True

    def _copy(self, rows: Sequence[Row], table: sql.Composable) -> None:
        """Copy all rows by one COPY."""
        with self.connection.cursor() as cursor, cursor.copy(copy_into(table)) as copy:
            copy.set_types(TYPES)
            for row in rows:
                record = row.record
                copy.write_row(
                    (
                        record.id,
                        record.source,
                        record.chunk_index,
                        record.content,
                        Jsonb(record.metadata, _json),
                        row.embedding,
                    )
                )

    def _call(self, complete: Mapping[str, int], reuse_embeddings: bool) -> Merged:
        with self.connection.cursor(row_factory=class_row(Merged)) as cursor:
            merged = cursor.execute(
                "select * from pgvec.merge_staged(%s, %s, %s, %s)",
                (self.collection.name, list(complete), list(complete.values()), reuse_embeddings),
            ).fetchone()
        assert merged is not None
        return merged


def _is_of_a_row(error: psycopg.Error) -> bool:
    """Whether the value or size of a row is at fault, and not a lost connection or a full disk."""
    state = error.sqlstate or ""
    return isinstance(error, psycopg.DataError) or state[:2] in ("22", "23", "54") or state in ("PV002", "PV005")


def _reason(error: psycopg.Error) -> str:
    """What the database says about a row; for JSON only the detail says what is wrong."""
    told = error.diag.message_primary or str(error)
    return f"{told}: {error.diag.message_detail}" if error.sqlstate == "22P02" and error.diag.message_detail else told


def _rejected(record: Record, file: str, reason: str) -> Rejected:
    row = {"id": record.id, "content": record.content, "metadata": record.metadata}
    return Rejected(file, record.line, reason, row, frozenset({record.id, record.source}))
