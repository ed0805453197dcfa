"""Filters whose keys are columns of a collection's own table: in searches, deletions and facets, of every type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

import installation
from conftest import Connection
from pgvec_admin.server import embedded

TENANT = "00000000-0000-4000-8000-00000000000a"

COLUMNS = """
alter table {table}
  add column price numeric, add column views int, add column ratio float8, add column active boolean,
  add column ref uuid, add column day date, add column tags text[], add column extra jsonb, add column mood mood,
  add column quantity positive, add column code char(4), add column moods mood[];
"""
TYPES = "create type mood as enum ('glad', 'sad'); create domain positive as int check (value > 0);"


def _fill(connection: Connection, access: str) -> None:
    connection.execute(TYPES.encode())
    connection.execute("select pgvec.create_collection('documents', 2, access => %s)", (access,))
    connection.execute(COLUMNS.format(table="documents").encode())
    if access == "tenant":
        connection.execute(f"set app.tenant_id = '{TENANT}'".encode())
    connection.execute(
        """
        insert into documents (id, source, chunk_index, content, metadata, embedding, created_at, price, views,
                               ratio, active, ref, day, tags, extra, mood, quantity, code, moods)
        values ('own', 'pool.md', 3, 'a full pool', '{"lang": "en"}', '[1, 0]', '2024-05-01', 9.5, 7, 0.5, true,
                '00000000-0000-4000-8000-000000000001', '2024-05-01', '{sea,red}', '{"a": {"b": 1}}', 'glad', 5, 'ab',
                '{sad}'),
               ('other', 'tea.md', 0, 'a pool of tea', '{}', '[1, 0]', '2020-01-01', 1, 1, 2, false,
                '00000000-0000-4000-8000-000000000002', '2020-01-01', '{sky}', '{"a": 1}', 'sad', 1, 'cd', '{glad}')
        """
    )


@pytest.fixture(scope="module", params=["open", "tenant"])
def filled(server: embedded.Server, with_engine: Any, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A collection of that access in a database for all tests."""
    with (
        installation.created(server, f"columns_{request.param}", with_engine.template_dbname) as url,
        installation.connect(installation.as_installer(url)) as made,
    ):
        _fill(made, request.param)
        yield made


@pytest.fixture
def rows(filled: Connection) -> Iterator[Connection]:
    """The same; what a test changes is taken back."""
    with filled.transaction(force_rollback=True):
        yield filled


@pytest.fixture(scope="module", params=["pgvec_reader", "pgvec_writer"])
def reader(server: embedded.Server, with_engine: Any, request: pytest.FixtureRequest) -> Iterator[Connection]:
    """A role that reads the rows of a tenant."""
    with installation.created(server, f"columns_for_{request.param}", with_engine.template_dbname) as url:
        with installation.connect(installation.as_installer(url)) as owner:
            _fill(owner, "tenant")
        with installation.connect(url, request.param) as made:
            made.execute(f"set app.tenant_id = '{TENANT}'".encode())
            yield made


CONDITIONS: list[Any] = [
    {"id": "own"},
    {"source": "pool.md"},
    {"source": {"$like": "pool%"}},
    {"source": {"$ne": "tea.md"}},
    {"source": {"$nin": ["tea.md"]}},
    {"chunk_index": 3},
    {"content": {"$ilike": "%FULL%"}},
    {"created_at": {"$gte": "2024-01-01"}},
    {"created_at": {"$between": ["2024-01-01", "2024-12-31"]}},
    {"price": 9.5},
    {"price": {"$gt": 2}},
    {"views": {"$in": [7, 8]}},
    {"ratio": {"$lt": 1}},
    {"active": True},
    {"ref": "00000000-0000-4000-8000-000000000001"},
    {"day": {"$gt": "2023-12-31"}},
    {"tags": ["sea"]},
    {"tags": {"$contains": "red"}},
    {"tags": {"$eq": "red"}},
    {"tags": {"$in": ["red", "blue"]}},
    {"tags": {"$ne": "sky"}},
    {"tags": {"$nin": ["sky"]}},
    {"extra": {"a": {"b": 1}}},
    {"extra": {"a": {"b": {"$gte": 1}}}},
    {"mood": "glad"},
    {"mood": {"$in": ["glad"]}},
    {"moods": {"$contains": "sad"}},
    {"quantity": 5},
    {"quantity": {"$gte": 2}},
    {"code": {"$like": "ab%"}},
    {"metadata": {"lang": "en"}},
    {"$or": [{"source": "pool.md"}, {"source": "no.md"}]},
    {"$and": [{"source": "pool.md"}, {"lang": "en"}]},
    {"$not": {"source": "tea.md"}},
    {"lang": "en", "source": {"$exists": True}},
    {"$text": "pool", "source": "pool.md"},
    '{"source": "pool.md"}',
]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_a_key_that_is_a_column_is_compared_with_it(rows: Connection, condition: Any) -> None:
    calls = (
        "select id from match_documents('[1, 0]', filter => %(f)s)",
        "select id from match_documents_embeddings('[1, 0]', filter => %(f)s)",
        "select id from keyword_search('pool', filter => %(f)s)",
        "select id from hybrid_search('pool', '[1, 0]', filter => %(f)s)",
    )
    for call in calls:
        assert rows.execute(call, {"f": Jsonb(condition)}).fetchall() == [("own",)], call
    facets = rows.execute("select value, documents from document_facets('lang', filter => %s)", (Jsonb(condition),))
    assert facets.fetchall() == [("en", 1)]
    assert rows.execute("select delete_documents(filter => %s)", (Jsonb(condition),)).fetchone() == (1,)
    assert rows.execute("select id from documents").fetchall() == [("other",)]


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_roles_under_policies_filter_by_columns_too(reader: Connection, condition: Any) -> None:
    found = reader.execute("select id from match_documents('[1, 0]', filter => %s)", (Jsonb(condition),)).fetchall()
    assert found == [("own",)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"source": "m"}, ["both", "metadata"]),
        ({"source": "c"}, ["column"]),
        ({"source": {"$ne": "m"}}, ["column", "neither"]),
        ({"source": {"$in": ["c", "m"]}}, ["both", "column", "metadata"]),
        ({"source": {"$exists": True}}, ["both", "column", "metadata"]),
        ({"source": {"$exists": False}}, ["neither"]),
        ({"$not": {"source": "c"}}, ["both", "metadata", "neither"]),
        ({"source": {"$like": "c%"}}, ["column"]),
    ],
)
def test_where_the_metadata_of_a_row_has_the_key_too_it_counts(
    connection: Connection, condition: Any, expected: list[str]
) -> None:
    connection.execute("select pgvec.create_collection('documents', 1)")
    connection.execute(
        "insert into documents (id, source, metadata, embedding) values ('both', 'c', '{\"source\": \"m\"}', '[1]'),"
        " ('column', 'c', '{}', '[1]'), ('metadata', null, '{\"source\": \"m\"}', '[1]'),"
        " ('neither', null, '{}', '[1]')"
    )
    found = connection.execute("select id from match_documents('[1]', filter => %s) order by id", (Jsonb(condition),))
    assert [one for (one,) in found.fetchall()] == expected


