"""Vector indexes: built concurrently, with progress, never left behind invalid."""

# ruff: noqa: E501 - tables of cases read better with a case a line
from __future__ import annotations

import re
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import collections, index
from pgvec_admin.errors import UsageError
from pgvec_admin.quality import bench

HNSW = "documents_embedding_hnsw_cosine_idx"


@pytest.fixture
def documents(connection: Connection) -> Connection:
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


@pytest.fixture
def notes(connection: Connection) -> Connection:
    """Rows of forty tenants in three partitions."""
    connection.execute("select pgvec.create_collection('notes', 16, access => 'tenant', partition => 3)")
    connection.execute(
        "insert into notes (tenant_id, id, embedding) select md5((i % 40)::text)::uuid, i,"
        " array(select random() from generate_series(1, 16) where i > 0)::extensions.vector"
        " from generate_series(1, 6000) as i"
    )
    return connection


ON_NOTES = """
    select c.relname from pg_class as c join pg_am as m on m.oid = c.relam
     where m.amname = 'hnsw' and c.relname like 'notes%' order by 1
"""
WHOLE = "notes_embedding_hnsw_cosine_idx"


def test_partitions_get_an_index_each(notes: Connection, where: Target) -> None:
    build = index.create(where, "notes")
    assert (build.name, build.existed, build.statement.count("create index concurrently")) == (WHOLE, False, 3)
    (built,) = index.vector_indexes(notes, "notes")
    assert (built.name, built.valid, built.size_bytes > 100_000) == (WHOLE, True, True)
    assert index.create(where, "notes").existed
    (held,) = collections.status(notes)
    assert (held.size_bytes or 0) > built.size_bytes
    estimate = "select pgvec.estimate_rows(c) from pgvec.collections as c"
    notes.execute("vacuum analyze notes")
    assert notes.execute(estimate).fetchone() == (6000,)
    index.drop(notes, "notes", WHOLE)
    assert notes.execute(ON_NOTES).fetchall() == []


def test_of_partitions_none_keeps_what_a_cancelled_build_made(notes: Connection, where: Target) -> None:
    seen: list[str] = []

    def cancel(done: int, total: int | None, phase: str) -> None:
        made = [row[0] for row in notes.execute(ON_NOTES).fetchall()]
        if len(made) == 3 and not seen:  # the whole, the first partition's, and the one being built
            seen.extend(made)
            notes.execute("select pg_cancel_backend(pid) from pg_stat_progress_create_index")

    with pytest.raises(psycopg.errors.QueryCanceled):
        index.create(where, "notes", ef_construction=1000, m=64, report=cancel)
    assert WHOLE in seen
    assert notes.execute(ON_NOTES).fetchall() == []
    assert not index.create(where, "notes").existed


@pytest.mark.parametrize(
    ("definition", "call", "message"),
    [
        ("'wide', 2001", "'wide', storage => 'vector'", "at most 2000 dimensions, collection 'wide' has 2001"),
        ("'wide', 4001", "'wide', storage => 'halfvec'", "at most 4000 dimensions"),
        ("'half', 8, storage => 'halfvec'", "'half', storage => 'vector'", "are stored as halfvec"),
        ("'some', 8", "'some', storage => 'int8'", "storage cannot be 'int8'"),
        ("'taxi', 8, 'l1'", "'taxi', 'ivfflat'", "ivfflat does not support the distance l1"),
        ("'some', 8", "'some', 'diskann'", "method cannot be 'diskann'"),
    ],
)
def test_what_pgvector_cannot_index_is_refused_with_a_hint(
    connection: Connection, definition: str, call: str, message: str
) -> None:
    connection.execute(f"select pgvec.create_collection({definition})")
    with pytest.raises(psycopg.Error, match=message) as caught:
        connection.execute(f"select * from pgvec.index_definition({call})")
    assert caught.value.sqlstate == "PV004"
    assert caught.value.diag.message_hint


def test_a_search_fills_up_over_ivfflat_too(documents: Connection, where: Target) -> None:
    index.create(where, "documents", method="ivfflat", lists=40)
    documents.execute("set enable_seqscan = off")
    row = documents.execute("select embedding::text from documents where id = '1'").fetchone()
    assert row is not None
    found = documents.execute("select count(*) from match_documents(%s, 500)", row).fetchone()
    assert found == (500,)


OPERATORS = {"cosine": "<=>", "l2": "<->", "inner_product": "<#>", "l1": "<+>"}


