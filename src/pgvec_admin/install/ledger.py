"""The ledger of functions: every definition that each has had, and their present state in the catalog."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from pgvec_admin import __version__
from pgvec_admin.database import Connection
from pgvec_admin.resources import query

Origin = Literal["file", "drift", "replaced", "rollback"]

_LIVE = query("live_functions")
_RECORD = (
    "insert into pgvec.function_history"
    " (name, version, origin, definition, file_sha256, held_sha256, fingerprint, package_version)"
    " select %(name)s, coalesce(max(version), 0) + 1, %(origin)s, %(definition)s, %(file)s, %(held)s,"
    " %(fingerprint)s, %(release)s from pgvec.function_history where name = %(name)s"
)


@dataclass(frozen=True)
class HistoryEntry:
    """A definition that a function has had."""

    version: int
    origin: Origin
    package_version: str
    applied_at: datetime
    applied_by: str
    fingerprint: str
    definition: str
    file_sha256: str | None
    held_sha256: str | None


@dataclass(frozen=True)
class Recorded:
    """The last entry of a function, without its text."""

    name: str
    version: int
    origin: Origin
    file_sha256: str | None
    held_sha256: str | None
    fingerprint: str
    package_version: str
    applied_at: datetime


@dataclass(frozen=True)
class Live:
    """All overloads of a name, as the catalog has them; `row_versions` change whenever one is replaced."""

    name: str
    overloads: int
    fingerprint: str
    definition: str
    oids: list[int]
    owners: list[int]
    row_versions: list[str]


def live(connection: Connection, names: Iterable[str]) -> dict[str, Live]:
    """The present state in the catalog of the functions of schema pgvec and of those named, by name."""
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=class_row(Live)) as cursor:
        # the catalog spells types by the search_path, on which a fingerprint must not depend;
        # a transaction around this one keeps its own search_path
        cursor.execute("set local search_path = pg_catalog, pg_temp")
        rows = cursor.execute(_LIVE, {"names": list(names)}).fetchall()
    return {row.name: row for row in rows}


def recorded(connection: Connection) -> dict[str, Recorded]:
    """The last entry of every function, by name; nothing where there is no ledger yet."""
    row = connection.execute("select to_regclass('pgvec.function_history') is not null").fetchone()
    if row is None or not row[0]:
        return {}
    with connection.cursor(row_factory=class_row(Recorded)) as cursor:
        rows = cursor.execute(
            "select distinct on (name) name, version, origin, file_sha256, held_sha256, fingerprint, package_version,"
            " applied_at from pgvec.function_history order by name, version desc"
        ).fetchall()
    return {row.name: row for row in rows}


def entries(connection: Connection, name: str) -> list[HistoryEntry]:
    """The definitions that a function (schema.name) has had, oldest first."""
    with connection.cursor(row_factory=class_row(HistoryEntry)) as cursor:
        return cursor.execute(
            "select version, origin, package_version, applied_at, applied_by, fingerprint, definition, file_sha256,"
            " held_sha256 from pgvec.function_history where name = %s order by version",
            (name,),
        ).fetchall()


def record(
    connection: Connection,
    found: Live,
    origin: Origin,
    definition: str,
    *,
    file_sha256: str | None = None,
    held_sha256: str | None = None,
) -> None:
    """Record a definition as the next version of a function."""
    connection.execute(_RECORD, _entry(found, origin, definition, file_sha256, held_sha256))


def record_files(connection: Connection, applied: Iterable[tuple[Live, str, str]]) -> None:
    """Record texts of files, with their SHA-256, as the next versions of their functions; in one round trip."""
    with connection.cursor() as cursor:
        cursor.executemany(_RECORD, [_entry(live, "file", text, sha256) for live, text, sha256 in applied])


def _entry(
    found: Live, origin: Origin, definition: str, file_sha256: str | None, held_sha256: str | None = None
) -> dict[str, str | None]:
    return {
        "name": found.name,
        "origin": origin,
        "definition": definition,
        "file": file_sha256,
        "held": held_sha256,
        "fingerprint": found.fingerprint,
        "release": __version__,
    }
