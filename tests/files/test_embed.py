"""Embedding a collection: stale rows get a vector, rows that change meanwhile stay stale, and failures stay single."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psycopg
import pytest
from typer import Typer
from typer.testing import CliRunner

from openai_server import Fault, OpenAIServer, vector_of
from pgvec_admin.cli.embed import embed as command
from pgvec_admin.database import Connection
from pgvec_admin.engine import collections
from pgvec_admin.errors import ConnectionFailedError, DataRejectedError, UsageError
from pgvec_admin.loading import embed
from pgvec_admin.loading.embed import EmbedResult, Failure, ProviderOptions
from pgvec_admin.providers import Provider, provider


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def model(api: OpenAIServer) -> Provider:
    return provider("openai:small", base_url=api.url, max_retries=0)


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 8)")
    return connection


def _fill(connection: Connection, count: int) -> None:
    connection.execute(
        "insert into documents (id, content) select to_char(n, 'FM000'), 'text ' || n from generate_series(1, %s) as n",
        (count,),
    )


def _stale(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("select id from pgvec.stale_documents('documents', 10000)").fetchall()]


def _value(connection: Connection, statement: str) -> Any:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def _vectors(connection: Connection) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    rows = connection.execute("select content, embedding::text from documents where embedding is not null").fetchall()
    return {content: np.array(json.loads(text), np.float32) for content, text in rows}


# --- the functions


def test_stale_documents_walks_by_id_in_batches(documents: Connection) -> None:
    _fill(documents, 5)
    documents.execute("update documents set embedding = '[1,0,0,0,0,0,0,0]' where id = '002'")
    batch = "select id, content, content_hash = md5(content) from pgvec.stale_documents('documents', 2, %s)"
    assert documents.execute(batch, (None,)).fetchall() == [("001", "text 1", True), ("003", "text 3", True)]
    assert documents.execute(batch, ("003",)).fetchall() == [("004", "text 4", True), ("005", "text 5", True)]
    assert documents.execute(batch, ("005",)).fetchall() == []
    assert _value(documents, "select pgvec.count_stale('documents')") == 4


def test_stale_documents_reads_the_index_of_stale_rows(documents: Connection) -> None:
    _fill(documents, 900)
    documents.execute("update documents set embedding = '[1,0,0,0,0,0,0,0]' where id <> '500'")
    documents.execute("vacuum analyze documents")
    scans = "select idx_scan from pg_stat_user_indexes where indexrelname = 'documents_stale_idx'"
    before = _value(documents, scans)
    assert _stale(documents) == ["500"]
    documents.execute("select pg_stat_force_next_flush()")
    assert _value(documents, scans) == before + 1


@pytest.mark.parametrize(
    ("call", "state", "message"),
    [
        ("stale_documents('nope')", "PV001", "there is no collection 'nope'"),
        ("stale_documents('documents', 0)", "PV004", "batch cannot be 0"),
        ("count_stale('nope')", "PV001", "there is no collection 'nope'"),
        ("store_embeddings('nope', '{}', '{}', '{}')", "PV001", "there is no collection 'nope'"),
        (
            "store_embeddings('documents', '{a,b}', '{h}', '{}')",
            "PV004",
            "2 ids, 1 hashes and 0 embeddings do not pair up",
        ),
        (
            "store_embeddings('documents', '{a}', '{h}', array['[1,2]'::extensions.vector])",
            "PV002",
            "the embedding of row 'a' has 2 dimensions, collection 'documents' has 8",
        ),
        (
            "store_embeddings('documents', '{a}', '{h}', array[null::extensions.vector])",
            "PV002",
            "the embedding of row 'a' has no dimensions, collection 'documents' has 8",
        ),
        (
            "store_embeddings('documents', '{001}', array[md5('text 1')], '{\"[0,0,0,0,0,0,0,0]\"}')",
            "PV005",
            "the embedding of row '001' of public.documents is a zero vector",
        ),
        ("bind_model('nope', 'local:x', 8)", "PV001", "there is no collection 'nope'"),
        (
            "bind_model('documents', 'local:x', 7)",
            "PV002",
            "model local:x has 7 dimensions, collection 'documents' has 8",
        ),
        ("bind_model('documents', null, 8)", "PV004", "null is no model"),
        ("bind_model('documents', 'x', 8)", "PV004", "'x' is no model"),
    ],
)
def test_the_functions_name_what_is_wrong(documents: Connection, call: str, state: str, message: str) -> None:
    _fill(documents, 1)
    with pytest.raises(psycopg.Error) as caught:
        documents.execute(f"select pgvec.{call}")
    assert caught.value.sqlstate == state
    assert caught.value.diag.message_primary == message
    assert caught.value.diag.message_hint


def test_store_embeddings_skips_rows_that_changed_or_are_gone(documents: Connection) -> None:
    _fill(documents, 2)
    stored = _value(
        documents,
        "select pgvec.store_embeddings('documents', '{001,002,gone}', array[md5('text 1'), md5('older'), md5('x')],"
        " array['[1,0,0,0,0,0,0,0]', '[0,1,0,0,0,0,0,0]', '[0,0,1,0,0,0,0,0]']::extensions.vector[])",
    )
    assert stored == 1
    assert _stale(documents) == ["002"]


def test_what_an_upsert_leaves_out_stays_as_others_have_made_it_meanwhile(documents: Connection, database: str) -> None:
    """The vector of the old text must not come back and count as the new text's."""
    documents.execute("insert into documents (id, content, embedding) values ('1', 'zero', '[1,0,0,0,0,0,0,0]')")
    documents.execute("update documents set content = 'one' where id = '1'")
    upsert = """select upsert_documents('{"id": "1", "content": "two", "language": "german"}')"""
    waiting = "select true from pg_stat_activity where wait_event_type = 'Lock' and query = %s"
    with ThreadPoolExecutor() as pool, psycopg.connect(database, autocommit=True) as rival:
        with documents.transaction():
            documents.execute(
                "select pgvec.store_embeddings('documents', '{1}', array[md5('one')],"
                " array['[0,1,0,0,0,0,0,0]']::extensions.vector[])"
            )
            documents.execute("update documents set source = 'a', metadata = '{\"a\": 1}' where id = '1'")
            done = pool.submit(rival.execute, upsert)
            while not done.done() and not documents.execute(waiting, (upsert,)).fetchone():
                documents.execute("select pg_sleep(0.02)")
        done.result()
    query = "select content, language, source, metadata, embedding::text, embedded_hash = md5('one') from documents"
    assert documents.execute(query).fetchall() == [("two", "german", "a", {"a": 1}, "[0,1,0,0,0,0,0,0]", True)]
    assert _stale(documents) == ["1"]


