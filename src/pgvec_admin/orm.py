"""Collections for SQLAlchemy 2: mapped classes, the search functions as table-valued ones, and a repository.

Nothing is searched here: each method is a call of an SQL function. For `postgresql+psycopg`, sync and async; needs the
extra `sqlalchemy`.

    class Document(DocumentColumns, Base):
        __tablename__ = "documents"

    hit = match_documents(vector, match_count=5)
    select(Job.title, hit.c.similarity).join(hit, hit.c.id == cast(Job.id, Text)).order_by(hit.c.similarity.desc())

    repository = EmbeddingRepository(async_session, collection="documents")
    hits = await repository.search(vector, top_k=5, filters={"lang": "en"}, min_score=0.5)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray
from pgvector import Vector
from pgvector.sqlalchemy import VECTOR
from psycopg.types.json import Jsonb
from sqlalchemy import (
    BigInteger,
    Double,
    Executable,
    FetchedValue,
    Integer,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
)
from sqlalchemy import column as named
from sqlalchemy import select as select_
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.sql.selectable import TableValuedAlias

# pgvector registers its types without the schema that they are shown with where it is not in the search_path
ischema_names.update({f"extensions.{name}": ischema_names[name] for name in ("vector", "halfvec", "sparsevec")})

Embedding = Sequence[float] | NDArray[np.float32]

_TYPES: dict[str, Any] = {
    "query_embedding": VECTOR(),
    "query_text": Text(),
    "match_count": Integer(),
    "filter": JSONB(),
    "match_threshold": Double(),
    "collection": Text(),
    "for_tenant": Uuid(),
    "documents": JSONB(),
    "ids": ARRAY(Text()),
    "source": Text(),
}
_HIT = [named("id", Text()), named("content", Text()), named("metadata", JSONB())]


class DocumentColumns:
    """The columns of a collection, for a declarative class; `metadata` is `meta`, as SQLAlchemy keeps that name.

    `embedding` takes lists and numpy arrays, and gives lists. What the table keeps by itself (hashes, times) is read
    back after a flush. For a collection of halfvec: `embedding: Mapped[Any] = mapped_column(HALFVEC(768))`, by the
    type of pgvector.sqlalchemy; for one with tenants: `tenant_id: Mapped[UUID] = mapped_column(primary_key=True)`.
    """

    id: Mapped[str] = mapped_column(Text, primary_key=True, server_default=FetchedValue())
    source: Mapped[str | None] = mapped_column(Text)
    chunk_index: Mapped[int | None]
    content: Mapped[str] = mapped_column(Text, server_default="")
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}")
    language: Mapped[str | None] = mapped_column(Text)
    embedding: Mapped[Any] = mapped_column(VECTOR())
    embedded_hash: Mapped[str | None] = mapped_column(
        Text, server_default=FetchedValue(), server_onupdate=FetchedValue()
    )
    content_hash: Mapped[str] = mapped_column(Text, server_default=FetchedValue(), server_onupdate=FetchedValue())
    created_at: Mapped[datetime] = mapped_column(server_default=FetchedValue())
    updated_at: Mapped[datetime] = mapped_column(server_default=FetchedValue(), server_onupdate=FetchedValue())


def match_documents(
    query_embedding: Embedding,
    *,
    match_count: int | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002 - the function's own names
    match_threshold: float | None = None,
    collection: str | None = None,
    for_tenant: UUID | None = None,
) -> TableValuedAlias:
    """`public.match_documents` as a table: id, content, metadata, similarity; best first."""
    return _call(
        "match_documents",
        [*_HIT, named("similarity", Double())],
        query_embedding=query_embedding,
        match_count=match_count,
        filter=filter,
        match_threshold=match_threshold,
        collection=collection,
        for_tenant=for_tenant,
    )


def keyword_search(
    query_text: str,
    *,
    match_count: int | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002
    match_threshold: float | None = None,
    collection: str | None = None,
    for_tenant: UUID | None = None,
) -> TableValuedAlias:
    """`public.keyword_search` as a table: id, content, metadata, score, headline (null); best first."""
    return _call(
        "keyword_search",
        [*_HIT, named("score", Double()), named("headline", Text())],
        query_text=query_text,
        match_count=match_count,
        filter=filter,
        match_threshold=match_threshold,
        collection=collection,
        for_tenant=for_tenant,
    )


def hybrid_search(
    query_text: str,
    query_embedding: Embedding,
    *,
    match_count: int | None = None,
    filter: Mapping[str, Any] | None = None,  # noqa: A002
    match_threshold: float | None = None,
    collection: str | None = None,
    for_tenant: UUID | None = None,
    **options: float | str | bool,
) -> TableValuedAlias:
    """`public.hybrid_search` as a table: id, content, metadata, score, similarity, keyword_score and both ranks.

    `options` are its other arguments: fusion, candidates, full_text_weight, diversity, group_by, ...
    """
    return _call(
        "hybrid_search",
        [
            *_HIT,
            *(named(name, Double()) for name in ("score", "similarity", "keyword_score")),
            *(named(name, BigInteger()) for name in ("semantic_rank", "keyword_rank")),
        ],
        query_text=query_text,
        query_embedding=query_embedding,
        match_count=match_count,
        filter=filter,
        match_threshold=match_threshold,
        collection=collection,
        for_tenant=for_tenant,
        **options,
    )


def _call(function: str, columns: Sequence[Any], **arguments: Any) -> TableValuedAlias:
    made: TableValuedAlias = _named(function, arguments).table_valued(*columns, name=function)
    return made


def _named(function: str, arguments: Mapping[str, Any]) -> Any:
    """The function with its arguments by name; those that are None keep the function's defaults."""
    given = [
        literal_column(name).op("=>")(bindparam(None, value, type_=_TYPES.get(name), unique=True))
        for name, value in arguments.items()
        if value is not None
    ]
    return getattr(func.public, function)(*given)


