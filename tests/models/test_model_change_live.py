"""A collection changes its model while searches and writes go on, and by commands."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psycopg
import pytest
from changing import LARGE, NEW, OLD, SECOND, SMALL, begin, build, create, store, text_of

import installation
from command import Run
from embedding_workers import count, done, jobs, until, watching
from installation import Connection
from openai_server import OpenAIServer, vector_of
from pgvec_admin.database import Target
from pgvec_admin.embedding import worker
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.engine import collections, model_change
from seeded import TENANT

BACKLOG = 100  # entries of the queue beyond which the application writes nothing new


@pytest.fixture
def documents(connection: Connection) -> Connection:
    create(connection)
    return connection


@pytest.fixture
def provider() -> Iterator[OpenAIServer]:
    with OpenAIServer() as made:
        yield made


class _Searcher(threading.Thread):
    """Searches fifty times a second by each of the dimensions that it is given, and collects what is wrong."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        super().__init__()
        self._connect, self._stop_it = connect, threading.Event()
        self.dimensions: set[int] = {SMALL}
        self.searches, self.faults = 0, list[str]()

    def run(self) -> None:
        with self._connect() as connection:
            while not self._stop_it.is_set():
                began = time.monotonic()
                for dimensions in sorted(self.dimensions):
                    self._search(connection, dimensions)
                time.sleep(max(0.0, 0.02 - (time.monotonic() - began)))

    def _search(self, connection: Connection, dimensions: int) -> None:
        vector = text_of(vector_of("text 5", dimensions))
        try:
            near = connection.execute("select id, similarity from match_documents(%s, 3)", (vector,)).fetchall()
            both = connection.execute(
                "select id from hybrid_search('text', %s, 3, diversity => 0.1)", (vector,)
            ).fetchall()
        except psycopg.Error as error:
            self.faults.append(f"{dimensions}: {error.sqlstate} {error}")
            return
        self.searches += 2
        if not near or near[0][0] != "5" or near[0][1] < 0.999 or len(near) != 3 or len(both) != 3:
            self.faults.append(f"{dimensions}: {near} {both}")

    def go_on(self) -> None:
        """Return when it has searched some more."""
        before = self.searches
        until(lambda: self.searches > before + 20 or self.faults != [], "more searches")

    def end(self) -> None:
        self._stop_it.set()
        self.join()
        assert self.faults == []


@pytest.mark.parametrize(
    ("options", "storage", "role"),
    [("", "vector", None), (", access => 'tenant', partition => 2", "halfvec", "pgvec_reader")],
    ids=["open", "tenants"],
)
def test_searches_and_writes_go_on_while_the_model_is_changed(
    options: str, storage: str, role: str | None, connection: Connection, database: str, provider: OpenAIServer
) -> None:
    def connect(acting: str | None = role) -> Connection:
        made = installation.connect(database, acting) if acting else installation.connect(database)
        made.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
        return made

    connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
    create(connection, options=options)
    where = Target(database, "the test")
    searcher = _Searcher(connect)
    written, stop = 0, threading.Event()

    def write() -> None:
        nonlocal written
        with connect(None) as application:
            while not stop.is_set():
                if jobs(application) > BACKLOG:  # else a machine that is slow for the worker alone never ends
                    time.sleep(0.05)
                    continue
                written += 1
                application.execute(
                    "insert into documents (id, content) values (%s, %s)", (f"w{written}", f"new {written}")
                )
                application.execute(
                    "update documents set content = content || '!' where id = %s", (f"w{written // 2}",)
                )
                time.sleep(0.05)

    def finished() -> bool:
        try:
            model_change.finish(connection, "documents")
        except psycopg.Error as error:
            if "have no vector" not in str(error):
                raise
            return False  # the worker has fallen behind
        return True

    searcher.start()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        with watching(database, provider):
            model_change.begin(where, "documents", NEW, LARGE, storage=storage)
            until(lambda: count(connection, "select pgvec.model_change_missing('documents')") == 0, "all rows embedded")
            searcher.dimensions = {SMALL, LARGE}
            built = model_change.build(where, "documents", lambda *_: None)
            assert built
            assert "embedding_next" in built.name
            checks = {one.check_name: one.result for one in model_change.check(connection, "documents", 0.9)}
            assert (checks["index"], checks["recall"]) == ("ok", "ok")
            until(finished, "the workers keep up")
            searcher.go_on()
            searcher.dimensions = {LARGE}  # no client searches by the old model any more
            searcher.go_on()
            model_change.drop_old(connection, "documents")
            searcher.go_on()
            stop.set()
            writer.join()
            until(lambda: count(connection, "select pgvec.count_stale('documents')") == 0, "the last rows embedded")
    finally:
        stop.set()
        writer.join()
        searcher.end()
    assert searcher.searches > 50
    assert written > 10
    rows = connection.execute("select id, content, embedding::extensions.vector::text from documents").fetchall()
    assert len(rows) == 40 + written
    for id_, content, embedding in rows:
        assert embedding is not None, id_
        assert len(embedding.split(",")) == LARGE
        expected = vector_of(content, LARGE)
        assert abs(expected - [float(v) for v in embedding.strip("[]").split(",")]).max() < 2e-3
    # every row had been embedded by both models, up to the change
    models = {request.body["model"] for request in provider.requests}
    assert models == {OLD.partition(":")[2], NEW.partition(":")[2]}
    checks_after = connection.execute(
        "select check_name, found from pgvec.verify('documents') where result = 'fail'"
    ).fetchall()
    assert checks_after == []


