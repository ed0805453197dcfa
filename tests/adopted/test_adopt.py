"""Tables are adopted and released as they were, or refused with the way out; what is no text or vector stops nothing."""

# ruff: noqa: E501 - tables of cases read better with a case a line
from __future__ import annotations

from typing import Any

import psycopg
import pytest

from adopted_tables import ADOPT, JOBS
from conftest import Connection
from pgvec_admin import providers
from pgvec_admin.database import Target
from pgvec_admin.embedding import embed
from pgvec_admin.engine import collections, index
from pgvec_admin.errors import UsageError


def _catalog(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        """
        select 'column', a.attname::text, format_type(a.atttypid, a.atttypmod)
          from pg_attribute as a where a.attrelid = 'jobs'::regclass and a.attnum > 0 and not a.attisdropped
        union all select 'index', x.indexrelid::regclass::text, '' from pg_index as x where x.indrelid = 'jobs'::regclass
        union all select 'trigger', t.tgname::text, '' from pg_trigger as t where t.tgrelid = 'jobs'::regclass
        union all select 'relation', c.oid::regclass::text, '' from pg_class as c
         where c.relnamespace = 'pgvec'::regnamespace and c.relkind in ('r', 'v')
         order by 1, 2
        """
    ).fetchall()


@pytest.mark.parametrize("add_columns", [False, True])
def test_release_leaves_the_table_as_it_was(connection: Connection, database: str, add_columns: bool) -> None:
    connection.execute(JOBS)
    before, rows = _catalog(connection), connection.execute("select * from jobs order by 1").fetchall()
    connection.execute(ADOPT, (add_columns,))
    index.create(Target(database, "the test"), "jobs", storage="halfvec")
    assert collections.release(connection, "jobs") == "jobs"
    assert _catalog(connection) == before
    assert connection.execute("select * from jobs order by 1").fetchall() == rows


def test_a_missing_vector_column_is_added_and_embedded(connection: Connection) -> None:
    connection.execute("create table notes (id uuid primary key default gen_random_uuid(), body text, meta jsonb)")
    connection.execute("insert into notes (body, meta) values ('tea', '{\"lang\": \"en\"}')")
    made = collections.adopt(
        connection, "public.notes", content=["body"], metadata="meta", dimensions=384, model="local:all-MiniLM-L6-v2"
    )
    assert (made.name, made.dimensions) == ("notes", 384)
    result = embed.embed(connection, "notes", providers.provider("local:all-MiniLM-L6-v2"))
    assert result.embedded == 1
    rows = connection.execute(
        "select content, metadata from match_documents((select embedding from notes), filter => '{\"lang\": \"en\"}', collection => 'notes')"
    ).fetchall()
    assert rows == [("tea", {"lang": "en"})]


