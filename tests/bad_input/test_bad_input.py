"""Bad input to every function: the answer is an error that says what to do, and nothing has changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import bad_input
from bad_input import Case
from bad_input.shelf import STATE, fill
from conftest import Connection
from pgvec_admin.resources import sql_directory
from pgvec_admin.server import embedded

ROOT = Path(__file__).parents[2]
RPC, ADMIN = bad_input.read("rpc"), bad_input.read("admin")

# errors nobody can act on: internal ones, those that PostgREST retries or takes for an outage, bugs in PL/pgSQL
NEVER = ("XX", "40", "08", "53", "57", "58", "P0", "2F", "38", "39", "24", "25", "42P02", "42702")
# called with values of the registry or the command itself, never with a caller's
NOT_FOR_CALLERS = {
    "any_lexeme", "build_seconds", "clamp_count", "collection_checks", "default_ef_search", "estimate_rows", "headline",
    "index_memory", "insert_search", "partitions", "tenant_settings",
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(server: embedded.Server, with_engine: Any) -> Iterator[Connection]:
    with fill(server, with_engine.template_dbname, "shelf") as connection:
        yield connection


@pytest.fixture(scope="module")
def before(shelf: Connection) -> Any:
    """The state before the first case."""
    return shelf.execute(STATE).fetchone()


def _call(case: Case) -> bytes:
    is_statement = case.call.startswith(("select ", "with ", "insert ", "update "))
    return (case.call if is_statement else f"select * from {case.call}").encode()


@pytest.mark.parametrize("case", RPC + ADMIN, ids=str)
def test_bad_input_is_refused_with_its_own_code_and_words(shelf: Connection, before: Any, case: Case) -> None:
    if case.code == "ok":
        with shelf.transaction(force_rollback=True):
            rows = shelf.execute(_call(case)).fetchall()
        found = ", ".join("null" if row[0] is None else str(row[0]) for row in rows)
        expected = " ".join(case.told)
        assert found.startswith(expected[:-3]) if expected.endswith("...") else found == expected
        return
    with pytest.raises(psycopg.Error) as caught:
        shelf.execute(_call(case))
    diagnosis = caught.value.diag
    said = " ".join(filter(None, (diagnosis.message_primary, diagnosis.message_detail, diagnosis.message_hint)))
    assert caught.value.sqlstate == case.code, said[:500]
    for part in case.told:
        assert part in " ".join(said.split())
    assert len(said) < 1500, "a message is no place for megabytes"
    assert diagnosis.message_hint or not case.code.startswith("PV")


@pytest.mark.parametrize(
    ("call", "value", "code"),
    [
        (b"select * from keyword_search($1)", b"caf\xe9", "22021"),
        (b"select * from keyword_search($1)", b"\xed\xa0\x80", "22021"),  # half of a surrogate pair
        (b"select * from keyword_search($1)", b"\xc0\x80", "22021"),  # NUL, written longer than it is
        (b"select * from keyword_search($1)", b"a\x00b", "22021"),
        (b"select * from match_documents($1)", b"[1, \xff, 0]", "22021"),
        (b"select * from match_documents('[1, 0, 0]', filter => $1)", b'{"lang": "\xff"}', "22021"),
        (b"select * from match_documents('[1, 0, 0]', collection => $1)", b"\xf8\x88\x80\x80\x80", "22021"),
        (b"select upsert_documents($1)", b'{"content": "\xe9"}', "22021"),
        (b"select pgvec.create_collection($1, 3)", b"fish\xff", "22021"),
    ],
)
def test_bytes_that_are_no_text_are_refused_on_the_wire(
    shelf: Connection, before: Any, call: bytes, value: bytes, code: str
) -> None:
    binary = 1 if b"\x00" in value else 0  # as text it would end there
    result = shelf.pgconn.exec_params(call, [value], param_formats=[binary])
    assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) == code.encode()
    assert b"invalid byte sequence" in result.error_message


def test_nothing_of_all_this_has_changed_anything(shelf: Connection, before: Any) -> None:
    assert shelf.execute(STATE).fetchone() == before


def test_no_case_expects_what_nobody_can_act_on() -> None:
    codes = {case.code for case in RPC + ADMIN}
    assert [code for code in codes if code.startswith(NEVER)] == []


def test_every_public_function_is_in_the_corpus() -> None:
    called = {case.call.partition("(")[0] for case in RPC}
    assert {path.stem for path in (sql_directory() / "functions" / "public").glob("*.sql")} - called == set()


def test_every_function_that_the_command_or_the_documentation_calls_is_in_the_corpus(shelf: Connection) -> None:
    texts = [
        ROOT / "README.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "src").rglob("*.py"),
        *(ROOT / "src").rglob("*.sql"),
    ]
    mentioned = {name for path in texts for name in re.findall(r"\bpgvec\.(\w+)\(", path.read_text(encoding="utf-8"))}
    rows = shelf.execute("select proname from pg_proc where pronamespace = 'pgvec'::regnamespace and pronargs > 0")
    with_arguments = {str(row[0]) for row in rows}
    called = {name for case in ADMIN for name in re.findall(r"\bpgvec\.(\w+)\(", case.call)}
    assert (mentioned & with_arguments) - called - NOT_FOR_CALLERS == set()


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    calls = [case.call for case in RPC + ADMIN]
    assert len(calls) >= 300
    assert sorted({call for call in calls if calls.count(call) > 1}) == []
