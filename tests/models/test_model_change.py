"""The model of a collection is changed: what each step does, and refuses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from changing import LARGE, NEW, OLD, SECOND, SMALL, begin, build, create, nearest, run_all, store, text_of

import installation
from embedding_workers import count
from installation import Connection
from openai_server import vector_of
from pgvec_admin.database import Target
from pgvec_admin.engine import model_change
from seeded import TENANT, catalog


@pytest.fixture
def documents(connection: Connection) -> Connection:
    create(connection)
    return connection


def test_the_dimensions_of_a_query_decide_which_model_answers(documents: Connection) -> None:
    begin(documents)
    assert nearest(documents, SMALL, "text 7")[0] == "7"
    assert nearest(documents, LARGE, "text 7") == []
    assert store(documents, SECOND, LARGE) == 40
    assert nearest(documents, LARGE, "text 7")[0] == "7"
    with pytest.raises(psycopg.Error, match="the query has 5 dimensions, collection 'documents' has 8"):
        nearest(documents, 5, "text 7")
    build(documents)
    documents.execute("select pgvec.finish_model_change('documents')")
    for dimensions in (SMALL, LARGE):
        assert nearest(documents, dimensions, "text 7")[0] == "7"
    documents.execute("set enable_seqscan = off")  # so few rows are read without an index
    for dimensions, index in (
        (SMALL, "documents_embedding_old_hnsw_cosine_idx"),
        (LARGE, "documents_embedding_hnsw_cosine_idx"),
    ):
        explained = documents.execute(
            "select route, index from pgvec.explain_search('documents', %s, 3)",
            (text_of(vector_of("text 7", dimensions)),),
        ).fetchall()
        assert explained == [("index", index)]
    documents.execute("select pgvec.drop_old_model('documents')")
    with pytest.raises(psycopg.Error, match="the query has 8 dimensions, collection 'documents' has 12"):
        nearest(documents, SMALL, "text 7")
    assert nearest(documents, LARGE, "text 7")[0] == "7"


def test_of_two_models_of_equal_dimensions_the_active_one_answers_and_the_other_by_name(documents: Connection) -> None:
    begin(documents, dimensions=SMALL)
    documents.execute(
        "select pgvec.store_embeddings(%s, array_agg(id), array_agg(content_hash), array_agg(%s::extensions.vector),"
        " %s) from documents where id = '1'",
        (SECOND, text_of(vector_of("text 7", SMALL)), NEW),
    )
    assert nearest(documents, SMALL, "text 7")[0] == "7"
    assert nearest(documents, SMALL, "text 7", SECOND) == ["1"]
    build(documents)
    documents.execute("select pgvec.finish_model_change('documents', 39)")
    assert nearest(documents, SMALL, "text 7") == ["1"]
    assert nearest(documents, SMALL, "text 7", f"documents@{OLD}")[0] == "7"
    assert nearest(documents, SMALL, "text 7", SECOND) == ["1"]
    with pytest.raises(psycopg.Error, match="has no vectors of the model") as raised:
        nearest(documents, SMALL, "text 7", "documents@local:x")
    assert raised.value.sqlstate == "PV001"


def test_every_function_that_searches_by_vectors_has_the_column_that_fits(documents: Connection) -> None:
    begin(documents, "halfvec")
    store(documents, SECOND, LARGE)
    query = text_of(vector_of("text 7", LARGE))
    for call in (
        "match_documents(%s, 1)",
        'match_documents(%s, 1, \'{"a": {"$exists": false}}\')',
        "match_documents(%s, 1, match_threshold => 0.5)",
        "match_documents(%s, 1, distance => 'l2')",
        "match_documents_embeddings(%s, 1)",
        "match_documents_mmr(%s, 1)",
        "hybrid_search('text', %s, 1, full_text_weight => 0)",
        "hybrid_search('text', %s, 1, diversity => 0.5, full_text_weight => 0.001)",
    ):
        assert documents.execute(f"select id from {call}".encode(), (query,)).fetchall() == [("7",)], call
    found = documents.execute(
        "select id from recommend_documents('{7}', match_count => 3, collection => %s)", (SECOND,)
    )
    assert len(found.fetchall()) == 3


def test_a_change_that_is_aborted_leaves_no_trace(documents: Connection) -> None:
    before = catalog(documents)
    jobs = documents.execute("select * from pgvec.embedding_jobs").fetchall()
    begin(documents)
    documents.execute("insert into documents (id, content) values ('new', 'new')")
    documents.execute("select id from pgvec.claim_jobs(%s)", (SECOND,))
    build(documents)
    documents.execute("delete from documents where id = 'new'")
    assert catalog(documents) != before
    documents.execute("select pgvec.abort_model_change('documents')")
    assert catalog(documents) == before
    assert documents.execute("select * from pgvec.embedding_jobs").fetchall() == jobs
    for table in ("model_changes", "models"):
        left = documents.execute(f"select count(*) from pgvec.{table}".encode()).fetchall()
        assert left == ([(0,)] if table == "model_changes" else [(1,)])
    with pytest.raises(psycopg.Error, match="is not being changed"):
        documents.execute("select pgvec.abort_model_change('documents')")


def test_a_finished_change_ends_as_if_the_collection_had_been_made_for_the_model(documents: Connection) -> None:
    begin(documents, "halfvec")
    store(documents, SECOND, LARGE)
    build(documents)
    documents.execute("select pgvec.finish_model_change('documents')")
    documents.execute("select pgvec.drop_old_model('documents')")
    changed = catalog(documents)
    documents.execute("select pgvec.drop_collection('documents')")
    documents.execute(
        "select pgvec.create_collection('documents', %s, model => %s, storage => 'halfvec')", (LARGE, NEW)
    )
    run_all(documents, documents.execute("select statement from pgvec.index_definition('documents')").fetchall())
    documents.execute("select pgvec.note_index('documents')")
    assert changed == catalog(documents)


@pytest.mark.parametrize(
    ("settings", "after", "of_the_old"),
    [
        ('{"ef_search": 120}', {"ef_search": 120}, {}),  # set by somebody: of the collection
        (
            '{"ef_search": 120, "tuned": {"ef_search": 120, "at_least": 40, "rows": 40}}',
            {},
            {"ef_search": 120, "tuned": {"ef_search": 120, "at_least": 40, "rows": 40}},
        ),
        (
            '{"ef_search": 120, "tuned": {"ef_search": 120, "at_least": 90, "rows": 40}}',
            {"ef_search": 90},
            {"ef_search": 120, "tuned": {"ef_search": 120, "at_least": 90, "rows": 40}},
        ),
    ],
)
def test_what_an_index_was_tuned_to_stays_with_its_model(
    settings: str, after: dict[str, Any], of_the_old: dict[str, Any], documents: Connection
) -> None:
    documents.execute("update pgvec.collections set settings = settings || %s::jsonb", (settings,))
    begin(documents)
    store(documents, SECOND, LARGE)
    build(documents)
    documents.execute("select pgvec.finish_model_change('documents')")
    kept = "select settings from pgvec.collections where name = 'documents'"
    assert documents.execute(kept).fetchone() == (after,)
    kept = "select settings from pgvec.model_changes where collection = 'documents'"
    assert documents.execute(kept).fetchone() == (of_the_old,)
    found = documents.execute("select (pgvec.of_model(%s)).settings ->> 'ef_search'", (f"documents@{OLD}",)).fetchone()
    assert found == ("120",)


def test_each_step_can_be_run_again(documents: Connection) -> None:
    for _ in range(2):
        begin(documents)
    with pytest.raises(psycopg.Error, match="has vectors of two models already"):
        documents.execute("select pgvec.begin_model_change('documents', 'local:x', 5)")
    with pytest.raises(psycopg.Error, match="has not all indexes yet"):
        documents.execute("select pgvec.finish_model_change('documents')")
    # a build that was cut off leaves an invalid index
    statements = documents.execute("select statement from pgvec.model_change_statements('documents')").fetchall()
    assert len(statements) == 2
    build(documents)
    documents.execute("update pg_index set indisvalid = false where indexrelid = 'documents_next_stale_idx'::regclass")
    documents.execute(
        "update pg_index set indisvalid = false where indexrelid = 'documents_embedding_next_hnsw_cosine_idx'::regclass"
    )
    build(documents)
    assert documents.execute("select count(*) from pgvec.model_change_statements('documents')").fetchall() == [(0,)]
    with pytest.raises(psycopg.Error, match="40 rows of collection 'documents' have no vector of"):
        documents.execute("select pgvec.finish_model_change('documents')")
    store(documents, SECOND, LARGE)
    for _ in range(2):
        documents.execute("select pgvec.finish_model_change('documents')")
    with pytest.raises(psycopg.Error, match="is finished"):
        documents.execute("select pgvec.abort_model_change('documents')")
    documents.execute("select pgvec.drop_old_model('documents')")
    with pytest.raises(psycopg.Error, match="is not being changed"):
        documents.execute("select pgvec.drop_old_model('documents')")


def test_a_worker_of_the_old_model_that_answers_late_does_not_mix_the_two(documents: Connection) -> None:
    begin(documents, dimensions=SMALL)
    store(documents, SECOND, SMALL)
    documents.execute("update documents set content = 'changed' where id = '3'")
    late = documents.execute("select id, content_hash from pgvec.claim_jobs('documents')").fetchall()
    assert [row[0] for row in late] == ["3"]
    build(documents)
    documents.execute("select pgvec.finish_model_change('documents', 1)")
    before = documents.execute("select embedding::text from documents where id = '3'").fetchall()
    late_store = "select pgvec.store_embeddings('documents', %s, %s, array[%s::extensions.vector], %s)"
    parameters = (["3"], [late[0][1]], text_of(vector_of("late", SMALL)), OLD)
    assert documents.execute(late_store.encode(), parameters).fetchall() == [(1,)]
    assert documents.execute("select embedding::text from documents where id = '3'").fetchall() == before
    assert documents.execute("select pgvec.count_stale('documents')").fetchall() == [(1,)]  # for the new model
    documents.execute("select pgvec.drop_old_model('documents')")
    with pytest.raises(psycopg.Error, match="has no vectors of the model"):
        documents.execute(late_store.encode(), parameters)


def test_a_write_is_queued_for_both_models(documents: Connection) -> None:
    begin(documents)
    store(documents, SECOND, LARGE)
    queued = "select collection, id from pgvec.embedding_jobs order by collection, id"
    assert documents.execute(queued).fetchall() == []
    documents.execute("update documents set content = 'changed' where id = '3'")
    documents.execute("insert into documents (id, content) values ('new', 'new'), ('blank', ' ')")
    documents.execute("update documents set metadata = '{\"a\": 1}'")
    both = [(name, id_) for name in ("documents", SECOND) for id_ in ("3", "new")]
    assert documents.execute(queued).fetchall() == both
    told = documents.execute("select name, model, pending, stale from pgvec.embedding_status()").fetchall()
    assert told == [("documents", OLD, 2, 2), (SECOND, NEW, 2, 2)]
    documents.execute("delete from documents where id = 'new'")
    assert documents.execute(queued).fetchall() == [("documents", "3"), (SECOND, "3")]
    documents.execute("truncate documents")
    assert documents.execute(queued).fetchall() == []


def test_a_zero_vector_of_the_new_model_is_refused(documents: Connection) -> None:
    begin(documents)
    with pytest.raises(psycopg.Error, match="zero vector") as raised:
        documents.execute(
            "select pgvec.store_embeddings(%s, '{1}', array[md5('text 1')], array[%s::extensions.vector])",
            (SECOND, text_of([0.0] * LARGE)),
        )
    assert raised.value.sqlstate == "PV005"


def test_rows_are_not_written_by_the_name_of_a_model(documents: Connection) -> None:
    begin(documents)
    with pytest.raises(psycopg.Error, match="rows are not written by the model") as raised:
        documents.execute('select upsert_documents(\'[{"content": "x"}]\', %s)', (SECOND,))
    assert raised.value.sqlstate == "PV004"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'documents', 'x', 3", "'x' is no model"),
        (f"'documents', '{OLD}', 3", "is the model of collection 'documents'"),
        ("'documents', 'local:x', 0", "dimensions cannot be 0"),
        ("'documents', 'local:x', 3, 'bit'", "storage cannot be 'bit'"),
        ("'nowhere', 'local:x', 3", "there is no collection 'nowhere'"),
        ("'bare', 'local:x', 3", "is bound to no model"),
        ("'shop', 'local:x', 3", "is the adopted table public.shop, whose model cannot be changed"),
    ],
)
def test_what_cannot_be_changed_is_refused(documents: Connection, arguments: str, message: str) -> None:
    documents.execute("select pgvec.create_collection('bare', 2)")
    documents.execute("create table shop (id int primary key, content text, embedding extensions.vector(3))")
    documents.execute("select pgvec.adopt_collection('shop', 'shop', model => 'local:y')")
    before = catalog(documents)
    with pytest.raises(psycopg.Error, match=message):
        documents.execute(f"select pgvec.begin_model_change({arguments})".encode())
    assert catalog(documents) == before


def test_column_privileges_and_hidden_statistics_hold_for_the_new_column(connection: Connection) -> None:
    connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
    create(connection, options=", access => 'tenant'", index=False)
    connection.execute("grant update (embedding) on documents to pgvec_reader with grant option")
    begin(connection)
    store(connection, SECOND, LARGE)
    connection.execute("analyze documents")
    rights = (
        "select attname::text from pg_attribute"
        " where attrelid = 'documents'::regclass and attacl is not null order by attname"
    )
    assert connection.execute(rights).fetchall() == [("embedding",), ("embedding_next",)]
    told = "select attname::text from pg_stats where tablename = 'documents' and attname ~ '^embed'"
    assert connection.execute(told).fetchall() == []
    build(connection)
    connection.execute("select pgvec.finish_model_change('documents')")
    connection.execute("analyze documents")
    assert connection.execute(rights).fetchall() == [("embedding",), ("embedding_old",)]
    assert connection.execute(told).fetchall() == []


def test_the_disk_that_a_change_takes_is_told_before(connection: Connection) -> None:
    create(connection, rows=2000)
    told = model_change.size(connection, "documents", 700)
    before = count(connection, "select pg_total_relation_size('documents')")
    begin(connection, dimensions=700)
    rows = connection.execute("select id, content_hash from documents").fetchall()
    for first in range(0, 2000, 500):
        page = rows[first : first + 500]
        connection.execute(
            "select pgvec.store_embeddings(%s, %s, %s, %s::extensions.vector[])",
            (SECOND, [r[0] for r in page], [r[1] for r in page], [text_of(vector_of(r[0], 700)) for r in page]),
        )
    build(connection)
    taken = count(connection, "select pg_total_relation_size('documents')") - before
    assert 0.6 * told.total_bytes < taken < 1.1 * told.total_bytes


def test_a_program_without_the_privilege_of_the_owner_changes_nothing(documents: Connection, database: str) -> None:
    with installation.connect(database, "pgvec_writer") as writer:
        for call in (
            "begin_model_change('documents', 'local:x', 3)",
            "finish_model_change('documents')",
            "drop_old_model('documents')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(f"select pgvec.{call}".encode())


def test_steps_wait_for_a_table_that_is_in_use_without_keeping_searches_out(
    documents: Connection, database: str
) -> None:
    def steps() -> Iterator[Callable[[Connection], object]]:
        yield lambda own: model_change.begin(Target(own.info.dsn, "the test"), "documents", NEW, LARGE)
        store(documents, SECOND, LARGE)
        build(documents)
        yield lambda own: model_change.finish(own, "documents")
        yield lambda own: model_change.drop_old(own, "documents")

    for step in steps():
        with (
            installation.connect(database) as application,
            installation.connect(database) as own,
            installation.connect(database) as reader,
            ThreadPoolExecutor(1) as pool,
        ):
            with application.transaction():
                application.execute("select count(*) from documents")
                taking = pool.submit(step, own)
                longest = 0.0
                until = time.monotonic() + 2
                while time.monotonic() < until:
                    began = time.monotonic()
                    assert reader.execute("select count(*) from documents").fetchone() == (40,)
                    longest = max(longest, time.monotonic() - began)
                    time.sleep(0.01)
                assert not taking.done()
            taking.result(timeout=60)
            assert longest < 1.5  # lock_timeout, and a slow machine