def include_object(
    thing: Any,
    name: str | None,
    type_: Literal["schema", "table", "column", "index", "unique_constraint", "foreign_key_constraint"],
    reflected: bool,
    compare_to: Any,
) -> bool:
    """For Alembic's `context.configure(include_object=...)`: collections and what keeps them are not its business.

    Their tables have a column `content_hash` and belong to `pgvec-admin`, whether they are mapped or not.
    """
    del name, reflected, compare_to
    table = thing if type_ == "table" else getattr(thing, "table", None)
    return table is None or not (
        table.schema == "pgvec" or ("content_hash" in table.columns and "embedded_hash" in table.columns)
    )


@dataclass(frozen=True)
class Hit:
    """A row that was found; `score` is the similarity, or what the kind of search ranks by."""

    id: str
    content: str
    metadata: dict[str, Any]
    score: float


@dataclass(frozen=True)
class NewDocument:
    """A row to write. One with an id that is there replaces it; without an id it is new."""

    content: str
    embedding: Embedding | None = None
    id: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = None
    chunk_index: int | None = None
    language: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The row for `upsert_documents`; what is not given is left out, so that an existing row keeps its own."""
        told = {key: value for key, value in asdict(self).items() if value is not None}
        if self.embedding is not None:
            told["embedding"] = np.asarray(self.embedding, dtype=np.float32).tolist()
        return told


# a hundred rows take a third of the time by COPY that they take as a JSON argument, a thousand an eighth
COPY_FROM = 100
_MAY_COPY = select_(func.has_function_privilege("pgvec.begin_staging(text, uuid)", "execute"))
_COPY = (
    "copy pg_temp.staged_documents (id, source, chunk_index, content, metadata, embedding) from stdin (format binary)"
)
_MERGE = "select from pgvec.merge_staged(%(collection)s, for_tenant => %(for_tenant)s)"
_COPY_TYPES = ["text", "text", "int4", "text", "jsonb", "bytea"]


def _rows(given: Iterable[NewDocument | Mapping[str, Any]]) -> list[NewDocument]:
    return [row if isinstance(row, NewDocument) else NewDocument(**row) for row in given]


def _may_be_copied(rows: Sequence[NewDocument]) -> bool:
    ids = [row.id for row in rows if row.id is not None]
    return len(rows) >= COPY_FROM and len(ids) == len(set(ids)) and not any(row.language for row in rows)


def _copied(row: NewDocument) -> tuple[Any, ...]:
    vector = None if row.embedding is None else Vector(np.asarray(row.embedding, dtype=np.float32)).to_binary()
    return row.id, row.source, row.chunk_index, row.content, Jsonb(dict(row.metadata)), vector


def _hits(found: Iterable[Any]) -> list[Hit]:
    return [Hit(*row) for row in found]


class _Statements:
    """What both repositories ask, as statements."""

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
            _named("upsert_documents", {"documents": documents, **self._of})
            .table_valued(named("id", Text()), with_ordinality="place", name="written")
            .render_derived()
        )
        return select_(written.c.id).order_by(written.c.place)

    def _delete(self, **which: Any) -> Executable:
        return select_(_named("delete_documents", {**which, **self._of}))


class EmbeddingRepository(_Statements):
    """The rows of a collection, written and searched within an AsyncSession's transaction, which the caller commits.

    `tenant` is for those who see all tenants' rows; others have the tenants of their connection.
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
        if not (_may_be_copied(documents) and await self._session.scalar(_MAY_COPY)):
            return list((await self._session.execute(self._upsert(documents))).scalars())
        documents = [row if row.id else replace(row, id=str(uuid4())) for row in documents]
        connection: Any = await (await self._session.connection()).get_raw_connection()
        async with connection.driver_connection.cursor() as cursor:
            await cursor.execute("select pgvec.begin_staging(%(collection)s, %(for_tenant)s)", self._of)
            async with cursor.copy(_COPY) as copy:
                copy.set_types(_COPY_TYPES)
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
        if not (_may_be_copied(documents) and self._session.scalar(_MAY_COPY)):
            return list((self._session.execute(self._upsert(documents))).scalars())
        documents = [row if row.id else replace(row, id=str(uuid4())) for row in documents]
        connection: Any = self._session.connection().connection
        with connection.driver_connection.cursor() as cursor:
            cursor.execute("select pgvec.begin_staging(%(collection)s, %(for_tenant)s)", self._of)
            with cursor.copy(_COPY) as copy:
                copy.set_types(_COPY_TYPES)
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
