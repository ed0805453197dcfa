"""Vector indexes of 4,000 rows: built concurrently, with progress, never left behind invalid; planned, tuned, measured."""

# ruff: noqa: E501 - tables of cases read better with a case a line
from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

import installation
from conftest import Connection, copied, filled
from pgvec_admin.database import Target
from pgvec_admin.engine import index
from pgvec_admin.errors import UsageError
from pgvec_admin.quality import bench, pictures

HNSW = "documents_embedding_hnsw_cosine_idx"


def _fill(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 64)")
    connection.execute("select setseed(0.5)")
    connection.execute(
        """
        insert into documents (id, content, embedding)
        select i::text, 'text ' || i, v.embedding::extensions.vector
          from generate_series(1, 4000) as i,
               lateral (select array_agg(random() - 0.5) as embedding from generate_series(1, 64) where i > 0) as v
        """
    )


with_vectors = filled("vectors", _fill)
database = copied("with_vectors")  # for the fixtures of all tests


@pytest.fixture
def documents(connection: Connection) -> Connection:
    return connection


@pytest.fixture
def where(database: str) -> Target:
    return Target(database, "the test")


@pytest.mark.parametrize("method", ["hnsw", "ivfflat"])
def test_an_index_is_built_with_the_operator_class_of_the_collection(
    documents: Connection, where: Target, method: str
) -> None:
    build = index.create(where, "documents", method=method)
    assert not build.existed
    (built,) = index.vector_indexes(documents, "documents")
    assert (built.name, built.method, built.distance, built.valid) == (build.name, method, "cosine", True)
    assert built.storage == "vector"
    assert "vector_cosine_ops" in built.definition


def test_building_again_says_that_it_is_there(documents: Connection, where: Target) -> None:
    index.create(where, "documents")
    assert index.create(where, "documents").existed


def test_progress_is_reported_while_the_index_grows(documents: Connection, where: Target) -> None:
    heard: list[tuple[int, int | None, str]] = []
    index.create(where, "documents", ef_construction=400, report=lambda *progress: heard.append(progress))
    assert any(phase.startswith("building index") for _, _, phase in heard)
    assert all(total is None or 0 <= done <= total for done, total, _ in heard)


def test_an_invalid_leftover_is_dropped_and_built_anew(
    documents: Connection, administrator: Connection, where: Target
) -> None:
    index.create(where, "documents")
    # the leftovers of a killed build
    administrator.execute(f"update pg_index set indisvalid = false where indexrelid = '{HNSW}'::regclass")
    assert not index.vector_indexes(documents, "documents")[0].valid
    assert not index.create(where, "documents").existed
    assert [(i.name, i.valid) for i in index.vector_indexes(documents, "documents")] == [(HNSW, True)]


def test_a_build_waits_for_that_of_a_client_that_was_killed(
    documents: Connection, where: Target, database: str
) -> None:
    """Which goes on in the server, here once a writer has ended."""
    with installation.connect(database) as writer, installation.connect(database) as abandoned:
        writer.execute("begin; lock table documents in row exclusive mode")
        statement = "select statement from pgvec.index_definition('documents')"
        ((build,),) = documents.execute(statement).fetchall()
        failed: list[BaseException] = []

        def run(act: Callable[[], Any]) -> threading.Thread:
            def attempt() -> None:
                try:
                    act()
                except BaseException as error:
                    failed.append(error)

            thread = threading.Thread(target=attempt)
            thread.start()
            return thread

        def until(sessions: int) -> None:
            waiting = (
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            )
            while documents.execute(waiting).fetchone() != (sessions,):
                assert not failed, failed
                time.sleep(0.01)

        threads = [run(lambda: abandoned.execute(build))]
        until(1)
        threads.append(run(lambda: index.create(where, "documents")))
        until(2)
        writer.execute("commit")
        for thread in threads:
            thread.join()
    assert failed == []
    assert [(i.name, i.valid) for i in index.vector_indexes(documents, "documents")] == [(HNSW, True)]


def test_a_build_that_is_cancelled_leaves_nothing_behind(documents: Connection, where: Target) -> None:
    cancelled = threading.Event()

    def cancel(done: int, total: int | None, phase: str) -> None:
        if not cancelled.is_set() and "loading tuples" in phase:
            cancelled.set()
            documents.execute(
                "select pg_cancel_backend(pid) from pg_stat_progress_create_index where datname = current_database()"
            )

    documents.execute(
        "insert into documents (content, embedding)"
        " select content, embedding from documents, generate_series(1, 5) as again"
    )
    with pytest.raises(psycopg.errors.QueryCanceled):
        index.create(where, "documents", ef_construction=1000, m=64, report=cancel)
    assert cancelled.is_set()
    assert index.vector_indexes(documents, "documents") == []


