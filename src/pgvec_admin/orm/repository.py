"""Rows of a collection for a session: written, searched, deleted. Async and sync."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from pgvector import Vector
from psycopg.types.json import Jsonb
from sqlalchemy import Dialect, Executable, Text, func
from sqlalchemy import column as named
from sqlalchemy import select as select_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from pgvec_admin.loading.staging import STAGED, TYPES, copy_into
from pgvec_admin.orm.tables import Embedding, call, hybrid_search, keyword_search, match_documents


@dataclass(frozen=True)
class Hit:
    """A row that was found; `score` is the similarity, or the score of that kind of search."""

    id: str
    content: str
    metadata: dict[str, Any]
    score: float


@dataclass(frozen=True)
class NewDocument:
    """A row to write, new without an id. An existing one is replaced, except an embedding or language not given."""

    content: str
    embedding: Embedding | None = None
    id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None
    chunk_index: int | None = None
    language: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The row for `upsert_documents`, where a key that is left out keeps its value."""
        kept = ("id", "embedding", "language")
        told = {key: value for key, value in asdict(self).items() if value is not None or key not in kept}
        if self.embedding is not None:
            told["embedding"] = np.asarray(self.embedding, dtype=np.float32).tolist()
        return told


# by COPY a hundred rows take half as long as in a JSON argument, a thousand four tenths
COPY_FROM = 100
_MAY_COPY = select_(func.pg_catalog.has_function_privilege("pgvec.begin_staging(text, uuid)", "execute"))
_MERGE = "select from pgvec.merge_staged(%(collection)s, for_tenant => %(for_tenant)s)"


def _rows(given: Iterable[NewDocument | Mapping[str, Any]]) -> list[NewDocument]:
    return [row if isinstance(row, NewDocument) else NewDocument(**row) for row in given]


def _may_be_copied(rows: Sequence[NewDocument], dialect: Dialect) -> bool:
    ids = [row.id for row in rows if row.id is not None]
    # COPY is written by psycopg 3; psycopg2 and asyncpg have other ways
    return (
        dialect.driver == "psycopg"
        and len(rows) >= COPY_FROM
        and len(ids) == len(set(ids))
        and not any(row.language for row in rows)
    )


def _copied(row: NewDocument) -> tuple[Any, ...]:
    vector = None if row.embedding is None else Vector(np.asarray(row.embedding, dtype=np.float32)).to_binary()
    return row.id, row.source, row.chunk_index, row.content, Jsonb(dict(row.metadata)), vector


def _hits(found: Iterable[Any]) -> list[Hit]:
    return [Hit(*row) for row in found]


class _Statements:
    """The statements of both repositories."""

    def __init__(self, collection: str, tenant: UUID | None) -> None:
        self._of: dict[str, Any] = {"collection": collection, "for_tenant": tenant}

    def _search(self, query: Embedding, top_k: int, filters: Mapping[str, Any] | None, min_score: float | None) -> Any:
        hit = match_documents(query, match_count=top_k, filter=filters, match_threshold=min_score, **self._of)
        return select_(hit.c.id, hit.c.content, hit.c.metadata, hit.c.similarity)

    def _keyword(self, query: str, top_k: int, filters: Mapping[str, Any] | None, min_score: float | None) -> Any:
        hit = keyword_search(query, match_count=top_k, filter=filters, match_threshold=min_score, **self._of)
        return select_(hit.c.id, hit.c.content, hit.c.metadata, hit.c.score)

    def _hybrid(self, text: str, query: Embedding, top_k: int, filters: Mapping[str, Any] | None) -> Any:
        hit = hybrid_search(text, query, match_count=top_k, filter=filters, **self._of)
        return select_(hit.c.id, hit.c.content, hit.c.metadata, hit.c.score)

    def _upsert(self, rows: Sequence[NewDocument]) -> Executable:
        documents = [row.as_json() for row in rows]
        written = (
            call("upsert_documents", {"documents": documents, **self._of})
            .table_valued(named("id", Text()), with_ordinality="place", name="written")
            .render_derived()
        )
        return select_(written.c.id).order_by(written.c.place)

    def _delete(self, **which: Any) -> Executable:
        return select_(call("delete_documents", {**which, **self._of}))


