"""An adopted table of 2,000 rows is searched as it is, filtered by its own columns, and followed in what is done to it."""

# ruff: noqa: E501 - tables of cases read better with a case a line
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from adopted_tables import ADOPT, JOBS
from conftest import Connection, copied, filled
from pgvec_admin.database import Target
from pgvec_admin.engine import collections, index
from pgvec_admin.loading import load
from pgvec_admin.loading.records import Record


def _adopted(name: str, *, inside: bool) -> Any:
    """A template database with the table, and what searches need of it beside the table or in it."""

    def fill(connection: Connection) -> None:
        connection.execute(JOBS)
        connection.execute(ADOPT, (inside,))

    return filled(name, fill)


with_jobs_beside = _adopted("jobs_beside", inside=False)
with_jobs_inside = _adopted("jobs_inside", inside=True)
beside = copied("with_jobs_beside")
inside = copied("with_jobs_inside")


@pytest.fixture(params=["beside", "inside"], ids=["beside", "in the table"])
def database(request: pytest.FixtureRequest) -> str:
    """Connection string of a database with the adopted table, for the fixtures of all tests."""
    copy: str = request.getfixturevalue(request.param)
    return copy


@pytest.fixture
def jobs(connection: Connection) -> Connection:
    return connection


def _ids(connection: Connection, condition: Any = None, query: str = "[1,2,3]", count: int = 1000) -> list[str]:
    rows = connection.execute(
        "select id from match_documents(%s, %s, %s, collection => 'jobs')", (query, count, Jsonb(condition or {}))
    ).fetchall()
    return [row[0] for row in rows]


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
    (verdict,) = jobs.execute("select found from pgvec.verify('jobs', 0.1) where check_name = 'vectors'").fetchall()
    assert verdict == ("1 zero or NaN vectors in 2000 rows",)


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
        "update jobs set headline = 'still written' where key < 9; delete from jobs where key between 4 and 9;"
        " truncate jobs; drop table jobs"
    )
    assert collections.release(jobs, "jobs") is None
