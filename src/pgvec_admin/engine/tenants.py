"""Tenants: listing them, exporting, isolating and deleting the rows of one. SQL does the work (`pgvec.*`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from pgvec_admin.database import Connection
from pgvec_admin.errors import CheckFailedError


@dataclass(frozen=True)
class Holding:
    """What a tenant has in a collection, and how many members the tenant has."""

    collection: str
    tenant_id: UUID
    documents: int
    embedded: int
    members: int
    updated_at: datetime


@dataclass(frozen=True)
class Purged:
    """Rows deleted from a collection."""

    collection: str
    deleted: int


def holdings(connection: Connection, tenant: UUID | None = None) -> list[Holding]:
    """What all tenants have, or one of them; a row for each collection."""
    with connection.cursor(row_factory=class_row(Holding)) as cursor:
        return cursor.execute("select * from pgvec.list_tenants(%s)", (tenant,)).fetchall()


def purge(connection: Connection, tenant: UUID) -> list[Purged]:
    """Delete everything of a tenant."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Purged)) as cursor:
        return cursor.execute("select * from pgvec.purge_tenant(%s)", (tenant,)).fetchall()


def isolate(connection: Connection, collection: str, tenant: UUID) -> str:
    """Give a tenant a table of its own in a collection, and return the name of that table.

    The connection has to be in autocommit mode: the rows are copied in a transaction, and exchanged in another.
    """
    connection.execute("set statement_timeout = 0")
    connection.execute("select pgvec.copy_tenant(%s, %s)", (collection, tenant))
    try:
        row = connection.execute("select pgvec.isolate_tenant(%s, %s)::text", (collection, tenant)).fetchone()
    except psycopg.errors.LockNotAvailable as error:
        raise CheckFailedError(
            f"tenant {tenant} has no table of its own yet: another transaction keeps the collection",
            "nothing has changed; try again when no long transaction reads or writes it",
        ) from error
    assert row is not None
    for (table,) in connection.execute("select (pgvec.collection(%s)).base::text", (collection,)).fetchall():
        connection.execute(f"vacuum (analyze) {table}".encode())  # the rows that were moved away leave room
    return str(row[0])


def export(connection: Connection, tenant: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a tenant, each with its collection, as they come from the server."""
    with connection.transaction(), connection.cursor("export") as cursor:
        cursor.execute("select collection, document from pgvec.export_tenant(%s)", (tenant,))
        yield from cursor
