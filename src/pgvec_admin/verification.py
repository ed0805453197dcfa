"""Whether what is installed is what it should be. The work is SQL's (`pgvec.verify_*`)."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row

from pgvec_admin.database import Connection


@dataclass(frozen=True)
class Check:
    """A check, with an object that it objects to and why; both None where it objects to nothing."""

    check_name: str
    object: str | None
    found: str | None
    hint: str


@dataclass(frozen=True)
class Attempt:
    """What a role tried that it must not, and whether it was kept from it; `detail` says how it was not."""

    role_name: str
    attempt: str
    passed: bool
    detail: str | None


def tenants(connection: Connection) -> list[Attempt]:
    """Try, as each role and as two made-up tenants, to see and to change what must not be; leaves nothing behind."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Attempt)) as cursor:
        return cursor.execute("select * from pgvec.verify_tenants()").fetchall()


def catalog(connection: Connection) -> list[Check]:
    """Functions, grants, policies and indexes, as the catalog has them."""
    with connection.cursor(row_factory=class_row(Check)) as cursor:
        return cursor.execute("select * from pgvec.verify_catalog()").fetchall()
