"""Each row knows which model has made its vector: vectors of two models are found, and embedded anew."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from conftest import Connection

OURS, THEIRS = "openai:ours", "local:theirs"


def _value(connection: Connection, statement: str, *parameters: Any) -> Any:
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def _store(connection: Connection, name: str, ids: list[str], model: str | None = None) -> int:
    return int(
        _value(
            connection,
            "select pgvec.store_embeddings(%s, array_agg(d.id), array_agg(d.content_hash),"
            f" array_agg('[1,2]'::extensions.vector), %s) from pgvec.stale_documents('{name}') as d"
            " where d.id = any (%s)",
            name,
            model,
            ids,
        )
    )


def _models(connection: Connection, relation: str = "documents") -> list[tuple[Any, ...]]:
    """The rows and the names of what has made their vectors."""
    return connection.execute(
        "select d.id::text, (select min(m.name) from pgvec.models as m where m.id = d.embedded_by)"
        f" from {relation} as d order by d.id".encode()
    ).fetchall()


def _check(connection: Connection, name: str = "documents") -> tuple[Any, ...]:
    rows = connection.execute("select result, found, fix from pgvec.verify_models(%s)", (name,)).fetchall()
    assert len(rows) == 1
    return rows[0]


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 2, model => %s)", (OURS,))
    connection.execute(
        "insert into documents (id, content) select i::text, 'text ' || i from generate_series(1, 4) as i"
    )
    return connection


def test_a_row_records_which_model_has_made_its_vector(documents: Connection) -> None:
    assert _store(documents, "documents", ["1", "2"]) == 2
    documents.execute("update documents set embedding = '[2,1]' where id = '2'")
    documents.execute("insert into documents (id, content, embedding) values ('5', 'text', '[1,1]')")
    # an application does not say what has made its vectors
    assert _models(documents) == [("1", OURS), ("2", None), ("3", None), ("4", None), ("5", None)]
    documents.execute("update documents set embedding = null where id = '1'")
    assert _models(documents)[0] == ("1", None)
    assert (
        _value(
            documents,
            "select attlen from pg_attribute where attrelid = 'documents'::regclass and attname = 'embedded_by'",
        )
        <= 4
    )


def test_a_vector_of_another_model_than_the_collections_is_refused(documents: Connection) -> None:
    with pytest.raises(
        psycopg.Error, match="has no vectors of the model 'local:theirs', its model is openai:ours"
    ) as raised:
        _store(documents, "documents", ["1"], THEIRS)
    assert raised.value.sqlstate == "PV004"
    with pytest.raises(psycopg.Error, match="has no vectors of the model"):
        documents.execute(
            "select complete_embeddings(%s, model => 'local:theirs')",
            ('[{"id": "1", "content_hash": "x", "embedding": [1, 2]}]',),
        )


def test_rows_of_a_model_bound_before_are_found_and_embedded_anew(documents: Connection) -> None:
    assert _store(documents, "documents", ["1", "2", "3"], OURS) == 3
    documents.execute("update documents set embedding = '[2,1]' where id = '3'")
    assert _check(documents) == ("ok", f"all vectors are of {OURS}", None)
    documents.execute("select pgvec.bind_model('documents', %s, 2)", (THEIRS,))
    result, found, fix = _check(documents)
    # the application's vector counts as one of the bound model, whichever that is
    assert (result, found) == ("fail", f"2 rows have a vector of another model than {THEIRS}: 2 of {OURS}")

    claimed = documents.execute("select id from claim_embeddings(batch => 10)").fetchall()
    assert claimed == [("4",)]  # which was in the queue; then the others
    claimed = documents.execute("select id from claim_embeddings(batch => 10)").fetchall()
    assert claimed == [("1",), ("2",)]
    assert _value(documents, "select pgvec.count_stale('documents')") == 3
    assert _store(documents, "documents", ["1", "2", "4"], THEIRS) == 3
    assert _check(documents)[0] == "ok"
    assert _models(documents) == [("1", THEIRS), ("2", THEIRS), ("3", None), ("4", THEIRS)]
    assert _value(documents, "select count(*) from pgvec.embedding_jobs") == 0
    documents.execute(fix.encode())
    assert _value(documents, "select pgvec.count_stale('documents')") == 0


def test_the_fix_of_verify_marks_rows_that_were_mixed_by_hand(documents: Connection) -> None:
    assert _store(documents, "documents", ["1", "2", "3", "4"]) == 4
    assert documents.execute("select id from claim_embeddings()").fetchall() == []  # which looks, and finds none
    documents.execute("update documents set embedded_by = pgvec.model_id(%s) where id = '2'", (THEIRS,))
    result, found, fix = _check(documents)
    assert (result, found) == ("fail", f"1 rows have a vector of another model than {OURS}: 1 of {THEIRS}")
    documents.execute(fix.encode())
    assert documents.execute("select id from claim_embeddings()").fetchall() == [("2",)]


def test_vectors_stored_before_a_collection_is_bound_count_by_what_has_made_them(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 2)")
    connection.execute("insert into documents (id, content) values ('1', 'one'), ('2', 'two')")
    _store(connection, "documents", ["1"], OURS)
    _store(connection, "documents", ["2"], THEIRS)
    connection.execute("select pgvec.bind_model('documents', %s, 2)", (OURS,))
    assert _check(connection)[1] == f"1 rows have a vector of another model than {OURS}: 1 of {THEIRS}"


def test_the_same_model_by_another_name_makes_no_row_stale(documents: Connection) -> None:
    assert _store(documents, "documents", ["1", "2", "3", "4"]) == 4
    documents.execute("select pgvec.bind_model('documents', 'openai:renamed', 2, same_model => true)")
    assert _check(documents) == ("ok", "all vectors are of openai:renamed", None)
    assert documents.execute("select id from claim_embeddings()").fetchall() == []
    documents.execute("select pgvec.create_collection('other', 2, model => %s)", (THEIRS,))
    with pytest.raises(psycopg.Error, match="is the model of another collection already"):
        documents.execute("select pgvec.bind_model('documents', %s, 2, same_model => true)", (THEIRS,))


@pytest.mark.parametrize("add_columns", [False, True])
def test_an_adopted_table_records_models_in_its_side_table(connection: Connection, *, add_columns: bool) -> None:
    connection.execute("create table jobs (id int primary key, title text, embedding extensions.vector(2))")
    connection.execute("insert into jobs select i, 'job ' || i from generate_series(1, 3) as i")
    connection.execute(
        "select pgvec.adopt_collection('jobs', 'jobs', content_columns => '{title}', model => %s, add_columns => %s)",
        (OURS, add_columns),
    )
    assert _store(connection, "jobs", ["1", "2"]) == 2
    if add_columns:  # the table is the application's
        assert connection.execute("select * from pgvec.verify_models('jobs')").fetchall() == []
        return
    connection.execute("update jobs set embedding = '[5,5]' where id = 2")
    assert _models(connection, "pgvec.side_jobs") == [("1", OURS), ("2", None), ("3", None)]
    connection.execute("update jobs set title = 'another' where id = 3")
    connection.execute("select pgvec.bind_model('jobs', %s, 2)", (THEIRS,))
    assert _check(connection, "jobs")[1] == f"1 rows have a vector of another model than {THEIRS}: 1 of {OURS}"
    assert _value(connection, "select pgvec.mark_others('jobs')") == 1
    assert connection.execute("select id from pgvec.claim_jobs('jobs') order by id").fetchall() == [("1",), ("3",)]
    # the same vector again is one of the new model
    assert _store(connection, "jobs", ["1", "3"], THEIRS) == 2
    assert _models(connection, "pgvec.side_jobs") == [("1", THEIRS), ("2", None), ("3", THEIRS)]
    assert _check(connection, "jobs")[0] == "ok"
