"""Reads on a hot standby: every function that reads answers as on the primary, or says what a replica cannot know."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

import every_call
import installation
from installation import Connection
from pgvec_admin.database import Target
from pgvec_admin.engine import search_log
from pgvec_admin.quality import stats, verification
from replicated import Pair, replicated

LOGGED = "select pgvec.log_searches('documents', sample => 1)"

# the functions for clients that write
WRITERS = {
    *("upsert_documents", "delete_documents"),
    *("claim_embeddings", "complete_embeddings", "fail_embeddings", "renew_embeddings"),
}
# their answers are drawn, or measured, be it of the machine
DRAWN = {
    "pgvec.first_change",
    "pgvec.measure_recall",
    "pgvec.new_worker",
    "pgvec.sample_texts",
    "pgvec.server_memory",
    "pgvec.verify",
    "pgvec.verify_search",
}
# they tell what only a primary knows, and a replica says so: see the tests below
OF_PRIMARIES = {
    "pgvec.search_log_state",
    "pgvec.verify_statistics",
    "pgvec.verify_replication",
    "pgvec.prune_search_log",
}


ON_18 = pytest.mark.parametrize("pair", [18], indirect=True)


@pytest.fixture(scope="module", params=[18, 16])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with replicated(request.param, f"{every_call.FILL};{every_call.LATER};{LOGGED}; analyze") as made:
        yield made


@contextmanager
def both(pair: Pair, role: str | None = None) -> Iterator[tuple[Connection, Connection]]:
    """Sessions that may only read, of primary and replica."""
    with (
        installation.connect(pair.primary.url(), role) as primary,
        installation.connect(pair.replica.url(), role) as replica,
    ):
        for one in (primary, replica):
            one.execute("select set_config('app.tenant_id', %s, false)", (every_call.TENANT,))
        primary.execute("set default_transaction_read_only = on")
        yield primary, replica


def answer(connection: Connection, call: str) -> list[tuple[Any, ...]] | str:
    """The rows, numbers to five digits since the age of a row is one; or the code of the error."""
    try:
        rows = connection.execute(call.encode()).fetchall()
    except psycopg.Error as error:
        return str(error.sqlstate)
    if "explain_search" in call:
        rows = [row[:5] for row in rows]
    return [tuple(f"{value:.5g}" if isinstance(value, float) else value for value in row) for row in rows]


def usual(connection: Connection, role: str) -> Iterator[tuple[str, str]]:
    """The first call of each function, with the first collection."""
    met = set()
    for name, call in every_call.calls(connection, role):
        if name not in met:
            met.add(name)
            yield name, call


@ON_18
def test_every_function_for_clients_that_reads_answers_as_on_the_primary(pair: Pair) -> None:
    written, compared = set(), 0
    with both(pair, "pgvec_reader") as (primary, replica):
        for name, call in every_call.calls(primary, "pgvec_reader"):
            if not name.startswith("public.") or re.search("'(jobs|mine|crates|parts|moving)'", call):
                continue
            found = answer(replica, call)
            assert found == answer(primary, call), call
            if found == "25006":
                written.add(name.removeprefix("public."))
            compared += found != "25006" and not isinstance(found, str)
    assert written <= WRITERS
    assert compared > 100


def test_every_function_that_reads_answers_as_on_the_primary(pair: Pair) -> None:
    with both(pair) as (primary, replica):
        stable = {
            name
            for (name,) in primary.execute(
                "select format('%I.%I', n.nspname, p.proname) from pg_catalog.pg_proc as p"
                " join pg_catalog.pg_namespace as n on n.oid = p.pronamespace where p.provolatile <> 'v'"
            )
        }
        compared = set()
        for name, call in usual(primary, "postgres"):
            found = answer(replica, call)
            assert found != "25006" or name not in stable, f"{name} is said to read, and writes"
            if name in DRAWN:
                assert not isinstance(found, str), (call, found)
            elif name not in OF_PRIMARIES:
                assert found == answer(primary, call), call
            compared.add(name)
    assert len(compared) > 280


@ON_18
def test_searches_on_a_replica_are_not_logged_and_it_says_so(pair: Pair) -> None:
    with installation.connect(pair.replica.url()) as replica:
        for call in ("match_documents('[1,2]')", "keyword_search('fish')", "hybrid_search('fish', '[1,2]')"):
            assert replica.execute(f"select * from public.{call}".encode()).fetchall(), call
        state = {one.collection: one for one in search_log.state(replica)}
        assert (state["documents"].sample, state["documents"].logged) == (1, None)
        assert state["documents"].read_only == "not logged: this is a replica"
        assert state["notes"].read_only == "off"
        found = stats.read(replica)
        assert found.replica
        assert not found.searches
        assert {one.collection: one.estimated_rows for one in found.collections}["documents"] == 20
    with installation.connect(pair.primary.url()) as primary:
        assert not stats.read(primary).replica
        assert {one.collection: one.logged for one in search_log.state(primary)}["documents"] == 0


def checks(url: str, *only: str) -> dict[str, verification.Check]:
    found = verification.run(Target(url, "the tests"), verification.Options(only))
    return {one.check_name: one for one in found}


def test_verify_says_what_a_replica_cannot_know_and_how_far_it_is_behind(pair: Pair) -> None:
    pair.catch_up()
    with psycopg.connect(pair.replica.url(), autocommit=True) as replica:
        replica.execute("select pgvec.verify_replication()")
    found = checks(pair.replica.url(), "analyze", "vacuum", "replica")
    assert (found["replica"].result, found["replica"].found) == ("ok", "a replica, 0 s and 0 bytes behind")
    for name in ("analyze", "vacuum"):
        assert found[name].result == "warn"
        assert found[name].found == "not known on a replica, which counts no changes"
        assert found[name].fix is None
    found = checks(pair.primary.url(), "analyze", "vacuum", "replica")
    assert {one.result for one in found.values()} == {"ok"}
    assert str(found["replica"].found).startswith("pgvec_replica is ")


@ON_18
def test_verify_finds_a_replica_that_lags_and_one_that_is_gone(pair: Pair) -> None:
    with psycopg.connect(pair.replica.url(), autocommit=True) as replica:
        replica.execute("select pg_wal_replay_pause()")
        assert checks(pair.replica.url(), "replica")["replica"].found == "replay is paused"
        replica.execute("select pg_wal_replay_resume()")
    pair.instance.primary.stop()
    try:
        found = checks(pair.replica.url(), "replica")["replica"]
        assert found.result == "warn"
        assert "to which no primary streams" in str(found.found)
    finally:
        pair.instance.primary.start()
