"""yoyo on our own connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import parse_uri

from pgvec_admin import database
from pgvec_admin.database import Connection, Target

__all__ = ["Backend", "read_migrations"]


class Backend(PostgresqlPsycopgBackend):  # type: ignore[misc]
    """yoyo on a libpq connection string of any form, with its tables in schema pgvec and without its lock.

    yoyo creates its tables in the first schema of the search_path; pg_catalog, not named there, is searched before it.
    """

    def __init__(self, where: Target, lock_timeout: str, search_path: str = "pgvec, pg_temp") -> None:
        self._where, self._lock_timeout, self._search_path = where, lock_timeout, search_path
        self._texts: Backend | None = None
        super().__init__(parse_uri("postgresql+psycopg:///"), "_yoyo_migration")

    def connect(self, dburi: Any) -> Connection:
        del dburi
        return database.connect(self._where, autocommit=True)

    def init_connection(self, connection: Connection) -> None:
        connection.execute(
            "select pg_catalog.set_config('search_path', %s, false), pg_catalog.set_config('lock_timeout', %s, false)",
            (self._search_path, self._lock_timeout),
        )

    def copy(self) -> Backend:
        """The backend on which yoyo runs the texts of migrations, one session for all: connecting may take as long."""
        if self._texts is None:
            self._texts = _Texts(self._where, self._lock_timeout, database.SEARCH_PATH)
        return self._texts

    def __exit__(self, *raised: object) -> None:
        if self._texts:
            self._texts.connection.close()
        super().__exit__(*raised)

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:
        del timeout
        yield


class _Texts(Backend):
    """Ends with the backend that it belongs to; each migration begins in a session that is like new."""

    def __enter__(self) -> _Texts:
        self.connection.execute("discard all")  # what the one before has set
        self.init_connection(self.connection)
        return self

    def __exit__(self, *raised: object) -> None:
        """The next migration goes on."""
