"""What a worker tells Prometheus, and its lines of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer import Typer
from typer.testing import CliRunner

from embedding_workers import MODEL, done, end, until
from openai_server import Fault, OpenAIServer
from pgvec_admin.cli.embed import embed as command
from pgvec_admin.database import Connection, Target
from pgvec_admin.embedding import metrics
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.embedding.worker import Worked, Worker
from pgvec_admin.errors import UsageError


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 8, model => %s)", (MODEL,))
    connection.execute("update pgvec.collections set settings = settings || '{\"embedding_price\": 1000}'")
    connection.execute(
        "insert into documents (id, content) select i::text, 'text ' || i from generate_series(1, 20) as i"
    )
    return connection


def _scrape(port: int) -> dict[tuple[str, ...], float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_worker_counts_what_it_does_and_what_is_left(documents: Connection, database: str, api: OpenAIServer) -> None:
    where = Target(database, "the test")
    observer = metrics.WorkerMetrics(where, ["documents"])
    port = observer.serve("127.0.0.1", 0)
    before = _scrape(port)
    assert before["pgvec_embedding_queue", "documents", "pending"] == 20
    assert before["pgvec_embedding_queue", "documents", "stale"] == 20
    assert before["pgvec_embedding_oldest_seconds", "documents"] > 0
    assert before["pgvec_embedding_dollars", "documents"] == 0
    assert before["pgvec_database_up",] == 1
    api.poison = {"text 5"}
    api.vectors["text 6"] = [0.0] * 8
    calls: list[int] = []

    def behave(inputs: list[str], _: Any) -> Fault | None:
        calls.append(len(inputs))
        return Fault(401) if len(calls) == 1 else None

    api.behave = behave
    stop = threading.Event()
    worker = Worker(
        where,
        ["documents"],
        ProviderOptions(base_url=api.url, batch=7),
        report=lambda worked: stop.set() if worked.result.embedded else None,
        stop=stop,
        observer=observer,
    )
    worker.work()
    found = _scrape(port)
    assert found["pgvec_embedding_failures_total", "", "key"] == 1  # before a collection was begun
    assert found["pgvec_embedding_rows_total", "documents", "embedded"] == 18
    assert found["pgvec_embedding_rows_total", "documents", "failed"] == 2
    assert found["pgvec_embedding_failures_total", "documents", "refused"] == 1
    assert found["pgvec_embedding_failures_total", "documents", "vector"] == 1
    assert found["pgvec_embedding_tokens_total", MODEL] == 38
    assert found["pgvec_embedding_texts_total", "passage", MODEL] == 20
    assert found["pgvec_embedding_calls_total", "passage", MODEL] == 3
    assert found["pgvec_embedding_seconds_count", "documents"] == 3
    assert found["pgvec_embedding_seconds_sum", "documents"] > 0
    assert found["pgvec_embedding_queue", "documents", "pending"] == 0
    assert found["pgvec_embedding_queue", "documents", "waiting"] == 2
    assert found["pgvec_embedding_dollars", "documents"] == pytest.approx(0.038)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(429, {"Retry-After": "600"}), "rate_limit"),
        (Fault(503), "provider"),
        (Fault(drop=True), "provider"),
    ],
)
def test_failures_of_a_run_are_counted_by_kind(
    documents: Connection, database: str, api: OpenAIServer, fault: Fault, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = Target(database, "the test")
    observer = metrics.WorkerMetrics(where, ["documents"])
    port = observer.serve("127.0.0.1", 0)
    monkeypatch.setattr("pgvec_admin.providers.clients.Server.open", _impatient)
    broken = True
    api.behave = lambda inputs, _: fault if broken and len(api.requests) else None
    stop = threading.Event()
    errors: list[str] = []

    def report(worked: Worked) -> None:
        errors.append(str(worked.error))
        stop.set()

    worker = Worker(
        where,
        ["documents"],
        ProviderOptions(base_url=api.url),
        report=report,
        stop=stop,
        observer=observer,
    )
    worker.work()
    assert len(errors) == 1
    found = _scrape(port)
    assert found["pgvec_embedding_failures_total", "documents", kind] == 1
    assert found["pgvec_embedding_queue", "documents", "pending"] == 20


def _impatient(server: Any, spec: str) -> Any:
    from openai import DefaultHttpxClient, OpenAI

    client = DefaultHttpxClient()
    client.event_hooks = {"request": [server.pacer.before], "response": [server.pacer.after]}
    return OpenAI(base_url=server.base_url, api_key="none", max_retries=0, http_client=client)


def test_a_database_that_is_away_is_told_and_the_rest_too(database: str, documents: Connection) -> None:
    observer = metrics.WorkerMetrics(Target(f"{database} connect_timeout=1 port=1", "the test"), ["documents"])
    observer.asked("documents", MODEL, 3, 0.5)
    found = _scrape(observer.serve("127.0.0.1", 0))
    assert found["pgvec_database_up",] == 0
    assert found["pgvec_embedding_texts_total", "passage", MODEL] == 3
    assert ("pgvec_embedding_queue", "documents", "pending") not in found


def test_the_command_serves_metrics_and_prints_lines_of_json(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "pgvec_admin", "embed", "--watch", "--json", "--metrics-port", "0"),
            *("--base-url", api.url, "--api-key", "none"),
        ],
        env=os.environ | {"PGVEC_DATABASE_URL": database},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("metrics at http://127.0.0.1:")
        port = int(said.strip().removesuffix("/metrics").rpartition(":")[2])
        until(lambda: done(documents), "all embedded")
        until(lambda: _scrape(port).get(("pgvec_embedding_rows_total", "documents", "embedded")) == 20, "counted")
        assert _scrape(port)["pgvec_embedding_queue", "documents", "pending"] == 0
    finally:
        lines = end(process)
    assert sum(line["embedded"] for line in lines) == 20
    assert all({"time", "collection", "error", "tokens", "truncated", "failures"} <= line.keys() for line in lines)


def test_metrics_are_for_workers_that_watch_and_ports_that_are_free(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    app = Typer()
    app.command()(command)
    arguments = ["--database-url", database, "--base-url", api.url]
    done_ = CliRunner().invoke(app, [*arguments, "--metrics-port", "0"])
    assert isinstance(done_.exception, UsageError)
    observer = metrics.WorkerMetrics(Target(database, "the test"), ["documents"])
    port = observer.serve("127.0.0.1", 0)
    taken = CliRunner().invoke(app, [*arguments, "--watch", "--metrics-port", str(port)])
    assert isinstance(taken.exception, UsageError)
    assert json.dumps(taken.exception.message).count(str(port))
