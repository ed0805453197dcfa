"""The mapped columns of a collection, the search functions as table-valued ones, and what Alembic leaves alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from pgvector.sqlalchemy import HALFVEC, VECTOR
from sqlalchemy import (
    BigInteger,
    Double,
    FetchedValue,
    Integer,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
)
from sqlalchemy import column as named
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.selectable import TableValuedAlias

# pgvector registers its types without the schema that they are shown with where it is not in the search_path
ischema_names.update({f"extensions.{name}": ischema_names[name] for name in ("vector", "halfvec", "sparsevec")})

# columns by which tables of collections are known, and those of `collection adopt --add-columns`
_OF_COLLECTIONS = {"content_hash", "embedded_hash", "chunk_index", "language"}
_ADDED = {"fts", "bm25", "content_hash", "embedded_hash"}

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
    embedded_by: Mapped[int | None] = mapped_column(server_default=FetchedValue(), server_onupdate=FetchedValue())


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
    return _table(
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
    **options: str | bool,
) -> TableValuedAlias:
    """`public.keyword_search` as a table: id, content, metadata, score, headline (null without highlight); best first.

    `options` are its other arguments: ranking, highlight, syntax, fuzzy, prefix, ...
    """
    return _table(
        "keyword_search",
        [*_HIT, named("score", Double()), named("headline", Text())],
        query_text=query_text,
        match_count=match_count,
        filter=filter,
        match_threshold=match_threshold,
        collection=collection,
        for_tenant=for_tenant,
        **options,
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
    return _table(
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


def _table(function: str, columns: Sequence[Any], **arguments: Any) -> TableValuedAlias:
    made: TableValuedAlias = call(function, arguments).table_valued(*columns, name=function)
    return made


def call(function: str, arguments: Mapping[str, Any]) -> Any:
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

    Their tables belong to `pgvec-admin`, whether they are mapped or not. An adopted table is the application's: of it
    indexes of vectors are left alone, and columns of vectors, lexemes and hashes that the application does not map.
    """
    table = thing if type_ == "table" else getattr(thing, "table", None)
    if table is None:
        return True
    if table.schema == "pgvec" or set(table.columns.keys()) >= _OF_COLLECTIONS:
        return False
    if type_ not in ("index", "column") or not reflected or compare_to is not None:
        return True
    if type_ == "index":
        method = thing.dialect_options["postgresql"]["using"]
        return method not in ("hnsw", "ivfflat") and thing.columns.keys() != ["fts"]
    added = name in _ADDED and set(table.columns.keys()) >= _ADDED
    return not (added or isinstance(thing.type, VECTOR | HALFVEC))
