"""Hooks: functions that an installation replaces, and no upgrade touches."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

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


def _claim(connection: Connection, claims: dict[str, Any]) -> None:
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


BY_TEXT = """
create or replace function pgvec.current_tenants() returns uuid[]
  language sql stable set search_path = pg_catalog, pg_temp
  as $$ select pgvec.claimed_tenants()
               || pgvec.tenant_uuid(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'org_id') $$
"""


@pytest.mark.parametrize("text", ["org_2xyz", "", "é 日本", "00000000-0000-4000-8000-00000000000a", "x" * 1000])
def test_the_uuid_of_a_text_is_the_one_that_standard_libraries_make(connection: Connection, text: str) -> None:
    made = connection.execute("select pgvec.tenant_uuid(%s)", (text,)).fetchone()
    assert made == (uuid.uuid3(uuid.NAMESPACE_URL, text),)
    assert connection.execute("select pgvec.tenant_uuid(null)").fetchone() == (None,)


def test_tenants_with_ids_that_are_no_uuid_are_mapped_by_a_hook(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    connection.execute(BY_TEXT)
    for organisation in ("org_2xyz", "org_3abc"):
        connection.execute("set role pgvec_writer")
        _claim(connection, {"org_id": organisation})
        connection.execute("insert into notes (id, content) values ('1', %s)", (f"fish of {organisation}",))
    for search in ("notes", "keyword_search('fish', collection => 'notes')"):
        found = connection.execute(f"select content from {search}".encode()).fetchall()
        assert found == [("fish of org_3abc",)]
    _claim(connection, {"org_id": "org_4"})
    assert connection.execute("select content from notes").fetchall() == []


@pytest.mark.parametrize(
    "claims",
    [
        {"app_metadata": {"tenant_id": "org_2xyz"}},
        {"app_metadata": {"tenant_ids": ["org_2xyz"]}},
        {"app_metadata": {"tenant_ids": "org_2xyz"}},
        None,
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "statement",
    [
        "select content from notes",
        "select * from keyword_search('fish', collection => 'notes')",
        "select * from match_documents('[1,0]', collection => 'notes')",
        "insert into notes (content) values ('x')",
        "select upsert_documents('{\"content\": \"x\"}', 'notes')",
        "select delete_documents('{1}', collection => 'notes')",
    ],
)
def test_a_tenant_that_is_no_uuid_is_told_where_it_fails(connection: Connection, claims: Any, statement: str) -> None:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    connection.execute("insert into notes (tenant_id, content) values (gen_random_uuid(), 'a fish')")
    connection.execute("set role pgvec_writer")
    if claims:
        _claim(connection, claims)
    else:
        connection.execute("set app.tenant_id = 'org_2xyz'")
    with pytest.raises(psycopg.Error, match="tenant 'org_2xyz' is no uuid") as caught:
        connection.execute(statement.encode())
    assert caught.value.sqlstate == "PV006"
    assert "pgvec.tenant_uuid" in (caught.value.diag.message_hint or "")


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
