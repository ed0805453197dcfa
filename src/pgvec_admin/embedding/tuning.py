"""Tuning beside a worker: in a session of its own while no rows wait; rows that come meanwhile are embedded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Event, Thread

import psycopg

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.engine import index
from pgvec_admin.engine.index import Kept
from pgvec_admin.errors import PgvecError

PAUSE = 60.0  # seconds between looks whether a collection has grown
SECONDS = 20.0  # for measuring
PATIENCE = 5.0  # seconds for a session that is cancelled


class Tuner:
    """Tunes collections whose rows have doubled (`pgvec.keep_recall`) when the worker is idle."""

    def __init__(
        self,
        where: Target,
        names: Sequence[str],
        stop: Event,
        report: Callable[[str, Kept], None],
        pause: float = PAUSE,
    ) -> None:
        self._where, self._names, self._stop, self._report = where, names, stop, report
        self._pause, self._next = pause, 0.0
        self._thread: Thread | None = None
        self._connection: Connection | None = None

    def idle(self) -> None:
        """No row waits: begin, unless that was done a moment ago or still goes on."""
        if time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + self._pause
        self._thread = Thread(target=self._tune, name="tuning", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Cancel what goes on, and wait for it."""
        while self._thread and self._thread.is_alive():
            connection = self._connection
            if connection:
                with suppress(psycopg.Error):
                    connection.cancel_safe(timeout=PATIENCE)
            self._thread.join(0.1)

    def _tune(self) -> None:
        # what fails here fails no embedding, and is tried again
        with suppress(psycopg.Error, PgvecError), database.connect(self._where, autocommit=True) as connection:
            self._connection = connection
            try:
                for name in self._names:
                    kept = None if self._stop.is_set() else index.keep_recall(connection, name, seconds=SECONDS)
                    if kept:
                        self._report(name, kept)
            finally:
                self._connection = None