@pytest.mark.parametrize("condition", [{"source": "s17"}, {"id": "17"}, {"source": "s17", "n": 17}])
def test_the_indexes_of_columns_serve_them(connection: Connection, condition: dict[str, Any]) -> None:
    connection.execute("select pgvec.create_collection('documents', 1)")
    connection.execute(
        "insert into documents (id, source, content, embedding, metadata)"
        " select i::text, 's' || i, 'x', '[1]', jsonb_build_object('n', i) from generate_series(1, 5000) as i"
    )
    connection.execute("analyze documents")
    plan = connection.execute(
        "select plan from pgvec.explain_search('documents', '[1]', filter => %s)", (Jsonb(condition),)
    ).fetchone()
    assert plan is not None
    assert "Index Scan" in plan[0], plan[0]
    assert "Seq Scan" not in plan[0]


def test_a_column_that_the_caller_may_not_read_is_no_key(
    connection: Connection, as_role: Callable[[str], Connection]
) -> None:
    """The owner of the engine looks rows of tenants up: a filter must not tell what the caller cannot read."""
    _fill(connection, "tenant")
    connection.execute("create role clerk; grant pgvec_reader to clerk")
    connection.execute("revoke select on documents from pgvec_reader")
    connection.execute("grant select (id, tenant_id, content, metadata, source) on documents to pgvec_reader")
    clerk = as_role("clerk")
    clerk.execute(f"set app.tenant_id = '{TENANT}'".encode())
    found = (
        "select id from unnest((pgvec.candidates_as_owner('documents', null, null, '[1, 0]', %s, null, null, null, 9,"
        " true, false)).hits)"
    )
    for condition in ({"price": 9.5}, {"$or": [{"lang": "en"}, {"price": {"$gt": 9}}]}, '{"price": 9.5}'):
        with pytest.raises(psycopg.Error, match=r"key price, a column of table public\.documents") as caught:
            clerk.execute(found, (Jsonb(condition),))
        assert caught.value.sqlstate == "PV003"
    assert clerk.execute(found, (Jsonb({"source": "pool.md"}),)).fetchall() == [("own",)]


def test_no_cast_of_a_columns_type_runs_as_the_owner(
    connection: Connection, as_role: Callable[[str], Connection]
) -> None:
    connection.execute("select pgvec.create_collection('documents', 1, access => 'tenant')")
    connection.execute("create schema lab; create role smith; grant all on schema lab to smith")
    smith = as_role("smith")
    smith.execute("create type lab.kind as enum ('a', 'b')")
    for source, target in (("lab.kind", "text"), ("text", "lab.kind"), ("lab.kind", "json")):
        smith.execute(
            f"create function lab.run_{target.split('.')[-1]}(x {source}) returns {target} language plpgsql as"
            f" $$ begin raise exception 'ran as %', current_user; end $$".encode()
        )
        smith.execute(
            f"create cast ({source} as {target}) with function lab.run_{target.split('.')[-1]}({source})"
            f" {'as implicit' if target != 'json' else ''}".encode()
        )
    connection.execute("alter table documents add column kind lab.kind")
    connection.execute(f"set app.tenant_id = '{TENANT}'".encode())
    connection.execute("insert into documents (id, content, embedding, kind) values ('own', 'x', '[1]', 'a')")
    for condition in ({"kind": "a"}, {"kind": {"$in": ["a"]}}, {"kind": {"$like": "a%"}}, {"kind": {"$eq": "a"}}):
        found = connection.execute("select id from match_documents('[1]', filter => %s)", (Jsonb(condition),))
        assert found.fetchall() == [("own",)]
