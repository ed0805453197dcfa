"""Collections: what creating one makes, what it refuses, and what the triggers of its table maintain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from conftest import Connection


def _error(connection: Connection, statement: str) -> psycopg.Error:
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    return caught.value


def _one(connection: Connection, statement: str) -> object:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0] if len(row) == 1 else row


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    return connection


def test_a_collection_has_the_columns_of_the_contract(documents: Connection) -> None:
    columns = documents.execute(
        "select attname, replace(format_type(atttypid, atttypmod), 'extensions.', '') from pg_attribute"
        " where attrelid = 'public.documents'::regclass and attnum > 0 order by attnum"
    ).fetchall()
    assert dict(columns) == {
        "id": "text",
        "source": "text",
        "chunk_index": "integer",
        "content": "text",
        "metadata": "jsonb",
        "language": "text",
        "embedding": "vector(3)",
        "embedded_hash": "text",
        "content_hash": "text",
        "fts": "tsvector",
        "bm25": "sparsevec(268435456)",
        "created_at": "timestamp with time zone",
        "updated_at": "timestamp with time zone",
    }


@pytest.mark.parametrize("distance", ["cosine", "l2", "inner_product", "l1"])
@pytest.mark.parametrize("storage", ["vector", "halfvec"])
def test_every_distance_works_with_every_storage(connection: Connection, distance: str, storage: str) -> None:
    connection.execute("select pgvec.create_collection('c', 2, distance => %s, storage => %s)", (distance, storage))
    connection.execute("insert into c (id, content, embedding) values ('near', 'x', '[3,4]'), ('far', 'y', '[-1,0.5]')")
    for _ in range(2):
        rows = connection.execute("select id, similarity from match_documents('[3,4.5]', collection => 'c')").fetchall()
        assert [row[0] for row in rows] == ["near", "far"]
        row = connection.execute("select statement from pgvec.index_definition('c')").fetchone()
        assert row is not None
        connection.execute("drop index if exists " + row[0].split()[3])
        connection.execute(row[0])
    expected = {"cosine": 0.9983, "l2": 1 / 1.5, "inner_product": 27.0, "l1": 1 / 1.5}
    assert rows[0][1] == pytest.approx(expected[distance], abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'Docs', 3", "'Docs' cannot be the name of a collection"),
        ("'a; drop table x', 3", "cannot be the name"),
        ("null, 3", "null cannot be the name"),
        ("'docs', 0", "dimensions cannot be 0"),
        ("'docs', 16001", "dimensions cannot be 16001"),
        ("'docs', null", "dimensions cannot be null"),
        ("'docs', 3, 'euclid'", "distance cannot be 'euclid'"),
        ("'docs', 3, access => 'mine'", "access cannot be 'mine'"),
        ("'docs', 3, storage => 'bytes'", "storage cannot be 'bytes'"),
        ("'docs', 3, language => 'klingon'", "no text search configuration 'klingon'"),
    ],
)
def test_a_bad_argument_is_refused_with_pv004_and_a_hint(connection: Connection, arguments: str, message: str) -> None:
    error = _error(connection, f"select pgvec.create_collection({arguments})")
    assert error.sqlstate == "PV004"
    assert message in (error.diag.message_primary or "")
    assert error.diag.message_hint


def test_a_name_that_is_taken_is_refused(documents: Connection) -> None:
    assert "collection 'documents' already" in str(_error(documents, "select pgvec.create_collection('documents', 3)"))
    documents.execute("create table public.orders (id int)")
    assert "table public.orders already" in str(_error(documents, "select pgvec.create_collection('orders', 3)"))


def test_dropping_removes_table_and_registration(documents: Connection) -> None:
    documents.execute("select pgvec.drop_collection('documents')")
    assert _one(documents, "select to_regclass('public.documents') is null") is True
    error = _error(documents, "select pgvec.drop_collection('documents')")
    assert error.sqlstate == "PV001"


def test_a_table_dropped_by_hand_is_told_and_can_be_cleaned_up(documents: Connection) -> None:
    documents.execute("drop table documents")
    error = _error(documents, "select * from match_documents('[1,0,0]')")
    assert error.sqlstate == "PV001"
    assert "was dropped" in str(error)
    assert _one(documents, "select relation is null and rows is null from pgvec.list_collections()") is True
    documents.execute("select pgvec.drop_collection('documents')")
    documents.execute("select pgvec.create_collection('documents', 3)")


def test_a_renamed_table_is_still_found(documents: Connection) -> None:
    documents.execute("insert into documents (id, content, embedding) values ('a', 'x', '[1,0,0]')")
    documents.execute("alter table documents rename to papers")
    assert _one(documents, "select id from match_documents('[1,0,0]')") == "a"


def test_a_row_without_a_vector_waits_to_be_embedded(documents: Connection) -> None:
    documents.execute("insert into documents (content) values ('text')")
    row = _one(documents, "select embedded_hash is null, content_hash = md5('text'), fts::text from documents")
    assert row == (True, True, "'text':1")


def test_an_embedding_is_stale_exactly_when_the_content_has_changed_since(documents: Connection) -> None:
    stale = "select embedded_hash is distinct from content_hash from documents"
    documents.execute("insert into documents (id, content, embedding) values ('a', 'one', '[1,0,0]')")
    assert _one(documents, stale) is False
    documents.execute("update documents set metadata = '{\"k\": 1}'")
    assert _one(documents, stale) is False
    documents.execute("update documents set content = 'two'")
    assert _one(documents, stale) is True
    documents.execute("update documents set embedding = '[1,1,0]'")
    assert _one(documents, stale) is False
    documents.execute("update documents set content = 'three', embedding = '[0,1,0]'")
    assert _one(documents, stale) is False
    documents.execute("update documents set embedding = null")
    assert _one(documents, stale) is True


def test_a_worker_that_embedded_an_older_text_leaves_the_row_stale(documents: Connection) -> None:
    documents.execute("insert into documents (id, content) values ('a', 'new')")
    documents.execute("update documents set embedding = '[1,0,0]', embedded_hash = md5('old')")
    assert _one(documents, "select embedded_hash <> content_hash from documents") is True


def test_content_hash_and_fts_cannot_be_forged(documents: Connection) -> None:
    documents.execute("insert into documents (content, content_hash, fts) values ('cats', 'forged', 'dog')")
    documents.execute("update documents set content_hash = 'forged', fts = 'dog'")
    assert _one(documents, "select content_hash = md5('cats') and fts = 'cat:1' from documents") is True


def test_a_row_may_have_a_language_of_its_own(documents: Connection) -> None:
    documents.execute("insert into documents (content, language) values ('die Häuser', 'german')")
    assert _one(documents, "select fts::text from documents") == "'haus':2"


def test_functions_of_a_collection_that_are_made_anew_keep_their_grants(connection: Connection) -> None:
    connection.execute("create role teller")
    try:
        connection.execute("select pgvec.create_collection('notes', 2)")
        connection.execute("select pgvec.create_collection_api('notes')")
        connection.execute("grant execute on function match_notes to teller")
        connection.execute("select pgvec.create_collection_api('notes')")
        may = connection.execute(
            "select proname, has_function_privilege('teller', oid, 'execute') from pg_proc where proname ~ '_notes$'"
        ).fetchall()
        assert dict(may) == {"match_notes": True, "kw_match_notes": False, "hybrid_search_notes": False}
    finally:
        connection.execute("drop owned by teller; drop role teller")


@pytest.mark.parametrize(
    ("embedding", "sqlstate", "message"),
    [
        ("[0,0,0]", "PV005", "is a zero vector"),
        ("[1,0]", "22000", "expected 3 dimensions, not 2"),
        ("[NaN,0,0]", "22000", "NaN not allowed in vector"),
        ("[Infinity,0,0]", "22000", "infinite value not allowed in vector"),
    ],
)
def test_a_vector_that_cannot_be_searched_cannot_be_inserted(
    documents: Connection, embedding: str, sqlstate: str, message: str
) -> None:
    error = _error(documents, f"insert into documents (id, content, embedding) values ('a', 'x', '{embedding}')")
    assert error.sqlstate is not None
    assert (error.sqlstate, message in str(error)) == (sqlstate, True) or error.sqlstate.startswith("22")
    documents.execute("insert into documents (id, content, embedding) values ('a', 'x', '[1,0,0]')")
    error = _error(documents, f"update documents set embedding = '{embedding}'")
    assert message in str(error)


def test_readers_read_and_writers_write_and_nobody_else_does_anything(
    documents: Connection, as_role: Callable[[str], Connection]
) -> None:
    documents.execute("insert into documents (id, content, embedding) values ('a', 'x', '[1,0,0]')")
    search = "select id from match_documents('[1,0,0]')"
    insert = "insert into documents (content) values ('y')"

    assert _one(as_role("pgvec_reader"), search) == "a"
    assert _error(as_role("pgvec_reader"), insert).sqlstate == "42501"
    assert _error(as_role("pgvec_reader"), "select pgvec.drop_collection('documents')").sqlstate == "42501"

    writer = as_role("pgvec_writer")
    writer.execute(insert)
    assert _one(writer, "select count(*) from documents") == 2

    documents.execute("drop role if exists pgvec_stranger")
    documents.execute("create role pgvec_stranger")
    stranger = as_role("pgvec_stranger")
    assert _error(stranger, search).sqlstate == "42501"
    assert _error(stranger, "select * from documents").sqlstate == "42501"
    assert _error(stranger, "select * from pgvec.collections").sqlstate == "42501"
    stranger.close()
    documents.execute("drop role pgvec_stranger")


@pytest.mark.parametrize("access", ["open", "tenant"])
def test_a_deletion_of_several_rows_waits_for_a_writer_of_them(
    connection: Connection, database: str, access: str
) -> None:
    tenant = "00000000-0000-4000-8000-00000000000a"
    connection.execute("select pgvec.create_collection('documents', 3, access => %s)", (access,))
    connection.execute("select set_config('app.tenant_id', %s, false)", (tenant,))
    # b lies before a
    connection.execute("insert into documents (id, content) values ('b', 'old'), ('a', 'old')")
    delete = "select delete_documents(filter => '{}', ids => '{a,b}')"
    with ThreadPoolExecutor(1) as pool, psycopg.connect(database) as writer:
        writer.execute("update documents set content = 'new' where id = 'a'")
        deleting = pool.submit(connection.execute, delete)
        with psycopg.connect(database, autocommit=True) as watcher:
            while not watcher.execute("select from pg_locks where not granted").rowcount:
                assert not deleting.done()
        writer.execute("update documents set content = 'new' where id = 'b'")
        writer.commit()
        assert deleting.result().fetchone() == (2,)
    assert _one(connection, "select count(*) from documents") == 0