def test_a_worker_lives_on_that_waited_for_the_exchange(
    documents: Connection, database: str, provider: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(documents)
    store(documents, SECOND, LARGE)
    build(documents)
    documents.execute(
        "insert into documents (id, content) select 'w' || i, 'new ' || i from generate_series(1, 3) as i"
    )
    store(documents, "documents", SMALL)
    waits = "select count(*) from pg_locks where relation = 'documents'::regclass and not granted"
    locked, stop, reports = threading.Event(), threading.Event(), list[worker.Worked]()
    get = collections.get

    def and_lock(connection: Connection, name: str) -> collections.Collection:
        """The exchange begins when the worker knows in which column the vectors of the second model are."""
        known = get(connection, name)
        if name == SECOND and not locked.is_set():
            operator.execute("begin; lock table documents in access exclusive mode")
            locked.set()
        return known

    monkeypatch.setattr(collections, "get", and_lock)
    options = ProviderOptions(base_url=provider.url, api_key="none")
    with installation.connect(database) as operator, ThreadPoolExecutor(1) as pool:
        works = pool.submit(
            worker.Worker(Target(database, "the test"), ["documents"], options, report=reports.append, stop=stop).work
        )
        try:
            until(locked.is_set, "the worker comes to the second model")
            until(lambda: count(documents, waits) > 0, "the worker waits")
            operator.execute("select pgvec.finish_model_change('documents', 3)")
            operator.execute("commit")
            until(lambda: works.done() or done(documents), "the rows embedded by the new model")
        finally:
            stop.set()
        works.result()
    assert done(documents)
    assert [report.error for report in reports if report.error] == []
    contents = "select content, embedding::extensions.vector::text from documents where content like 'new %'"
    for content, embedding in documents.execute(contents).fetchall():
        assert np.allclose(json.loads(embedding), vector_of(content, LARGE), atol=2e-3)


def test_the_command_changes_a_model(documents: Connection, run: Run, provider: OpenAIServer, tmp_path: Path) -> None:
    change = ("model", "change", "documents", "--to", NEW, "--dimensions", str(LARGE), "--column-type", "halfvec")
    told = run(*change, "--dry-run")
    assert (told.returncode, count(documents, "select count(*) from pgvec.model_changes")) == (0, 0)
    assert told.stderr.startswith("disk: at most ")
    begun = run(*change)
    assert begun.stderr.splitlines()[1:] == [
        f"collection documents: from {OLD} (8 dimensions) to {NEW} (12), 40 of 40 rows to embed",
        "next: pgvec-admin embed --collection documents; then pgvec-admin model finish documents",
    ]
    refused = run("model", "finish", "documents")
    assert refused.returncode == 4
    assert "error: not finished: 40 rows have no vector of the new model" in refused.stderr
    embedded = run("embed", "--base-url", provider.url, "--api-key", "none")
    assert embedded.returncode == 0
    for rows, model in (0, OLD), (40, NEW):
        assert f"embedded {rows} rows of documents with {model} in" in embedded.stderr
    queries, qrels = tmp_path / "queries.jsonl", tmp_path / "qrels.tsv"
    queries.write_text('{"_id": "q", "text": "text 5"}')
    qrels.write_text("q\t5\t1\n")
    assert run("model", "finish", "documents", "--queries", str(queries)).returncode == 2
    judge = ["model", "finish", "documents", "--queries", str(queries), "--qrels", str(qrels)]
    judge += ["--base-url", provider.url, "--api-key", "none"]
    turn = "update documents set embedding_next = embedding_next operator(extensions.*) %s where id = '5'"
    documents.execute(turn, (text_of([-1] * LARGE),))
    worse = run(*judge)
    assert worse.returncode == 4
    assert f"not finished: by {NEW}, NDCG@10 is 1.000 less" in worse.stderr
    documents.execute(turn, (text_of([-1] * LARGE),))
    assert "no searches of documents are logged" in run("model", "finish", "documents", "--from-log").stderr
    assert run("log", "on", "documents", "--sample", "1", "--texts").returncode == 0
    for text in ("text 5", "text 7"):
        documents.execute("select from hybrid_search(%s, %s)", (text, text_of(vector_of(text, SMALL))))
    finished = run(*judge, "--from-log")
    assert finished.returncode == 0, finished.stderr
    assert re.search(
        rf"of 2 logged texts, the answers by {NEW} have NDCG@10 [01]\.\d+, judged by those of {OLD}", finished.stderr
    )
    for model in (OLD, NEW):
        assert f"by {model}: NDCG@10 1.000 (1.000 to 1.000), recall@100 1.000" in finished.stderr
    assert "of the 10 rows nearest to each of 20" in finished.stderr
    assert "ef_search of documents is 40: recall@10 1.000 on its own rows" in finished.stderr
    assert f"queries of {OLD} (8 dimensions) are answered until:" in finished.stderr
    assert run("model", "abort", "documents", "--yes").returncode == 2
    dropped = run("model", "drop-old", "documents", "--yes")
    assert dropped.stderr.splitlines()[0] == f"collection documents has vectors of {NEW} alone"
    assert "vacuum full public.documents" in dropped.stderr
    begun = run("model", "change", "documents", "--to", OLD, "--dimensions", str(SMALL))
    assert begun.returncode == 0
    aborted = run("model", "abort", "documents", "--yes")
    assert aborted.stderr == f"collection documents stays with {NEW}\n"


def test_one_model_of_two_is_reached_by_its_name_in_commands(
    documents: Connection, run: Run, provider: OpenAIServer
) -> None:
    begin(documents)
    store(documents, SECOND, LARGE)
    options = ("--base-url", provider.url, "--api-key", "none")
    found = run("search", "text 7", "--collection", SECOND, "--mode", "vector", "--json", "--limit", "1", *options)
    assert '"id": "7"' in found.stdout
    assert [request.body["model"] for request in provider.requests] == [NEW.partition(":")[2]]
    assert "hnsw" in run("index", "plan", SECOND).stdout
