"""Adopted tables: searched as they are, filtered by their own columns, and left as they were."""

# ruff: noqa: E501 - tables of cases read better with a case a line
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from conftest import Connection
from filter_reference import matches
from pgvec_admin import providers
from pgvec_admin.database import Target
from pgvec_admin.embedding import embed
from pgvec_admin.engine import collections, index
from pgvec_admin.errors import UsageError
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record
from properties import examples

JOBS = """
create table jobs (
  job_id      bigint primary key,
  title       text not null,
  description text,
  company     text,
  salary      int,
  remote      boolean,
  posted      date,
  pay         numeric,
  skills      text[],
  extra       jsonb,
  embedding   extensions.vector(3)
);
create index jobs_salary on jobs (salary);
insert into jobs
select i, 'Job ' || i, case when i % 3 > 0 then 'work for ' || i end, 'company ' || i % 50, i * 10, i % 2 = 0,
       '2026-01-01'::date + i % 300, i / 10.0, array['sql', 's' || i % 7], jsonb_build_object('level', i % 5),
       array[1, i, 1]::float4[]::extensions.vector
  from generate_series(1, 2000) as i;
analyze jobs;
"""

ADOPT = "select pgvec.adopt_collection('jobs', 'jobs', content_columns => '{title,description}', add_columns => %s)"


@pytest.fixture(params=[False, True], ids=["beside", "in the table"])
def jobs(connection: Connection, request: pytest.FixtureRequest) -> Connection:
    connection.execute(JOBS)
    connection.execute(ADOPT, (request.param,))
    return connection


def _ids(connection: Connection, condition: Any = None, query: str = "[1,2,3]", count: int = 1000) -> list[str]:
    rows = connection.execute(
        "select id from match_documents(%s, %s, %s, collection => 'jobs')", (query, count, Jsonb(condition or {}))
    ).fetchall()
    return [row[0] for row in rows]


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


def test_a_table_is_searched_under_its_own_ids_with_the_rest_of_the_row_as_metadata(jobs: Connection) -> None:
    row = jobs.execute(
        "select id, content, metadata from match_documents('[1,2,1]', 1, collection => 'jobs')"
    ).fetchone()
    assert row == (
        "2",
        "Job 2\nwork for 2",
        {
            "company": "company 2",
            "salary": 20,
            "remote": True,
            "posted": "2026-01-03",
            "pay": 0.2,
            "skills": ["sql", "s2"],
            "extra": {"level": 2},
        },
    )
    found = jobs.execute("select id from keyword_search('1999', collection => 'jobs')").fetchall()
    assert found == [("1999",)]


@pytest.mark.parametrize(
    ("condition", "predicate"),
    [
        ({"salary": {"$gte": 19000}, "remote": True}, "salary >= 19000 and remote"),
        ({"company": "company 7"}, "company = 'company 7'"),
        ({"company": {"$ne": "company 7"}, "salary": {"$lt": 1000.5}}, "company <> 'company 7' and salary < 1000.5"),
        ({"posted": {"$between": ["2026-02-01", "2026-02-10"]}}, "posted between '2026-02-01' and '2026-02-10'"),
        ({"posted": {"$gt": "soon"}}, "false"),
        ({"salary": "100"}, "false"),
        ({"salary": {"$in": [10, 20.5, "30", 99999999999]}}, "salary = 10"),
        ({"salary": {"$lt": 99999999999}}, "true"),
        ({"skills": {"$contains": "s3"}}, "'s3' = any (skills)"),
        ({"skills": ["sql", "s3"]}, "'s3' = any (skills)"),
        ({"extra": {"level": {"$in": [1, 2]}}}, "(extra ->> 'level')::int in (1, 2)"),
        ({"description": {"$exists": False}}, "description is null"),
        ({"description": {"$in": ["work for 4", None]}}, "description = 'work for 4' or description is null"),
        ({"description": {"$nin": [None]}, "remote": True}, "description is not null and remote"),
        ({"title": {"$like": "Job 1_"}}, "title like 'Job 1_'"),
        ({"$or": [{"salary": 10}, {"title": {"$ilike": "JOB 77"}}]}, "salary = 10 or title = 'Job 77'"),
        ({"$not": {"remote": True}}, "not remote"),
        ({"pay": {"$lte": 1.5}, "nokey": {"$exists": False}}, "pay <= 1.5"),
        ({"nokey": 1}, "false"),
    ],
)
def test_filters_compare_columns(jobs: Connection, condition: Any, predicate: str) -> None:
    expected = jobs.execute(
        f"select job_id::text from jobs where {predicate} order by embedding <=> '[1,2,3]', job_id::text limit 1000".replace(
            "<=>", "operator(extensions.<=>)"
        )
    ).fetchall()
    assert _ids(jobs, condition) == [row[0] for row in expected]


