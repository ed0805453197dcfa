"""Collections: what the registry knows, and how one is made and dropped. The work is SQL's (`pgvec.*`)."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.rows import class_row

from pgvec_admin.database import Connection


@dataclass(frozen=True)
class Collection:
    """A row of the registry, as far as programs need it."""

    name: str
    relation: str
    dimensions: int
    distance: str
    storage: str
    access: str
    language: str
    model: str | None


@dataclass(frozen=True)
class CollectionStatus(Collection):
    """A collection with what it holds; `relation` and the counts are None where its table was dropped."""

    rows: int | None
    embedded: int | None
    stale: int | None
    indexes: list[str]
    size_bytes: int | None


def get(connection: Connection, name: str) -> Collection:
    """The collection of that name; psycopg error PV001 where there is none."""
    with connection.cursor(row_factory=class_row(Collection)) as cursor:
        cursor.execute(
            "select name, relation::text, dimensions, distance, storage, access, language, model"
            " from pgvec.collection(%s)",
            (name,),
        )
        found = cursor.fetchone()
    assert found is not None, "pgvec.collection returns a row or raises"
    return found


def status(connection: Connection) -> list[CollectionStatus]:
    """Every collection, with exact counts."""
    with connection.cursor(row_factory=class_row(CollectionStatus)) as cursor:
        return cursor.execute("select * from pgvec.list_collections()").fetchall()


def create(
    connection: Connection,
    name: str,
    dimensions: int,
    *,
    distance: str = "cosine",
    storage: str = "vector",
    language: str = "english",
    model: str | None = None,
) -> str:
    """Make a collection; returns its table."""
    row = connection.execute(
        "select pgvec.create_collection(%s, %s, distance => %s, storage => %s, language => %s, model => %s)::text",
        (name, dimensions, distance, storage, language, model),
    ).fetchone()
    assert row is not None
    return str(row[0])


def drop(connection: Connection, name: str) -> None:
    """Drop a collection with all its rows."""
    connection.execute("select pgvec.drop_collection(%s)", (name,))