def test_an_index_can_be_dropped_and_only_a_vector_index(documents: Connection, where: Target) -> None:
    index.create(where, "documents")
    with pytest.raises(psycopg.Error, match="has no vector index 'documents_pkey'"):
        index.drop(documents, "documents", "documents_pkey")
    index.drop(documents, "documents", HNSW)
    assert index.vector_indexes(documents, "documents") == []


def test_a_search_fills_up_over_ivfflat_too(documents: Connection, where: Target) -> None:
    index.create(where, "documents", method="ivfflat", lists=40)
    documents.execute("set enable_seqscan = off")
    row = documents.execute("select embedding::text from documents where id = '1'").fetchone()
    assert row is not None
    found = documents.execute("select count(*) from match_documents(%s, 500)", row).fetchone()
    assert found == (500,)


def test_the_most_exact_index_is_searched_where_there_are_several(documents: Connection, where: Target) -> None:
    documents.execute("set enable_seqscan = off")
    query = "array_fill(0.1, array[64])::extensions.vector"
    for storage in ("binary", "halfvec", "vector"):
        name = index.create(where, "documents", storage=storage).name
        row = documents.execute(f"select index from pgvec.explain_search('documents', {query}, 10)").fetchone()
        assert row == (name,)


def test_ivfflat_needs_the_memory_that_the_plan_says(documents: Connection) -> None:
    row = documents.execute(
        "select (pgvec.index_memory('ivfflat', 'vector', 64, 4000, lists => 1000)).build_bytes / 1048576"
    ).fetchone()
    assert row is not None
    documents.execute("set maintenance_work_mem = '16MB'")
    with pytest.raises(psycopg.Error, match="memory required is") as caught:
        documents.execute(
            "create index on documents using ivfflat (embedding extensions.vector_cosine_ops) with (lists = 1000)"
        )
    (needed,) = re.findall(r"memory required is (\d+) MB", str(caught.value))
    assert int(needed) == int(row[0]) + 1


def test_the_plan_recommends_what_fits_and_binary_only_by_its_measured_recall(documents: Connection) -> None:
    def recommended(**how: Any) -> list[tuple[str, str]]:
        return [(one.method, one.storage) for one in index.plan(documents, "documents", **how) if one.recommended]

    documents.execute("set maintenance_work_mem = '1MB'")
    sizes = {
        one.storage: one.build_bytes
        for one in index.plan(documents, "documents", measure=False)
        if one.method == "hnsw"
    }
    assert sizes["vector"] > sizes["halfvec"] > sizes["binary"]
    assert recommended(measure=False) == [("hnsw", "vector")]
    assert recommended(measure=False, memory=int(sizes["halfvec"]) + 1) == [("hnsw", "halfvec")]
    # random directions in few dimensions: their signs say little, and the recall shows it
    binary = next(one for one in index.plan(documents, "documents") if one.storage == "binary")
    assert binary.recall is not None
    assert 0.1 < binary.recall < 0.95
    assert not binary.recommended
    assert ("hnsw", "binary") not in recommended(memory=int(sizes["binary"]) + 1)
    documents.execute("update pgvec.collections set settings = '{\"oversample\": 300}'")
    assert recommended(memory=int(sizes["binary"]) + 1) == [("hnsw", "binary")]
    assert recommended(measure=False, memory=int(sizes["binary"]) + 1) != [("hnsw", "binary")]


def test_a_build_that_does_not_fit_says_so_before_it_starts(documents: Connection, where: Target) -> None:
    documents.execute(
        "create or replace function pgvec.server_memory(out bytes bigint, out source text) language sql as $$ select 1000000, 'a test' $$"
    )
    heard: list[str] = []
    slow = Target(psycopg.conninfo.make_conninfo(where.conninfo, options="-cmaintenance_work_mem=1MB"), "the test")
    index.create(slow, "documents", method="hnsw", storage="vector", warn=heard.append)
    assert heard == ["the build needs 4 MB and gets 1MB: beyond that it goes on, many times slower"]