class EmbeddingRepository(_Statements):
    """The rows of a collection, written and searched within an AsyncSession's transaction, which the caller commits.

    `tenant` is for roles that see all tenants' rows; others have the tenants of their connection.
    """

    def __init__(self, session: AsyncSession, collection: str = "documents", tenant: UUID | None = None) -> None:
        super().__init__(collection, tenant)
        self._session = session

    async def add_embedding(
        self,
        content: str,
        embedding: Embedding | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """Write one row (`more`: the other fields of NewDocument) and return its id."""
        return (await self.add_embeddings([NewDocument(content, embedding, metadata=metadata or {}, **more)]))[0]

    async def add_embeddings(self, rows: Iterable[NewDocument | Mapping[str, Any]]) -> list[str]:
        """Write rows, many of them by COPY, and return their ids in the same order."""
        documents = _rows(rows)
        dialect = (await self._session.connection()).dialect
        if not (_may_be_copied(documents, dialect) and await self._session.scalar(_MAY_COPY)):
            return list((await self._session.execute(self._upsert(documents))).scalars())
        documents = [row if row.id else replace(row, id=str(uuid4())) for row in documents]
        connection: Any = await (await self._session.connection()).get_raw_connection()
        async with connection.driver_connection.cursor() as cursor:
            await cursor.execute("select pgvec.begin_staging(%(collection)s, %(for_tenant)s)", self._of)
            async with cursor.copy(copy_into(STAGED)) as copy:
                copy.set_types(TYPES)
                for row in documents:
                    await copy.write_row(_copied(row))
            await cursor.execute(_MERGE, self._of)
        return [str(row.id) for row in documents]

    async def search(
        self,
        query: Embedding,
        top_k: int = 10,
        filters: Mapping[str, Any] | None = None,
        min_score: float | None = None,
    ) -> list[Hit]:
        """The rows nearest to a vector, by `match_documents`."""
        return _hits(await self._session.execute(self._search(query, top_k, filters, min_score)))

    async def search_text(
        self, query: str, top_k: int = 10, filters: Mapping[str, Any] | None = None, min_score: float | None = None
    ) -> list[Hit]:
        """The rows that share words with a text, by `keyword_search`."""
        return _hits(await self._session.execute(self._keyword(query, top_k, filters, min_score)))

    async def search_hybrid(
        self, text: str, query: Embedding, top_k: int = 10, filters: Mapping[str, Any] | None = None
    ) -> list[Hit]:
        """The rows that are best by both, by `hybrid_search`."""
        return _hits(await self._session.execute(self._hybrid(text, query, top_k, filters)))

    async def delete(self, *ids: str) -> int:
        """Delete rows by their ids; returns how many there were."""
        return int(await self._session.scalar(self._delete(ids=list(ids))) or 0)

    async def delete_by_source(self, source: str) -> int:
        """Delete the rows that came from a source; returns how many."""
        return int(await self._session.scalar(self._delete(source=source)) or 0)


class SyncEmbeddingRepository(_Statements):
    """EmbeddingRepository for a plain Session."""

    def __init__(self, session: Session, collection: str = "documents", tenant: UUID | None = None) -> None:
        super().__init__(collection, tenant)
        self._session = session

    def add_embedding(
        self,
        content: str,
        embedding: Embedding | None = None,
        *,
        metadata: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> str:
        """Write one row (`more`: the other fields of NewDocument) and return its id."""
        return (self.add_embeddings([NewDocument(content, embedding, metadata=metadata or {}, **more)]))[0]

    def add_embeddings(self, rows: Iterable[NewDocument | Mapping[str, Any]]) -> list[str]:
        """Write rows, many of them by COPY, and return their ids in the same order."""
        documents = _rows(rows)
        dialect = self._session.connection().dialect
        if not (_may_be_copied(documents, dialect) and self._session.scalar(_MAY_COPY)):
            return list((self._session.execute(self._upsert(documents))).scalars())
        documents = [row if row.id else replace(row, id=str(uuid4())) for row in documents]
        connection: Any = self._session.connection().connection
        with connection.driver_connection.cursor() as cursor:
            cursor.execute("select pgvec.begin_staging(%(collection)s, %(for_tenant)s)", self._of)
            with cursor.copy(copy_into(STAGED)) as copy:
                copy.set_types(TYPES)
                for row in documents:
                    copy.write_row(_copied(row))
            cursor.execute(_MERGE, self._of)
        return [str(row.id) for row in documents]

    def search(
        self,
        query: Embedding,
        top_k: int = 10,
        filters: Mapping[str, Any] | None = None,
        min_score: float | None = None,
    ) -> list[Hit]:
        """The rows nearest to a vector, by `match_documents`."""
        return _hits(self._session.execute(self._search(query, top_k, filters, min_score)))

    def search_text(
        self, query: str, top_k: int = 10, filters: Mapping[str, Any] | None = None, min_score: float | None = None
    ) -> list[Hit]:
        """The rows that share words with a text, by `keyword_search`."""
        return _hits(self._session.execute(self._keyword(query, top_k, filters, min_score)))

    def search_hybrid(
        self, text: str, query: Embedding, top_k: int = 10, filters: Mapping[str, Any] | None = None
    ) -> list[Hit]:
        """The rows that are best by both, by `hybrid_search`."""
        return _hits(self._session.execute(self._hybrid(text, query, top_k, filters)))

    def delete(self, *ids: str) -> int:
        """Delete rows by their ids; returns how many there were."""
        return int(self._session.scalar(self._delete(ids=list(ids))) or 0)

    def delete_by_source(self, source: str) -> int:
        """Delete the rows that came from a source; returns how many."""
        return int(self._session.scalar(self._delete(source=source)) or 0)
