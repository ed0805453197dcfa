"""pgvec-admin db replica and db upgrade, as people run them; and what becomes of a replica that was left behind."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from command import COMMAND, in_process
from installation import own_server
from pgvec_admin.errors import UsageError
from pgvec_admin.server.embedded import Instance
from pgvec_admin.server.replica import Replica


@pytest.fixture
def place() -> Iterator[Path]:
    """A data directory; the servers in it are stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="pgvec-replica-") as made:
        place = Path(made)
        place.chmod(0o755)
        yield place
        for data in place.rglob("data"):
            Instance(directory=data.parent).stop()


def db(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    return subprocess.run(
        [COMMAND, "db", *arguments], capture_output=True, text=True, env=kept | {"PGVEC_DATA_DIR": str(place)}
    )


def again(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As `db`, in this process, for what comes beside a run of `db`."""
    with pytest.MonkeyPatch.context() as patched:
        for name in os.environ:
            if name.endswith("DATABASE_URL"):
                patched.delenv(name)
        return in_process("db", *arguments, PGVEC_DATA_DIR=str(place))


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
    return row and row[0]


def test_a_replica_is_made_followed_stopped_and_removed_by_command(place: Path) -> None:
    missing = again(place, "replica", "start")
    assert (missing.returncode, missing.stderr) == (
        2,
        "error: there is no PostgreSQL 18 to copy\nhint: make it: pgvec-admin db start\n",
    )
    primary = db(place, "start").stdout.strip()
    assert "there is no replica of PostgreSQL 18" in again(place, "replica", "status").stderr
    ask(primary, "create table kept as select 41 + 1 as n")

    started = db(place, "replica", "start", "--tcp-port", "0")
    assert started.stderr == f"the replica of PostgreSQL 18 is made and runs in {place}/postgres-18-replica\n"
    assert ask(started.stdout.strip(), "select n from kept") == 42
    assert ask(started.stdout.strip(), "select pg_is_in_recovery()") is True
    reading = again(place, "replica", "start").stdout.strip()
    assert ask(reading, "select pg_is_in_recovery()") is True
    told = json.loads(db(place, "replica", "status", "--json").stdout)
    assert (told["role"], told["state"], told["streaming"], told["lag_bytes"]) == ("replica", "running", True, 0)
    assert (place / "postgres-18" / "data" / "pg_hba.conf").read_text().splitlines() == [
        "local replication postgres trust",
        "local all all trust",
        "host all all 127.0.0.1/32 scram-sha-256",
    ]
    assert [one["directory"] for one in json.loads(again(place, "status", "--json").stdout)] == [f"{place}/postgres-18"]

    assert again(place, "replica", "stop").stderr == "the replica of PostgreSQL 18 is stopped\n"
    assert ask(reading, "select pg_is_in_recovery()") is False, "reads do not go to the primary"
    assert ask(primary, "select count(*) from pg_replication_slots") == 1
    assert db(place, "replica", "stop", "--remove").stderr == "the replica of PostgreSQL 18 is removed\n"
    assert ask(primary, "select count(*) from pg_replication_slots") == 0
    assert not (place / "postgres-18-replica").exists()


def test_an_upgrade_by_command_is_confirmed_by_another(place: Path) -> None:
    old = db(place, "start", "--postgres", "16").stdout.strip()
    ask(old, "create table kept as select 41 + 1 as n")
    upgraded = db(place, "upgrade")
    assert upgraded.returncode == 0, upgraded.stderr
    assert f"{place}/postgres-16 is kept: pgvec-admin db upgrade --confirm deletes it" in upgraded.stderr
    assert ask(upgraded.stdout.strip(), "select n from kept") == 42
    unasked = again(place, "upgrade", "--confirm")
    assert (unasked.returncode, unasked.stderr.splitlines()[-1]) == (2, "hint: pass --yes where nobody can answer")
    assert db(place, "upgrade", "--confirm", "--yes").stderr == "PostgreSQL 16 is deleted\n"
    assert not (place / "postgres-16").exists()
    assert again(place, "url").stdout == upgraded.stdout


def test_a_replica_follows_a_primary_that_has_another_port_now(place: Path) -> None:
    primary = Instance(directory=place / "server", settings={"fsync": "off", "shared_buffers": "32MB"})
    primary.start()
    replica = Replica(primary)
    replica.start()
    try:
        primary.stop()
        server = primary.start(tcp_port=0)
        ask(server.url(), "create table since ()")
        running = replica.start()
        assert f"port={server.port}" in str(ask(running.url(), "show primary_conninfo"))
        with psycopg.connect(running.url(), autocommit=True) as connection:
            while connection.execute("select to_regclass('since') is null").fetchone() == (True,):
                time.sleep(0.01)
    finally:
        replica.stop()


def test_a_replica_that_the_primary_has_lost_is_copied_again_but_never_one_that_was_promoted() -> None:
    with own_server(max_slot_wal_keep_size="48MB", max_wal_size="32MB", min_wal_size="32MB") as primary:
        server = primary.start()
        replica = Replica(primary)
        first = replica.start()
        try:
            identity = (replica.data / "global" / "pg_control").stat().st_ino
            replica.stop()
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute("create table since (n int)")
                while connection.execute("select wal_status from pg_replication_slots").fetchone() != ("lost",):
                    connection.execute("insert into since values (1)")
                    connection.execute("select pg_switch_wal()")  # which ends a file of 16 MB
                    connection.execute("checkpoint")
            second = replica.start()
            assert second.pid != first.pid
            assert (replica.data / "global" / "pg_control").stat().st_ino != identity, "it is the old copy"
            assert ask(second.url(), "select count(*) > 0 from since") is True

            assert ask(second.url(), "select pg_promote()") is True
            assert replica.promoted
            with pytest.raises(UsageError, match="was promoted") as refusal:
                replica.start()
            assert "--remove" in str(refusal.value.hint)
            assert ask(second.url(), "select count(*) > 0 from since") is True
        finally:
            replica.remove()