def test_patterns_need_not_be_values_of_the_column_that_they_are_for(connection: Connection) -> None:
    connection.execute("create domain word as text check (value ~ '^[a-z]+$')")
    connection.execute("create table words (id text primary key, content text, w word, c char(3))")
    connection.execute("insert into words values ('1', 'x', 'abc', 'abc'), ('2', 'x', 'xyz', 'xyz')")
    connection.execute("select pgvec.adopt_collection('words', 'words', dimensions => 3)")
    connection.execute("update words set embedding = '[1,2,3]'")
    for pattern in ({"$like": "a%"}, {"$ilike": "A_C"}, {"$like": "\\a%"}):
        for column in "wc":
            found = connection.execute(
                "select id from match_documents('[1,2,3]', filter => %s, collection => 'words')",
                (Jsonb({column: pattern}),),
            ).fetchall()
            assert found == [("1",)], (column, pattern)


VALUES = {
    "smallint": "7", "integer": "7", "bigint": "7", "numeric(5,2)": "7.25", "real": "7.25", "double precision": "7.1",
    "money": "7", "text": "abc", "varchar(5)": "abc", "char(3)": "abc", "char(5)": "abc", "name": "abc", '"char"': "a",
    "citycode": "abc", "mood": "fine", "boolean": "true", "uuid": "00000000-0000-4000-8000-00000000000a",
    "date": "2026-10-01", "time": "10:30", "timetz": "10:30+02", "timestamp": "2026-10-01 10:30",
    "timestamp(0)": "2026-10-01 10:30", "timestamptz": "2026-10-01 10:30+02", "interval": "1 day",
    "inet": "10.0.0.1", "cidr": "10.0.0.0/8", "macaddr": "08:00:2b:01:02:03", "bit(3)": "101", "varbit(5)": "101",
    "int[]": "{1,2}", "text[]": "{a,b}", "jsonb": '{"a": 1}', "json": '{"a": 1}', "int4range": "[1,5)", "bytea": "abc",
}  # fmt: skip


def test_a_column_of_any_type_equals_what_the_metadata_shows_of_it(connection: Connection) -> None:
    connection.execute(
        "create domain citycode as char(3) check (value ~ '^[a-z]+$'); create type mood as enum ('fine')"
    )
    columns = {f"c{number}": type_ for number, type_ in enumerate(VALUES)}
    connection.execute(
        f"create table shapes (id text primary key, content text, {', '.join(f'{n} {t}' for n, t in columns.items())})".encode()
    )
    literals = ", ".join(f"'{VALUES[type_]}'" for type_ in columns.values())
    connection.execute(f"insert into shapes values ('1', 'x', {literals})".encode())
    connection.execute("insert into shapes (id, content) values ('2', 'x')")
    connection.execute(
        "select pgvec.adopt_collection('shapes', 'shapes', dimensions => 3, content_columns => '{content}')"
    )
    connection.execute("update shapes set embedding = '[1,2,3]'")
    search = "select id, metadata from match_documents('[1,2,3]', filter => %s, collection => 'shapes')"
    row = connection.execute(search, ("{}",)).fetchone()
    assert row is not None
    shown = {columns[name]: value for name, value in row[1].items() if name in columns}
    assert shown.keys() == VALUES.keys()
    wrong = []
    for name, type_ in columns.items():
        value = row[1][name]
        conditions = [(value, ["1"])]
        conditions += [({"$not": {"$exists": True}}, ["2"])]
        if type_ not in ("jsonb", "json"):
            conditions += [({}, [])]  # an empty object is contained in objects alone
        if not isinstance(value, list | dict):
            conditions += [({"$in": [value]}, ["1"]), ({"$ne": value}, ["2"]), ({"$exists": True}, ["1"])]
        for condition, expected in conditions:
            found = connection.execute(search, (Jsonb({name: condition}),)).fetchall()
            if [one[0] for one in found] != expected:
                wrong.append((type_, condition, found))
    assert wrong == []


