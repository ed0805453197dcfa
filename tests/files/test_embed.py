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
from psycopg import sql
from typer import Typer
from typer.testing import CliRunner

from openai_server import Fault, OpenAIServer, vector_of
from pgvec_admin.cli.embed import embed as command
from pgvec_admin.cli.search import search as search_command
from pgvec_admin.database import Connection, Target
from pgvec_admin.embedding import embed
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.embedding.run import EmbedResult, Failure
from pgvec_admin.embedding.worker import Worker
from pgvec_admin.engine import collections
from pgvec_admin.errors import ConnectionFailedError, DataRejectedError, UsageError
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
        ("count_blank('nope')", "PV001", "there is no collection 'nope'"),
        ("count_missing('nope')", "PV001", "there is no collection 'nope'"),
        ("claim_jobs('nope')", "PV001", "there is no collection 'nope'"),
        ("claim_jobs('documents', 0)", "PV004", "batch cannot be 0"),
        ("claim_jobs('documents', lease => '-1 s')", "PV004", "lease cannot be -00:00:01"),
        ("fail_jobs('nope', '{}', '{}', '{}')", "PV001", "there is no collection 'nope'"),
        (
            "fail_jobs('documents', '{a}', '{}', null)",
            "PV004",
            "1 ids, 0 hashes and 0 reasons do not pair up",
        ),
        ("embedding_status('nope')", "PV001", "there is no collection 'nope'"),
        ("retry_dead('nope')", "PV001", "there is no collection 'nope'"),
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
                documents.execute("select pg_sleep(0.02), pg_stat_clear_snapshot()")
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


