"""The SQLAlchemy layer on a real server: mapped classes, functions as tables, both repositories, Alembic."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import Column, Engine, Integer, MetaData, Table, Text, cast, create_engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from conftest import Connection
from pgvec_admin import orm
from pgvec_admin.orm import (
    DocumentColumns,
    EmbeddingRepository,
    Hit,
    NewDocument,
    SyncEmbeddingRepository,
    hybrid_search,
    keyword_search,
    match_documents,
)


class Base(DeclarativeBase):
    pass


class Document(DocumentColumns, Base):
    __tablename__ = "documents"


class Half(DocumentColumns, Base):
    __tablename__ = "half"
    embedding: Mapped[Any] = mapped_column(HALFVEC(3))


class Job(Base):
    __tablename__ = "jobs"
    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[str]
    title: Mapped[str]


@pytest.fixture
def url(connection: Connection) -> str:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute("select pgvec.create_collection('half', 3, storage => 'halfvec')")
    info = connection.info
    return f"postgresql+psycopg://{info.user}@/{info.dbname}?host={info.host}&port={info.port}"


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    made = create_engine(url)
    yield made
    made.dispose()


FISH = [
    NewDocument("a red fish", [1, 0, 0], id="f1", metadata={"lang": "en"}, source="fish.md", chunk_index=0),
    NewDocument("ein roter Fisch", np.array([1, 0.5, 0]), id="f2", metadata={"lang": "de"}, source="fish.md"),
    NewDocument("a blue bird", [0, 1, 0], id="b1", metadata={"lang": "en"}, language="simple"),
]


def _async(url: str, act: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        engine = create_async_engine(url)
        async with AsyncSession(engine) as session, session.begin():
            answer = await act(session)
        await engine.dispose()
        return answer

    return asyncio.run(run())


def test_rows_are_mapped_with_what_the_table_keeps(engine: Engine) -> None:
    with Session(engine) as session:
        made = Document(content="a red fish", meta={"lang": "en"}, embedding=[1, 2, 3])
        session.add(made)
        session.commit()
        assert made.embedding == [1, 2, 3]
        assert (made.embedded_hash, len(made.id)) == (made.content_hash, 36)
        before = made.content_hash
        made.content = "a blue fish"
        session.commit()
        assert made.content_hash not in (before, made.embedded_hash)
        session.add(Half(id="h", embedding=np.array([1, 2, 3], dtype=np.float32)))
        session.commit()
        assert session.scalars(select(Half)).one().embedding == [1, 2, 3]


def test_searches_are_tables_that_join_with_others(engine: Engine) -> None:
    Base.metadata.tables["jobs"].create(engine)
    with Session(engine) as session:
        SyncEmbeddingRepository(session).add_embeddings(FISH)
        session.add_all([Job(id=1, document_id="f1", title="angler"), Job(id=2, document_id="b1", title="falconer")])
        session.flush()
        hit = match_documents([1, 0.1, 0], match_count=2, filter={"lang": "en"})
        joined = select(Job.title, hit.c.similarity).join(hit, hit.c.id == cast(Job.document_id, Text))
        rows = session.execute(joined.order_by(hit.c.similarity.desc())).all()
        assert [row.title for row in rows] == ["angler", "falconer"]
        assert rows[0].similarity > 0.99
        found = session.execute(select(keyword_search("fish", collection="documents"))).one()
        assert (found.id, found.metadata, found.headline) == ("f1", {"lang": "en"}, None)
        both = hybrid_search("bird", [1, 0, 0], match_count=3, fusion="rrf", full_text_weight=10.0)
        ranks = session.execute(select(both.c.id, both.c.semantic_rank, both.c.keyword_rank)).all()
        assert ranks[0] == ("b1", 3, 1)
        # the same statement with other values
        again = [session.scalars(select(match_documents(v, match_count=1).c.id)).one() for v in ([1, 0, 0], [0, 1, 0])]
        assert again == ["f1", "b1"]


def test_the_repository_writes_searches_and_deletes(url: str) -> None:
    async def act(session: AsyncSession) -> list[Any]:
        repository = EmbeddingRepository(session)
        made = await repository.add_embedding("a green frog", [0, 0, 1], metadata={"lang": "en"}, source="docs/a.md")
        return [
            await repository.add_embeddings([*FISH, {"content": "no vector yet", "id": "n"}]),
            await repository.search([1, 0, 0], top_k=2, filters={"lang": "en"}, min_score=0.5),
            [hit.id for hit in await repository.search_text("fish bird")],
            [hit.id for hit in await repository.search_hybrid("frog", [0, 0, 1], top_k=1)] == [made],
            await repository.delete_by_source("docs/a.md"),
            await repository.delete("f1", "missing"),
        ]

    added, hits, words, hybrid, of_source, by_id = _async(url, act)
    assert added == ["f1", "f2", "b1", "n"]
    assert hits == [Hit("f1", "a red fish", {"lang": "en"}, 1.0)]
    assert sorted(words) == ["b1", "f1"]
    assert (hybrid, of_source, by_id) == (True, 1, 1)


@pytest.mark.parametrize("rows", [3, 250], ids=["by JSON", "by COPY"])
@pytest.mark.parametrize("how", ["sync", "async"])
def test_rows_are_written_alike_by_json_and_by_copy(
    engine: Engine, url: str, connection: Connection, how: str, rows: int
) -> None:
    given = [
        NewDocument(f"text {n}", [n + 1, 1, 0], id=f"id {n}" if n % 2 else None, metadata={"n": n}, source="s")
        for n in range(rows)
    ]
    changed = [NewDocument("changed", id="id 1"), *(row for row in given if row.id not in (None, "id 1"))]

    def write(documents: list[NewDocument]) -> list[str]:
        if how == "async":
            return list(_async(url, lambda session: EmbeddingRepository(session).add_embeddings(documents)))
        with Session(engine) as session, session.begin():
            return SyncEmbeddingRepository(session).add_embeddings(documents)

    ids = write(given)
    stored = "select content, (metadata ->> 'n')::int, embedding::text from documents where id = any (%s) order by 2"
    expected = [(f"text {n}", n, f"[{n + 1},1,0]") for n in range(rows)]
    assert connection.execute(stored, (ids,)).fetchall() == expected
    assert write(changed) == [row.id for row in changed]
    # a vector that is not given stays, and is stale
    told = connection.execute(
        "select content, source, metadata, embedding::text, embedded_hash = content_hash"
        " from documents where id = 'id 1'"
    )
    assert told.fetchone() == ("changed", None, {}, "[2,1,0]", False)
    assert connection.execute("select count(*) from documents").fetchone() == (rows,)


@pytest.mark.parametrize("rows", [3, 250])
@pytest.mark.parametrize("driver", ["psycopg2", "asyncpg"])
def test_other_drivers_write_search_and_delete_too(url: str, connection: Connection, driver: str, rows: int) -> None:
    """Which have no COPY of psycopg's kind."""
    other = url.replace("+psycopg:", f"+{driver}:")
    given = [NewDocument(f"text {n}", [n + 1, 1, 0], id=str(n), metadata={"n": n}) for n in range(rows)]
    if driver == "asyncpg":

        async def act(session: AsyncSession) -> list[Any]:
            repository = EmbeddingRepository(session)
            return [
                await repository.add_embeddings(given),
                await repository.search([1, 1, 0], 1, filters={"n": {"$lt": 2}}, min_score=0.5),
                await repository.search_text("text", 1),
                await repository.search_hybrid("text", [1, 1, 0], 1),
                await repository.delete("0", "1"),
            ]

        added, near, words, both, deleted = _async(other, act)
    else:
        engine = create_engine(other)
        with Session(engine) as session, session.begin():
            repository = SyncEmbeddingRepository(session)
            added = repository.add_embeddings(given)
            near = repository.search([1, 1, 0], 1, filters={"n": {"$lt": 2}}, min_score=0.5)
            words = repository.search_text("text", 1)
            both = repository.search_hybrid("text", [1, 1, 0], 1)
            deleted = repository.delete("0", "1")
        engine.dispose()
    assert added == [row.id for row in given]
    assert (near[0].id, near[0].metadata) == ("0", {"n": 0})
    assert len(words) == len(both) == 1
    assert deleted == 2
    assert connection.execute("select count(embedding) from documents").fetchone() == (rows - 2,)