NUMBERS = [None, -1, 0, 1, 2, 1.5, 10**12]
WORDS = [None, "", "a", "b", "ab", "%"]


@examples(400)
@given(data=st.data())
def test_conditions_on_columns_mean_what_they_mean_in_metadata(connection: Connection, data: st.DataObject) -> None:
    if connection.execute("select to_regclass('things')").fetchone() == (None,):
        connection.execute(
            "create table things (id text primary key, content text, i int, n numeric, t text, b boolean, e extensions.vector(1))"
        )
        connection.execute("select pgvec.adopt_collection('things', 'things', embedding_column => 'e')")
    draw = data.draw
    value = {
        "i": draw(st.sampled_from([None, -1, 0, 1, 2])),
        "n": draw(st.sampled_from(NUMBERS)),
        "t": draw(st.sampled_from(WORDS)),
        "b": draw(st.sampled_from([None, True, False])),
    }

    def condition(depth: int) -> dict[str, Any]:
        kind = draw(st.sampled_from(["leaf", "leaf", "$or", "$and", "$not"] if depth else ["leaf"]))
        if kind == "$not":
            return {"$not": condition(depth - 1)}
        if kind != "leaf":
            return {kind: [condition(depth - 1) for _ in range(draw(st.integers(1, 2)))]}
        any_value = st.sampled_from([value for value in [*NUMBERS, *WORDS, True, False] if value is not None])
        ordered = any_value.filter(lambda one: not isinstance(one, bool))
        operator = draw(
            st.sampled_from(
                [
                    "plain",
                    "$between",
                    "$eq",
                    "$ne",
                    "$gt",
                    "$gte",
                    "$lt",
                    "$lte",
                    "$in",
                    "$nin",
                    "$exists",
                    "$like",
                    "$contains",
                ]
            )
        )
        operand: Any = {
            "$between": st.sampled_from([[0, 1], [1, 1.5], ["a", "b"], ["", "a"]]),
            "$in": st.lists(any_value, max_size=3),
            "$nin": st.lists(any_value, max_size=3),
            "$exists": st.booleans(),
            "$like": st.sampled_from(["a%", "_", "%", "\\%"]),
        }.get(operator, ordered if operator.startswith(("$g", "$l")) else any_value)
        drawn = draw(operand)
        return {
            draw(st.sampled_from(["i", "n", "t", "b", "missing"])): drawn if operator == "plain" else {operator: drawn}
        }

    wanted = condition(2)
    connection.execute("delete from things")
    connection.execute("insert into things values ('x', 'x', %(i)s, %(n)s, %(t)s, %(b)s, '[1]')", value)
    found = connection.execute(
        "select count(*) from match_documents('[1]', filter => %s, collection => 'things')", (Jsonb(wanted),)
    ).fetchone()
    document = {key: one for key, one in value.items() if one is not None}
    assert found == (int(matches(document, wanted)),), (document, wanted)


def test_the_tables_own_indexes_serve_filters_and_vectors(jobs: Connection, database: str) -> None:
    built = index.create(Target(database, "the test"), "jobs")
    assert built.name == "jobs_embedding_hnsw_cosine_idx"
    jobs.execute("set enable_seqscan = off")

    def used(condition: Any) -> tuple[Any, ...] | None:
        return jobs.execute(
            "select index, route from pgvec.explain_search('jobs', '[1,2,3]', 10, %s)", (Jsonb(condition),)
        ).fetchone()

    assert used({}) == (built.name, "index")
    assert used({"salary": {"$gte": 19900}}) == ("jobs_salary", "exact")
    assert _ids(jobs, {}, count=5) == _ids(jobs, {"salary": {"$gte": 0}}, count=5)


