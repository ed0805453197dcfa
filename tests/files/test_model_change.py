"""A collection changes its model while searches and writes go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

import installation
from command import Run
from embedding_workers import count, until, watching
from installation import Connection
from openai_server import OpenAIServer, vector_of
from pgvec_admin.database import Target
from pgvec_admin.engine import model_change
from seeded import TENANT, catalog

OLD, NEW = "openai:text-embedding-3-small", "openai:text-embedding-3-large"
SMALL, LARGE = 8, 12
SECOND = f"documents@{NEW}"


def _text(vector: Any) -> str:
    return "[" + ",".join(str(value) for value in vector) + "]"


def _nearest(connection: Connection, dimensions: int, text: str, collection: str = "documents") -> list[str]:
    """The ids that match_documents finds for the vector of a text."""
    rows = connection.execute(
        "select id from match_documents(%s, 3, collection => %s)", (_text(vector_of(text, dimensions)), collection)
    ).fetchall()
    return [row[0] for row in rows]


def _store(connection: Connection, collection: str, dimensions: int, model: str | None = None) -> int:
    """Embed all that is stale, as a program in SQL would; how many rows."""
    rows = connection.execute(
        "select id, content, content_hash from pgvec.stale_documents(%s)", (collection,)
    ).fetchall()
    ids, texts, hashes = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    found = connection.execute(
        "select pgvec.store_embeddings(%s, %s, %s, %s::extensions.vector[], %s)",
        (collection, ids, hashes, [_text(vector_of(text, dimensions)) for text in texts], model),
    ).fetchone()
    assert found is not None
    return int(found[0])


def _run(connection: Connection, statements: list[tuple[str]]) -> None:
    for (statement,) in statements:
        connection.execute(statement.encode())


def _build(connection: Connection) -> None:
    _run(connection, connection.execute("select statement from pgvec.model_change_statements('documents')").fetchall())


def _create(connection: Connection, *, options: str = "", rows: int = 40, index: bool = True) -> None:
    connection.execute(f"select pgvec.create_collection('documents', {SMALL}, model => '{OLD}' {options})".encode())
    connection.execute(
        "insert into documents (id, content) select i::text, 'text ' || i from generate_series(1, %s) as i", (rows,)
    )
    _store(connection, "documents", SMALL)
    if index:
        _run(connection, connection.execute("select statement from pgvec.index_definition('documents')").fetchall())
        connection.execute("select pgvec.note_index('documents')")


def _begin(connection: Connection, storage: str = "vector", dimensions: int = LARGE) -> None:
    connection.execute("select pgvec.begin_model_change('documents', %s, %s, %s)", (NEW, dimensions, storage))


@pytest.fixture
def documents(connection: Connection) -> Connection:
    _create(connection)
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
        vector = _text(vector_of("text 5", dimensions))
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
    _create(connection, options=options)
    where = Target(database, "the test")
    searcher = _Searcher(connect)
    written, stop = 0, threading.Event()

    def write() -> None:
        nonlocal written
        with connect(None) as application:
            while not stop.is_set():
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


def test_the_dimensions_of_a_query_decide_which_model_answers(documents: Connection) -> None:
    _begin(documents)
    assert _nearest(documents, SMALL, "text 7")[0] == "7"
    assert _nearest(documents, LARGE, "text 7") == []
    assert _store(documents, SECOND, LARGE) == 40
    assert _nearest(documents, LARGE, "text 7")[0] == "7"
    with pytest.raises(psycopg.Error, match="the query has 5 dimensions, collection 'documents' has 8"):
        _nearest(documents, 5, "text 7")
    _build(documents)
    documents.execute("select pgvec.finish_model_change('documents')")
    for dimensions in (SMALL, LARGE):
        assert _nearest(documents, dimensions, "text 7")[0] == "7"
    documents.execute("set enable_seqscan = off")  # so few rows are read without an index
    for dimensions, index in (
        (SMALL, "documents_embedding_old_hnsw_cosine_idx"),
        (LARGE, "documents_embedding_hnsw_cosine_idx"),
    ):
        explained = documents.execute(
            "select route, index from pgvec.explain_search('documents', %s, 3)",
            (_text(vector_of("text 7", dimensions)),),
        ).fetchall()
        assert explained == [("index", index)]
    documents.execute("select pgvec.drop_old_model('documents')")
    with pytest.raises(psycopg.Error, match="the query has 8 dimensions, collection 'documents' has 12"):
        _nearest(documents, SMALL, "text 7")
    assert _nearest(documents, LARGE, "text 7")[0] == "7"


def test_of_two_models_of_equal_dimensions_the_active_one_answers_and_the_other_by_name(documents: Connection) -> None:
    _begin(documents, dimensions=SMALL)
    documents.execute(
        "select pgvec.store_embeddings(%s, array_agg(id), array_agg(content_hash), array_agg(%s::extensions.vector),"
        " %s) from documents where id = '1'",
        (SECOND, _text(vector_of("text 7", SMALL)), NEW),
    )
    assert _nearest(documents, SMALL, "text 7")[0] == "7"
    assert _nearest(documents, SMALL, "text 7", SECOND) == ["1"]
    _build(documents)
    documents.execute("select pgvec.finish_model_change('documents', 39)")
    assert _nearest(documents, SMALL, "text 7") == ["1"]
    assert _nearest(documents, SMALL, "text 7", f"documents@{OLD}")[0] == "7"
    assert _nearest(documents, SMALL, "text 7", SECOND) == ["1"]
    with pytest.raises(psycopg.Error, match="has no vectors of the model") as raised:
        _nearest(documents, SMALL, "text 7", "documents@local:x")
    assert raised.value.sqlstate == "PV001"


def test_every_function_that_searches_by_vectors_has_the_column_that_fits(documents: Connection) -> None:
    _begin(documents, "halfvec")
    _store(documents, SECOND, LARGE)
    query = _text(vector_of("text 7", LARGE))
    for call in (
        "match_documents(%s, 1)",
        'match_documents(%s, 1, \'{"a": {"$exists": false}}\')',
        "match_documents(%s, 1, match_threshold => 0.5)",
        "match_documents(%s, 1, distance => 'l2')",
        "match_documents_embeddings(%s, 1)",
        "match_documents_mmr(%s, 1)",
        "hybrid_search('text', %s, 1, full_text_weight => 0)",
        "hybrid_search('text', %s, 1, diversity => 0.5, full_text_weight => 0.001)",
    ):
        assert documents.execute(f"select id from {call}".encode(), (query,)).fetchall() == [("7",)], call
    found = documents.execute(
        "select id from recommend_documents('{7}', match_count => 3, collection => %s)", (SECOND,)
    )
    assert len(found.fetchall()) == 3


def test_a_change_that_is_aborted_leaves_no_trace(documents: Connection) -> None:
    before = catalog(documents)
    jobs = documents.execute("select * from pgvec.embedding_jobs").fetchall()
    _begin(documents)
    documents.execute("insert into documents (id, content) values ('new', 'new')")
    documents.execute("select id from pgvec.claim_jobs(%s)", (SECOND,))
    _build(documents)
    documents.execute("delete from documents where id = 'new'")
    assert catalog(documents) != before
    documents.execute("select pgvec.abort_model_change('documents')")
    assert catalog(documents) == before
    assert documents.execute("select * from pgvec.embedding_jobs").fetchall() == jobs
    for table in ("model_changes", "models"):
        left = documents.execute(f"select count(*) from pgvec.{table}".encode()).fetchall()
        assert left == ([(0,)] if table == "model_changes" else [(1,)])
    with pytest.raises(psycopg.Error, match="is not being changed"):
        documents.execute("select pgvec.abort_model_change('documents')")


def test_a_finished_change_ends_as_if_the_collection_had_been_made_for_the_model(documents: Connection) -> None:
    _begin(documents, "halfvec")
    _store(documents, SECOND, LARGE)
    _build(documents)
    documents.execute("select pgvec.finish_model_change('documents')")
    documents.execute("select pgvec.drop_old_model('documents')")
    changed = catalog(documents)
    documents.execute("select pgvec.drop_collection('documents')")
    documents.execute(
        "select pgvec.create_collection('documents', %s, model => %s, storage => 'halfvec')", (LARGE, NEW)
    )
    _run(documents, documents.execute("select statement from pgvec.index_definition('documents')").fetchall())
    documents.execute("select pgvec.note_index('documents')")
    assert changed == catalog(documents)


def test_each_step_can_be_run_again(documents: Connection) -> None:
    for _ in range(2):
        _begin(documents)
    with pytest.raises(psycopg.Error, match="has vectors of two models already"):
        documents.execute("select pgvec.begin_model_change('documents', 'local:x', 5)")
    with pytest.raises(psycopg.Error, match="has not all indexes yet"):
        documents.execute("select pgvec.finish_model_change('documents')")
    # a build that was cut off leaves an invalid index
    statements = documents.execute("select statement from pgvec.model_change_statements('documents')").fetchall()
    assert len(statements) == 2
    _build(documents)
    documents.execute("update pg_index set indisvalid = false where indexrelid = 'documents_next_stale_idx'::regclass")
    documents.execute(
        "update pg_index set indisvalid = false where indexrelid = 'documents_embedding_next_hnsw_cosine_idx'::regclass"
    )
    _build(documents)
    assert documents.execute("select count(*) from pgvec.model_change_statements('documents')").fetchall() == [(0,)]
    with pytest.raises(psycopg.Error, match="40 rows of collection 'documents' have no vector of"):
        documents.execute("select pgvec.finish_model_change('documents')")
    _store(documents, SECOND, LARGE)
    for _ in range(2):
        documents.execute("select pgvec.finish_model_change('documents')")
    with pytest.raises(psycopg.Error, match="is finished"):
        documents.execute("select pgvec.abort_model_change('documents')")
    documents.execute("select pgvec.drop_old_model('documents')")
    with pytest.raises(psycopg.Error, match="is not being changed"):
        documents.execute("select pgvec.drop_old_model('documents')")


def test_a_worker_of_the_old_model_that_answers_late_does_not_mix_the_two(documents: Connection) -> None:
    _begin(documents, dimensions=SMALL)
    _store(documents, SECOND, SMALL)
    documents.execute("update documents set content = 'changed' where id = '3'")
    late = documents.execute("select id, content_hash from pgvec.claim_jobs('documents')").fetchall()
    assert [row[0] for row in late] == ["3"]
    _build(documents)
    documents.execute("select pgvec.finish_model_change('documents', 1)")
    before = documents.execute("select embedding::text from documents where id = '3'").fetchall()
    store = "select pgvec.store_embeddings('documents', %s, %s, array[%s::extensions.vector], %s)"
    parameters = (["3"], [late[0][1]], _text(vector_of("late", SMALL)), OLD)
    assert documents.execute(store.encode(), parameters).fetchall() == [(1,)]
    assert documents.execute("select embedding::text from documents where id = '3'").fetchall() == before
    assert documents.execute("select pgvec.count_stale('documents')").fetchall() == [(1,)]  # for the new model
    documents.execute("select pgvec.drop_old_model('documents')")
    with pytest.raises(psycopg.Error, match="has no vectors of the model"):
        documents.execute(store.encode(), parameters)


def test_a_write_is_queued_for_both_models(documents: Connection) -> None:
    _begin(documents)
    _store(documents, SECOND, LARGE)
    queued = "select collection, id from pgvec.embedding_jobs order by collection, id"
    assert documents.execute(queued).fetchall() == []
    documents.execute("update documents set content = 'changed' where id = '3'")
    documents.execute("insert into documents (id, content) values ('new', 'new'), ('blank', ' ')")
    documents.execute("update documents set metadata = '{\"a\": 1}'")
    both = [(name, id_) for name in ("documents", SECOND) for id_ in ("3", "new")]
    assert documents.execute(queued).fetchall() == both
    told = documents.execute("select name, model, pending, stale from pgvec.embedding_status()").fetchall()
    assert told == [("documents", OLD, 2, 2), (SECOND, NEW, 2, 2)]
    documents.execute("delete from documents where id = 'new'")
    assert documents.execute(queued).fetchall() == [("documents", "3"), (SECOND, "3")]
    documents.execute("truncate documents")
    assert documents.execute(queued).fetchall() == []


def test_a_zero_vector_of_the_new_model_is_refused(documents: Connection) -> None:
    _begin(documents)
    with pytest.raises(psycopg.Error, match="zero vector") as raised:
        documents.execute(
            "select pgvec.store_embeddings(%s, '{1}', array[md5('text 1')], array[%s::extensions.vector])",
            (SECOND, _text([0.0] * LARGE)),
        )
    assert raised.value.sqlstate == "PV005"


def test_rows_are_not_written_by_the_name_of_a_model(documents: Connection) -> None:
    _begin(documents)
    with pytest.raises(psycopg.Error, match="rows are not written by the model") as raised:
        documents.execute('select upsert_documents(\'[{"content": "x"}]\', %s)', (SECOND,))
    assert raised.value.sqlstate == "PV004"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'documents', 'x', 3", "'x' is no model"),
        (f"'documents', '{OLD}', 3", "is the model of collection 'documents'"),
        ("'documents', 'local:x', 0", "dimensions cannot be 0"),
        ("'documents', 'local:x', 3, 'bit'", "storage cannot be 'bit'"),
        ("'nowhere', 'local:x', 3", "there is no collection 'nowhere'"),
        ("'bare', 'local:x', 3", "is bound to no model"),
        ("'shop', 'local:x', 3", "is the adopted table public.shop, whose model cannot be changed"),
    ],
)
def test_what_cannot_be_changed_is_refused(documents: Connection, arguments: str, message: str) -> None:
    documents.execute("select pgvec.create_collection('bare', 2)")
    documents.execute("create table shop (id int primary key, content text, embedding extensions.vector(3))")
    documents.execute("select pgvec.adopt_collection('shop', 'shop', model => 'local:y')")
    before = catalog(documents)
    with pytest.raises(psycopg.Error, match=message):
        documents.execute(f"select pgvec.begin_model_change({arguments})".encode())
    assert catalog(documents) == before


def test_column_privileges_and_hidden_statistics_hold_for_the_new_column(connection: Connection) -> None:
    connection.execute("select set_config('app.tenant_id', %s, false)", (TENANT,))
    _create(connection, options=", access => 'tenant'", index=False)
    connection.execute("grant update (embedding) on documents to pgvec_reader with grant option")
    _begin(connection)
    _store(connection, SECOND, LARGE)
    connection.execute("analyze documents")
    rights = (
        "select attname::text from pg_attribute"
        " where attrelid = 'documents'::regclass and attacl is not null order by attname"
    )
    assert connection.execute(rights).fetchall() == [("embedding",), ("embedding_next",)]
    told = "select attname::text from pg_stats where tablename = 'documents' and attname ~ '^embed'"
    assert connection.execute(told).fetchall() == []
    _build(connection)
    connection.execute("select pgvec.finish_model_change('documents')")
    connection.execute("analyze documents")
    assert connection.execute(rights).fetchall() == [("embedding",), ("embedding_old",)]
    assert connection.execute(told).fetchall() == []


def test_the_disk_that_a_change_takes_is_told_before(connection: Connection) -> None:
    _create(connection, rows=2000)
    told = model_change.size(connection, "documents", 700)
    before = count(connection, "select pg_total_relation_size('documents')")
    _begin(connection, dimensions=700)
    rows = connection.execute("select id, content_hash from documents").fetchall()
    for first in range(0, 2000, 500):
        page = rows[first : first + 500]
        connection.execute(
            "select pgvec.store_embeddings(%s, %s, %s, %s::extensions.vector[])",
            (SECOND, [r[0] for r in page], [r[1] for r in page], [_text(vector_of(r[0], 700)) for r in page]),
        )
    _build(connection)
    taken = count(connection, "select pg_total_relation_size('documents')") - before
    assert 0.6 * told.total_bytes < taken < 1.1 * told.total_bytes


def test_a_program_without_the_privilege_of_the_owner_changes_nothing(documents: Connection, database: str) -> None:
    with installation.connect(database, "pgvec_writer") as writer:
        for call in (
            "begin_model_change('documents', 'local:x', 3)",
            "finish_model_change('documents')",
            "drop_old_model('documents')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                writer.execute(f"select pgvec.{call}".encode())


def test_the_command_changes_a_model(documents: Connection, run: Run, provider: OpenAIServer) -> None:
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
    finished = run("model", "finish", "documents")
    assert finished.returncode == 0
    assert "of the 10 rows nearest to each of 20" in finished.stderr
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
    _begin(documents)
    _store(documents, SECOND, LARGE)
    options = ("--base-url", provider.url, "--api-key", "none")
    found = run("search", "text 7", "--collection", SECOND, "--mode", "vector", "--json", "--limit", "1", *options)
    assert '"id": "7"' in found.stdout
    assert [request.body["model"] for request in provider.requests] == [NEW.partition(":")[2]]
    assert "hnsw" in run("index", "plan", SECOND).stdout
