"""The migrations step: `sql/migrations`, run once and in order by yoyo, with its bookkeeping in schema pgvec.

yoyo hashes only the names of its files, and its lock is a row that a crash leaves behind. So the hash of each text is
stored beside it, and the caller holds an advisory lock.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from pgvec_admin.database import Connection, Target
from pgvec_admin.errors import CheckFailedError, PgvecError, UsageError, from_postgres
from pgvec_admin.install.definitions import with_vector_schema
from pgvec_admin.install.functions import normalised
from pgvec_admin.resources import sql_directory

State = Literal["applied", "pending", "altered", "unknown"]


@dataclass(frozen=True)
class MigrationState:
    """A migration. altered: its file is not the one that was applied. unknown: applied by a newer release."""

    id: str
    state: State


def paths(directory: Path | None = None) -> list[Path]:
    """The migration files, in order."""
    folder = (directory or sql_directory()) / "migrations"
    return sorted(folder.glob("*.sql"))


def states(connection: Connection, directory: Path | None = None) -> list[MigrationState]:
    """Every migration that has a file or was applied."""
    applied = _applied(connection)
    found = []
    for path in paths(directory):
        known = applied.pop(path.stem, "")
        state: State = "pending"
        if known != "":
            state = "applied" if known in (None, normalised(path)[1]) else "altered"
        found.append(MigrationState(path.stem, state))
    return found + [MigrationState(name, "unknown") for name in sorted(applied)]


def check(found: list[MigrationState]) -> None:
    """CheckFailedError where the applied migrations are not those of this release."""
    unknown = [state.id for state in found if state.state == "unknown"]
    if unknown:
        raise CheckFailedError(
            f"the database has migrations that this release does not know: {', '.join(unknown)}",
            "it was migrated by a newer pgvec-admin; upgrade this one: pip install --upgrade pgvec-admin",
        )
    altered = [state.id for state in found if state.state == "altered"]
    if altered:
        raise CheckFailedError(
            f"migrations were changed after they had been applied: {', '.join(altered)}",
            "restore their files: pip install --force-reinstall pgvec-admin",
        )


def apply(where: Target, connection: Connection, vector_schema: str) -> list[str]:
    """Apply what is pending; returns the names. A failing one is rolled back and named, those before it stay."""
    pending = [state.id for state in states(connection) if state.state == "pending"]
    if pending:
        _run(where, connection, vector_schema, pending, "apply")
    for path in paths():
        connection.execute(
            "insert into pgvec.migration_files (id, sha256) values (%s, %s) on conflict do nothing",
            (path.stem, normalised(path)[1]),
        )
    return pending


def rollback(where: Target, connection: Connection, vector_schema: str, wanted: list[str]) -> list[str]:
    """Roll these migrations back, the last one first; returns their names in that order.

    Where one of them refuses, for the rows that would be lost, none is rolled back.
    """
    done = []
    names = sorted(wanted, reverse=True)
    with connection.transaction(force_rollback=True):  # a trial run of all of them
        for name in names:
            path = sql_directory() / "migrations" / "rollback" / f"{name}.sql"
            with _naming(name, "rollback"):
                connection.execute(with_vector_schema(normalised(path)[0], vector_schema).encode())
    for name in names:
        _run(where, connection, vector_schema, [name], "rollback")
        connection.execute("delete from pgvec.migration_files where id = %s", (name,))
        done.append(name)
    return done


def after(found: list[MigrationState], target: str | None) -> list[str]:
    """The applied migrations after `target` (its name or number); without one, the last applied."""
    applied = [state.id for state in found if state.state in ("applied", "altered")]
    if target is None:
        return applied[-1:]
    chosen = [name for name in applied if name == target or name.split(".", 1)[0] == target]
    if len(chosen) != 1:
        raise UsageError(f"there is no applied migration {target!r}", f"applied are: {', '.join(applied) or 'none'}")
    return applied[applied.index(chosen[0]) + 1 :]


def _applied(connection: Connection) -> dict[str, str | None]:
    """Applied migrations, each with the hash of its text; None where a run was interrupted before recording it."""
    row = connection.execute(
        "select to_regclass('pgvec._yoyo_migration') is not null and to_regclass('pgvec.migration_files') is not null"
    ).fetchone()
    if row is None or not row[0]:
        return {}
    rows = connection.execute(
        "select m.migration_id, f.sha256 from pgvec._yoyo_migration as m"
        " left join pgvec.migration_files as f on f.id = m.migration_id order by m.migration_id"
    ).fetchall()
    return dict(rows)


def _run(
    where: Target, connection: Connection, vector_schema: str, names: list[str], direction: Literal["apply", "rollback"]
) -> None:
    from pgvec_admin.install.yoyo_backend import Backend, read_migrations  # only here: status does without

    row = connection.execute("show lock_timeout").fetchone()
    assert row is not None
    with tempfile.TemporaryDirectory(prefix="pgvec-migrations-") as folder:
        for path in paths():
            back = path.parent / "rollback" / path.name
            # yoyo wants a rollback beside its migration, and parses both
            texts = {path.name: path} | ({f"{path.stem}.rollback.sql": back} if direction == "rollback" else {})
            for name, source in texts.items():
                text = with_vector_schema(normalised(source)[0], vector_schema)
                Path(folder, name).write_text(text, encoding="utf-8")
        with Backend(where, row[0]) as backend:
            known = {migration.id: migration for migration in read_migrations(folder)}
            for name in names:
                with _naming(name, direction):
                    (backend.apply_one if direction == "apply" else backend.rollback_one)(known[name])


@contextmanager
def _naming(name: str, direction: Literal["apply", "rollback"]) -> Iterator[None]:
    """Add to an error the file that it comes from."""
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        raise
    except psycopg.Error as error:
        shown: PgvecError = from_postgres(error)
        shown.message = f"sql/migrations/{'rollback/' if direction == 'rollback' else ''}{name}.sql: {shown.message}"
        raise shown from error
