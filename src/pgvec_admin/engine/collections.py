"""Collections: reading the registry, creating and dropping them. SQL does the work (`pgvec.*`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection
from pgvec_admin.errors import UsageError


@dataclass(frozen=True)
class Collection:
    """A row of the registry, as far as programs need it.

    `passage_prefix`: what its texts are embedded with, where that is not the model's own. `too_long`: what becomes of
    texts of more tokens than the model reads, "fail" or "cut", where that is kept.
    """

    name: str
    relation: str
    dimensions: int
    distance: str
    storage: str
    access: str
    language: str
    model: str | None
    passage_prefix: str | None = field(default=None, kw_only=True)
    too_long: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class CollectionStatus(Collection):
    """A collection with its contents; `relation` and the counts are None where its table was dropped."""

    rows: int | None
    embedded: int | None
    stale: int | None
    indexes: list[str]
    size_bytes: int | None


@dataclass(frozen=True)
class KeywordStatistics:
    """The state of the BM25 statistics: `uncounted` rows changed since; lengths in words; `due`: time to refresh."""

    documents: int
    uncounted: int
    average_length: float | None
    weights_made_for: float | None
    refreshed_at: datetime | None
    due: bool


@dataclass(frozen=True)
class Refreshed:
    """What a refresh counted, and the rows whose BM25 weights it renewed."""

    documents: int
    lexemes: int
    average_length: float | None
    renewed: int


def get(connection: Connection, name: str) -> Collection:
    """The collection of that name, or NAME@MODEL for its vectors of one model; psycopg error PV001 without one."""
    with connection.cursor(row_factory=class_row(Collection)) as cursor:
        cursor.execute(
            "select pgvec.model_name(c) as name, relation::text, dimensions, distance, storage, access, language,"
            " model, settings ->> 'passage_prefix' as passage_prefix, settings ->> 'too_long' as too_long"
            " from pgvec.of_model(%s) as c",
            (name,),
        )
        found = cursor.fetchone()
    assert found is not None, "pgvec.collection returns a row or raises"
    return found


def changing_to(connection: Connection, name: str) -> str | None:
    """NAME@MODEL for the model that a collection is being changed to; None where it is not."""
    found = connection.execute(
        "select collection || '@' || model from pgvec.model_changes where collection = %s and state = 'pending'",
        (name,),
    ).fetchone()
    return None if found is None else str(found[0])


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
    access: str = "open",
    storage: str = "vector",
    language: str = "english",
    model: str | None = None,
    partition: int | None = None,
    owner: str | None = None,
    owner_column: str | None = None,
) -> str:
    """Make a collection; returns its table. `owner`: the table of the accounts with which rows are deleted."""
    row = connection.execute(
        "select pgvec.create_collection(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)::text",
        (name, dimensions, distance, access, storage, language, model, partition, owner, owner_column),
    ).fetchone()
    assert row is not None
    return str(row[0])


def adopt(
    connection: Connection,
    relation: str,
    *,
    name: str | None = None,
    embedding: str = "embedding",
    content: Sequence[str] = ("content",),
    id_column: str | None = None,
    metadata: str | None = None,
    dimensions: int | None = None,
    distance: str = "cosine",
    language: str = "english",
    model: str | None = None,
    add_columns: bool = False,
) -> Collection:
    """Make an existing table a collection (`pgvec.adopt_collection` says how); its name is the table's by default."""
    with database.usual_search_path(connection):
        named = connection.execute(
            "select pg_catalog.to_regclass(%s::pg_catalog.text)::pg_catalog.oid", (relation,)
        ).fetchone()
    known = connection.execute("select oid, relname from pg_class where oid = %s", named).fetchone()
    if known is None:
        raise UsageError(
            f"there is no table {relation or repr(relation)}", "name it with its schema, for example public.jobs"
        )
    chosen = name or str(known[1])
    connection.execute(
        "select pgvec.adopt_collection(%s, %s::oid::regclass, embedding_column => %s, content_columns => %s,"
        " id_column => %s, metadata_column => %s, dimensions => %s, distance => %s, language => %s, model => %s,"
        " add_columns => %s)",
        (
            chosen,
            known[0],
            embedding,
            list(content),
            id_column,
            metadata,
            dimensions,
            distance,
            language,
            model,
            add_columns,
        ),
    )
    return get(connection, chosen)


def release(connection: Connection, name: str) -> str | None:
    """Undo an adoption; returns the table, which stays, or None where it is gone."""
    row = connection.execute("select pgvec.release_collection(%s)::text", (name,)).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0])


def drop(connection: Connection, name: str) -> None:
    """Drop a collection with all its rows."""
    connection.execute("select pgvec.drop_collection(%s)", (name,))


def keyword_statistics(connection: Connection, name: str) -> KeywordStatistics:
    """How far the BM25 statistics lag behind the rows."""
    with connection.cursor(row_factory=class_row(KeywordStatistics)) as cursor:
        found = cursor.execute("select * from pgvec.keyword_statistics(%s)", (name,)).fetchone()
    assert found is not None
    return found


def refresh_statistics(connection: Connection, name: str) -> Refreshed:
    """Count the words of all rows again, and renew the BM25 weights that are off."""
    with connection.cursor(row_factory=class_row(Refreshed)) as cursor:
        found = cursor.execute("select * from pgvec.refresh_statistics(%s)", (name,)).fetchone()
    assert found is not None
    return found


def refresh_lexemes(connection: Connection, name: str) -> int:
    """Make lexemes of an earlier release or of other settings anew, where the role may; returns of how many rows."""
    connection.execute("select from pgvec.collection(%s)", (name,))  # PV001
    may = connection.execute("select has_function_privilege('pgvec.refresh_lexemes(text)', 'execute')").fetchone()
    if may != (True,):
        return 0
    found = connection.execute("select pgvec.refresh_lexemes(%s)", (name,)).fetchone()
    assert found is not None
    return int(found[0])
