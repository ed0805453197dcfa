"""Calls of the functions of pgvec-admin, in a transaction each, sync and async. The same file in both packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, ConnectionPool

Row = tuple[Any, ...]

_OF = "collection => %(collection)s::text, for_tenant => %(tenant)s::uuid"
_SEARCH = "match_count => %(count)s::int, filter => %(filter)s::jsonb, match_threshold => %(threshold)s::float8, " + _OF

VECTOR = f"select m.id, m.content, m.metadata, m.similarity from public.match_documents(%(embedding)s, {_SEARCH}) as m"
EMBEDDINGS = (
    "select m.id, m.content, m.metadata, m.similarity, m.embedding::text"
    f" from public.match_documents_embeddings(%(embedding)s, {_SEARCH}) as m"
)
KEYWORD = f"select m.id, m.content, m.metadata, m.score from public.keyword_search(%(query)s::text, {_SEARCH}) as m"
HYBRID = (
    "select m.id, m.content, m.metadata, m.score from public.hybrid_search(%(query)s::text, %(embedding)s,"
    " full_text_weight => %(full_text_weight)s::float8, semantic_weight => %(semantic_weight)s::float8,"
    f" fusion => %(fusion)s::text, diversity => %(diversity)s::float8, {_SEARCH}) as m"
)
BY_IDS = (
    "select d.id, d.content, d.metadata from unnest(%(ids)s::text[]) with ordinality as i (id, place)"
    f" cross join lateral public.document_context(i.id, 0, 0, {_OF}) as d where d.is_hit order by i.place"
)
UPSERT = f"select u from public.upsert_documents(%(documents)s::jsonb, {_OF}) as u"
DELETE = (
    f"select public.delete_documents(%(ids)s::text[], source => %(source)s::text, filter => %(filter)s::jsonb, {_OF})"
)
CREATE = (
    "select pgvec.create_collection(%(collection)s, %(dimensions)s::int, distance => %(distance)s::text,"
    " access => %(access)s::text, language => %(language)s::text) from (select 1) as once"
    " where not exists (select from pgvec.collections as c where c.name = %(collection)s)"
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
        self.of: dict[str, Any] = {"collection": collection, "tenant": None if tenant is None else str(tenant)}

    def run(self, statement: str, **parameters: Any) -> list[Row]:
        """The rows of a statement, in a transaction of its own."""
        if self._pool is None:
            self._pool = ConnectionPool(
                self._url, min_size=1, max_size=4, open=True, kwargs={"prepare_threshold": None}
            )
        with self._pool.connection() as connection:
            return connection.execute(statement.encode(), parameters | self.of).fetchall()

    async def arun(self, statement: str, **parameters: Any) -> list[Row]:
        """The rows of a statement, in a transaction of its own."""
        if self._async_pool is not None:
            async with self._async_pool.connection() as connection:
                return await (await connection.execute(statement.encode(), parameters | self.of)).fetchall()
        async with await AsyncConnection.connect(self._url, prepare_threshold=None) as connection:
            return await (await connection.execute(statement.encode(), parameters | self.of)).fetchall()

    def close(self) -> None:
        """Close the pool that was made for a connection string."""
        if self._owns and self._pool is not None:
            self._pool.close()
            self._pool = None
