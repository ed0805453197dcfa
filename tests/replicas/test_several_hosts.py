"""Connection strings that name several hosts: every kind of command with them, and what is shown of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from typer.testing import CliRunner, Result

from pgvec_admin import redact
from pgvec_admin.cli import app
from pgvec_admin.database import Target, primary_of
from pgvec_admin.errors import ConnectionFailedError, from_postgres
from replicated import Pair, replicated


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with replicated() as made:
        yield made


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"PGVEC_DATABASE_URL": url})


def done(url: str, *arguments: str) -> str:
    result = run(url, *arguments)
    assert result.exit_code == 0, (arguments, result.exception, result.output)
    return result.output


def test_commands_that_write_find_the_primary_and_those_that_read_prefer_the_replica(
    pair: Pair, tmp_path: Path
) -> None:
    rows = [{"id": str(n), "content": f"red fish {n}", "embedding": [1, n]} for n in range(200)]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    writing, reading = pair.url("read-write"), pair.url("prefer-standby")
    for command in (
        ["migrate"],
        ["collection", "create", "documents", "--dimensions", "2"],
        ["load", str(tmp_path / "rows.jsonl"), "--embedding", "embedding"],
        ["index", "create", "documents", "--method", "hnsw", "--storage", "vector"],
        ["log", "on", "documents", "--sample", "1"],
        ["verify", "--recall", "0", "--only", "replica"],
    ):
        done(writing, *command)
    pair.catch_up()

    done(reading, "status")
    found = json.loads(run(reading, "search", "fish", "--mode", "keyword", "--json").stdout)
    assert len(found["results"] if isinstance(found, dict) else found) == 10
    assert "this is a replica" in done(reading, "stats")
    assert "not logged: this is a replica" in done(reading, "log", "show")
    assert "documents" in done(reading, "collection", "list")
    assert "hnsw" in done(reading, "index", "list", "documents")
    for _ in range(3):  # the primary writes what runs there now and then, which may just have come
        verified = run(reading, "verify", "--only", "documents", "--only", "replica", "--json")
        told = {one["check_name"]: one["found"] for one in json.loads(verified.stdout)["checks"]}
        if told["replica"] == "a replica, 0 s and 0 bytes behind":
            break
        pair.catch_up()
    assert told["replica"] == "a replica, 0 s and 0 bytes behind"
    assert told["analyze"] == "not known on a replica, which counts no changes"
    assert told["plan"] != ""


@pytest.mark.parametrize("attributes", [None, "prefer-standby", "standby"])
def test_a_command_that_writes_is_refused_on_a_replica_with_the_way_to_the_primary(
    pair: Pair, attributes: str | None
) -> None:
    for command in (["collection", "create", "refused", "--dimensions", "2"], ["log", "on", "documents"]):
        result = run(pair.url(attributes), *command)
        assert isinstance(result.exception, psycopg.Error), (command, result.output)
        refusal = from_postgres(result.exception)
        assert refusal.exit_code == 2
        assert "target_session_attrs=read-write" in str(refusal.hint)


def test_hosts_that_are_all_of_the_wrong_kind_are_no_connection(pair: Pair) -> None:
    result = run(f"{pair.replica.url()}&target_session_attrs=read-write", "collection", "list")
    assert isinstance(result.exception, ConnectionFailedError)
    assert "session is read-only" in str(result.exception)


def test_the_primary_of_several_hosts() -> None:
    assert primary_of("postgresql://u@a/db") is None
    assert primary_of("postgresql://u@a,b/db?target_session_attrs=read-write") is None
    assert primary_of("host=a,b target_session_attrs=primary") is None
    for attributes in ("", "?target_session_attrs=prefer-standby", "?target_session_attrs=standby"):
        found = primary_of(f"postgresql://u:p%40w@a:1,b:2/db{attributes}")
        assert found is not None
        assert conninfo_to_dict(found) == {
            "user": "u", "password": "p@w", "dbname": "db", "host": "a,b", "port": "1,2",
            "target_session_attrs": "read-write",
        }  # fmt: skip


def test_several_hosts_are_shown_each_with_its_port_and_without_the_password() -> None:
    where = Target("postgresql://u:secret-word@a:1,b:2/db?target_session_attrs=read-write", "the tests")
    assert where.describe() == "db on a:1, b:2"
    assert Target("postgresql://u@a,b:2/db", "the tests").describe() == "db on a, b:2"
    assert Target("host=/one,/two port=5433 dbname=db", "the tests").describe() == "db on /one:5433, /two:5433"
    assert "secret" not in repr(where)
    assert redact.redacted(f"no connection: {where.conninfo}", {}) == (
        "no connection: postgresql://u:...@a:1,b:2/db?target_session_attrs=read-write"
    )
