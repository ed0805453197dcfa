"""A server and a streaming replica of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import psycopg

import installation
from pgvec_admin.server import embedded
from pgvec_admin.server.embedded_system import end_orphans
from pgvec_admin.server.replica import Replica


@dataclass(frozen=True)
class Pair:
    """A primary with the engine, and its replica; both run."""

    primary: embedded.Server
    replica: embedded.Server
    instance: Replica

    def url(self, attributes: str | None = None) -> str:
        """A URL with both hosts, the replica first."""
        both = (self.replica, self.primary)
        hosts = ",".join(quote(str(one.socket_directory), safe="") for one in both)
        wanted = f"&target_session_attrs={attributes}" if attributes else ""
        return f"postgresql://postgres@/postgres?host={hosts}&port={','.join(str(one.port) for one in both)}{wanted}"

    def catch_up(self) -> None:
        """Wait until the replica has all that the primary has committed."""
        with psycopg.connect(self.primary.url(), autocommit=True) as connection:
            row = connection.execute("select pg_current_wal_lsn()").fetchone()
        assert row is not None
        with psycopg.connect(self.replica.url(), autocommit=True) as connection:
            until = time.monotonic() + 60
            while connection.execute("select pg_last_wal_replay_lsn() < %s::pg_lsn", row).fetchone() != (False,):
                assert time.monotonic() < until, "the replica does not follow"
                time.sleep(0.01)


@contextmanager
def replicated(version: int = installation.VERSION, fill: str = "", **settings: str) -> Iterator[Pair]:
    """A pair for the duration of the block; `fill` is SQL that is run on the primary before it is copied."""
    with installation.own_server(version, **settings) as instance:
        primary, replica = instance.start(), Replica(instance)
        try:
            installation.install(primary.url())
            with installation.connect(primary.url()) as connection:
                connection.execute(fill.encode())
            pair = Pair(primary, replica.start(), replica)
            pair.catch_up()
            yield pair
        finally:
            replica.stop()
            if instance.status() is None:  # a test has killed it
                end_orphans(instance.data)
            shutil.rmtree(replica.directory, ignore_errors=True)
