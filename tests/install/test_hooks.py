"""Hooks: functions that an installation replaces, and no upgrade touches."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

import installation
from command import Run
from conftest import Connection
from pgvec_admin.install import functions, supabase

HOOKS = [file for file in functions.files() if file.is_hook]
OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"
BY_ORGANISATION = """
create or replace function pgvec.current_tenants() returns uuid[]
  language sql stable set search_path = pg_catalog, pg_temp
  as $$ select array[(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org_id')::uuid] $$
"""
SETTINGS_BY_ORGANISATION = """
create or replace function pgvec.tenant_settings(tenant uuid) returns jsonb
  language sql stable set search_path = pg_catalog, pg_temp
  as $$ select jsonb_build_object('request.jwt.claims', jsonb_build_object('org_id', tenant)) $$
"""


@pytest.fixture
def notes(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    for tenant, content in ((OURS, "our fish"), (THEIRS, "their fish")):
        connection.execute(
            "insert into notes (tenant_id, id, content, embedding) values (%s, '1', %s, '[1,0]')", (tenant, content)
        )
    connection.execute(BY_ORGANISATION)
    connection.execute(SETTINGS_BY_ORGANISATION)
    return connection


def _claim(connection: Connection, claims: dict[str, str]) -> None:
    connection.execute("select set_config('request.jwt.claims', %s, false)", (json.dumps(claims),))


@pytest.mark.parametrize(
    "search",
    [
        "match_documents('[1,0]', collection => 'notes')",
        "keyword_search('fish', collection => 'notes')",
        "hybrid_search('fish', '[1,0]', collection => 'notes')",
        "notes",
    ],
)
def test_a_replaced_hook_says_whose_rows_are_found(notes: Connection, search: str) -> None:
    query = f"select content from {search}".encode()
    notes.execute("set role pgvec_reader")
    _claim(notes, {"org_id": OURS, "app_metadata": json.dumps({"tenant_id": THEIRS})})
    assert notes.execute(query).fetchall() == [("our fish",)]
    _claim(notes, {"org_id": THEIRS})
    assert notes.execute(query).fetchall() == [("their fish",)]


def test_upgrades_leave_hooks_alone_and_take_them_for_no_drift(notes: Connection, run: Run) -> None:
    before = [_definition(notes, hook.name) for hook in HOOKS]
    migrated = run("migrate", "--overwrite-drift", "--replace-existing")
    assert migrated.returncode == 0, migrated.stderr
    assert [_definition(notes, hook.name) for hook in HOOKS] == before
    assert run("status", "--check").returncode == 0
    listed = json.loads(run("functions", "list", "--json").stdout)
    assert {one["name"] for one in listed if one["state"] == "replaced"} == {hook.name for hook in HOOKS}
    assert "-create or replace" not in run("functions", "diff").stdout
    verified = run("verify", "--tenants")
    assert verified.returncode == 0, verified.stdout


def test_a_release_with_another_text_for_a_hook_does_not_apply_it(connection: Connection, sql_copy: Path) -> None:
    path = sql_copy / "functions" / HOOKS[0].path
    path.write_text(path.read_text().replace("  return ", "  return /* by default */ "))
    assert functions.states(connection) == [s for s in functions.states(connection) if s.state == "ok"]
    assert functions.apply(connection, installation.VECTOR_SCHEMA) == []


def test_a_hook_that_was_dropped_is_made_again(notes: Connection, run: Run) -> None:
    notes.execute("drop function pgvec.current_tenants")
    assert run("status", "--check").returncode == 4
    assert run("migrate").returncode == 0
    _claim(notes, {"org_id": OURS})
    assert notes.execute("select * from pgvec.allowed_tenants()").fetchall() == []


@pytest.mark.skipif(installation.VECTOR_SCHEMA != "extensions", reason="the exported file is for that schema")
def test_the_exported_file_leaves_hooks_alone(notes: Connection, administrator: Connection) -> None:
    before = [_definition(notes, hook.name) for hook in HOOKS]
    administrator.execute(supabase.text().encode())
    assert [_definition(notes, hook.name) for hook in HOOKS] == before


def test_a_hook_that_no_made_up_tenant_gets_by_is_told_as_not_tried(notes: Connection) -> None:
    settings = "create or replace function pgvec.tenant_settings(tenant uuid) returns jsonb language sql stable"
    notes.execute(f"{settings} set search_path = pg_catalog, pg_temp as 'select null::jsonb'".encode())
    hook = notes.execute("select result, left(found, 10) from pgvec.verify_hooks()").fetchall()
    assert hook == [("warn", "not tried:")]
    attempts = notes.execute("select distinct passed, left(detail, 10) from pgvec.verify_tenants()").fetchall()
    assert attempts == [(False, "not tried:")]


FOREIGN = {
    "another role's": "alter function pgvec.current_tenants() owner to pgvec_writer",
    "of another result": "drop function pgvec.current_tenants();"
    " create function pgvec.current_tenants() returns setof uuid language sql as 'select null::uuid'",
    "made before ours": "delete from pgvec.function_history where name = 'pgvec.current_tenants'",
}


@pytest.mark.parametrize("statements", FOREIGN.values(), ids=FOREIGN.keys())
def test_a_function_that_is_not_the_owners_own_hook_is_refused_or_replaced(
    connection: Connection, administrator: Connection, run: Run, statements: str
) -> None:
    """It would run as the owner."""
    administrator.execute("grant create on schema pgvec to pgvec_writer")
    # who installs need not be able to take over what a stronger role has made
    (administrator if "owner to" in statements else connection).execute(statements.encode())
    refused = run("migrate")
    assert (refused.returncode, "pgvec.current_tenants" in refused.stderr) == (4, True), refused.stderr
    if installation.VECTOR_SCHEMA == "extensions" and not installation.OWNER:
        with pytest.raises(psycopg.errors.RaiseException, match="current_tenants"):
            administrator.execute(supabase.text().encode())
        administrator.execute("rollback; reset search_path")
    assert run("migrate", "--replace-existing").returncode == 0
    assert run("status", "--check").returncode == 0
    owners = (
        "select proowner, proacl::text ~ '(^|[{,])=' from pg_proc"
        " where proname in ('current_tenants', 'allowed_tenants')"
    )
    assert len(set(connection.execute(owners.encode()).fetchall())) == 1
    _claim(connection, {"org_id": OURS})
    assert connection.execute("select * from pgvec.allowed_tenants()").fetchall() == []


def test_a_hook_is_nobodys_to_call_or_replace_but_the_owners(connection: Connection) -> None:
    for role in ("pgvec_reader", "pgvec_writer"):
        connection.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from pgvec.current_tenants()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(BY_ORGANISATION)
        connection.execute("reset role")


def _definition(connection: Connection, name: str) -> str:
    row = connection.execute("select pg_get_functiondef(%s::regproc)", (name,)).fetchone()
    assert row is not None
    return str(row[0])