def test_a_new_vector_for_the_same_text_replaces_the_old_one(documents: Connection) -> None:
    _fill(documents, 1)
    for vector in ("[1,0,0,0,0,0,0,0]", "[0,1,0,0,0,0,0,0]"):
        store = f"select pgvec.store_embeddings('documents', '{{001}}', array[md5('text 1')], '{{\"{vector}\"}}')"
        assert _value(documents, store) == 1
        assert _value(documents, "select embedding::text from documents") == vector
        assert _stale(documents) == []


def test_embedding_is_for_the_owner_alone(documents: Connection) -> None:
    documents.execute("set role pgvec_writer")
    for call in ("stale_documents('documents')", "count_stale('documents')", "bind_model('documents', 'local:x', 8)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            documents.execute(f"select pgvec.{call}")


# --- a run


@pytest.mark.parametrize("storage", ["vector", "halfvec"])
def test_every_row_gets_the_vector_of_its_text(
    connection: Connection, api: OpenAIServer, model: Provider, storage: str
) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, storage => %s)", (storage,))
    _fill(connection, 25)
    seen: list[tuple[int, int]] = []
    result = embed.embed(
        connection, "documents", model, batch=10, report=lambda done, total: seen.append((done, total))
    )
    assert (result.embedded, result.failed, result.changed_meanwhile, result.tokens) == (25, 0, 0, 50)
    assert result.seconds > 0
    assert seen == [(0, 25), (10, 25), (20, 25), (25, 25)]
    assert api.batches == [1, 10, 10, 5]  # the first one finds the dimensions
    for text, vector in _vectors(connection).items():
        exact = vector_of(text)
        assert np.array_equal(vector, exact) if storage == "vector" else np.abs(vector - exact).max() < 1e-3
    assert _stale(connection) == []