SERVED = [
    (column, method, storage, distance)
    for column, method, storage in (
        ("vector", "hnsw", "vector"),
        ("vector", "hnsw", "halfvec"),
        ("vector", "hnsw", "binary"),
        ("halfvec", "hnsw", "halfvec"),
        ("halfvec", "hnsw", "binary"),
        ("vector", "ivfflat", "halfvec"),
        ("vector", "ivfflat", "binary"),
        ("halfvec", "ivfflat", "halfvec"),
    )
    for distance in OPERATORS
    if (method, distance) != ("ivfflat", "l1") or storage == "binary"  # pgvector has no such operator class
]


@pytest.mark.parametrize(("column", "method", "storage", "distance"), SERVED)
def test_a_search_uses_the_index_that_there_is_and_returns_true_distances(
    connection: Connection, where: Target, column: str, method: str, storage: str, distance: str
) -> None:
    connection.execute("select pgvec.create_collection('c', 32, %s, storage => %s)", (distance, column))
    connection.execute("select setseed(0.25)")
    connection.execute(
        """
        insert into c (id, content, metadata, embedding)
        select i::text, 'text', jsonb_build_object('n', i % 2), extensions.l2_normalize(v.embedding::extensions.vector)
          from generate_series(1, 2000) as i,
               lateral (select array_agg(random() - 0.5) as embedding from generate_series(1, 32) where i > 0) as v
        """
    )
    built = index.create(where, "c", method=method, storage=storage, lists=20)
    connection.execute("analyze c")
    connection.execute('update pgvec.collections set settings = \'{"ef_search": 200, "probes": 20, "oversample": 40}\'')
    connection.execute("set enable_seqscan = off")
    query = str([((i * 7) % 11) / 11 - 0.4 for i in range(32)])
    explained = connection.execute("select index, route from pgvec.explain_search('c', %s, 10)", (query,)).fetchone()
    assert explained == (built.name, "index" if storage == column else f"{storage} index")

    operator = f"operator(extensions.{OPERATORS[distance]})"
    for condition, where_clause in (("{}", ""), ('{"n": 1}', "where metadata @> '{\"n\": 1}'")):
        found = connection.execute(
            "select id, similarity from match_documents(%s, 10, %s, collection => 'c')", (query, condition)
        ).fetchall()
        exact = connection.execute(
            f"select id, pgvec.similarity(%s, embedding {operator} %s::extensions.{column}) from c {where_clause}"
            f" order by (embedding {operator} %s::extensions.{column}) + 0, id limit 10",
            (distance, query, query),
        ).fetchall()
        assert len(found) == 10
        assert len(set(found) & set(exact)) >= 9, "recall of at least 0.9, with the distances of the embeddings"
        assert [row[1] for row in found] == sorted((row[1] for row in found), reverse=True)


def test_the_most_exact_index_is_searched_where_there_are_several(documents: Connection, where: Target) -> None:
    documents.execute("set enable_seqscan = off")
    query = "array_fill(0.1, array[64])::extensions.vector"
    for storage in ("binary", "halfvec", "vector"):
        name = index.create(where, "documents", storage=storage).name
        row = documents.execute(f"select index from pgvec.explain_search('documents', {query}, 10)").fetchone()
        assert row == (name,)


def test_embeddings_of_many_dimensions_are_indexed_by_the_storage_that_holds_them(
    connection: Connection, where: Target
) -> None:
    for name, dimensions, storage in (
        ("a", 2000, "vector"),
        ("b", 4000, "halfvec"),
        ("c", 4001, "binary"),
        ("d", 16000, "binary"),
    ):
        connection.execute("select pgvec.create_collection(%s, %s)", (name, dimensions))
        connection.execute(
            f"insert into {name} (id, content, embedding) select i::text, 'x',"
            " (select array_agg(sin(i * d)) from generate_series(1, %s) as d)::extensions.vector"
            " from generate_series(1, 60) as i",
            (dimensions,),
        )
        index.create(where, name)
        assert [found.storage for found in index.vector_indexes(connection, name)] == [storage]
        rows = connection.execute(
            f"select id from match_documents((select embedding from {name} where id = '7'), 60, collection => %s)",
            (name,),
        ).fetchall()
        assert len(rows) == 60
        assert rows[0] == ("7",)


def test_long_names_give_indexes_of_their_own(connection: Connection, where: Target) -> None:
    names = ["a" * 47 + end for end in "xy"]
    for name in names:
        connection.execute("select pgvec.create_collection(%s, 3)", (name,))
    built = {index.create(where, name, method=method).name for name in names for method in ("hnsw", "ivfflat")}
    assert len(built) == 4
    assert all(len(name) <= 63 for name in built)