def test_tuning_finds_the_smallest_ef_search_that_reaches_the_recall(documents: Connection, where: Target) -> None:
    with pytest.raises(psycopg.Error, match="has no vector index to tune"):
        bench.tune(documents, "documents")
    index.create(where, "documents")
    documents.execute("set enable_seqscan = off")
    trials = bench.tune(documents, "documents", wanted_recall=0.995, queries=40)
    assert [trial.chosen for trial in trials] == [False] * (len(trials) - 1) + [True]
    smaller = [trial.recall or 0 for trial in trials if trial.value < trials[-1].value]
    assert (trials[-1].recall or 0) >= 0.995 > max(smaller)
    row = documents.execute("select settings ->> 'ef_search', settings -> 'tuned' -> 'rows' from pgvec.collections")
    assert row.fetchone() == (str(trials[-1].value), 4000)
    index.drop(documents, "documents", HNSW)
    index.create(where, "documents", method="ivfflat", lists=50)
    (setting,) = {trial.setting for trial in bench.tune(documents, "documents", wanted_recall=0.9, queries=20)}
    assert setting == "probes"


def test_a_bench_measures_every_index_and_leaves_nothing_behind(
    documents: Connection, where: Target, tmp_path: Path
) -> None:
    tables = "select count(*) from pg_class where relkind in ('r', 'i') and relnamespace = 'public'::regnamespace"
    before = documents.execute(tables).fetchone()
    result = bench.run(where, "documents", row_limit=2000, queries=20)
    assert (result.rows, result.of_rows, result.queries) == (2000, 4000, 20)
    kinds = list(dict.fromkeys(measure.kind for measure in result.measures))
    assert kinds == ["exact", "hnsw vector", "hnsw halfvec", "hnsw binary", "ivfflat vector"]
    exact = result.measures[0]
    assert (exact.recall, exact.parameter) == (1.0, None)
    graph = [measure for measure in result.measures if measure.kind == "hnsw vector"]
    assert graph[0].recall < graph[-1].recall >= 0.99
    front = bench.pareto(result.measures)
    assert all(one.p50_ms <= other.p50_ms and one.recall < other.recall for one, other in pairwise(front))
    assert any("times as fast as an exact scan" in line for line in bench.advice(result))
    pictures.recall_and_latency(result, tmp_path / "bench.png", "a test")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    assert documents.execute(tables).fetchone() == before

    given = bench.run(where, "documents", query_embeddings=[[0.1] * 64])
    assert (given.rows, given.queries) == (4000, 1)
    with pytest.raises(psycopg.Error, match="the query has 3 dimensions"):
        bench.run(where, "documents", query_embeddings=[[0.1] * 3])


def test_a_bench_shows_how_cost_grows(documents: Connection, where: Target, tmp_path: Path) -> None:
    steps = bench.grow(where, "documents", queries=20)
    assert [(step.rows, step.of_rows) for step in steps] == [(39, 4000), (398, 4000), (3980, 4000)]
    assert [list(dict.fromkeys(one.kind for one in step.measures)) for step in steps] == [["exact", "hnsw vector"]] * 3
    for kind, least in (("exact", 3.0), ("hnsw vector", 0.0)):
        chosen = [bench.good(step, kind, 0.9) for step in steps]
        assert all(one.recall >= 0.9 for one in chosen)
        assert chosen[2].p50_ms > least * chosen[0].p50_ms
    exact, graph = bench.slopes(steps, 0.9)
    assert re.fullmatch(r"exact: with ten times the rows a search takes [\d.]+ and [\d.]+ times as long", exact)
    assert re.search(r", the build \d+ and \d+ times$", graph)
    assert "no setting reaches recall 1.1 over 39 and 398 and 3,980 rows" in bench.slopes(steps, 1.1)[1]
    pictures.growth(steps, tmp_path / "growth.png", "a test", 0.9)
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert [step.rows for step in bench.grow(where, "documents", queries=5, row_limit=2000)] == [20, 200, 2000]
    with pytest.raises(UsageError, match="1,999 rows are too few to see how cost grows: 2,000 at least"):
        bench.grow(where, "documents", queries=5, row_limit=1999)


def test_distances_are_compared_and_explained(documents: Connection) -> None:
    overlaps, lengths = bench.distances(documents, "documents", queries=10)
    by_pair = {(one.distance, one.other): one.overlap for one in overlaps}
    assert len(by_pair) == 6
    assert (by_pair[("cosine", "l2")] or 0) < 1
    assert "inner product prefers long vectors" in bench.why(lengths)
    documents.execute("update documents set embedding = extensions.l2_normalize(embedding)")
    overlaps, lengths = bench.distances(documents, "documents", queries=10)
    by_pair = {(one.distance, one.other): one.overlap for one in overlaps}
    assert by_pair[("cosine", "l2")] == by_pair[("cosine", "inner_product")] == 1
    assert "all vectors have length 1.000" in bench.why(lengths)
