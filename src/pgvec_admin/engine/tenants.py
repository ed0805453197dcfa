"""Tenants: listing them, exporting and deleting the rows of one. SQL does the work (`pgvec.*`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import class_row

from pgvec_admin.database import Connection


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


def export(connection: Connection, tenant: UUID) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a tenant, each with its collection, as they come from the server."""
    with connection.transaction(), connection.cursor("export") as cursor:
        cursor.execute("select collection, document from pgvec.export_tenant(%s)", (tenant,))
        yield from cursor