@pytest.mark.parametrize(
    ("storage", "memory", "workers"), [("vector", 2, 0), ("halfvec", 2, 0), ("binary", 1, 0), ("vector", 64, 1)]
)
def test_the_plan_foretells_when_a_graph_outgrows_memory(
    connection: Connection, storage: str, memory: int, workers: int
) -> None:
    rows, dimensions = (5000, 128) if memory < 64 else (16_000, 1000)
    connection.execute("select pgvec.create_collection('c', %s)", (dimensions,))
    connection.execute("alter table c disable trigger user")
    connection.execute(
        "insert into c (content, content_hash, embedding)"
        " select 'x', 'x', (select array_agg(random() - 0.5) from generate_series(1, %s) where i > 0)::extensions.vector"
        " from generate_series(1, %s) as i",
        (dimensions, rows),
    )
    bytes_for = "select (pgvec.index_memory('hnsw', %s, %s, %s, m => 4, workers => %s)).build_bytes"
    base, million = (
        connection.execute(bytes_for, (storage, dimensions, count, workers)).fetchone() for count in (0, 1_000_000)
    )
    assert base is not None
    assert million is not None
    foretold = (memory * 2**20 - base[0]) / ((million[0] - base[0]) / 1_000_000)

    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    connection.execute(f"set maintenance_work_mem = '{memory}MB'")
    connection.execute(f"set max_parallel_maintenance_workers = {workers}")
    connection.execute("set min_parallel_table_scan_size = 0")
    row = connection.execute(
        "select statement from pgvec.index_definition('c', 'hnsw', %s, 4, 8)", (storage,)
    ).fetchone()
    assert row is not None
    connection.execute(row[0].replace(" concurrently", ""))
    (after,) = re.findall(r"no longer fits into maintenance_work_mem after (\d+) tuples", " ".join(notices))
    assert int(after) == pytest.approx(foretold, rel=0.02)


@pytest.mark.parametrize(
    ("storage", "dimensions"), [("vector", 384), ("halfvec", 384), ("binary", 384), ("vector", 1000), ("vector", 2000)]
)
def test_the_plan_foretells_the_size_on_disk(
    connection: Connection, where: Target, storage: str, dimensions: int
) -> None:
    connection.execute("select pgvec.create_collection('c', %s)", (dimensions,))
    connection.execute(
        "insert into c (content, embedding)"
        " select 'x', (select array_agg(random() - 0.5) from generate_series(1, %s) where i > 0)::extensions.vector"
        " from generate_series(1, 600) as i",
        (dimensions,),
    )
    index.create(where, "c", storage=storage, ef_construction=32)
    (built,) = index.vector_indexes(connection, "c")
    (planned,) = (
        one for one in index.plan(connection, "c", measure=False) if (one.method, one.storage) == ("hnsw", storage)
    )
    assert built.size_bytes == pytest.approx(planned.index_bytes, rel=0.02, abs=2 * 8192)


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


def test_lists_are_as_many_as_pgvector_advises(connection: Connection) -> None:
    """One for each 1,000 rows up to a million, and beyond that the square root."""
    rows = connection.execute(
        "select n::int, pgvec.default_lists(n) from unnest('{0,4000,200000,1000000,4000000}'::float8[]) as n"
    ).fetchall()
    assert dict(rows) == {0: 1, 4000: 4, 200_000: 200, 1_000_000: 1000, 4_000_000: 2000}


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
    assert trials[-1].recall is not None
    assert trials[-1].recall >= 0.995 > (trials[-2].recall or 0)
    assert documents.execute("select settings from pgvec.collections").fetchone() == ({"ef_search": trials[-1].value},)
    index.drop(documents, "documents", HNSW)
    index.create(where, "documents", method="ivfflat", lists=50)
    (setting,) = {trial.setting for trial in bench.tune(documents, "documents", wanted_recall=0.9, queries=20)}
    assert setting == "probes"


def test_a_recall_that_is_reached_exactly_is_reached(connection: Connection, where: Target) -> None:
    connection.execute("select pgvec.create_collection('documents', 2)")
    connection.execute(
        "insert into documents (id, content, embedding)"
        " select i::text, 'x', array[100, i]::float4[]::extensions.vector from generate_series(1, 200) as i"
    )
    index.create(where, "documents")
    connection.execute("set enable_seqscan = off")
    trials = bench.tune(connection, "documents", wanted_recall=1, queries=20)
    assert (trials[-1].recall, trials[-1].chosen) == (1, True)


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
    bench.plot(result, tmp_path / "bench.png", "a test")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    assert documents.execute(tables).fetchone() == before

    given = bench.run(where, "documents", query_embeddings=[[0.1] * 64])
    assert (given.rows, given.queries) == (4000, 1)
    with pytest.raises(psycopg.Error, match="the query has 3 dimensions"):
        bench.run(where, "documents", query_embeddings=[[0.1] * 3])


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


def test_a_bench_of_next_to_nothing_says_so(connection: Connection, where: Target) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    with pytest.raises(UsageError, match="has 0 embedded rows, too few to measure"):
        bench.run(where, "documents")
