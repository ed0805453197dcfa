"""The house rules for SQL, checked in the live catalog and in the files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import Connection
from pgvec_admin import __version__
from pgvec_admin.resources import sql_directory

FOLDER = sql_directory() / "functions"
FILES = sorted(FOLDER.rglob("*.sql"))
NAMES = [f"{path.relative_to(FOLDER).parts[0]}.{path.stem}" for path in FILES]
MIGRATIONS = sorted((sql_directory() / "migrations").glob("*.sql"))

OURS = """
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
 where n.nspname || '.' || p.proname = any (%s)
"""


def _offenders(connection: Connection, condition: str) -> list[str]:
    rows = connection.execute(f"select p.oid::regprocedure::text {OURS} and {condition}", (NAMES,)).fetchall()
    return [row[0] for row in rows]


def test_every_file_makes_exactly_one_function(connection: Connection) -> None:
    rows = connection.execute(f"select n.nspname || '.' || p.proname {OURS} order by 1", (NAMES,)).fetchall()
    assert [row[0] for row in rows] == sorted(NAMES)


def test_schema_pgvec_holds_no_function_without_a_file(connection: Connection) -> None:
    rows = connection.execute(
        "select 'pgvec.' || proname from pg_catalog.pg_proc where pronamespace = 'pgvec'::regnamespace"
    ).fetchall()
    assert {row[0] for row in rows} - set(NAMES) == set()


def test_every_function_has_a_comment(connection: Connection) -> None:
    assert _offenders(connection, "coalesce(obj_description(p.oid, 'pg_proc'), '') = ''") == []


def test_every_function_pins_its_search_path_with_the_callers_temporary_objects_last(connection: Connection) -> None:
    """With an empty path, or one that does not name pg_temp, types and tables are looked for in pg_temp first."""
    connection.execute("select pgvec.create_collection('jobs', 2)")
    connection.execute("select pgvec.create_collection_api('jobs')")
    pinned = "'search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{}'))"
    assert _offenders(connection, f"not {pinned}") == []
    rows = connection.execute(
        f"select p.oid::regprocedure::text from pg_proc as p where p.proname ~ '_jobs$' and not {pinned}"
    ).fetchall()
    assert rows == []


def test_plans_within_definer_functions_are_told_to_nobody(connection: Connection) -> None:
    """They are planned as the owner, who sees all rows; with this setting on, a caller would see these plans."""
    quiet = "'debug_print_plan=off' = any (p.proconfig)"
    assert _offenders(connection, f"p.prosecdef and p.prorettype <> 'trigger'::regtype and not {quiet}") == []


def test_no_function_is_executable_by_public(connection: Connection) -> None:
    # a null acl is the default, which includes PUBLIC
    public = "(p.proacl is null or exists (select from aclexplode(p.proacl) as a where a.grantee = 0))"
    assert _offenders(connection, public) == []


def test_no_table_or_schema_of_ours_is_granted_to_public(connection: Connection) -> None:
    rows = connection.execute(
        "select c.oid::regclass::text from pg_catalog.pg_class as c, aclexplode(c.relacl) as a"
        " where c.relnamespace = 'pgvec'::regnamespace and a.grantee = 0"
        " union all select n.nspname from pg_catalog.pg_namespace as n, aclexplode(n.nspacl) as a"
        " where n.nspname = 'pgvec' and a.grantee = 0"
    ).fetchall()
    assert rows == []


def test_every_table_and_column_of_ours_has_a_comment(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('commented', 3)")
    rows = connection.execute(
        """
        select c.oid::regclass::text, a.attname
          from pg_catalog.pg_class as c
          join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relkind = 'r'
           and (c.relnamespace = 'pgvec'::regnamespace or c.oid = 'public.commented'::regclass)
           and c.relname !~ 'yoyo'
           and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
        """
    ).fetchall()
    assert rows == []


def test_searching_functions_are_stable_so_that_replicas_and_get_requests_can_run_them(connection: Connection) -> None:
    rows = connection.execute(
        f"select p.provolatile {OURS} and p.proname in ('match_documents', 'keyword_search', 'hybrid_search')", (NAMES,)
    ).fetchall()
    assert [row[0] for row in rows] == ["s", "s", "s"]


def test_the_version_of_the_functions_is_the_packages(connection: Connection) -> None:
    row = connection.execute("select pgvec.version()").fetchone()
    assert row == (__version__,)


@pytest.mark.parametrize(("path", "name"), list(zip(FILES, NAMES, strict=True)), ids=NAMES)
def test_a_function_file_says_everything_in_the_house_order(path: Path, name: str) -> None:
    text = path.read_text()
    header = name.removeprefix("public.")
    assert text.startswith(f"-- {header} -- "), "begins with its name and what it is for"
    order = [
        text.index(f"create or replace function {name}("),
        text.index(f"comment on function {name}("),
        text.index(f"revoke all on function {name}("),
    ]
    assert order == sorted(order)
    definition = text[order[0] : order[1]]
    clauses = definition.split("as $", 1)[0]
    for pattern in (r"language (sql|plpgsql) (immutable|stable|volatile)", r"parallel (safe|restricted|unsafe)"):
        assert re.search(pattern, clauses), pattern
    assert re.search(r"security (invoker|definer) set search_path = pg_catalog, pg_temp\n", clauses)
    assert "\t" not in text
    assert definition.count("\n") <= 110, "a longer function is two functions"


@pytest.mark.parametrize("path", FILES + MIGRATIONS, ids=lambda path: path.stem)
def test_errors_have_a_code_a_message_and_a_hint(path: Path) -> None:
    for raised in re.findall(r"raise exception.*?;\n", path.read_text(), flags=re.S):
        assert re.search(r"errcode = 'PV00[1-7]'", raised), raised
        assert "message =" in raised
        assert re.search(r"hint\s+=", raised), raised


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_errors_are_swallowed(path: Path) -> None:
    assert not re.search(r"when\s+others", path.read_text(), flags=re.I)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_rows_are_locked_once_and_not_for_each_row_of_a_join(path: Path) -> None:
    """A planner that takes a table for empty would run such a query on the inner side of a nested loop: with LIMIT, it
    finds other rows each time. A materialized one is run once."""
    joined = r"\b(?:update|delete from)\b[^;]*?\b(?:from|using) \(select[^;]*?for (?:no key )?update"
    assert re.findall(joined, path.read_text()) == []


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_every_migration_has_a_rollback_and_calls_no_function_of_ours(path: Path) -> None:
    assert (path.parent / "rollback" / path.name).exists()
    called = [name for name in NAMES if re.search(rf"{re.escape(name)}\(", path.read_text())]
    assert called == []


def test_no_function_that_runs_as_its_owner_takes_sql_from_a_caller(connection: Connection) -> None:
    """A request and a row of the registry contain SQL text, which a caller could forge."""
    holding = "array['pgvec.search_request', 'pgvec.collections', 'pgvec.adoptions', 'pgvec.search_step']::regtype[]"
    assert _offenders(connection, f"p.prosecdef and p.proargtypes::oid[] && {holding}::oid[]") == []
