"""What the database still has of a text or an id: every row of every table of the engine, found by the catalog."""

from __future__ import annotations

from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]


def tables(connection: Connection) -> list[str]:
    """All that holds rows in schema pgvec, and the tables of the collections."""
    return [
        row[0]
        for row in connection.execute(
            "select t.oid::regclass::text from pg_class as t"
            " where t.relkind in ('r', 'm') and (t.relnamespace = 'pgvec'::regnamespace"
            " or t.oid in (select c.base from pgvec.collections as c)) order by 1"
        )
    ]


def traces(connection: Connection, *marks: str) -> dict[str, list[str]]:
    """The rows, as text, in which one of the marks stands, by table; a superuser's connection sees all of them."""
    found = {}
    for table in tables(connection):
        rows = connection.execute(
            f"select t::text from {table} as t where exists"
            " (select from unnest(%s::text[]) as m where position(lower(m) in lower(t::text)) > 0)".encode(),
            (list(marks),),
        ).fetchall()
        if rows:
            found[table] = [row[0] for row in rows]
    return found
