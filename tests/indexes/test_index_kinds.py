"""Vector indexes of each kind: which searches they serve, what they hold, and how large they become."""

# ruff: noqa: E501 - tables of cases read better with a case a line
from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

import installation
from conftest import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import collections, index
from pgvec_admin.errors import UsageError
from pgvec_admin.quality import bench
from pgvec_admin.server import embedded


@pytest.fixture
def where(database: str) -> Target:
    return Target(database, "the test")


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
        index.create(where, "notes", ef_construction=400, m=32, report=cancel)
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


@pytest.fixture(scope="module")
def every(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    """A database with 2,000 vectors of length 1 for each storage and distance."""
    with (
        installation.created(server, "every_kind", with_engine.template_dbname) as url,
        installation.connect(installation.as_installer(url)) as connection,
    ):
        for column, distance in product(("vector", "halfvec"), OPERATORS):
            name = f"{column}_{distance}"
            connection.execute("select pgvec.create_collection(%s, 32, %s, storage => %s)", (name, distance, column))
            connection.execute("select setseed(0.25)")
            connection.execute(
                f"""
                insert into {name} (id, content, metadata, embedding)
                select i::text, 'text', jsonb_build_object('n', i % 2),
                       extensions.l2_normalize(v.embedding::extensions.vector)
                  from generate_series(1, 2000) as i,
                       lateral (select array_agg(random() - 0.5) as embedding from generate_series(1, 32) where i > 0) as v
                """
            )
            connection.execute(f"analyze {name}")
        connection.execute(
            'update pgvec.collections set settings = \'{"ef_search": 200, "probes": 20, "oversample": 40}\''
        )
        connection.execute("set enable_seqscan = off")
        yield connection


@pytest.mark.parametrize(("column", "method", "storage", "distance"), SERVED)
def test_a_search_uses_the_index_that_there_is_and_returns_true_distances(
    every: Connection, column: str, method: str, storage: str, distance: str
) -> None:
    name = f"{column}_{distance}"
    where = Target(every.info.dsn, "the test")
    built = index.create(where, name, method=method, storage=storage, lists=20)
    query = str([((i * 7) % 11) / 11 - 0.4 for i in range(32)])
    explained = every.execute("select index, route from pgvec.explain_search(%s, %s, 10)", (name, query)).fetchone()
    assert explained == (built.name, "index" if storage == column else f"{storage} index")

    operator = f"operator(extensions.{OPERATORS[distance]})"
    for condition, where_clause in (("{}", ""), ('{"n": 1}', "where metadata @> '{\"n\": 1}'")):
        found = every.execute(
            "select id, similarity from match_documents(%s, 10, %s, collection => %s)", (query, condition, name)
        ).fetchall()
        exact = every.execute(
            f"select id, pgvec.similarity(%s, embedding {operator} %s::extensions.{column}) from {name} {where_clause}"
            f" order by (embedding {operator} %s::extensions.{column}) + 0, id limit 10",
            (distance, query, query),
        ).fetchall()
        assert len(found) == 10
        assert len(set(found) & set(exact)) >= 9, "recall of at least 0.9, with the distances of the embeddings"
        assert [row[1] for row in found] == sorted((row[1] for row in found), reverse=True)
    index.drop(every, name, built.name)


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


def test_lists_are_as_many_as_pgvector_advises(connection: Connection) -> None:
    """One for each 1,000 rows up to a million, and beyond that the square root."""
    rows = connection.execute(
        "select n::int, pgvec.default_lists(n) from unnest('{0,4000,200000,1000000,4000000}'::float8[]) as n"
    ).fetchall()
    assert dict(rows) == {0: 1, 4000: 4, 200_000: 200, 1_000_000: 1000, 4_000_000: 2000}


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
    assert max(trial.value for trial in trials) == 40  # where it begins; nothing larger is tried


def test_a_bench_of_next_to_nothing_says_so(connection: Connection, where: Target) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    with pytest.raises(UsageError, match="has 0 embedded rows, too few to measure"):
        bench.run(where, "documents")
