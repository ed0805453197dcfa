"""Statements that another transaction stood in the way of are made again: what was paid for is not asked for twice."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from threading import Event
from typing import Any

import psycopg
from psycopg import errors
from psycopg.abc import Params

from pgvec_admin.database import Connection

PATIENCE = 600.0  # seconds for which a statement is made again, such as during a long ALTER TABLE
AT_THE_END = 10.0  # seconds of these that are left once a worker is told to stop
SHORTEST, LONGEST = 0.05, 2.0  # seconds between two attempts

IN_THE_WAY = (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable)


class Patient:
    """A connection in autocommit mode, whose statements are repeated after a deadlock or a timeout of a lock.

    `meanwhile` is called before each further attempt.
    """

    def __init__(self, connection: Connection, meanwhile: Callable[[], None], stop: Event) -> None:
        self._connection, self._meanwhile, self._stop = connection, meanwhile, stop

    def execute(self, query: str, parameters: Params | None = None) -> psycopg.Cursor[tuple[Any, ...]]:
        """As the connection's own."""
        over, pause, told = time.monotonic() + PATIENCE, SHORTEST, False
        while True:
            try:
                return self._connection.execute(query, parameters)
            except IN_THE_WAY:
                if self._stop.is_set() and not told:
                    over, told = min(over, time.monotonic() + AT_THE_END), True
                if time.monotonic() > over:
                    raise
            time.sleep(pause * (1 + secrets.randbelow(1000) / 1000))
            pause = min(LONGEST, 2 * pause)
            self._meanwhile()
