"""The embedded server: its life, its recovery from every way to die, and who may reach it."""

from __future__ import annotations

import json
import os
import pwd
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pgvec_admin.errors import ConnectionFailedError, UsageError
from pgvec_admin.server.embedded import VERSIONS, Instance, Server
from pgvec_admin.server.embedded_system import package_directory

FAST = {"fsync": "off", "shared_buffers": "32MB", "maintenance_work_mem": "64MB"}
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user may enter; the servers in it are stopped at the end."""
    place = Path(tempfile.mkdtemp(prefix="pgvec-embedded-"))
    place.chmod(0o755)
    yield place
    for data in place.rglob("data"):
        Instance(directory=data.parent).stop()
    shutil.rmtree(place)


def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pgvec-embedded-") as above:
        Path(above).chmod(0o755)
        yield Path(above, "server")


used_directory = pytest.fixture(scope="module", name="used_directory")(_directory)
older_directory = pytest.fixture(scope="module", name="older_directory")(_directory)


@pytest.fixture
def instance(used_directory: Path) -> Iterator[Instance]:
    """A stopped server in a directory that several tests use one after the other, since initdb is slow."""
    instance = Instance(directory=used_directory, settings=FAST)
    if not instance.exists():
        instance.start()
        instance.stop()
    yield instance
    instance.stop()


@pytest.fixture
def older(older_directory: Path) -> Iterator[Instance]:
    """A server of the other version, likewise."""
    instance = Instance(VERSIONS[-1], older_directory, settings=FAST)
    yield instance
    instance.stop()


def ask(url: str, query: str = "select 1") -> Any:
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def do(server: Server, *statements: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def kill(pid: int) -> None:
    """Kill a process that is not our child, and return when it is gone."""
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        assert select.select([handle], [], [], 30)[0]
    finally:
        os.close(handle)


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


def as_ordinary_user(directory: Path, work: Callable[[], str]) -> str:
    """The answer of `work`, done by a user who is not root: for root, in a child that becomes `nobody`.

    `nobody` becomes the owner of `directory`. The child is a copy of this process, since `nobody` may be unable to
    start another: the interpreter is often in root's home.
    """
    if not AS_ROOT:
        return work()
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setgroups([])
            os.setgid(nobody.pw_gid)
            os.setuid(nobody.pw_uid)
            os.write(writing, work().encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as answers:
        answer = answers.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the child failed; its traceback is above"
    return answer


@pytest.mark.parametrize("version", VERSIONS)
def test_a_restart_keeps_data_and_a_second_start_returns_the_running_server(place: Path, version: int) -> None:
    instance = Instance(version, place / "server", settings=FAST)
    assert (instance.exists(), instance.status(), instance.stop()) == (False, None, False)
    server = instance.start()
    assert instance.start() == server == instance.status()
    assert (server.version, server.state, server.tcp) == (version, "ready", False)
    do(server, "create table kept (word text)", "insert into kept values ('Ärger')")

    assert (instance.stop(), instance.status(), instance.stop()) == (True, None, False)
    again = instance.start()
    assert again.pid != server.pid
    assert ask(again.url(), "select word || upper('ä') from kept") == "ÄrgerÄ"
    assert ask(again.url(), "select datcollate || ' ' || datctype from pg_database") == "C.UTF-8 C.UTF-8"
    assert ask(again.url(), "show server_encoding") == "UTF8"
    assert ask(again.url(), "show server_version").split(".")[0] == str(version)
    assert ask(again.url(), "show listen_addresses") == ""
    assert ask(again.url(), "show shared_buffers") == "32MB"


def test_two_versions_run_at_once_each_with_pgvector(older: Instance, instance: Instance) -> None:
    assert (instance.version, older.version) == VERSIONS
    servers = [instance.start(), older.start()]
    for server, version in zip(servers, VERSIONS, strict=True):
        do(server, "create extension vector")
        assert ask(server.url(), "select '[1,2]'::vector <-> '[1,4]'") == 2
        assert ask(server.url(), "show server_version").split(".")[0] == str(version)
    instance.stop()
    assert ask(servers[1].url()) == 1


def test_tcp_is_closed_to_those_without_the_password(instance: Instance) -> None:
    server = instance.start(tcp_port=0)
    url = server.url(tcp=True)
    assert ask(url, "select inet_server_addr()::text") == "127.0.0.1/32"
    assert mode(instance.directory / "password") == 0o600
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(make_conninfo(url, password="guessed"))
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        ask(f"postgresql://postgres@127.0.0.1:{server.port}/postgres?passfile=/dev/null")
    assert ask(url, "select rolpassword from pg_authid where rolname = 'postgres'").startswith("SCRAM-SHA-256")
    assert (instance.data / "pg_hba.conf").read_text().splitlines() == [
        "local all all trust",
        "host all all 127.0.0.1/32 scram-sha-256",
    ]


def test_a_running_server_is_not_restarted_for_a_tcp_port(instance: Instance) -> None:
    server = instance.start()
    with pytest.raises(UsageError, match="unix socket only"):
        server.url(tcp=True)
    with pytest.raises(UsageError, match="is running already and listens on its unix socket only") as refusal:
        instance.start(tcp_port=0)
    assert "db stop" in str(refusal.value.hint)
    assert instance.status() == server


def test_a_taken_port_is_refused_before_the_server_starts(instance: Instance) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConnectionFailedError, match="cannot be used: Address already in use"):
            instance.start(tcp_port=other.getsockname()[1])
    with pytest.raises(UsageError, match="no TCP port"):
        instance.start(tcp_port=70000)


def test_a_killed_server_recovers_although_a_backend_of_it_still_computes(instance: Instance) -> None:
    server = instance.start()
    do(server, "create table kept as select generate_series(1, 1000) as n")
    with closing(psycopg.connect(server.url())) as busy:
        backend = os.pidfd_open(busy.info.backend_pid)
        busy.pgconn.send_query(b"select count(*) from generate_series(1, 100000000000)")
        kill(server.pid)
        again = instance.start()
        assert ask(again.url(), "select count(*) from kept") == 1000
        assert select.select([backend], [], [], 0)[0], "the backend is gone"
        os.close(backend)
    assert "was not properly shut down" in instance.log_tail(40)


def test_a_stale_pid_file_naming_a_living_process_neither_deceives_nor_harms(
    older: Instance, instance: Instance
) -> None:
    other = older.start()
    server = instance.start()
    files = [instance.data / "postmaster.pid", server.socket_directory / f".s.PGSQL.{server.port}.lock"]
    left = [file.read_text().replace(str(server.pid), str(other.pid), 1) for file in files]
    instance.stop()
    for file, text in zip(files, left, strict=True):
        file.write_text(text)

    assert (instance.status(), instance.stop()) == (None, False)
    again = instance.start()
    assert ask(again.url(), "show data_directory") == str(instance.data)
    assert ask(other.url()) == 1


def test_what_an_interrupted_initdb_left_is_removed_and_never_used(place: Path) -> None:
    instance = Instance(directory=place / "server", settings=FAST)
    half_made = instance.directory / "data.partial-1234"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text(f"{instance.version}\n")
    (instance.directory / "pgvec.lock").touch()
    assert not instance.exists()
    assert ask(instance.start().url()) == 1
    assert not half_made.exists()


def test_two_starts_at_once_give_one_server_that_outlives_both(place: Path) -> None:
    both = [command("start", PGVEC_DATA_DIR=str(place)) for _ in range(2)]
    urls = {output(process) for process in both}
    assert len(urls) == 1
    server = Instance(directory=place / "postgres-18").status()
    assert server is not None
    assert urls == {server.url()}
    assert ask(server.url()) == 1
    assert os.getsid(server.pid) not in {os.getsid(0), *(process.pid for process in both)}
    assert len((place / "postgres-18" / "server.log").read_text().split("starting PostgreSQL")) == 2


def test_an_ordinary_user_runs_the_server_as_himself(place: Path) -> None:
    home = place / "home"
    home.mkdir()

    def work() -> str:
        instance = Instance(directory=home / "share" / "server", settings=FAST)
        server = instance.start()
        found = {
            "uid": os.geteuid(),
            "process": Path(f"/proc/{server.pid}").stat().st_uid,
            "modes": [mode(home / "share"), mode(instance.directory), mode(instance.data)],
            "answer": ask(server.url(), "select 41 + 1"),
            "stopped": instance.stop(),
        }
        return json.dumps(found)

    found = json.loads(as_ordinary_user(home, work))
    assert found["uid"] == found["process"] != 0
    assert found["modes"] == [0o700, 0o700, 0o700]
    assert (found["answer"], found["stopped"]) == (42, True)


def test_directories_above_the_servers_own_keep_their_permissions(place: Path) -> None:
    between = place / "between"
    between.mkdir(mode=0o711)
    above = [between, *between.parents, package_directory(), *package_directory().parents]
    before = [path.stat() for path in above]
    instance = Instance(directory=between / "server", settings=FAST)
    server = instance.start()
    after = [path.stat() for path in above]
    assert [(s.st_mode, s.st_uid) for s in after] == [(s.st_mode, s.st_uid) for s in before]
    assert (mode(instance.directory), mode(instance.data)) == (0o700, 0o700)
    assert mode(server.socket_directory / f".s.PGSQL.{server.port}") == 0o700


def test_a_directory_closed_to_the_servers_user_is_named_and_not_opened(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    instance = Instance(directory=closed / "below" / "server", settings=FAST)
    if AS_ROOT:
        with pytest.raises(UsageError, match=f"{closed} is closed to its user pgvec") as refusal:
            instance.start()
        assert "PGVEC_DATA_DIR" in str(refusal.value.hint)
        assert list(closed.iterdir()) == []
    else:  # the server's user itself has closed it
        assert ask(instance.start().url()) == 1
    assert mode(closed) == 0o700


def test_binaries_closed_to_the_servers_user_are_copied_once(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    package = package_directory()
    for directory in (package, package.with_name(f"{package.name}.libs")):
        (closed / directory.name).symlink_to(directory)
    surroundings = {"PGVEC_DATA_DIR": str(place / "servers"), "PYTHONPATH": os.pathsep.join([str(closed), *sys.path])}

    def copies() -> list[tuple[str, int]]:
        found = (place / "servers").glob("binaries/*/*/*/*/bin/postgres")
        return [(path.parent.parent.name, path.stat().st_ctime_ns) for path in found]

    assert ask(output(command("start", **surroundings))) == 1
    copied = copies()
    assert [name for name, _ in copied] == (["pginstall18"] if AS_ROOT else [])
    output(command("stop", **surroundings))
    assert ask(output(command("start", **surroundings))) == 1
    assert copies() == copied


@pytest.mark.parametrize("name", ["long" * 30, "a, b 'c' $HOME `d` \\ ü"])
def test_a_path_that_a_socket_cannot_have_gets_a_private_short_one(place: Path, name: str) -> None:
    instance = Instance(directory=place / name, settings=FAST)
    server = instance.start()
    assert server.socket_directory != instance.directory
    assert mode(server.socket_directory) == 0o700
    assert conninfo_to_dict(server.url())["host"] == str(server.socket_directory)
    assert ask(server.url(), "show data_directory") == str(instance.data)
    instance.stop()
    assert not server.socket_directory.exists()


def test_a_start_that_fails_shows_the_end_of_the_log(instance: Instance) -> None:
    wrong = Instance(directory=instance.directory, settings={**FAST, "work_mem": "plenty"})
    with pytest.raises(ConnectionFailedError, match='invalid value for parameter "work_mem": "plenty"') as failure:
        wrong.start()
    assert str(wrong.log) in str(failure.value.hint)
    assert ask(instance.start().url()) == 1


def test_what_a_user_adds_to_postgresql_conf_survives_and_wins(instance: Instance) -> None:
    with (instance.data / "postgresql.conf").open("a") as file:
        file.write("max_wal_size = '2GB'\n")
    server = instance.start()
    assert ask(server.url(), "show max_wal_size") == "2GB"
    assert ask(server.url(), "show maintenance_work_mem") == "64MB"


def test_a_foreign_directory_or_another_versions_data_is_refused(place: Path, instance: Instance) -> None:
    foreign = place / "foreign"
    foreign.mkdir()
    (foreign / "letter").touch()
    with pytest.raises(UsageError, match="is not empty and holds no server"):
        Instance(directory=foreign).start()
    assert [path.name for path in foreign.iterdir()] == ["letter"]

    with pytest.raises(UsageError, match="holds data of PostgreSQL 18"):
        Instance(16, instance.directory).start()
    with pytest.raises(UsageError, match="there is no embedded PostgreSQL 17"):
        Instance(17)