def test_a_second_run_asks_for_nothing(documents: Connection, api: OpenAIServer, model: Provider) -> None:
    _fill(documents, 5)
    embed.embed(documents, "documents", model)
    asked = len(api.requests)
    assert embed.embed(documents, "documents", model).embedded == 0
    assert len(api.requests) == asked


def test_only_changed_texts_are_embedded_again(documents: Connection, api: OpenAIServer, model: Provider) -> None:
    _fill(documents, 5)
    embed.embed(documents, "documents", model)
    documents.execute("update documents set content = 'new' where id = '003'")
    documents.execute("update documents set metadata = '{\"a\": 1}' where id = '004'")
    assert embed.embed(documents, "documents", model).embedded == 1
    assert api.requests[-1].inputs == ["new"]
    assert np.array_equal(_vectors(documents)["new"], vector_of("new"))


def test_a_limit_ends_the_run_early(documents: Connection, api: OpenAIServer, model: Provider) -> None:
    _fill(documents, 10)
    assert embed.embed(documents, "documents", model, batch=4, limit=6).embedded == 6
    assert api.batches[1:] == [4, 2]
    assert _stale(documents) == ["007", "008", "009", "010"]


def test_rows_that_fail_are_listed_and_the_others_stored(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 10)
    documents.execute("update documents set content = '' where id = '002'")
    api.poison = {"text 5"}
    api.vectors["text 9"] = [0.0] * 8
    result = embed.embed(documents, "documents", model, batch=4)
    assert result.failures == [
        Failure("002", "the text is empty"),
        Failure("005", "Invalid 'input': this text cannot be embedded"),
        Failure("009", "the model answered a zero vector"),
    ]
    assert result.embedded == 7
    assert _stale(documents) == ["002", "005", "009"]


def test_a_vector_that_the_database_refuses_fails_alone(
    connection: Connection, api: OpenAIServer, model: Provider
) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, storage => 'halfvec')")
    _fill(connection, 6)
    api.vectors["text 4"] = [1e5] * 8  # halfvec ends at 65504
    result = embed.embed(connection, "documents", model)
    assert result.embedded == 5
    assert [failure.id for failure in result.failures] == ["004"]
    assert "halfvec" in result.failures[0].reason


def test_a_text_that_changes_while_it_is_embedded_stays_stale(
    documents: Connection, database: str, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 3)

    def change(inputs: list[str]) -> None:
        if "text 2" in inputs:
            with psycopg.connect(database) as other:
                other.execute("update documents set content = 'changed' where id = '002'")
                other.execute("delete from documents where id = '003'")

    api.before_answer = change
    result = embed.embed(documents, "documents", model)
    assert (result.embedded, result.changed_meanwhile) == (1, 2)
    assert _stale(documents) == ["002"]
    assert embed.embed(documents, "documents", model).embedded == 1
    assert np.array_equal(_vectors(documents)["changed"], vector_of("changed"))


def test_no_transaction_is_open_while_the_provider_is_asked(
    documents: Connection, database: str, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 3)
    states: list[str] = []

    def look(_: list[str]) -> None:
        with psycopg.connect(database) as other:
            rows = other.execute(
                "select state from pg_stat_activity where datname = current_database() and pid = %s",
                (documents.info.backend_pid,),
            ).fetchall()
            states.extend(row[0] for row in rows)

    api.before_answer = look
    embed.embed(documents, "documents", model, batch=2)
    assert states == ["idle"] * 3


def test_what_was_embedded_before_the_provider_failed_is_kept(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 10)
    assert model.dimensions == 8
    api.faults.extend([Fault(), Fault(), Fault(503)])
    with pytest.raises(ConnectionFailedError):
        embed.embed(documents, "documents", model, batch=4)
    assert _stale(documents) == ["009", "010"]
    assert embed.embed(documents, "documents", model, batch=4).embedded == 2
    assert api.requests[-1].inputs == ["text 9", "text 10"]


def test_two_runs_at_once_end_with_every_row_embedded(documents: Connection, database: str, api: OpenAIServer) -> None:
    _fill(documents, 60)
    results: list[EmbedResult] = []
    both_there = threading.Barrier(2)

    def run() -> None:
        with psycopg.connect(database, autocommit=True) as own:
            mine = provider("openai:small", base_url=api.url)
            both_there.wait(timeout=30)
            results.append(embed.embed(own, "documents", mine, batch=7))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result.failed for result in results] == [0, 0]
    assert sum(result.embedded for result in results) >= 60
    assert _stale(documents) == []
    assert all(np.array_equal(vector, vector_of(text)) for text, vector in _vectors(documents).items())


