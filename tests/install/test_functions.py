"""Functions and their ledger: changes are applied, edits are not lost, and earlier versions can be restored."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

import installation
from command import COMMAND
from conftest import Connection
from installation import VECTOR_SCHEMA, function_file
from pgvec_admin.database import Target
from pgvec_admin.errors import CheckFailedError, UsageError
from pgvec_admin.install import functions, migrate, supabase

NAME = "pgvec.clamp_count"
EDITED = """
create or replace function pgvec.clamp_count(match_count int, default_count int) returns int
  language sql immutable parallel safe security invoker set search_path = ''
as $$ select 42 $$
"""


def install(url: str, **options: Any) -> dict[str, str]:
    """Names of the functions that a run applied, with the state that each was in."""
    report = migrate.migrate(Target(url, "the test"), report=lambda _: None, **options)
    return {state.name: state.state for state in report.functions}


def state(connection: Connection, name: str) -> str:
    (found,) = [state.state for state in functions.states(connection) if state.name == name]
    return found


@pytest.fixture(autouse=True)
def history_of_this_release(request: pytest.FixtureRequest) -> None:
    """Also where the release was installed over an earlier one, the ledger begins with this one's versions."""
    if installation.FROM and "connection" in request.fixturenames:
        connection: Connection = request.getfixturevalue("connection")
        connection.execute(
            "delete from pgvec.function_history as h"
            " where h.version < (select max(version) from pgvec.function_history as l where l.name = h.name)"
        )
        connection.execute("update pgvec.function_history set version = 1")


def clamped(connection: Connection, value: int = 7) -> int:
    row = connection.execute("select pgvec.clamp_count(%s, 1)", (value,)).fetchone()
    assert row is not None
    return int(row[0])


def edit_file(directory: Path, old: str, new: str) -> None:
    file = function_file("pgvec.clamp_count", directory)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_only_a_file_whose_text_changed_is_applied(connection: Connection, database: str, sql_copy: Path) -> None:
    edit_file(sql_copy, "1), 1000)", "1), 5)")
    assert state(connection, NAME) == "changed"
    assert install(database) == {NAME: "changed"}
    assert (state(connection, NAME), clamped(connection)) == ("ok", 5)
    assert install(database) == {}


def test_a_function_that_was_dropped_comes_back(connection: Connection, database: str) -> None:
    connection.execute("drop function pgvec.clamp_count")
    assert state(connection, NAME) == "missing"
    assert install(database) == {NAME: "missing"}
    assert clamped(connection) == 7


def test_a_function_edited_in_the_database_is_refused_then_overwritten_and_kept(
    connection: Connection, database: str
) -> None:
    connection.execute(EDITED.encode())
    assert (state(connection, NAME), clamped(connection)) == ("drifted", 42)
    with pytest.raises(CheckFailedError, match=r"edited in the database .* pgvec\.clamp_count") as refused:
        install(database)
    assert "--overwrite-drift" in str(refused.value.hint)
    assert clamped(connection) == 42

    assert install(database, overwrite_drift=True) == {NAME: "drifted"}
    assert (state(connection, NAME), clamped(connection)) == ("ok", 7)
    _, entries = functions.history(connection, NAME)
    assert [entry.origin for entry in entries] == ["file", "drift", "file"]
    assert "select 42" in entries[1].definition


def test_an_edited_function_is_refused_where_the_release_brings_another_text_too(
    connection: Connection, database: str, sql_copy: Path
) -> None:
    connection.execute(EDITED.encode())
    edit_file(sql_copy, "1), 1000)", "1), 5)")
    assert state(connection, NAME) == "drifted"
    with pytest.raises(CheckFailedError, match=r"edited in the database .* pgvec\.clamp_count"):
        install(database)
    assert clamped(connection) == 42
    assert install(database, overwrite_drift=True) == {NAME: "drifted"}
    assert (state(connection, NAME), clamped(connection)) == ("ok", 5)
    _, entries = functions.history(connection, NAME)
    assert [entry.origin for entry in entries] == ["file", "drift", "file"]


def test_another_signature_or_an_overload_is_drift_too_and_goes_with_it(connection: Connection, database: str) -> None:
    connection.execute("create function match_documents(query text) returns int language sql as 'select 1'")
    assert state(connection, "public.match_documents") == "drifted"
    assert install(database, overwrite_drift=True) == {"public.match_documents": "drifted"}
    found = connection.execute(
        "select replace(oid::regprocedure::text, 'extensions.', '') from pg_proc where proname = 'match_documents'"
    ).fetchall()
    assert len(found) == 1
    assert found[0][0].startswith("match_documents(vector,")

    connection.execute(
        "drop function pgvec.clamp_count; create function pgvec.clamp_count(a int, b int) returns text"
        " language sql as $$ select 'text' $$"
    )
    assert install(database, overwrite_drift=True) == {NAME: "drifted"}
    assert clamped(connection) == 7