def test_the_queue_is_for_writers_and_its_tables_for_nobody(documents: Connection) -> None:
    documents.execute("set role pgvec_writer")
    for call in ("stale_documents('documents')", "count_stale('documents')", "bind_model('documents', 'local:x', 8)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            documents.execute(f"select pgvec.{call}")
    for table in ("embedding_jobs", "embedding_queues", "embedding_usage"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            documents.execute(sql.SQL("select from pgvec.{}").format(sql.Identifier(table)))
    assert documents.execute("select * from claim_embeddings()").fetchall() == []
    documents.execute("set role pgvec_reader")
    for call in (
        "claim_embeddings()",
        "complete_embeddings('[]')",
        "fail_embeddings('[]')",
        "renew_embeddings(1)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            documents.execute(f"select {call}")


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
    api.poison = {"text 5"}
    api.vectors["text 9"] = [0.0] * 8
    result = embed.embed(documents, "documents", model, batch=4)
    assert result.failures == [
        Failure("005", "Invalid 'input': this text cannot be embedded"),
        Failure("009", "the model answered a zero vector"),
    ]
    assert result.embedded == 8
    assert _stale(documents) == ["005", "009"]
    marks = "select id, reason, attempts from pgvec.embedding_jobs where attempts > 0 order by id"
    assert documents.execute(marks).fetchall() == [(*(failure.id, failure.reason), 1) for failure in result.failures]
    embed.embed(documents, "documents", model, batch=4)
    assert [row[2] for row in documents.execute(marks).fetchall()] == [2, 2]
    documents.execute("update documents set content = 'mended' where id = '005'")
    documents.execute("delete from documents where id = '009'")
    assert embed.embed(documents, "documents", model, batch=4).embedded == 1
    assert documents.execute(marks).fetchall() == []


@pytest.mark.parametrize("text", ["", "  \n\t ", "\u00a0\u2003"])
def test_rows_without_text_are_left_out_and_fail_no_run(
    documents: Connection, database: str, api: OpenAIServer, model: Provider, text: str
) -> None:
    _fill(documents, 5)
    documents.execute("update documents set content = %s where id in ('001', '002', '004')", (text,))
    result = embed.embed(documents, "documents", model, batch=2, limit=2)
    assert (result.embedded, result.left_out, result.failures) == (2, 3, [])
    done = _run(["--database-url", database, "--model", "openai:small", "--base-url", api.url])
    assert done.exit_code == 0
    assert "3 rows have no text: they were left out" in done.stderr
    assert documents.execute("select * from pgvec.embedding_jobs where attempts > 0").fetchall() == []


def test_a_limited_run_tries_rows_that_failed_after_all_others(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 8)
    api.poison = {"text 1", "text 2", "text 3", "text 4"}
    seen = []
    for _ in range(5):
        before = len(api.requests)
        embed.embed(documents, "documents", model, batch=2, limit=2)
        seen.append(sorted({text for request in api.requests[before:] for text in request.inputs} - {"probe"}))
    assert seen == [[f"text {n}", f"text {n + 1}"] for n in (1, 3, 5, 7, 1)]
    assert _stale(documents) == ["001", "002", "003", "004"]
    embed.embed(documents, "documents", model, batch=2, limit=2)
    assert api.requests[-1].inputs[0] in ("text 3", "text 4")  # those that were tried longest ago
    api.poison = set()
    assert embed.embed(documents, "documents", model, batch=3).embedded == 4


def test_rows_that_failed_stay_behind_new_ones_though_a_limited_run_came_to_them(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 6)
    api.poison = {f"text {n}" for n in range(1, 7)}
    embed.embed(documents, "documents", model)
    embed.embed(documents, "documents", model, limit=2)
    documents.execute("insert into documents (id, content) values ('new', 'a new text')")
    before = len(api.requests)
    assert embed.embed(documents, "documents", model, limit=1).embedded == 1
    assert [request.inputs for request in api.requests[before:]] == [["a new text"]]


def test_a_provider_that_stops_one_of_several_requests_ends_the_run(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 12)
    embed.embed(documents, "documents", model, limit=2)
    late = threading.Event()

    def behave(inputs: list[str], _: Any) -> Fault | None:
        if "text 3" in inputs:
            return Fault(503)
        if "text 5" in inputs:
            late.wait(timeout=1)  # its answer comes after the other request has failed
        elif inputs == ["probe"]:
            return Fault(503)
        return None

    api.behave = behave
    result = embed.attempt(documents, "documents", model, batch=2, concurrency=2)
    assert isinstance(result.stopped, ConnectionFailedError)
    assert result.embedded == 2
    assert _stale(documents) == ["003", "004", *(f"{n:03}" for n in range(7, 13))]
    assert (
        documents.execute("select id from pgvec.embedding_jobs where attempts > 0 or worker is not null").fetchall()
        == []
    )


def test_a_worker_sends_batches_as_it_is_told(documents: Connection, database: str, api: OpenAIServer) -> None:
    documents.execute("select pgvec.bind_model('documents', 'openai:small', 8)")
    _fill(documents, 6)
    stop = threading.Event()
    worker = Worker(
        Target(database, "the test"),
        ["documents"],
        ProviderOptions(base_url=api.url, batch=2),
        report=lambda _: stop.set(),
        stop=stop,
    )
    worker.work()
    assert [len(request.inputs) for request in api.requests if request.inputs != ["probe"]] == [2, 2, 2]
    assert _stale(documents) == []


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


def test_a_text_that_changes_while_it_is_embedded_is_embedded_again(
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
    assert (result.embedded, result.changed_meanwhile) == (2, 2)  # the changed text is embedded after all
    assert _stale(documents) == []
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
    api.faults.extend([Fault(), Fault(), Fault(503), Fault(503)])
    with pytest.raises(ConnectionFailedError):
        embed.embed(documents, "documents", model, batch=4)
    assert _stale(documents) == ["009", "010"]
    assert embed.embed(documents, "documents", model, batch=4).embedded == 2
    assert api.requests[-1].inputs == ["text 9", "text 10"]


def test_vectors_that_came_before_the_provider_failed_within_a_batch_are_kept(
    documents: Connection, api: OpenAIServer
) -> None:
    _fill(documents, 10)
    model = provider("openai:small", base_url=api.url, max_retries=0, batch=4)
    assert model.dimensions == 8
    api.faults.extend([Fault(), Fault(), Fault(503), Fault(503)])
    with pytest.raises(ConnectionFailedError):
        embed.embed(documents, "documents", model, batch=10)
    assert _stale(documents) == ["009", "010"]


def test_two_runs_at_once_send_every_text_once(documents: Connection, database: str, api: OpenAIServer) -> None:
    _fill(documents, 60)
    api.poison = {"text 30"}
    results: list[EmbedResult] = []
    both_there, both_asked = threading.Barrier(2), threading.Barrier(2)
    asked = iter((True, True))

    def wait(inputs: list[str]) -> None:
        if inputs != ["probe"] and next(asked, False):
            both_asked.wait(timeout=30)

    api.before_answer = wait

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
    assert sum(result.failed for result in results) == 1
    assert sum(result.embedded for result in results) == 59
    assert _stale(documents) == ["030"]
    assert all(np.array_equal(vector, vector_of(text)) for text, vector in _vectors(documents).items())
    answered = [text for request in api.requests if not api.poison & set(request.inputs) for text in request.inputs]
    assert sorted(set(answered) - {"probe"}) == sorted(f"text {n}" for n in range(1, 61) if n != 30)
    assert len([text for text in answered if text != "probe"]) == 59
    assert documents.execute("select id, worker from pgvec.embedding_jobs").fetchall() == [("030", None)]


# a program with a session of its own
CLAIM = "select id from pgvec.claim_jobs('documents', 3, '1 hour', %s)"


def test_a_run_leaves_rows_to_the_run_that_works_on_them(
    documents: Connection, database: str, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 5)
    with psycopg.connect(database, autocommit=True) as other:
        assert len(other.execute(CLAIM, (1,)).fetchall()) == 3
        result = embed.embed(documents, "documents", model)
        assert (result.embedded, result.elsewhere) == (2, 3)
        done = _run(["--database-url", database, "--base-url", api.url])
        assert "3 rows are being embedded by another run" in done.stderr
        assert done.exit_code == 0
        other.execute("select pgvec.release_jobs(1)")
        assert embed.embed(documents, "documents", model).embedded == 3


def test_the_rows_of_a_run_that_crashed_are_free_at_once(documents: Connection, database: str, model: Provider) -> None:
    _fill(documents, 5)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", (2**61 + 5,))
        assert len(other.execute(CLAIM, (2**61 + 5,)).fetchall()) == 3
        documents.execute("select pg_terminate_backend(%s, 30000)", (other.info.backend_pid,))
    assert embed.embed(documents, "documents", model).embedded == 5


def test_a_claim_ends_with_its_lease_though_the_session_lives_on(
    documents: Connection, database: str, model: Provider
) -> None:
    _fill(documents, 5)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("select from pgvec.claim_jobs('documents', 3, '1 millisecond', 7)")
        documents.execute("select pg_sleep(0.01)")
        assert embed.embed(documents, "documents", model).embedded == 5


def test_a_run_holds_no_lock_once_it_has_ended(documents: Connection, model: Provider, api: OpenAIServer) -> None:
    _fill(documents, 5)
    embed.embed(documents, "documents", model, batch=2)
    documents.execute("update documents set content = content || '!'")
    api.faults.extend([Fault(503), Fault(503)])
    with pytest.raises(ConnectionFailedError):
        embed.embed(documents, "documents", model)
    assert _value(documents, "select count(*) from pg_locks where locktype = 'advisory'") == 0
    assert documents.execute("select * from pgvec.embedding_jobs where worker is not null").fetchall() == []


def test_a_worker_without_a_session_keeps_its_rows_whatever_session_it_gets(
    documents: Connection, database: str
) -> None:
    _fill(documents, 6)
    with psycopg.connect(database, autocommit=True) as one:
        assert [row[0] for row in one.execute(CLAIM, (9,)).fetchall()] == ["001", "002", "003"]
    assert [row[0] for row in documents.execute(CLAIM, (10,)).fetchall()] == ["004", "005", "006"]
    assert _value(documents, "select pgvec.renew_lease(9, '2 hours')") == 3
    assert _value(documents, "select pgvec.release_jobs(9)") == 3
    assert [row[0] for row in documents.execute(CLAIM, (10,)).fetchall()] == ["001", "002", "003"]


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
    assert "pgvec.bind_model('documents', 'openai:small', 8, same_model => true)" in str(caught.value.hint)
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


def test_a_prefix_is_kept_with_the_collection_and_used_by_later_runs(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    _fill(documents, 2)
    arguments = ["--database-url", database, "--base-url", api.url]
    assert _run([*arguments, "--model", "openai:small", "--passage-prefix", "doc: "]).exit_code == 0
    assert api.requests[-1].inputs == ["doc: text 1", "doc: text 2"]
    documents.execute("update documents set content = 'new' where id = '001'")
    assert _run(arguments).exit_code == 0
    assert api.requests[-1].inputs == ["doc: new"]
    assert collections.get(documents, "documents").passage_prefix == "doc: "


@pytest.mark.parametrize(("first", "second"), [("doc: ", ""), ("doc: ", "passage: "), (None, "doc: ")])
def test_another_prefix_than_that_of_the_rows_is_refused(
    documents: Connection, database: str, api: OpenAIServer, first: str | None, second: str
) -> None:
    _fill(documents, 2)
    arguments = ["--database-url", database, "--base-url", api.url, "--model", "openai:small"]
    assert _run([*arguments, *([] if first is None else ["--passage-prefix", first])]).exit_code == 0
    documents.execute("update documents set content = 'new' where id = '001'")
    asked = len(api.requests)
    done = _run([*arguments, "--passage-prefix", second])
    assert isinstance(done.exception, UsageError)
    assert f"are embedded with the prefix {first or ''!r}, not {second!r}" in done.exception.message
    assert [request.inputs for request in api.requests[asked:]] in ([], [["probe"]])
    # once no row has a vector of the old prefix, it may be another
    documents.execute("update documents set embedding = null")
    assert _run([*arguments, "--passage-prefix", second]).exit_code == 0
    assert api.requests[-1].inputs == [f"{second}new", f"{second}text 2"]
    assert collections.get(documents, "documents").passage_prefix in (second, None)


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
    assert printed["stopped"] is None
    assert (printed["embedded"], printed["failed"]) == (2, 1)
    assert printed["failures"] == [{"id": "002", "reason": "Invalid 'input': this text cannot be embedded"}]


def test_the_command_names_what_failed_before_the_server_stopped(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    _fill(documents, 6)
    api.poison = {"text 2"}
    api.behave = lambda inputs, good: Fault(429, {"Retry-After": "3600"}) if "text 5" in inputs else None
    arguments = ["--database-url", database, "--model", "openai:small", "--base-url", api.url, "--batch", "3"]
    done = _run([*arguments, "--json"])
    assert isinstance(done.exception, ConnectionFailedError)
    assert "it says to wait for 3600 s" in done.exception.message
    assert "documents/002: Invalid 'input': this text cannot be embedded" in done.stderr
    assert "embedded 2 rows" in done.stderr
    printed = json.loads(done.stdout)
    assert (printed["embedded"], printed["failed"]) == (2, 1)
    assert "3600 s" in printed["stopped"]


# --- searching before everything is embedded


def _search(arguments: list[str]) -> Any:
    app = Typer()
    app.command()(search_command)
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("mode", ["vector", "hybrid"])
def test_a_search_says_how_many_rows_have_no_embedding_yet(
    documents: Connection, database: str, api: OpenAIServer, mode: str
) -> None:
    _fill(documents, 3)
    documents.execute("update documents set content = '' where id = '003'")
    arguments = ["text", "--database-url", database, "--base-url", api.url, "--model", "openai:small", "--mode"]
    said = "2 rows of documents have no embedding yet, and no search by vector finds them: run pgvec-admin embed"
    done = _search([*arguments, mode])
    assert done.exit_code == 0
    assert said in done.stderr
    assert "no embedding" not in _search(["text", "--database-url", database, "--mode", "keyword"]).stderr
    _run(["--database-url", database, "--model", "openai:small", "--base-url", api.url])
    assert "no embedding" not in _search([*arguments, mode]).stderr


def test_a_search_counts_rows_of_the_callers_tenant_only(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, access => 'tenant')")
    mine, other = "aaaaaaaa-0000-0000-0000-000000000000", "bbbbbbbb-0000-0000-0000-000000000000"
    connection.execute(
        "insert into documents (tenant_id, id, content) values (%s, '1', 'a'), (%s, '1', 'b'), (%s, '2', 'c')",
        (mine, other, other),
    )
    connection.execute("select set_config('app.tenant_id', %s, false)", (mine,))
    assert _value(connection, "select pgvec.count_missing('documents')") == 1
    connection.execute("set role pgvec_reader")
    assert _value(connection, "select pgvec.count_missing('documents')") == 1
    with pytest.raises(psycopg.Error, match="is not one of the caller's"):
        connection.execute("select pgvec.count_missing('documents', %s)", (other,))


def test_rows_of_several_tenants_with_one_id_are_embedded_together(
    connection: Connection, api: OpenAIServer, model: Provider
) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, access => 'tenant')")
    connection.execute(
        "insert into documents (tenant_id, id, content)"
        " select gen_random_uuid(), (n / 2)::text, 'text ' || n from generate_series(0, 9) as n"
    )
    api.poison = {"text 4"}
    result = embed.embed(connection, "documents", model, batch=3)
    assert (result.embedded, result.failures) == (
        9,
        [Failure("2", "Invalid 'input': this text cannot be embedded")],
    )
    assert all(np.array_equal(vector, vector_of(text)) for text, vector in _vectors(connection).items())
    api.poison = set()
    assert embed.embed(connection, "documents", model, batch=3).embedded == 1


def test_a_search_says_that_its_query_was_cut(connection: Connection, database: str) -> None:
    connection.execute("select pgvec.create_collection('documents', 384, model => 'local:all-MiniLM-L6-v2')")
    said = "the query is longer than local:all-MiniLM-L6-v2 reads: it is searched by its beginning only"
    assert said in _search(["word " * 300, "--database-url", database]).stderr
    assert said not in _search(["word", "--database-url", database]).stderr
