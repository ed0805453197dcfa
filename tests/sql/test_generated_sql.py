"""Columns in SQL that functions generate are qualified: a bare name may come to mean another column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from pglast import ast, parse_sql
from pglast.visitors import Visitor

import installation
from conftest import Connection, copied, filled
from every_call import FILL, LATER, calls

with_collections = filled("generated", lambda connection: _fill(connection))
copy = copied("with_collections")


def _fill(connection: Connection) -> None:
    connection.execute(FILL + LATER)


# the innermost statement in a notice's context, where a function executed it dynamically
_EXECUTED = re.compile(
    r'SQL statement "((?:[^"]|"(?!\nPL/pgSQL))*)"'
    r"\nPL/pgSQL function \S.* line \d+ at (?:EXECUTE|FOR over EXECUTE statement|RETURN QUERY)\n?"
)


class _Bare(Visitor):
    """Collects column references without a qualifier, except the names that a query gives its own results."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._results: list[set[str]] = []

    def visit_SelectStmt(self, _: Any, node: ast.SelectStmt) -> None:  # noqa: N802 - as the visitor calls it
        self._results.append({target.name for target in node.targetList or () if target.name})

    def visit_ColumnRef(self, ancestors: Any, node: ast.ColumnRef) -> None:  # noqa: N802
        fields: tuple[Any, ...] = node.fields or ()
        if len(fields) > 1 or isinstance(fields[0], ast.A_Star):
            return
        name = fields[0].sval
        sorted_by = any(isinstance(above, ast.SortBy) for above in _above(ancestors))
        if not (sorted_by and any(name in results for results in self._results)):
            self.found.append(name)


def _above(ancestors: Any) -> Iterator[Any]:
    while ancestors is not None:
        yield ancestors.node
        ancestors = ancestors.parent


def _bare(statement: str) -> list[str]:
    visitor = _Bare()
    visitor(parse_sql(statement))
    return visitor.found


def test_the_lint_finds_what_it_is_for() -> None:
    assert _bare("select d.id from a as d where exists (select from b where b.id = id)") == ["id"]
    assert _bare("select d.id, d.x as score from a as d order by score desc, d.id") == []
    assert _bare("update a as d set x = y from b where b.id = d.id") == ["y"]


@pytest.fixture
def told(copy: str) -> set[str]:
    """The generated statements: those that functions executed and that are in no function's text as they are."""
    url = installation.as_superuser(copy)
    statements: set[str] = set()

    def note(notice: psycopg.errors.Diagnostic) -> None:
        for statement in _EXECUTED.findall(notice.context or ""):
            statements.add(statement)

    with installation.connect(url) as other, installation.connect(url) as connection:
        called = list(calls(other, "postgres"))
        sources = [
            row[0]
            for row in other.execute(
                "select p.prosrc from pg_proc as p where p.pronamespace::regnamespace::text in ('pgvec', 'public')"
            ).fetchall()
        ]
        connection.execute("select set_config('app.tenant_id', '00000000-0000-4000-8000-00000000000a', false)")
        connection.add_notice_handler(note)
        connection.execute("set debug_print_plan = on; set debug_pretty_print = off; set client_min_messages = log")
        connection.execute("set statement_timeout = '5s'")
        for _, statement in called:
            connection.execute("begin")
            with suppress(psycopg.Error):
                connection.execute(statement.encode())
            connection.execute("rollback")
    return {
        statement
        for statement in statements
        if not statement.startswith("SELECT 1 FROM ONLY")  # of a foreign key, the server's own
        and not any(statement in source for source in sources)
    }


def test_columns_in_generated_statements_are_qualified(told: set[str]) -> None:
    assert len(told) > 500, "the calls make statements"
    faults = {}
    for statement in told:
        bare = _bare(statement)
        if bare:
            faults[statement] = bare
    assert "\n".join(f"{names}: {statement}" for statement, names in faults.items()) == ""


def test_columns_in_policies_and_views_are_qualified(copy: str) -> None:
    """As pg_get_expr prints them, where both a table and the query have a column of the name."""
    with installation.connect(copy) as connection:
        rows = connection.execute(
            "select polrelid::regclass::text, pg_get_expr(polqual, polrelid) from pg_policy"
            " where polname = 'follow_the_table'"
        ).fetchall()
    assert rows == [
        (
            "pgvec.side_jobs",
            "(( SELECT pgvec.reads_text('jobs'::text) AS reads_text)"
            " AND\nCASE\n    WHEN ( SELECT pgvec.reads_all('jobs'::text) AS reads_all) THEN true\n"
            "    ELSE (id IN ( SELECT pgvec.visible_keys('jobs'::text, NULL::bigint) AS visible_keys))\nEND)",
        )
    ]