@pytest.mark.parametrize(
    ("table", "call", "message", "hint"),
    [
        ("a int, b int, content text, primary key (a, b)", "dimensions => 3", "primary key of public.t has 2 columns: a, b", "search_id"),
        ("content text", "dimensions => 3", "public.t has no primary key", "search_id"),
        ("id int, content text", "dimensions => 3, id_column => 'id'", "id of public.t is not unique", "add unique"),
        ("id date primary key, content text", "dimensions => 3", "of type date, which cannot be an id", "bigint"),
        ("id int primary key, body text", "dimensions => 3", "public.t has no column 'content'", "its columns: id, body"),
        ("id int primary key, content text", "", "public.t has no column embedding", "dimensions"),
        ("id int primary key, content text, embedding text", "", "is of type text, not vector", "vectors"),
        ("id int primary key, content text, embedding extensions.vector", "", "without dimensions", "dimensions"),
        ("id int primary key, content text, embedding extensions.vector(4)", "dimensions => 3", "has 4 dimensions, not 3", "own"),
        ("id int, region text, content text, embedding extensions.vector(3), primary key (id, region)) partition by list (region", "", "primary key of public.t has 2 columns: id, region", "adopt its partitions"),
        ("id int primary key, content text, body text generated always as (content) stored", "dimensions => 3, content_columns => '{body}', add_columns => true", "is generated", "generated from"),
        ("id int primary key, content text", "dimensions => 3, metadata_column => 'meta'", "public.t has no column 'meta'", "its columns"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_adopted_is_refused_and_unchanged(
    connection: Connection, table: str, call: str, message: str, hint: str
) -> None:
    connection.execute(f"create table t ({table})")
    with pytest.raises(psycopg.Error) as caught:
        connection.execute(f"select pgvec.adopt_collection('t', 't'{', ' + call if call else ''})")
    assert caught.value.sqlstate == "PV004"
    assert message in (caught.value.diag.message_primary or "")
    assert hint in (caught.value.diag.message_hint or "")
    assert connection.execute("select count(*) from pgvec.collections").fetchone() == (0,)


def test_a_column_that_is_unique_among_some_rows_is_no_id(connection: Connection) -> None:
    connection.execute("create table t (id int not null, gone boolean not null default false, content text)")
    connection.execute("create unique index on t (id) where not gone")
    with pytest.raises(psycopg.Error, match=r"column id of public\.t is not unique"):
        connection.execute("select pgvec.adopt_collection('t', 't', id_column => 'id', dimensions => 3)")


def test_an_unknown_table_is_said_to_be_unknown(connection: Connection) -> None:
    with pytest.raises(UsageError, match=r"there is no table public\.nothing"):
        collections.adopt(connection, "public.nothing")


def test_a_temporary_table_is_refused(connection: Connection) -> None:
    connection.execute("create temporary table t (id int primary key, content text)")
    with pytest.raises(psycopg.Error, match="t is no table that can be adopted"):
        connection.execute("select pgvec.adopt_collection('t', 't', dimensions => 3)")


def test_the_hint_for_a_partitioned_table_can_be_followed(connection: Connection) -> None:
    connection.execute(
        "create table t (id int, region text, content text, embedding extensions.vector(3), primary key (id, region))"
        " partition by list (region); create table t_eu partition of t for values in ('eu')"
    )
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("select pgvec.adopt_collection('t', 't')")
    hint = caught.value.diag.message_hint or ""
    assert "alter table public.t_eu add unique (id); then pass id_column => 'id'" in hint
    connection.execute("alter table public.t_eu add unique (id)")
    connection.execute("select pgvec.adopt_collection('t', 't_eu', id_column => 'id')")
    connection.execute("insert into t values (1, 'eu', 'tea', '[1,2,3]')")
    assert connection.execute("select id from keyword_search('tea', collection => 't')").fetchall() == [("1",)]


def test_texts_without_a_word_stop_no_insert(connection: Connection) -> None:
    connection.execute("create table t (id int primary key, content text); insert into t (id) values (1), (2)")
    connection.execute("select pgvec.adopt_collection('t', 't', dimensions => 3)")
    connection.execute("select pgvec.create_collection('own', 3)")
    connection.execute("insert into own (id, content) values ('1', '???')")
    for name in ("t", "own"):
        for _ in range(2):
            connection.execute("select pgvec.refresh_statistics(%s)", (name,))
            connection.execute(f"insert into {name} (id, content) select max(id::int) + 1, '???' from {name}".encode())
            connection.execute(f"insert into {name} (id, content) select max(id::int) + 1, '...' from {name}".encode())
        assert connection.execute("select due from pgvec.keyword_statistics(%s)", (name,)).fetchone() == (False,)
        found = connection.execute(
            "select found from pgvec.verify(%s) where found like '%%cannot%%'", (name,)
        ).fetchall()
        assert found == []
        connection.execute(f"insert into {name} (id, content) values ('100', 'tea')".encode())
        assert connection.execute("select id from keyword_search('tea', collection => %s)", (name,)).fetchall() == [
            ("100",)
        ]


@pytest.mark.parametrize("add_columns", [False, True])
def test_a_text_that_was_emptied_is_not_found_by_its_old_vector(connection: Connection, add_columns: bool) -> None:
    connection.execute("create table t (id int primary key, content text)")
    connection.execute("insert into t values (1, 'tea'), (2, 'coffee'), (3, null)")
    collections.adopt(connection, "public.t", dimensions=384, add_columns=add_columns)
    model = providers.provider("local:all-MiniLM-L6-v2")
    assert embed.embed(connection, "t", model).embedded == 2
    connection.execute("update t set content = null where id = 1; update t set content = ' ' where id = 2")
    again = embed.embed(connection, "t", model)
    assert (again.embedded, again.failures) == (0, [])
    assert connection.execute("select id from t where embedding is not null").fetchall() == []
    assert connection.execute("select pgvec.count_stale('t')").fetchone() == (0,)
    verdict = connection.execute("select result from pgvec.verify('t') where check_name = 'rows'").fetchone()
    assert verdict == ("ok",)


@pytest.mark.parametrize("distance", ["cosine", "l2", "inner_product"])
@pytest.mark.parametrize("storage", ["vector", "halfvec"])
def test_a_zero_vector_that_was_there_is_left_out_and_said(connection: Connection, distance: str, storage: str) -> None:
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    connection.execute(f"create table t (id int primary key, content text, embedding extensions.{storage}(3))")
    connection.execute(
        "insert into t select i, 'tea ' || i, array[1, i, 1]::float4[]::extensions.vector from generate_series(1, 9) as i"
    )
    connection.execute("insert into t values (10, 'tea zero', '[0,0,0]')")
    connection.execute("select pgvec.adopt_collection('t', 't', distance => %s)", (distance,))
    assert "1 rows of public.t have a zero vector, or one too long to compare" in notices
    rows = connection.execute(
        "select id, score, similarity from hybrid_search('tea', '[1,2,1]', 20, collection => 't', diversity => 0.5)"
    ).fetchall()
    assert len(rows) == 10
    assert not [row for row in rows if row[1] != row[1] or row[2] != row[2]]
    above = connection.execute(
        "select id from match_documents('[1,2,1]', 20, match_threshold => 0.01, collection => 't')"
    ).fetchall()
    assert len(above) == (10 if distance == "l2" else 9)
    if storage == "halfvec":
        for query in ("[1e-9,1e-9,1e-9]", "[1e6,1,1]"):
            with pytest.raises(psycopg.Error) as caught:
                connection.execute("select * from match_documents(%s, collection => 't')", (query,))
            assert caught.value.sqlstate == "PV005"