@pytest.mark.parametrize("rows", [1, 150])
def test_what_the_database_refuses_is_told_with_its_code(engine: Engine, rows: int) -> None:
    with Session(engine) as session, pytest.raises((DBAPIError, psycopg.Error)) as refused:
        SyncEmbeddingRepository(session).add_embeddings([NewDocument("x", [0, 0, 0]) for _ in range(rows)])
    error = refused.value.orig if isinstance(refused.value, DBAPIError) else refused.value
    assert isinstance(error, psycopg.Error)
    assert error.sqlstate == "PV005"


def test_a_tenant_is_named_by_who_sees_all(engine: Engine, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('notes', 3, access => 'tenant')")
    ours, theirs = UUID(int=1), UUID(int=2)
    with Session(engine) as session:
        for tenant, text in ((ours, "our fish"), (theirs, "their fish")):
            repository = SyncEmbeddingRepository(session, "notes", tenant)
            repository.add_embeddings([NewDocument(text, [1, 0, 0], id=str(n)) for n in range(120)])
        hits = SyncEmbeddingRepository(session, "notes", ours).search([1, 0, 0], 3)
        assert {hit.content for hit in hits} == {"our fish"}
        assert SyncEmbeddingRepository(session, "notes", theirs).delete("0", "1") == 2


def test_alembic_leaves_collections_alone(engine: Engine) -> None:
    Base.metadata.tables["jobs"].create(engine)
    with engine.connect() as connection:
        options = {"include_object": orm.include_object, "include_schemas": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        connection.exec_driver_sql("alter table jobs drop column title")
        assert [change[0] for change in compare_metadata(context, Base.metadata)] == ["add_column"]


@pytest.mark.parametrize("add_columns", [False, True])
def test_alembic_leaves_alone_what_adopting_a_table_added(
    engine: Engine, connection: Connection, add_columns: bool
) -> None:
    mapped = MetaData()
    Table("shop", mapped, Column("id", Integer, primary_key=True), Column("title", Text), Column("price", Integer))
    mapped.create_all(engine)
    connection.execute(
        "select pgvec.adopt_collection('shop', 'public.shop', content_columns => '{title}', dimensions => 3,"
        " add_columns => %s)",
        (add_columns,),
    )
    for (statement,) in connection.execute("select statement from pgvec.index_definition('shop')").fetchall():
        connection.execute(statement)
    with engine.connect() as other:
        options = {"include_object": orm.include_object, "include_schemas": True}
        context = MigrationContext.configure(other, opts=options)

        def changes() -> list[Any]:
            found = compare_metadata(context, mapped)
            return [change for change in found if getattr(change[-1], "name", None) != "jobs"]

        assert changes() == []
        # the application's own changes of its table are seen
        other.exec_driver_sql("alter table shop add column extra int; create index by_price on shop (price)")
        assert sorted(change[0] for change in changes()) == ["remove_column", "remove_index"]
        other.exec_driver_sql("alter table shop drop column price")
        assert "add_column" in [change[0] for change in changes()]
