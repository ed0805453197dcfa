"""A streaming replica of an embedded server, beside it: for reads, and for the day when the server is lost.

It follows by the unix socket, which only the owner of the server can reach; nothing listens that did not before.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from pgvec_admin.errors import PgvecError, UsageError, from_postgres
from pgvec_admin.resources import query
from pgvec_admin.server.embedded import SUPERUSER, Instance, Server, until
from pgvec_admin.server.embedded_settings import as_line
from pgvec_admin.server.embedded_system import Account, locked, server_account

NAME = "pgvec_replica"
_HBA = f"local replication {SUPERUSER} trust"


@dataclass(frozen=True)
class Lag:
    """How far a replica is behind its primary: bytes not replayed, seconds since the last transaction that was."""

    streaming: bool
    lag_bytes: int | None
    lag_seconds: float | None


class Replica(Instance):
    """The replica of an instance, in the directory beside it that ends in `-replica`."""

    def __init__(self, primary: Instance, settings: Mapping[str, str] | None = None) -> None:
        self.primary = primary
        super().__init__(
            primary.version,
            primary.directory.with_name(f"{primary.directory.name}-replica"),
            {**primary.settings, **(settings or {})},
            primary.programs,
        )

    @property
    def promoted(self) -> bool:
        """Whether it has become a primary, with rows of its own."""
        return self.exists() and not (self.data / "standby.signal").exists()

    def start(self, *, tcp_port: int | None = None) -> Server:
        """Start it, copying the primary where needed, and return it once it answers reads.

        The primary is started too. A copy that fell so far behind that the primary no longer has what is missing is
        made anew. Raises UsageError where it was promoted meanwhile, otherwise as `Instance.start`.
        """
        if self.promoted:
            raise UsageError(
                f"the replica of PostgreSQL {self.version} was promoted: it is a primary, with rows of its own",
                f"move {self.directory} away, or delete it (db replica stop --remove), to make another replica",
            )
        primary = self.primary.start()
        account = server_account(self.primary.data)
        self._admit(primary, account)
        try:
            with psycopg.connect(primary.url(), autocommit=True) as connection:
                lost = not self._keep_wal(connection)
                alike = connection.execute(query("replica/settings").encode()).fetchall()
        except psycopg.Error as error:
            raise from_postgres(error) from error
        if lost and self.exists():
            self.stop()
            shutil.rmtree(self.data)
        self.settings |= dict(alike) | {
            "hot_standby": "on",
            # rows that a search here still reads are not vacuumed there, so that no search is cancelled for it
            "hot_standby_feedback": "on",
            "primary_conninfo": _conninfo(primary),
            "primary_slot_name": NAME,
        }
        self._follow(account)
        return super().start(tcp_port=tcp_port)

    def remove(self) -> None:
        """Stop it and delete its data; the primary keeps nothing for it any more."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        if running := self.primary.status():
            with suppress(psycopg.Error), psycopg.connect(running.url(), autocommit=True) as connection:
                connection.execute(query("replica/drop_slot").encode(), {"slot": NAME})

    def lag(self) -> Lag | None:
        """How far it is behind; None where it does not run."""
        running, primary = self.status(), self.primary.status()
        if running is None or running.state != "ready":
            return None
        end = None
        with suppress(psycopg.Error):
            if primary:
                with psycopg.connect(primary.url(), autocommit=True) as connection:
                    row = connection.execute("select pg_catalog.pg_current_wal_lsn()::text").fetchone()
                    end = row and row[0]
        try:
            with psycopg.connect(running.url(), autocommit=True) as connection:
                found = connection.execute(query("replica/lag").encode(), {"end": end}).fetchone()
        except psycopg.Error as error:
            raise from_postgres(error) from error
        assert found is not None
        return Lag(*found)

    def reading_url(self, database: str = "postgres") -> str:
        """A libpq URL for reads: this server, and its primary where this one is gone."""
        servers = [one for one in (self.status(), self.primary.status()) if one]
        hosts = ",".join(quote(str(one.socket_directory), safe="") for one in servers)
        ports = ",".join(str(one.port) for one in servers)
        name = quote(database, safe="")
        return f"postgresql://{SUPERUSER}@/{name}?host={hosts}&port={ports}&target_session_attrs=prefer-standby"

    def _create(self, data: Path, programs: Path, account: Account, *_: str) -> None:
        running = self.primary.status()
        assert running is not None
        command: list[str | Path] = [programs / "pg_basebackup", "--pgdata", data, "--dbname", _conninfo(running)]
        command += ["--slot", NAME, "--checkpoint", "fast", "--no-password"]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        account.must_run(
            command,
            f"is the disk full? it takes as much as {self.primary.data}; where the primary writes more than"
            " max_slot_wal_keep_size meanwhile, raise that in its postgresql.conf",
        )
        self._write(data / "standby.signal", "", account)
        self._write(self.directory / "password", f"{running.password}\n", account)

    def _keep_wal(self, connection: psycopg.Connection[tuple[object, ...]]) -> bool:
        """Have the primary keep what the replica has not got yet; False where it does not have all of that any more."""
        row = connection.execute(query("replica/slot").encode(), {"slot": NAME}).fetchone()
        if row is not None and row[0]:
            return True
        if row is not None:
            connection.execute(query("replica/drop_slot").encode(), {"slot": NAME})
        connection.execute("select pg_catalog.pg_create_physical_replication_slot(%s, true)", (NAME,))
        return False

    def _admit(self, primary: Server, account: Account) -> None:
        """Let the primary's own superuser, by the socket, ask for its log: a line of pg_hba.conf."""
        file = self.primary.data / "pg_hba.conf"
        with locked(self.primary.directory / "pgvec.lock"):
            lines = file.read_text()
            if re.search(rf"^local\s+replication\s+(all|{SUPERUSER})\s+trust", lines, flags=re.M):
                return
            self._write(file, f"{_HBA}\n{lines}", account)
            os.kill(primary.pid, signal.SIGHUP)
        _wait_for_replication(primary)

    def _follow(self, account: Account) -> None:
        """Tell a replica that runs where its primary is now: its port is another after a start with --tcp-port."""
        running, file = self.status(), self.directory / "pgvec.conf"
        if running is None or not file.exists():
            return
        line = as_line("primary_conninfo", self.settings["primary_conninfo"])
        text = file.read_text()
        if line in text.splitlines():
            return
        self._write(file, re.sub(r"^primary_conninfo = .*$", lambda _: line, text, flags=re.M), account)
        os.kill(running.pid, signal.SIGHUP)


def _conninfo(primary: Server) -> str:
    return make_conninfo(host=str(primary.socket_directory), port=primary.port, user=SUPERUSER, application_name=NAME)


def _wait_for_replication(primary: Server) -> None:
    """Wait until the primary has read its pg_hba.conf again."""
    for _ in until(30):
        with suppress(psycopg.OperationalError):
            psycopg.connect(make_conninfo(_conninfo(primary), replication="true")).close()
            return
    raise PgvecError("the primary does not admit its replica", f"see the lines of {primary.directory}/data/pg_hba.conf")