# --- models


def test_the_first_run_binds_the_collection_to_its_model(documents: Connection, model: Provider) -> None:
    embed.embed(documents, "documents", model)
    assert collections.get(documents, "documents").model == "openai:small"


def test_a_provider_that_cannot_be_used_binds_nothing(documents: Connection, api: OpenAIServer) -> None:
    _fill(documents, 1)
    api.key = "sk-right"
    wrong = provider("openai:text-embedding-3-small", base_url=api.url, api_key="sk-wrong", dimensions=8)
    with pytest.raises(ConnectionFailedError):
        embed.embed(documents, "documents", wrong)
    assert collections.get(documents, "documents").model is None


def test_another_model_than_the_collections_is_refused(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    documents.execute("select pgvec.bind_model('documents', 'openai:large', 8)")
    with pytest.raises(UsageError, match="collection 'documents' is bound to openai:large, not openai:small") as caught:
        embed.embed(documents, "documents", model)
    assert "pgvec.bind_model('documents', 'openai:small', 8)" in str(caught.value.hint)
    assert api.requests == []


def test_a_model_of_other_dimensions_is_refused_before_any_row_is_sent(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 3)
    api.dimensions = 5
    with pytest.raises(DataRejectedError) as caught:
        embed.embed(documents, "documents", model)
    assert caught.value.message == "model openai:small has 5 dimensions, collection 'documents' has 8"
    assert caught.value.hint == "choose a model of 8 dimensions, or make a collection of 5"
    assert [request.inputs for request in api.requests] == [["probe"]]
    assert collections.get(documents, "documents").model is None


def test_a_collection_without_a_model_wants_one_named(documents: Connection) -> None:
    with pytest.raises(UsageError, match="bound to no embedding model"):
        embed.provider_for(collections.get(documents, "documents"), ProviderOptions())


def test_the_model_of_a_collection_needs_no_naming(documents: Connection) -> None:
    documents.execute("select pgvec.bind_model('documents', 'openai:text-embedding-3-small', 8)")
    chosen = embed.provider_for(collections.get(documents, "documents"), ProviderOptions())
    assert (chosen.spec, chosen.dimensions) == ("openai:text-embedding-3-small", 8)


def test_the_local_model_embeds_what_a_search_then_finds(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 384, model => 'local:all-MiniLM-L6-v2')")
    connection.execute(
        "insert into documents (id, content) values ('cat', 'A kitten sleeps on the sofa.'),"
        " ('rate', 'The central bank raised interest rates.'), ('cake', 'Mix flour, sugar and eggs, then bake.')"
    )
    local = embed.provider_for(collections.get(connection, "documents"), ProviderOptions())
    assert embed.embed(connection, "documents", local).embedded == 3
    for query, nearest in (("pets", "cat"), ("monetary policy", "rate"), ("dessert recipe", "cake")):
        vector = local.embed_query(query)
        found = _value(connection, f"select id from match_documents('{vector.tolist()}', 1)")
        assert found == nearest


# --- the command


def _run(arguments: list[str]) -> Any:
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments)


def test_the_command_embeds_and_says_what_it_cost(documents: Connection, database: str, api: OpenAIServer) -> None:
    _fill(documents, 5)
    done = _run(["--database-url", database, "--model", "openai:small", "--base-url", api.url])
    assert done.exit_code == 0
    assert done.stdout == ""
    assert "embedded 5 rows of documents with openai:small in" in done.stderr
    assert "10 tokens" in done.stderr
    assert _stale(documents) == []


def test_the_command_lists_what_failed_and_ends_with_data_rejected(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    _fill(documents, 3)
    api.poison = {"text 2"}
    done = _run(["--database-url", database, "--model", "openai:small", "--base-url", api.url, "--json"])
    assert isinstance(done.exception, DataRejectedError)
    assert done.exception.message == "rows that could not be embedded: 1"
    assert "documents/002: Invalid 'input': this text cannot be embedded" in done.stderr
    printed = json.loads(done.stdout)
    assert printed["collection"] == "documents"
    assert (printed["embedded"], printed["failed"]) == (2, 1)
    assert printed["failures"] == [{"id": "002", "reason": "Invalid 'input': this text cannot be embedded"}]