def test_a_grant_of_the_users_own_is_no_drift_and_survives(
    connection: Connection, database: str, sql_copy: Path
) -> None:
    connection.execute("create role colleague")
    connection.execute("grant execute on function pgvec.clamp_count to colleague")
    assert state(connection, NAME) == "ok"
    edit_file(sql_copy, "1), 1000)", "1), 5)")
    install(database)
    row = connection.execute(
        "select has_function_privilege('colleague', 'pgvec.clamp_count(int, int)', 'execute')"
    ).fetchone()
    assert row == (True,)


def test_fingerprints_do_not_depend_on_the_search_path(connection: Connection) -> None:
    for path in ("extensions, pgvec", "pg_catalog", '"$user", public'):
        connection.execute(f"set search_path = {path}".encode())
        with connection.transaction():
            assert {found.state for found in functions.states(connection)} == {"ok"}
            assert connection.execute("show search_path").fetchone() == (path,)


def test_another_signature_takes_the_place_of_the_one_before_and_two_are_refused(
    database: str, connection: Connection, sql_copy: Path
) -> None:
    edit_file(sql_copy, "(match_count int, default_count int)", "(match_count int, default_count int, extra int)")
    edit_file(sql_copy, "clamp_count(int, int)", "clamp_count(int, int, int)")
    assert install(database) == {NAME: "changed"}
    edit_file(
        sql_copy,
        "-- pgvec.clamp_count",
        "create function pgvec.clamp_count() returns int return 1;\n-- pgvec.clamp_count",
    )
    with pytest.raises(CheckFailedError, match=r"there are 2 functions named pgvec\.clamp_count"):
        install(database)
    one = connection.execute("select oidvectortypes(proargtypes) from pg_proc where proname = 'clamp_count'").fetchall()
    assert one == [("integer, integer, integer",)]


def test_a_function_in_our_schema_without_a_file_is_listed_and_left_alone(
    connection: Connection, database: str
) -> None:
    connection.execute("create function pgvec.mine() returns int language sql as 'select 1'")
    assert state(connection, "pgvec.mine") == "unmanaged"
    assert install(database) == {}
    assert connection.execute("select pgvec.mine()").fetchone() == (1,)


def test_a_function_that_a_release_has_no_more_is_dropped_unless_somebody_edited_it(
    connection: Connection, database: str, sql_copy: Path
) -> None:
    for name in ("pgvec.told_age", "public.match_vectors", "pgvec.shown"):
        function_file(name, sql_copy).unlink()
    connection.execute("alter function pgvec.shown reset search_path")
    assert state(connection, "pgvec.told_age") == state(connection, "public.match_vectors") == "retired"
    assert install(database) == {"pgvec.told_age": "retired", "public.match_vectors": "retired"}
    gone = "select to_regproc('pgvec.told_age') is null, to_regproc('public.match_vectors') is null"
    assert connection.execute(gone).fetchone() == (True, True)
    assert state(connection, "pgvec.shown") == "unmanaged"
    assert install(database) == {}


def test_a_rollback_brings_a_version_back_and_holds_it_until_the_file_changes(
    connection: Connection, database: str, sql_copy: Path
) -> None:
    edit_file(sql_copy, "1), 1000)", "1), 5)")
    install(database)
    with connection.transaction():
        name, entry = functions.rollback(connection, "clamp_count", VECTOR_SCHEMA)
    assert (name, entry.version, clamped(connection)) == (NAME, 1, 7)
    assert state(connection, NAME) == "held"
    assert install(database) == {}
    assert clamped(connection) == 7

    edit_file(sql_copy, "1), 5)", "1), 6)")
    assert install(database) == {NAME: "changed"}
    assert clamped(connection) == 6
    _, entries = functions.history(connection, NAME)
    assert [entry.origin for entry in entries] == ["file", "file", "rollback", "file"]

    with connection.transaction():
        functions.rollback(connection, NAME, VECTOR_SCHEMA, 2)
    assert clamped(connection) == 5
    public = "select has_function_privilege('public', 'pgvec.clamp_count(int, int)', 'execute')"
    assert connection.execute(public).fetchone() == (False,)


def test_a_rollback_keeps_what_was_edited_meanwhile(connection: Connection, database: str) -> None:
    connection.execute(EDITED.encode())
    with connection.transaction():
        functions.rollback(connection, NAME, VECTOR_SCHEMA)
    assert clamped(connection) == 7
    _, entries = functions.history(connection, NAME)
    assert [entry.origin for entry in entries] == ["file", "drift", "rollback"]
    with connection.transaction():
        functions.rollback(connection, NAME, VECTOR_SCHEMA, 2)
    assert clamped(connection) == 42


def test_a_function_that_is_made_anew_keeps_its_grants_and_gives_none_to_public(
    connection: Connection, database: str
) -> None:
    connection.execute("create role colleague")
    connection.execute("drop function pgvec.clamp_count(int, int)")
    connection.execute(
        "create function pgvec.clamp_count(a int, b int) returns text language sql as $$ select 'theirs' $$"
    )
    connection.execute("grant execute on function pgvec.clamp_count to colleague")
    install(database, overwrite_drift=True)
    with connection.transaction():
        functions.rollback(connection, NAME, VECTOR_SCHEMA, 2)
    assert connection.execute("select pgvec.clamp_count(1, 2)").fetchone() == ("theirs",)
    allowed = "select has_function_privilege(%s, 'pgvec.clamp_count(int, int)', 'execute')"
    assert connection.execute(allowed, ("colleague",)).fetchone() == (True,)
    assert connection.execute(allowed, ("public",)).fetchone() == (False,)


