"""A run of embed: every row gets the vector of its present text, whatever the provider does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from typer import Typer
from typer.testing import CliRunner

from openai_server import Fault, OpenAIServer, vector_of
from pgvec_admin.cli.embed import embed as command
from pgvec_admin.database import Connection, Target
from pgvec_admin.embedding import embed
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.embedding.run import Failure
from pgvec_admin.embedding.worker import Worker
from pgvec_admin.errors import ConnectionFailedError
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


def _vectors(connection: Connection) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    rows = connection.execute("select content, embedding::text from documents where embedding is not null").fetchall()
    return {content: np.array(json.loads(text), np.float32) for content, text in rows}


# --- the command


def _run(arguments: list[str]) -> Any:
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, arguments)


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
