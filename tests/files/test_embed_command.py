"""The model that a collection is bound to, and what the commands embed and search say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
import pytest
from typer import Typer
from typer.testing import CliRunner

from openai_server import Fault, OpenAIServer, vector_of
from pgvec_admin.cli.embed import embed as command
from pgvec_admin.cli.search import search as search_command
from pgvec_admin.database import Connection
from pgvec_admin.embedding import embed
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.embedding.run import Failure
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
