"""Installing and upgrading: migrations first, then the functions; one run at a time, each all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from pgvec_admin import __version__, database
from pgvec_admin.database import Connection, Target
from pgvec_admin.errors import CheckFailedError, from_postgres
from pgvec_admin.install import functions, migrations, preflight
from pgvec_admin.install.functions import FunctionState
from pgvec_admin.install.migrations import MigrationState
from pgvec_admin.resources import sql_directory

Say = Callable[[str], None]

# "pgvec" in ASCII: the key of the advisory lock that one run at a time holds.
LOCK = 0x7067766563


@dataclass(frozen=True)
class MigrateReport:
    """What a run did, or with `dry_run` would do."""

    migrations: list[str]
    functions: list[FunctionState]
    unchanged: int
    dry_run: bool = False

    def summary(self) -> str:
        """In one line, for people."""
        if not self.migrations and not self.functions:
            return f"pgvec-admin {__version__} is installed and current: {self.unchanged} functions"
        verb = "would apply" if self.dry_run else "applied"
        return (
            f"{verb} {_count(len(self.migrations), 'migration')} and {_count(len(self.functions), 'function')}"
            f" of pgvec-admin {__version__}; {self.unchanged} unchanged"
        )


@dataclass(frozen=True)
class Status:
    """Where a database stands."""

    postgres: int
    pgvector: str | None
    pgvector_schema: str | None
    installed_version: str | None
    package_version: str
    migrations: list[MigrationState]
    functions: list[FunctionState]

    def problems(self) -> list[str]:
        """What `migrate` would change or refuse, a line each; empty where all is current."""
        found = [f"migration {state.id} is {state.state}" for state in self.migrations if state.state != "applied"]
        calm = (*functions.SETTLED, "unmanaged")
        return found + [
            f"function {state.name} is {state.state}" for state in self.functions if state.state not in calm
        ]


def migrate(
    where: Target,
    *,
    dry_run: bool = False,
    overwrite_drift: bool = False,
    replace_existing: bool = False,
    lock_timeout: float = 30.0,
    report: Say,
) -> MigrateReport:
    """Bring a database to this release. Running it again, or twenty times at once, changes nothing more.

    Raises CheckFailedError, before anything is changed, where it cannot or should not be done. `lock_timeout`
    (seconds) bounds the wait for locks on tables that others use, not the wait for another run.
    """
    with database.connect(where, autocommit=True) as connection:
        preflight.check_server(preflight.look(connection))
        if dry_run:
            return _plan(connection, overwrite_drift=overwrite_drift, replace_existing=replace_existing)
        with _alone(connection, report):
            # before anything is changed, check for what would be refused half-way
            _plan(connection, overwrite_drift=overwrite_drift, replace_existing=replace_existing)
            connection.execute("select set_config('lock_timeout', %s, false)", (f"{int(lock_timeout * 1000)}ms",))
            preflight.create_extension(connection, preflight.look(connection))
            _lay_ledger(connection)
            schema = preflight.look(connection).schema
            applied = migrations.apply(where, connection, schema)
            for name in applied:
                report(f"migration {name} applied")
            with connection.transaction():
                changed = functions.apply(
                    connection, schema, overwrite_drift=overwrite_drift, replace_existing=replace_existing
                )
                upgraded = connection.execute("select pgvec.upgrade_collections()").fetchall()
            for state in changed:
                if state.state == "retired":
                    report(f"function {state.name} dropped: removed in this release")
                elif state.state != "new":
                    report(f"function {state.name} applied, was {state.state}")
            for (name,) in upgraded:
                report(f"collection {name} upgraded")
            if applied or changed:
                connection.execute("notify pgrst, 'reload schema'")
    return MigrateReport(applied, changed, _unchanged(changed))


def status(where: Target) -> Status:
    """Where a database stands; changes nothing."""
    with database.connect(where, autocommit=True) as connection:
        server = preflight.look(connection)
        row = connection.execute("select to_regprocedure('pgvec.version()') is not null").fetchone()
        installed = None
        if row and row[0]:
            version = connection.execute("select pgvec.version()").fetchone()
            installed = version[0] if version else None
        return Status(
            server.postgres,
            server.vector_version,
            server.vector_schema,
            installed,
            __version__,
            migrations.states(connection),
            functions.states(connection),
        )


def rollback(where: Target, *, to: str | None = None, everything: bool = False, report: Say) -> list[str]:
    """Roll back the last migration, all after `to`, or everything; returns their names.

    Rolling back the first one removes the engine: its functions and its ledger. That is refused while there are
    collections, whose rows are the user's. pgvector stays.
    """
    with database.connect(where, autocommit=True) as connection, _alone(connection, report):
        found = migrations.states(connection)
        migrations.check([state for state in found if state.state == "unknown"])
        known = [state.id for state in found if state.state in ("applied", "altered")]
        wanted = known if everything else migrations.after(found, to)
        whole = bool(wanted) and wanted[0] == migrations.paths()[0].stem
        if whole:
            _refuse_collections(connection)
            with connection.transaction():
                dropped = functions.drop_all(connection)
            report(f"{_count(len(dropped), 'function')} dropped")
        schema = preflight.look(connection).schema
        done = migrations.rollback(where, connection, schema, wanted)
        for name in done:
            report(f"migration {name} rolled back")
        if whole:
            _remove_ledger(connection, report)
        if done:
            connection.execute("notify pgrst, 'reload schema'")
    return done


def uninstall(where: Target, *, keep_tables: bool = False, report: Say) -> list[str]:
    """Remove the engine. With `keep_tables` collections become plain tables first, whose names it returns.

    Raises CheckFailedError, before anything is changed, where there are collections and `keep_tables` is false.
    """
    kept = []
    if keep_tables:
        with database.connect(where, autocommit=True) as connection, _alone(connection, report):
            rows = connection.execute(
                "select pgvec.detach_collection(name)::text from pgvec.collections order by name"
            ).fetchall()
            kept = [str(row[0]) for row in rows]
    rollback(where, everything=True, report=report)
    return kept


def _plan(connection: Connection, *, overwrite_drift: bool, replace_existing: bool) -> MigrateReport:
    steps = migrations.states(connection)
    migrations.check(steps)
    found = functions.states(connection)
    functions.check(found, overwrite_drift=overwrite_drift, replace_existing=replace_existing)
    ours = {file.name for file in functions.files()}
    todo = [s for s in found if s.state == "retired" or (s.name in ours and s.state not in functions.SETTLED)]
    pending = [state.id for state in steps if state.state == "pending"]
    return MigrateReport(pending, todo, _unchanged(todo), dry_run=True)


def _unchanged(changed: Sequence[FunctionState]) -> int:
    return len(functions.files()) - sum(state.state != "retired" for state in changed)


@contextmanager
def _alone(connection: Connection, report: Say) -> Iterator[None]:
    """Hold the lock of this database's installation; the server releases it even if this process dies."""
    row = connection.execute("select pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
    if not (row and row[0]):
        report("waiting for another run of pgvec-admin to end")
        connection.execute("select pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise CheckFailedError(
            f"a table is in use: {error.diag.message_primary}",
            "run it when less is going on, or wait longer: --lock-timeout SECONDS",
        ) from error
    except psycopg.Error as error:
        raise from_postgres(error) from error
    finally:
        if not connection.closed and not connection.broken:
            connection.execute("select pg_advisory_unlock(%s)", (LOCK,))


def _lay_ledger(connection: Connection) -> None:
    row = connection.execute("select to_regclass('pgvec.function_history') is not null").fetchone()
    if row and row[0]:
        return
    with connection.transaction():
        connection.execute((sql_directory() / "ledger.sql").read_bytes())


def _refuse_collections(connection: Connection) -> None:
    rows = connection.execute("select name from pgvec.collections order by name").fetchall()
    if rows:
        raise CheckFailedError(
            f"there are collections: {', '.join(row[0] for row in rows)}",
            "drop them: pgvec-admin collection drop NAME; or keep their tables: pgvec-admin uninstall --keep-tables",
        )


def _remove_ledger(connection: Connection, report: Say) -> None:
    with connection.transaction():
        connection.execute("drop table if exists pgvec.function_history, pgvec.migration_files")
        connection.execute("drop table if exists pgvec._yoyo_migration, pgvec._yoyo_log, pgvec._yoyo_version")
    try:
        connection.execute("drop schema pgvec")
    except psycopg.errors.DependentObjectsStillExist:
        report("schema pgvec stays: there is something in it that is not of this package")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