def test_what_is_written_to_the_table_is_found_and_embedded_anew(jobs: Connection) -> None:
    jobs.execute("insert into jobs (job_id, title, company) values (5000, 'Cheesemaker', 'x')")
    assert jobs.execute("select id from keyword_search('cheesemaker', collection => 'jobs')").fetchall() == [("5000",)]
    stale = jobs.execute("select id, content, content_hash from pgvec.stale_documents('jobs')").fetchall()
    assert [(row[0], row[1]) for row in stale] == [("5000", "Cheesemaker")]
    stored = jobs.execute(
        "select pgvec.store_embeddings('jobs', '{5000}', %s, '{\"[0,0,1]\"}')", ([stale[0][2]],)
    ).fetchone()
    assert stored == (1,)
    assert _ids(jobs, query="[0,0,1]", count=1) == ["5000"]
    assert jobs.execute("select pgvec.count_stale('jobs')").fetchone() == (0,)

    jobs.execute("update jobs set title = 'Baker' where job_id = 5000")
    (again,) = jobs.execute("select id, content_hash from pgvec.stale_documents('jobs')").fetchall()
    outdated = jobs.execute(
        "select pgvec.store_embeddings('jobs', '{5000}', %s, '{\"[1,0,0]\"}')", ([stale[0][2]],)
    ).fetchone()
    assert outdated == (0,)
    # the same vector as before, for the new text
    jobs.execute("select pgvec.store_embeddings('jobs', '{5000}', %s, '{\"[0,0,1]\"}')", ([again[1]],))
    assert jobs.execute("select pgvec.count_stale('jobs')").fetchone() == (0,)
    assert jobs.execute("select id from keyword_search('cheesemaker', collection => 'jobs')").fetchall() == []

    jobs.execute("delete from jobs where job_id = 5000")
    assert jobs.execute("select id from keyword_search('baker', collection => 'jobs')").fetchall() == []
    jobs.execute("update jobs set embedding = '[0,0,0]' where job_id = 1")
    assert len(_ids(jobs)) == 1000
    assert _ids(jobs, {"salary": {"$lte": 20}}) == ["2"]
    (verdict,) = jobs.execute("select found from pgvec.verify('jobs') where check_name = 'vectors'").fetchall()
    assert verdict == ("1 zero or NaN vectors in 2000 rows",)


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


def test_callers_see_what_the_policies_of_the_table_let_them_see(
    jobs: Connection, as_role: Callable[[str], Connection]
) -> None:
    reader = as_role("pgvec_reader")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="permission denied for table jobs"):
        _ids(reader)
    jobs.execute("grant select on jobs to pgvec_reader; alter table jobs enable row level security")
    jobs.execute("create policy remote_only on jobs for select to pgvec_reader using (remote and job_id <= 20)")
    assert sorted(map(int, _ids(reader))) == list(range(2, 21, 2))
    assert reader.execute("select id from keyword_search('job', 100, collection => 'jobs')").rowcount == 10
    if jobs.execute("select to_regclass('pgvec.side_jobs')").fetchone() != (None,):
        assert reader.execute("select count(*) from pgvec.side_jobs").fetchone() == (10,)


def test_rows_of_an_adopted_table_are_not_loaded_but_inserted(jobs: Connection) -> None:
    with pytest.raises(psycopg.Error, match=r"collection 'jobs' is the adopted table public\.jobs"):
        load.load_records(jobs, "jobs", [Record(id="1", content="x")])
    with pytest.raises(psycopg.Error, match="which is not dropped"):
        collections.drop(jobs, "jobs")
    assert jobs.execute("select count(*) from jobs").fetchone() == (2000,)


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


