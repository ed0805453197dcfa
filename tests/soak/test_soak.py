"""The soak: a short one survives a kill, and its checks find planted faults."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from conftest import Connection
from installation import VERSION
from pgvec_admin.server import embedded
from properties import FULL
from soak.ledger import Ledger
from soak.measure import SETTLING, Fault, Recorder
from soak.rows import Key, Rows, State
from soak.run import Settings, soak
from soak.world import World, environment

of_minutes = pytest.mark.skipif(not FULL, reason="a soak of more than moments is of make test-full")
KEY = Key("notes", "", "one-1")


def _written(version: int) -> State:
    return State(version, version, version)


@of_minutes
def test_a_short_soak_passes_through_a_kill_of_the_server() -> None:
    checkout = Path(__file__).resolve().parents[2]
    own = environment(checkout)
    ran = subprocess.run(
        [sys.executable, "-m", "soak", "--minutes", "0.25", "--seed", "2", "--postgres", str(VERSION), "--json"],
        env=own | {"PYTHONPATH": f"{own['PYTHONPATH']}:{checkout / 'tests'}:{checkout / 'tests/support'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads(ran.stdout)
    assert report["passed"] is True
    assert report["errors"]["unexpected"] == []
    assert report["faults"]["kill -9 of the server"] == 1
    done = {one["kind"] for one in report["operations"]}
    assert {"upsert", "vector, filter, notes", "vector, filter, by service"} <= done


@pytest.fixture
def left_open() -> Iterator[list[Connection]]:
    connections: list[Connection] = []
    yield connections
    for connection in connections:
        connection.close()


@of_minutes
def test_the_checks_find_what_is_wrong(left_open: list[Connection]) -> None:
    def tamper(world: World, owner: Connection) -> None:
        owner.execute("delete from notes where id = 'fixed-7'")
        owner.execute("insert into drafts (id, content) values ('stranger', 'w1')")
        owner.execute("update pgvec.lexemes set documents = 99 where collection = 'board' and lexeme = 'anchor3'")
        owner.execute("alter table members disable trigger user")
        owner.execute("update members set metadata = metadata || '{\"version\": 5}' where id = 'fixed-8'")
        owner.execute("update members set content_hash = 'none' where id = 'fixed-9'")
        owner.execute("alter table members enable trigger user")
        with world.connect(embedded.SUPERUSER) as admin:
            admin.execute("update pg_index set indisvalid = false where indexrelid = 'papers_fts_idx'::regclass")
            with pytest.raises(psycopg.errors.InternalError_):
                admin.execute("do $$ begin raise exception using errcode = 'XX000'; end $$")
        left_open.append(psycopg.connect(world.owner.conninfo))
        left_open[0].execute("lock table jobs in access share mode")

    report = soak(Settings(2, 11, VERSION, faults=[], services=False), lambda _: None, tamper)
    failed = {check.name: check.detail for check in report.checks if not check.passed}
    assert failed["rows of notes"] == "fixed-7 is lost"
    assert failed["rows of drafts"] == " stranger was written by nobody"
    assert "fixed-8 holds" in failed["rows of members"]
    assert "fixed-9" in failed["lexemes and hashes of every row"]
    assert "anchor3" in failed["words as counted by trigger"]
    assert "papers_fts_idx" in failed["no invalid index"]
    assert "idle in transaction" in failed["no session is left"]
    assert "AccessShareLock" in failed["no lock is left"]
    assert "XX000" in failed["no internal error in the log"]
    assert failed.keys() == {
        "rows of notes",
        "rows of drafts",
        "rows of members",
        "lexemes and hashes of every row",
        "words as counted by trigger",
        "no invalid index",
        "pgvec-admin verify",
        "pgvec-admin verify --tenants",
        "no session is left",
        "no lock is left",
        "no internal error in the log",
    }
    assert not report.passed


def test_what_was_not_answered_may_have_happened_or_not() -> None:
    ledger = Ledger()
    assert ledger.possible(KEY) == {None}
    ledger.acknowledged([KEY], lambda _: _written(1))
    ledger.unknown([KEY], lambda _: None)
    assert ledger.possible(KEY) == {_written(1), None}
    ledger.acknowledged([KEY], lambda state: state and State(2, 2, state.vector))
    assert ledger.possible(KEY) == {State(2, 2, 1), None}
    ledger.acknowledged([KEY], lambda _: _written(3))
    assert ledger.possible(KEY) == {_written(3)}


def test_an_error_is_expected_only_when_the_connection_is_lost_at_a_fault() -> None:
    recorder, now = Recorder(), time.monotonic()
    recorder.faults.append(Fault("restart", now - 100, now - 90))
    recorder.failed("upsert", "57P01", "terminated", now - 80, is_loss=True)
    assert not recorder.expected(recorder.failures[0])
    recorder.faults.append(Fault("restart", now - SETTLING - 1, now - SETTLING / 2))
    recorder.failed("upsert", "57P01", "terminated", now, is_loss=True)
    recorder.failed("upsert", "40P01", "deadlock detected", now, is_loss=False)
    assert [recorder.expected(failure) for failure in recorder.failures[1:]] == [True, False]


def test_rows_are_the_same_whenever_they_are_asked_for() -> None:
    first, second, other = Rows(1), Rows(1), Rows(2)
    assert first.text(KEY, 1) == second.text(KEY, 1)
    assert first.text(KEY, 1) not in (first.text(KEY, 2), other.text(KEY, 1))
    assert (first.vector(KEY, 1) == second.vector(KEY, 1)).all()
