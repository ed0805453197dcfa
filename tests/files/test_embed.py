"""Embedding a collection: stale rows get a vector, rows that change meanwhile stay stale, and failures stay single."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
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
from pgvec_admin.database import Connection
from pgvec_admin.embedding import embed
from pgvec_admin.embedding.run import EmbedResult
from pgvec_admin.errors import ConnectionFailedError, UsageError
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


# --- the command


def _run(arguments: list[str]) -> Any:
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments)


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
                # a transaction keeps seeing the activity that it has looked at once
                documents.execute("select pg_stat_clear_snapshot(), pg_sleep(0.02)")
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


def test_two_runs_at_once_send_every_text_once(documents: Connection, database: str, api: OpenAIServer) -> None:
    _fill(documents, 60)
    # else the run that comes first queues all rows, and the other may end, since none is left to it
    documents.execute("select pgvec.enqueue_stale('documents')")
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
FIRST, SECOND = 2**61 + 5, 2**52 + 7  # workers


def test_a_run_leaves_rows_to_the_run_that_works_on_them(
    documents: Connection, database: str, api: OpenAIServer, model: Provider
) -> None:
    _fill(documents, 5)
    with psycopg.connect(database, autocommit=True) as other:
        assert len(other.execute(CLAIM, (FIRST,)).fetchall()) == 3
        result = embed.embed(documents, "documents", model)
        assert (result.embedded, result.elsewhere) == (2, 3)
        done = _run(["--database-url", database, "--base-url", api.url])
        assert "3 rows are being embedded by another run" in done.stderr
        assert done.exit_code == 0
        other.execute("select pgvec.release_jobs(%s)", (FIRST,))
        assert embed.embed(documents, "documents", model).embedded == 3


def test_the_rows_of_a_run_that_crashed_are_free_at_once(documents: Connection, database: str, model: Provider) -> None:
    _fill(documents, 5)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("select pg_advisory_lock(pgvec.worker_lock(%s))", (FIRST,))
        assert len(other.execute(CLAIM, (FIRST,)).fetchall()) == 3
        documents.execute("select pg_terminate_backend(%s, 30000)", (other.info.backend_pid,))
    assert embed.embed(documents, "documents", model).embedded == 5


def test_a_claim_ends_with_its_lease_though_the_session_lives_on(
    documents: Connection, database: str, model: Provider
) -> None:
    _fill(documents, 5)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("select from pgvec.claim_jobs('documents', 3, '1 millisecond', %s)", (FIRST,))
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
        assert [row[0] for row in one.execute(CLAIM, (FIRST,)).fetchall()] == ["001", "002", "003"]
    assert [row[0] for row in documents.execute(CLAIM, (SECOND,)).fetchall()] == ["004", "005", "006"]
    assert _value(documents, f"select pgvec.renew_lease({FIRST}, '2 hours')") == 3
    assert _value(documents, f"select pgvec.release_jobs({FIRST})") == 3
    assert [row[0] for row in documents.execute(CLAIM, (SECOND,)).fetchall()] == ["001", "002", "003"]


def test_a_claim_without_a_number_gets_one_that_nobody_else_knows(documents: Connection) -> None:
    _fill(documents, 6)
    first = documents.execute("select id, claimed_by from claim_embeddings(batch => 3)").fetchall()
    second = documents.execute("select id, claimed_by from claim_embeddings(batch => 2)").fetchall()
    (mine,), (other,) = {row[1] for row in first}, {row[1] for row in second}
    assert mine != other
    assert all(2**52 <= number < 2**53 for number in (mine, other))  # exact in JSON of every language
    again = documents.execute("select claimed_by from claim_embeddings(worker => %s)", (mine,)).fetchall()
    assert again == [(mine,)]
    assert _value(documents, f"select renew_embeddings({mine}, '2 hours')") == 4
    assert _value(documents, f"select renew_embeddings({other})") == 2
    for stranger in ("null", "0", "1", "-1", str(mine + 1), str(-mine), f"pgvec.worker_lock({mine})"):
        assert _value(documents, f"select renew_embeddings({stranger})") == 0
        assert _value(documents, f"select pgvec.release_jobs({stranger})") == 0
    numbers = [_value(documents, "select pgvec.new_worker()") for _ in range(100)]
    assert len(set(numbers)) == 100


@pytest.mark.parametrize("number", [0, 1, -1, 4711, 2**32, -(2**32)])
@pytest.mark.parametrize("claim", ["claim_embeddings(worker => {})", "pgvec.claim_jobs('documents', worker => {})"])
def test_a_number_that_others_would_guess_claims_nothing(documents: Connection, claim: str, number: int) -> None:
    _fill(documents, 1)
    with pytest.raises(psycopg.Error) as caught:
        documents.execute(f"select * from {claim.format(number)}".encode())
    assert (caught.value.sqlstate, f"cannot be {number}" in str(caught.value)) == ("PV004", True)
    assert "pgvec.new_worker()" in (caught.value.diag.message_hint or "")


def test_the_locks_of_sessions_do_not_tell_the_numbers_of_workers(
    documents: Connection, model: Provider, api: OpenAIServer
) -> None:
    _fill(documents, 2)
    seen: list[tuple[int, bool, set[int]]] = []

    def look(texts: list[str]) -> None:
        with psycopg.connect(documents.info.dsn, autocommit=True) as other:
            claims = other.execute("select distinct worker, in_session from pgvec.embedding_jobs").fetchall()
            locks = other.execute(
                "select (classid::bigint << 32) | objid::bigint from pg_locks where locktype = 'advisory'"
            ).fetchall()
            seen.extend((*claim, {lock[0] for lock in locks}) for claim in claims if claim[0] is not None)

    api.before_answer = look
    assert embed.embed(documents, "documents", model).embedded == 2
    assert len(seen) == 1
    number, in_session, locks = seen[0]
    assert in_session
    assert locks
    assert number not in locks


def test_a_number_that_has_become_known_opens_no_rows_of_other_tenants(
    connection: Connection, as_role: Callable[[str], Connection]
) -> None:
    connection.execute("select pgvec.create_collection('notes', 8, access => 'tenant', model => 'openai:test')")
    tenants = [f"00000000-0000-4000-8000-00000000000{n}" for n in "ab"]
    for tenant in tenants:
        connection.execute("insert into notes (tenant_id, id, content) values (%s, 'x', 'a text')", (tenant,))
    member = as_role("pgvec_writer")
    member.execute("select set_config('app.tenant_id', %s, false)", (tenants[0],))
    stranger = as_role("pgvec_writer")
    stranger.execute("select set_config('app.tenant_id', %s, false)", (tenants[1],))
    nobody = as_role("pgvec_writer")
    assert len(member.execute("select from claim_embeddings('notes', worker => %s)", (FIRST,)).fetchall()) == 1
    for other in (stranger, nobody):
        assert _value(other, f"select renew_embeddings({FIRST})") == 0
        assert _value(other, f"select pgvec.release_jobs({FIRST})") == 0
    assert _value(member, f"select renew_embeddings({FIRST})") == 1
    assert _value(member, f"select pgvec.release_jobs({FIRST})") == 1


def test_another_model_than_the_collections_is_refused(
    documents: Connection, api: OpenAIServer, model: Provider
) -> None:
    documents.execute("select pgvec.bind_model('documents', 'openai:large', 8)")
    with pytest.raises(UsageError, match="collection 'documents' is bound to openai:large, not openai:small") as caught:
        embed.embed(documents, "documents", model)
    assert "pgvec.bind_model('documents', 'openai:small', 8, same_model => true)" in str(caught.value.hint)
    assert api.requests == []
