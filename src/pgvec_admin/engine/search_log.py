"""The log of searches: on and off, its contents, and the listener for read-only transactions. SQL does the work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.errors import CheckFailedError

BATCH = 10_000

_INSERT = "select pgvec.insert_search(%(entry)s), %(entry)s::jsonb ->> 'collection'"


@dataclass(frozen=True)
class LogState:
    """What is logged of a collection; `sample` None is nothing, `overdue` rows wait to be pruned, None on a replica.

    `read_only` says what happens to searches in read-only transactions: off, collected, or not logged and why.
    """

    collection: str
    sample: float | None
    keep: timedelta
    texts: bool
    embeddings: bool
    logged: int | None
    overdue: int | None
    first_searched_at: datetime | None
    last_searched_at: datetime | None
    read_only: str


def turn_on(
    connection: Connection,
    collection: str,
    *,
    sample: float = 0.1,
    keep: str = "30 days",
    texts: bool = False,
    embeddings: bool = False,
) -> None:
    """Log a share of the searches of a collection from now on; 0 turns it off."""
    connection.execute(
        "select pgvec.log_searches(%s, %s, %s::interval, %s, %s)", (collection, sample, keep, texts, embeddings)
    )


def state(connection: Connection) -> list[LogState]:
    """Of every collection."""
    with connection.cursor(row_factory=class_row(LogState)) as cursor:
        return cursor.execute("select * from pgvec.search_log_state()").fetchall()


def without(connection: Connection) -> None:
    """Log none of the searches of this connection: they are not a user's."""
    connection.execute("set pgvec.search_log = 'off'")


def prune(connection: Connection) -> int:
    """Remove expired rows, a batch a transaction (autocommit); returns the rows removed."""
    removed = 0
    while True:
        row = connection.execute("select pgvec.prune_search_log(%s)", (BATCH,)).fetchone()
        assert row is not None
        removed += int(row[0])
        if row[0] < BATCH:
            return removed


class Collector:
    """The listener: inserts the searches that read-only transactions announce. One at a time, by an advisory lock.

    Raises CheckFailedError where there is one already.
    """

    def __init__(self, where: Target) -> None:
        self._key = ""
        self._pieces: list[str] = []
        with ExitStack() as opened:
            self._listening = opened.enter_context(closing(database.connect(where, autocommit=True)))
            self._writing = opened.enter_context(closing(database.connect(where, autocommit=True)))
            row = self._writing.execute(
                "select c.name, pg_try_advisory_lock(pgvec.collector_lock()) from pgvec.search_channel as c"
            ).fetchone()
            assert row is not None
            if not row[1]:
                raise CheckFailedError("another listener is running", "one is enough for a database")
            self._listening.execute(sql.SQL("listen {}").format(sql.Identifier(row[0])))
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Stop listening; another listener may start at once, before the server notices that this session has ended."""
        with suppress(psycopg.Error):
            self._writing.execute("select pg_advisory_unlock(pgvec.collector_lock())")
        self._opened.close()

    def collect(self, *, timeout: float | None = None) -> Iterator[str]:
        """Insert announced searches, and yield the collection of each; for `timeout` seconds, or forever."""
        for notification in self._listening.notifies(timeout=timeout):
            entry = self._assembled(notification.payload)
            if entry is None:
                continue
            try:
                row = self._writing.execute(_INSERT, {"entry": entry}).fetchone()
            except (psycopg.DataError, psycopg.IntegrityError):
                continue  # not the engine's
            assert row is not None
            yield str(row[1])

    def _assembled(self, payload: str) -> str | None:
        """The whole entry, once its last piece has come: the pieces of a transaction arrive together, and in order."""
        match = re.fullmatch(r"(\S+) (\d+) (\d+) (.*)", payload, flags=re.S)
        if match is None:
            return None
        key, number, pieces, text = match.groups()
        if key != self._key:
            self._key, self._pieces = key, []
        self._pieces.append(text)
        return "".join(self._pieces) if number == pieces else None
