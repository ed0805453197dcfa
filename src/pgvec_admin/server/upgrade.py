"""The upgrade of an embedded server by pg_upgrade. The data from before stays until it is confirmed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from pgvec_admin.errors import CheckFailedError, PgvecError, UsageError, from_postgres
from pgvec_admin.resources import query
from pgvec_admin.server.embedded import DEFAULT_VERSION, INCLUDE, OWN, SUPERUSER, UPGRADED, Instance, Server
from pgvec_admin.server.embedded_system import Account, binaries, locked
from pgvec_admin.server.replica import Replica

Say = Callable[[str], None]

_SPARE = 256 << 20  # the catalogs of the new cluster, and the log of its first start


class Upgrade(Instance):
    """The server that takes the place of `old`, of a newer version, in a directory of its own."""

    def __init__(self, old: Instance, version: int = DEFAULT_VERSION, directory: Path | None = None) -> None:
        super().__init__(version, directory, old.settings)
        self.old = old

    @property
    def unconfirmed(self) -> bool:
        """Whether the data from before is still there, and starts no more."""
        return (self.old.directory / UPGRADED).exists()

    def run(self, report: Say = lambda _: None) -> Server:
        """Upgrade a copy of the data, start it, and return the new server. The old one is stopped, and starts no more.

        Raises UsageError where there is nothing to upgrade or something in the way, CheckFailedError without the room
        for a copy, PgvecError with what pg_upgrade says where it refuses; then the old server is as it was.
        """
        self._check()
        report(f"stopping PostgreSQL {self.old.version}")
        self.old.start()  # it may have been killed: pg_upgrade takes only what was shut down cleanly
        self.old.stop()
        Replica(self.old).stop()  # it could only go on with what is old
        report(f"copying {self.old.size() / 1e6:,.0f} MB into PostgreSQL {self.version}")
        server = self.start()
        report("updating pgvector, and the planner's statistics")
        self._renew(server)
        return server

    def confirm(self) -> None:
        """Delete the data from before, and a replica of it."""
        self._check_upgraded()
        if not self.exists():  # it was interrupted at its very end
            raise UsageError(f"there is no PostgreSQL {self.version}", "pgvec-admin db upgrade --undo")
        for directory in (self.old.directory, Replica(self.old).directory):
            Instance(self.old.version, directory).stop()
            shutil.rmtree(directory, ignore_errors=True)

    def undo(self) -> Server:
        """Return to the data from before: delete the upgraded, with all that was written since, and start the old."""
        self._check_upgraded()
        Replica(self).remove()
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
        (self.old.directory / UPGRADED).unlink()
        return self.old.start()

    def _check(self) -> None:
        if not self.old.exists():
            raise UsageError(f"there is no PostgreSQL {self.old.version} to upgrade", "pgvec-admin db status")
        if self.old.version >= self.version:
            raise UsageError(f"PostgreSQL {self.old.version} is not older than {self.version}", "pgvec-admin db status")
        if self.unconfirmed:
            raise UsageError(
                f"PostgreSQL {self.old.version} was upgraded already", "pgvec-admin db upgrade --confirm, or --undo"
            )
        if self.exists():
            raise UsageError(
                f"there is a PostgreSQL {self.version} already, in {self.directory}",
                "an upgrade mixes no data: load or dump from one into the other, or move that directory away",
            )
        needed = self.old.size() + _SPARE
        above = next(parent for parent in self.directory.parents if parent.exists())
        free = shutil.disk_usage(above).free
        if free < needed:
            raise CheckFailedError(
                f"an upgrade copies the data, {needed / 1e6:,.0f} MB, and {above} has {free / 1e6:,.0f} MB",
                "free some, or set PGVEC_DATA_DIR to a larger disk and move the data there",
            )

    def _check_upgraded(self) -> None:
        if not self.unconfirmed:
            raise UsageError(
                f"no upgrade of PostgreSQL {self.old.version} waits to be confirmed", "pgvec-admin db upgrade"
            )

    def _create(self, data: Path, programs: Path, account: Account, *_: str) -> None:
        before = self.old.programs or binaries(self.old.version, account, self.directory.parent / "binaries")
        with locked(self.old.directory / "pgvec.lock"):  # nobody starts it meanwhile, nor afterwards
            self._convert(data, before, programs, account)
            self._keep_settings(data, account)
            self._write(self.old.directory / UPGRADED, f"{self.version}\n", account)

    def _convert(self, data: Path, before: Path, programs: Path, account: Account) -> None:
        # pg_upgrade takes pages as they are; those of versions before 18 have no checksums unless they were asked for
        summed = self._has_checksums(before, account)
        super()._create(data, programs, account, "--data-checksums" if summed else "--no-data-checksums")
        if (self.old.directory / "password").exists():
            self._write(self.directory / "password", (self.old.directory / "password").read_text(), account)
        command: list[str | Path] = [programs / "pg_upgrade", "--old-bindir", before, "--new-bindir", programs]
        command += ["--old-datadir", self.old.data, "--new-datadir", data, "--username", SUPERUSER]
        command += ["--socketdir", self._socket_directory(account), "--jobs", str(min(os.cpu_count() or 1, 4))]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        hint = f"PostgreSQL {self.old.version} is as it was: pgvec-admin db start --postgres {self.old.version}"
        try:
            account.must_run(command, hint, cwd=self.directory)
        except PgvecError as error:
            raise PgvecError(f"{error.message}\n{_logs(data)}".rstrip(), hint) from error
        (self.directory / "delete_old_cluster.sh").unlink(missing_ok=True)  # --confirm does it
        if not summed:
            account.must_run([programs / "pg_checksums", "--enable", "--pgdata", data], hint)

    def _has_checksums(self, programs: Path, account: Account) -> bool:
        """Whether the old server's pages have checksums: pg_checksums refuses to enable what is enabled."""
        return account.run([programs / "pg_checksums", "--check", "--pgdata", self.old.data, "--filenode", "0"]) == 0

    def _keep_settings(self, data: Path, account: Account) -> None:
        """Take over the user's own settings, and who may connect."""
        for name in ("postgresql.auto.conf", "pg_hba.conf", "pg_ident.conf"):
            self._write(data / name, (self.old.data / name).read_text(), account)
        own = (self.old.data / "postgresql.conf").read_text().partition(OWN)[2]
        main = data / "postgresql.conf"
        self._write(main, f"{main.read_text()}\n{INCLUDE}\n\n{OWN}{own or chr(10)}", account)

    def _renew(self, server: Server) -> None:
        """Bring pgvector to the version of the new server, and count what pg_upgrade does not bring: statistics."""
        try:
            with psycopg.connect(server.url(), autocommit=True) as connection:
                names = [name for (name,) in connection.execute(query("upgrade/databases").encode()).fetchall()]
            for name in names:
                with psycopg.connect(server.url(name), autocommit=True) as connection:
                    for (extension,) in connection.execute(query("upgrade/extensions").encode()).fetchall():
                        connection.execute(sql.SQL("alter extension {} update").format(sql.Identifier(extension)))
                    connection.execute("analyze")
        except psycopg.Error as error:
            raise from_postgres(error) from error


def _logs(data: Path) -> str:
    """What pg_upgrade wrote beside its output: the objects that it refuses, the statements that failed."""
    told = []
    for file in sorted((data / "pg_upgrade_output.d").rglob("*")):
        if file.is_file() and (file.suffix == ".txt" or file.name.startswith("pg_upgrade_dump_")):
            told += file.read_text(errors="replace").splitlines()[-5:]
    return "\n".join(told[-20:])
