"""The operators of filters are rows of one file: the documentation has them all, and one more is an edit of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from conftest import Connection
from installation import function_file
from pages import ROOT
from pgvec_admin.database import Target
from pgvec_admin.install import migrate


@pytest.fixture
def everything(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 1)")
    return connection


def test_the_table_of_operators_in_the_documentation_is_that_of_the_functions(connection: Connection) -> None:
    lines = connection.execute(
        "select format('| `%s` | %s | %s |', key, value ->> 'takes', value ->> 'meaning')"
        " from jsonb_each(pgvec.filter_operators()) order by (value -> 'place')::int",
    ).fetchall()
    table = "| operator | takes | the value is |\n|---|---|---|\n" + "".join(f"{line}\n" for (line,) in lines) + "\n"
    assert table in (ROOT / "docs" / "search.md").read_text()


KIND = """
    ('text', 'a string', '^"',
     'for example {"key": {%s: "a"}}'),"""
STARTS_WITH = """
    ('$startsWith', 'text', 'a string that begins with this', 'never',
     '%1$s starts with %2$s', '', '', 'text', 'starts_with(%1$s::text, %2$s)'),"""


def _add_operator(sql: Path, line: str) -> None:
    file = function_file("pgvec.filter_operators", sql)
    text = file.read_text()
    changed = text.replace("hint) as (values", f"hint) as (values{KIND}", 1)
    changed = changed.replace("over_column) as (values", f"over_column) as (values{line}", 1)
    assert len(changed) == len(text + KIND + line)
    file.write_text(changed)


def test_an_operator_more_is_an_edit_of_one_file(everything: Connection, database: str, sql_copy: Path) -> None:
    # a session that has the table of operators in its plans already
    everything.execute("select match_documents('[1]', filter => %s)", (Jsonb({"a": {"$gt": 1, "$like": "a"}}),))
    _add_operator(sql_copy, STARTS_WITH)
    report = migrate.migrate(Target(database, "the test"), report=lambda _: None)
    assert [state.name for state in report.functions] == ["pgvec.filter_operators"]

    everything.execute("create table jobs (id text primary key, title text, size int, skills text[])")
    everything.execute(
        "insert into jobs values ('a', 'Job 1', 1, '{Job}'), ('b', 'A job', 2, null), ('c', null, 3, null)"
    )
    everything.execute("select pgvec.adopt_collection('jobs', 'jobs', dimensions => 1, content_columns => '{title}')")
    everything.execute("update jobs set embedding = '[1]'")
    everything.execute(
        "insert into documents (id, content, embedding, metadata) select j.id, 'x', '[1]', to_jsonb(j) from jobs as j"
    )

    for collection in ("documents", "jobs"):

        def found(condition: Any, collection: str = collection) -> str:
            rows = everything.execute(
                "select id from match_documents('[1]', filter => %s, collection => %s) order by id",
                (Jsonb(condition), collection),
            ).fetchall()
            return "".join(row[0] for row in rows)

        assert found({"title": {"$startsWith": "Job"}}) == "a"
        assert found({"title": {"$startsWith": "", "$ne": "Job 1"}}) == "b"
        assert found({"title": {"$not": {"$startsWith": "Job"}}}) == "bc"
        assert found({"size": {"$startsWith": "1"}}) == ""
        assert found({"skills": {"$startsWith": "Job"}}) == ""
        with pytest.raises(psycopg.Error, match=r"\$startsWith takes a string, not 1") as caught:
            found({"title": {"$startsWith": 1}})
        assert caught.value.diag.message_hint == 'for example {"key": {"$startsWith": "a"}}'
        with pytest.raises(psycopg.Error) as caught:
            found({"title": {"$endsWith": "b"}})
        assert (caught.value.diag.message_hint or "").startswith("operators: $startsWith $eq $ne")

    condition = everything.execute(
        "select f.condition from pgvec.collections as c"
        " cross join lateral pgvec.filter_condition(c, %s) as f where c.name = 'jobs'",
        (Jsonb({"title": {"$startsWith": "Job"}}),),
    ).fetchone()
    assert condition == ("((starts_with(d.c2::text, ($2 ->> 0))))",), "the column itself is compared"


@pytest.mark.parametrize(
    "left_out",
    [
        ("'%1$s starts with %2$s'", "null"),
        ("'starts_with(%1$s::text, %2$s)'", "''"),
        ("'never'", "'maybe'"),
        ("'', '', 'text'", "'', ' || ', 'text'"),
        ("'text', 'a string", "'list', 'a string"),
        ("'text', 'a string", "'strings', 'a string"),
    ],
)
def test_an_operator_that_is_not_told_whole_is_none(
    everything: Connection, database: str, sql_copy: Path, left_out: tuple[str, str]
) -> None:
    assert left_out[0] in STARTS_WITH
    _add_operator(sql_copy, STARTS_WITH.replace(*left_out))
    migrate.migrate(Target(database, "the test"), report=lambda _: None)
    with pytest.raises(psycopg.Error, match=r"unknown filter operator \$startsWith"):
        everything.execute("select match_documents('[1]', filter => %s)", (Jsonb({"a": {"$startsWith": "b"}}),))


def test_an_operator_with_too_few_columns_is_told_with_any_other(
    everything: Connection, database: str, sql_copy: Path
) -> None:
    _add_operator(sql_copy, STARTS_WITH.replace(", 'text', 'starts_with(%1$s::text, %2$s)'", ""))
    migrate.migrate(Target(database, "the test"), report=lambda _: None)
    with pytest.raises(psycopg.Error, match="VALUES lists must all be the same length"):
        everything.execute("select match_documents('[1]', filter => %s)", (Jsonb({"a": {"$gt": 1}}),))