# the exported file is for projects that have pgvector in schema extensions
@pytest.mark.parametrize("way", ["migrate", "export"] if VECTOR_SCHEMA == "extensions" else ["migrate"])
@pytest.mark.parametrize("change", ["a column more", "an argument more"])
def test_a_search_of_another_signature_keeps_the_grants_of_the_users_own_roles(
    connection: Connection, database: str, sql_copy: Path, monkeypatch: pytest.MonkeyPatch, change: str, way: str
) -> None:
    monkeypatch.setattr(supabase, "sql_directory", lambda: sql_copy)
    connection.execute("create role customer")
    connection.execute("select pgvec.create_collection('notes', 3), pgvec.create_collection('documents', 3)")
    connection.execute("select pgvec.create_collection_api('notes')")
    signature = connection.execute("select 'public.hybrid_search'::regproc::regprocedure::text").fetchone()
    assert signature is not None
    for made in (signature[0], "public.hybrid_search_notes"):
        connection.execute(f"grant execute on function {made} to customer".encode())
    connection.execute("grant pgvec_reader to customer")
    file = function_file("public.hybrid_search", sql_copy)
    text = file.read_text()
    if change == "a column more":
        text = text.replace("keyword_rank bigint)\n  language", "keyword_rank bigint, more int)\n  language")
    else:
        text = text.replace("prefix boolean default false)", "prefix boolean default false, more int default 1)")
        text = text.replace("text, boolean, boolean)", "text, boolean, boolean, int)")
    assert text != file.read_text()
    file.write_text(text)

    if way == "migrate":
        assert install(database) == {"public.hybrid_search": "changed"}
    else:
        connection.execute(supabase.text().encode())
    for call in ("hybrid_search", "hybrid_search_notes"):
        row = connection.execute(
            "select has_function_privilege('customer', p.oid, 'execute'), p.proargnames from pg_proc as p"
            " where p.oid = %s::regproc",
            (call,),
        ).fetchone()
        assert row is not None
        assert row[0]
        assert "more" in row[1]
        assert connection.execute(f"select count(*) from {call}('word', '[1,0,0]')".encode()).fetchone() == (0,)


def test_a_rollback_to_the_text_of_the_file_is_ok_and_not_held(connection: Connection) -> None:
    connection.execute(EDITED.encode())
    with connection.transaction():
        functions.rollback(connection, NAME, VECTOR_SCHEMA, 1)
    assert state(connection, NAME) == "ok"


def test_a_rollback_without_an_earlier_version_says_so(connection: Connection) -> None:
    with pytest.raises(UsageError, match="has no earlier version"):
        functions.rollback(connection, NAME, VECTOR_SCHEMA)
    with pytest.raises(UsageError, match="has no version 9"):
        functions.rollback(connection, NAME, VECTOR_SCHEMA, 9)
    with pytest.raises(UsageError, match="no function 'clamp_cuont'") as unknown:
        functions.rollback(connection, "clamp_cuont", VECTOR_SCHEMA)
    assert unknown.value.hint == "did you mean clamp_count?"


def test_diff_shows_the_servers_own_rendering_and_changes_nothing(connection: Connection) -> None:
    connection.execute(EDITED.encode())
    lines = functions.diff(connection, VECTOR_SCHEMA, "clamp_count")
    assert any(line.startswith("-") and "select 42" in line for line in lines)
    assert any(line.startswith("+  return least(greatest(") for line in lines)
    assert clamped(connection) == 42
    assert functions.diff(connection, VECTOR_SCHEMA, "match_documents") == []


def test_the_commands_list_show_and_bring_back(connection: Connection, database: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, "functions", *arguments, "--database-url", database], capture_output=True, text=True
        )

    connection.execute(EDITED.encode())
    listed = {item["name"]: item["state"] for item in json.loads(run("list", "--json").stdout)}
    assert (listed[NAME], listed["public.match_documents"]) == ("drifted", "ok")
    assert "select 42" in run("diff").stdout
    refused = run("rollback", "clamp_count")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    _, (first, *_) = functions.history(connection, NAME)
    back = run("rollback", "clamp_count", "--yes")
    told = f"{NAME} is version 1 again (file, release {first.package_version})\n"
    assert (back.returncode, back.stderr) == (0, told)
    assert clamped(connection) == 7
    told = run("history", "clamp_count").stdout
    assert [line.split()[0] for line in told.splitlines()[3:]] == ["1", "2", "3"]
    assert "select 42" in run("history", "clamp_count", "--show", "2").stdout
    assert run("diff").stderr == "no difference\n"


def test_the_ledger_is_closed_to_everybody_but_its_owner(connection: Connection, as_role: Any) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("pgvec_writer").execute("select * from pgvec.function_history")
