"""The change of a collection to another model while searches go on. SQL does the work (`pgvec.begin_model_change`)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import index

PATIENCE = 60.0  # seconds for which a lock on the table is tried for, again and again


@dataclass(frozen=True)
class Change:
    """How far a change is, by `pgvec.model_change_status`: `state` is pending, or old once it is finished.

    `index`, `column_bytes` and `index_bytes` are those of the second column.
    """

    name: str
    state: str
    model: str
    new_model: str
    dimensions: int
    new_dimensions: int
    rows: int
    missing: int | None
    dead: int | None
    index: str | None
    column_bytes: int | None
    index_bytes: int | None
    begun_at: datetime
    finished_at: datetime | None

    @property
    def second(self) -> str:
        """What names the vectors of the second model in calls: NAME@MODEL."""
        return f"{self.name}@{self.new_model if self.state == 'pending' else self.model}"


@dataclass(frozen=True)
class Size:
    """The disk that a change takes at most, in bytes: the column, rows written once more, the index, and all of it."""

    rows: int
    column_bytes: float
    rewritten_bytes: float
    index_bytes: float
    total_bytes: float


@dataclass(frozen=True)
class Check:
    """A verdict of `pgvec.check_model_change`."""

    check_name: str
    result: str
    found: str
    hint: str | None


@dataclass(frozen=True)
class Compared:
    """The rows nearest to one by either model, and how many are the same."""

    id: str
    content: str
    active: list[str]
    second: list[str]
    shared: int


def changes(connection: Connection, name: str | None = None) -> list[Change]:
    """The changes that go on or whose old model is still there."""
    with connection.cursor(row_factory=class_row(Change)) as cursor:
        return cursor.execute("select * from pgvec.model_change_status(%s)", (name,)).fetchall()


def size(connection: Connection, name: str, dimensions: int, storage: str | None = None) -> Size:
    """What disk a change takes at most."""
    with connection.cursor(row_factory=class_row(Size)) as cursor:
        found = cursor.execute("select * from pgvec.model_change_size(%s, %s, %s)", (name, dimensions, storage))
        return found.fetchall()[0]


def begin(
    where: Target, name: str, model: str, dimensions: int, *, storage: str | None = None, prefix: str | None = None
) -> None:
    """Add the second column, and the index by which workers find its rows; what is done already is left as it is."""
    with database.connect(where, autocommit=True) as connection:
        _patiently(
            connection,
            "select pgvec.begin_model_change(%s, %s, %s, %s, %s)",
            (name, model, dimensions, storage, prefix),
        )
        _build_stale(connection, name)


def build(where: Target, name: str, report: index.Report) -> index.Build | None:
    """Build the indexes that are missing before a change can be finished; the vector index, where one was built."""
    with database.connect(where, autocommit=True) as connection:
        _build_stale(connection, name)
        wanted = [purpose for purpose, _ in _statements(connection, name)]
        if "vector" not in wanted:
            return None
        method = next(
            found.method for found in index.vector_indexes(connection, name) if found.valid and found.condition is None
        )
        (change,) = changes(connection, name)
    return index.create(where, change.second, method=method, report=report)


def check(connection: Connection, name: str, wanted_recall: float) -> list[Check]:
    """Whether a change can be finished."""
    with connection.cursor(row_factory=class_row(Check)) as cursor:
        return cursor.execute(
            "select check_name, result, found, hint from pgvec.check_model_change(%s, %s)", (name, wanted_recall)
        ).fetchall()


def compare(connection: Connection, name: str, queries: int = 20) -> list[Compared]:
    """What the two models find for the same rows."""
    with connection.cursor(row_factory=class_row(Compared)) as cursor:
        return cursor.execute("select * from pgvec.compare_models(%s, %s)", (name, queries)).fetchall()


def finish(connection: Connection, name: str, allow_missing: int = 0) -> None:
    """Make the new model the active one."""
    _patiently(connection, "select pgvec.finish_model_change(%s, %s)", (name, allow_missing))


def abort(connection: Connection, name: str) -> None:
    """Undo a change that is not finished."""
    _patiently(connection, "select pgvec.abort_model_change(%s)", (name,))


def drop_old(connection: Connection, name: str) -> int:
    """Remove the vectors of the old model; about how many bytes stay in the table until its rows are written again."""
    return int(_patiently(connection, "select pgvec.drop_old_model(%s)", (name,)) or 0)


def _patiently(connection: Connection, statement: LiteralString, parameters: tuple[Any, ...]) -> Any:
    """The value of a statement that waits for a lock only shortly, so that searches do not wait behind it."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return connection.execute(statement, parameters).fetchall()[0][0]
        except psycopg.errors.LockNotAvailable:
            if time.monotonic() > until:
                raise
            time.sleep(0.05 + secrets.randbelow(1000) / 2000)


def _statements(connection: Connection, name: str) -> list[tuple[str, str]]:
    return connection.execute("select purpose, statement from pgvec.model_change_statements(%s)", (name,)).fetchall()


def _build_stale(connection: Connection, name: str) -> None:
    connection.execute("set statement_timeout = 0")
    for purpose, statement in _statements(connection, name):
        if purpose == "stale":
            connection.execute(statement.encode())