@pytest.mark.parametrize(
    ("name", "type_"),
    [("metadata", "jsonb"), ("metadata", "json"), ("cmetadata", "jsonb"), ("langchain_metadata", "json"), ("metadata_", "json")],
)  # fmt: skip
def test_the_tables_of_guides_are_filtered_by_their_metadata(connection: Connection, name: str, type_: str) -> None:
    notices: list[str] = []
    connection.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    connection.execute(
        f"create table t (id bigserial primary key, content text, {name} {type_}, embedding extensions.vector(3))".encode()
    )
    connection.execute(
        f"insert into t (content, {name}, embedding) values ('a', '{{\"lang\": \"de\", \"n\": 1}}', '[1,2,3]'), ('b', null, '[1,2,3]')".encode()
    )
    connection.execute("select pgvec.adopt_collection('t', 't')")
    assert f"column {name} of public.t is taken as the metadata: filters look at its keys" in notices
    search = "select id, metadata from match_documents('[1,2,3]', filter => %s, collection => 't')"
    for condition in ({"lang": "de"}, {"lang": {"$in": ["de"]}}, {"n": {"$gte": 1.0}}):
        assert connection.execute(search, (Jsonb(condition),)).fetchall() == [("1", {"lang": "de", "n": 1})]
    assert connection.execute(search, (Jsonb({"lang": {"$exists": False}}),)).fetchall() == [("2", {})]
    connection.execute("select pgvec.release_collection('t')")
    connection.execute("select pgvec.adopt_collection('t', 't', metadata_column => '')")
    assert connection.execute(search, (Jsonb({}),)).fetchone() == ("1", {name: {"lang": "de", "n": 1}})


def test_numbers_equal_a_column_by_value(connection: Connection) -> None:
    connection.execute("create domain count_of as int check (value >= 0)")
    types = ("smallint", "integer", "bigint", "numeric", "numeric(9,3)", "real", "double precision", "count_of")
    columns = ", ".join(f"n{place} {type_}" for place, type_ in enumerate(types))
    connection.execute(
        f"create table t (id int primary key, content text, {columns}, embedding extensions.vector(1))".encode()
    )
    values = ", ".join("8200" for _ in types)
    connection.execute(f"insert into t values (1, 'a', {values}, '[1]')".encode())
    connection.execute("select pgvec.adopt_collection('t', 't')")
    for place in range(len(types)):
        for number in ("8200", "8200.0", "8.2e3", "8200.000"):
            for condition, wanted in (
                ("{}", 1),
                ('{{"$eq": {}}}', 1),
                ('{{"$in": [{}]}}', 1),
                ('{{"$ne": {}}}', 0),
                ('{{"$nin": [{}, 1]}}', 0),
            ):
                value = number if condition == "{}" else condition.format(number)
                found = connection.execute(
                    "select count(*) from match_documents('[1]', filter => %s, collection => 't')",
                    (f'{{"n{place}": {value}}}',),
                ).fetchone()
                assert found == (wanted,), (types[place], value)


def test_readers_follow_the_columns_before_any_write(jobs: Connection, as_role: Callable[[str], Connection]) -> None:
    jobs.execute("grant select on jobs to pgvec_reader; alter table jobs enable row level security")
    jobs.execute("create policy remote_only on jobs for select to pgvec_reader using (remote and job_id <= 20)")
    reader = as_role("pgvec_reader")
    jobs.execute("alter table jobs rename column title to headline; alter table jobs drop column salary")
    jobs.execute("alter table jobs rename column job_id to key; alter table jobs add column city text default 'Rome'")
    assert sorted(map(int, _ids(reader, {"city": "Rome"}))) == list(range(2, 21, 2))
    assert reader.execute("select id from keyword_search('job', 100, collection => 'jobs')").rowcount == 10
    jobs.execute("alter table jobs drop column embedding")
    for search in ("match_documents('[1,2,3]', collection => 'jobs')", "keyword_search('job', collection => 'jobs')"):
        with pytest.raises(psycopg.Error) as caught:
            reader.execute(f"select * from {search}".encode())
        assert caught.value.sqlstate == "PV004"
    jobs.execute(
        "update jobs set headline = 'still written'; delete from jobs where key > 3; truncate jobs; drop table jobs"
    )
    assert collections.release(jobs, "jobs") is None
