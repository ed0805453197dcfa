"""Calls of the functions of pgvec-admin, in a transaction each, sync and async. The same file in both packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, ConnectionPool

Row = tuple[Any, ...]

# Every argument is given, and with its type: a role that may create in public could otherwise make a function of the
# same name that fits better. {vector} is the type of vectors, in the schema where pgvector is.
_OF = "collection => %(collection)s::text, for_tenant => %(tenant)s::uuid"
_SEARCH = "match_count => %(count)s::int, filter => %(filter)s::jsonb, match_threshold => %(threshold)s::float8, " + _OF
_NEAR = "query_embedding => %(embedding)s::{vector}, " + _SEARCH
_WORDS = (
    "query_text => %(query)s::text, ranking => 'bm25'::text, syntax => 'web'::text, fuzzy => false, prefix => false"
)

VECTOR = (
    "select m.id, m.content, m.metadata, m.similarity"
    f" from public.match_documents({_NEAR}, distance => null::text) as m"
)
EMBEDDINGS = (
    "select m.id, m.content, m.metadata, m.similarity, m.embedding::text"
    f" from public.match_documents_embeddings({_NEAR}) as m"
)
KEYWORD = (
    "select m.id, m.content, m.metadata, m.score"
    f" from public.keyword_search({_WORDS}, {_SEARCH}, highlight => false,"
    " mark_start => null::text, mark_stop => null::text) as m"
)
HYBRID = (
    f"select m.id, m.content, m.metadata, m.score from public.hybrid_search({_WORDS}, {_NEAR},"
    " full_text_weight => %(full_text_weight)s::float8, semantic_weight => %(semantic_weight)s::float8,"
    " fusion => %(fusion)s::text, diversity => %(diversity)s::float8, rrf_k => null::int, candidates => 100,"
    " group_by => null::text, recency_field => null::text, half_life => null::interval, autocut => false) as m"
)
BY_IDS = (
    "select d.id, d.content, d.metadata from unnest(%(ids)s::text[]) with ordinality as i (id, place)"
    f" cross join lateral public.document_context(document_id => i.id, before => 0, after => 0, {_OF}) as d"
    " where d.is_hit order by i.place"
)
UPSERT = f"select u from public.upsert_documents(documents => %(documents)s::jsonb, {_OF}) as u"
DELETE = (
    "select public.delete_documents(ids => %(ids)s::text[], source => %(source)s::text,"
    f" filter => %(filter)s::jsonb, {_OF})"
)
CREATE = (
    "select pgvec.create_collection(%(collection)s, %(dimensions)s::int, distance => %(distance)s::text,"
    " access => %(access)s::text, language => %(language)s::text) from (select 1) as once"
    " where not exists (select from pgvec.collections as c where c.name = %(collection)s)"
)
_TYPE = (
    b"select pg_catalog.format('%I.vector', n.nspname) from pg_catalog.pg_extension as e"
    b" join pg_catalog.pg_namespace as n on n.oid = e.extnamespace where e.extname = 'vector'"
)


def vector_text(embedding: Sequence[float]) -> str:
    """pgvector's text form of a vector."""
    return "[" + ",".join(repr(float(number)) for number in embedding) + "]"


def as_filter(given: Mapping[str, Any] | None) -> Jsonb | None:
    """A filter as the functions take it."""
    return None if given is None else Jsonb(dict(given))


class Database:
    """A collection behind a connection string or pools. Without an async pool each async call opens a connection.

    `tenant`: whose rows, for roles that see those of all tenants; other roles have the tenants of their connection.
    """

    def __init__(
        self,
        connection: str | ConnectionPool[Connection[Row]],
        async_pool: AsyncConnectionPool[AsyncConnection[Row]] | None,
        collection: str,
        tenant: UUID | str | None,
    ) -> None:
        self._owns = isinstance(connection, str)
        self._pool: ConnectionPool[Connection[Row]] | None = None
        if isinstance(connection, str):
            self._url = connection
        else:
            self._pool = connection
            self._url = connection.conninfo() if callable(connection.conninfo) else connection.conninfo
        self._async_pool = async_pool
        self._vector: str | None = None  # the type of vectors, once it has been asked for
        self.of: dict[str, Any] = {"collection": collection, "tenant": None if tenant is None else str(tenant)}

    def run(self, statement: str, **parameters: Any) -> list[Row]:
        """The rows of a statement, in a transaction of its own."""
        if self._pool is None:
            self._pool = ConnectionPool(
                self._url, min_size=1, max_size=4, open=True, kwargs={"prepare_threshold": None}
            )
        with self._pool.connection() as connection:
            if self._vector is None:
                self._vector = _named(connection.execute(_TYPE).fetchone())
            return connection.execute(self._complete(statement), parameters | self.of).fetchall()

    async def arun(self, statement: str, **parameters: Any) -> list[Row]:
        """The rows of a statement, in a transaction of its own."""
        if self._async_pool is not None:
            async with self._async_pool.connection() as connection:
                return await self._rows(connection, statement, parameters)
        async with await AsyncConnection.connect(self._url, prepare_threshold=None) as connection:
            return await self._rows(connection, statement, parameters)

    async def _rows(self, connection: AsyncConnection[Row], statement: str, parameters: Mapping[str, Any]) -> list[Row]:
        if self._vector is None:
            self._vector = _named(await (await connection.execute(_TYPE)).fetchone())
        found = await connection.execute(self._complete(statement), {**parameters, **self.of})
        return await found.fetchall()

    def _complete(self, statement: str) -> bytes:
        return statement.replace("{vector}", self._vector or "vector").encode()

    def close(self) -> None:
        """Close the pool that was made for a connection string."""
        if self._owns and self._pool is not None:
            self._pool.close()
            self._pool = None


def _named(found: Row | None) -> str:
    """The type of vectors; without pgvector the functions are not there either, and say so."""
    return str(found[0]) if found else "vector"
