"""Vector indexes: built concurrently, told about, never left behind invalid."""

from __future__ import annotations

import threading

import psycopg
import pytest

from conftest import Connection
from pgvec_admin import index
from pgvec_admin.database import Target
from pgvec_admin.errors import UsageError

HNSW = "documents_embedding_hnsw_cosine_idx"


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 64)")
    connection.execute("select setseed(0.5)")
    connection.execute(
        """
        insert into documents (id, content, embedding)
        select i::text, 'text ' || i, v.embedding::extensions.vector
          from generate_series(1, 4000) as i,
               lateral (select array_agg(random() - 0.5) as embedding from generate_series(1, 64) where i > 0) as v
        """
    )
    return connection


@pytest.fixture
def where(database: str) -> Target:
    return Target(database, "the test")


@pytest.mark.parametrize("method", ["hnsw", "ivfflat"])
def test_an_index_is_built_with_the_operator_class_of_the_collection(
    documents: Connection, where: Target, method: str
) -> None:
    build = index.create(where, "documents", method=method)
    assert not build.existed
    (built,) = index.vector_indexes(documents, "documents")
    assert (built.name, built.method, built.distance, built.valid) == (build.name, method, "cosine", True)
    assert "vector_cosine_ops" in built.definition


def test_building_again_says_that_it_is_there(documents: Connection, where: Target) -> None:
    index.create(where, "documents")
    assert index.create(where, "documents").existed


def test_progress_is_reported_while_the_index_grows(documents: Connection, where: Target) -> None:
    heard: list[tuple[int, int | None, str]] = []
    index.create(where, "documents", ef_construction=400, report=lambda *progress: heard.append(progress))
    assert any(phase.startswith("building index") for _, _, phase in heard)


def test_an_invalid_leftover_is_dropped_and_built_anew(documents: Connection, where: Target) -> None:
    index.create(where, "documents")
    # what a build that was killed leaves behind
    documents.execute(f"update pg_index set indisvalid = false where indexrelid = '{HNSW}'::regclass")
    assert not index.vector_indexes(documents, "documents")[0].valid
    assert not index.create(where, "documents").existed
    assert [(i.name, i.valid) for i in index.vector_indexes(documents, "documents")] == [(HNSW, True)]


def test_a_build_that_is_cancelled_leaves_nothing_behind(documents: Connection, where: Target) -> None:
    cancelled = threading.Event()

    def cancel(done: int, total: int | None, phase: str) -> None:
        if not cancelled.is_set() and "loading tuples" in phase:
            cancelled.set()
            documents.execute(
                "select pg_cancel_backend(pid) from pg_stat_progress_create_index where datname = current_database()"
            )

    documents.execute(
        "insert into documents (content, embedding)"
        " select content, embedding from documents, generate_series(1, 5) as again"
    )
    with pytest.raises(psycopg.errors.QueryCanceled):
        index.create(where, "documents", ef_construction=1000, m=64, report=cancel)
    assert cancelled.is_set()
    assert index.vector_indexes(documents, "documents") == []


def test_an_index_can_be_dropped_and_only_a_vector_index(documents: Connection, where: Target) -> None:
    index.create(where, "documents")
    with pytest.raises(UsageError, match="has no vector index 'documents_pkey'"):
        index.drop(documents, "documents", "documents_pkey")
    index.drop(documents, "documents", HNSW)
    assert index.vector_indexes(documents, "documents") == []


@pytest.mark.parametrize(
    ("definition", "call", "message"),
    [
        ("'wide', 2001", "'wide'", "at most 2000 dimensions, collection 'wide' has 2001"),
        ("'wide', 4001, storage => 'halfvec'", "'wide'", "at most 4000 dimensions"),
        ("'taxi', 8, 'l1'", "'taxi', 'ivfflat'", "ivfflat does not support the distance l1"),
        ("'some', 8", "'some', 'diskann'", "method cannot be 'diskann'"),
    ],
)
def test_what_pgvector_cannot_index_is_refused_with_a_hint(
    connection: Connection, definition: str, call: str, message: str
) -> None:
    connection.execute(f"select pgvec.create_collection({definition})")
    with pytest.raises(psycopg.Error, match=message) as caught:
        connection.execute(f"select * from pgvec.index_definition({call})")
    assert caught.value.sqlstate == "PV004"
    assert caught.value.diag.message_hint


def test_a_search_fills_up_over_ivfflat_too(documents: Connection, where: Target) -> None:
    index.create(where, "documents", method="ivfflat", lists=40)
    documents.execute("set enable_seqscan = off")
    row = documents.execute("select embedding::text from documents where id = '1'").fetchone()
    assert row is not None
    found = documents.execute("select count(*) from match_documents(%s, 500)", row).fetchone()
    assert found == (500,)
