"""An embedded PostgreSQL server with pgvector: binaries from a wheel, data in the user's data directory.

Nothing is installed in the system and no other server is touched. The server listens on a unix socket that
only its owner can reach, and on request on 127.0.0.1 with a password. It outlives the command that started it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import platformdirs

from pgvec_admin.errors import ConnectionFailedError, PgvecError, UsageError
from pgvec_admin.server.embedded_settings import MB, as_file, fitted, this_machine
from pgvec_admin.server.embedded_system import (
    TREES,
    Account,
    binaries,
    end_orphans,
    is_postmaster,
    locked,
    make_directories,
    server_account,
)

DEFAULT_VERSION = 18
VERSIONS = tuple(sorted(TREES, reverse=True))
SUPERUSER = "postgres"

# the time that the server may take to recover from a crash, or to write everything out when it stops
PATIENCE = 900

# what sockaddr_un holds, less the terminating zero
_SOCKET_PATH_LIMIT = 107 if sys.platform == "linux" else 103
# in a directory whose data lives on in a newer server, until that is confirmed
UPGRADED = "upgraded"
INCLUDE = "include '../pgvec.conf'"
OWN = "# Your own settings go below this line, where they win."
_LOCALE = ["--locale=C.UTF-8"] if sys.platform == "linux" else ["--locale=C", "--lc-ctype=en_US.UTF-8"]
_HBA = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


def data_directory() -> Path:
    """The directory of servers: PGVEC_DATA_DIR, else the user's data directory, for root /var/lib/pgvec-admin."""
    chosen = os.environ.get("PGVEC_DATA_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/pgvec-admin")
    return Path(platformdirs.user_data_dir("pgvec-admin"))


@dataclass(frozen=True)
class Server:
    """A running server; `state` is from its pid file: starting, ready or stopping."""

    version: int
    directory: Path
    pid: int
    socket_directory: Path
    port: int
    tcp: bool
    password: str | None
    state: str = "ready"

    def url(self, database: str = "postgres", *, tcp: bool = False) -> str:
        """A libpq URL, by the unix socket or by TCP with the password. Raises UsageError without a TCP port."""
        name = quote(database, safe="")
        if not tcp:
            where = quote(str(self.socket_directory), safe="")
            return f"postgresql://{SUPERUSER}@/{name}?host={where}&port={self.port}"
        if not self.tcp:
            raise UsageError(
                f"PostgreSQL {self.version} listens on its unix socket only",
                f"pgvec-admin db stop --postgres {self.version}, then db start --postgres {self.version} --tcp-port 0",
            )
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        return f"postgresql://{SUPERUSER}{secret}@127.0.0.1:{self.port}/{name}"


class Instance:
    """A server of one version in one directory, whether it runs or not.

    `directory` is by default `postgres-<version>` in the data directory; it holds `data/`, the server's log,
    its settings, password and lock. `settings` go before those fitted to the machine. `programs` is the directory of
    postgres, initdb and pg_ctl, where these are not to be the wheel's.
    """

    def __init__(
        self,
        version: int = DEFAULT_VERSION,
        directory: Path | None = None,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        if programs is None and version not in TREES:
            raise UsageError(f"there is no embedded PostgreSQL {version}", f"choose {' or '.join(map(str, VERSIONS))}")
        self.version = version
        self.directory = (directory or data_directory() / f"postgres-{version}").absolute()
        self.settings = dict(settings or {})
        self.programs = programs
        self.data = self.directory / "data"
        self.log = self.directory / "server.log"

    def exists(self) -> bool:
        """Whether it was initialised before. Raises UsageError where it belongs to another user."""
        try:
            return (self.data / "PG_VERSION").exists()
        except PermissionError as error:
            raise UsageError(
                f"{self.directory} belongs to another user", "run as that user, or set PGVEC_DATA_DIR"
            ) from error

    def status(self) -> Server | None:
        """The server, if it runs (or starts, or stops: see its state)."""
        if not self.exists():
            return None
        lines = self._pid_file()
        if not lines or not is_postmaster(int(lines[0]), self.data):
            return None
        # pid, data directory, start, port, first socket directory, first listen address, shared memory, state
        lines += [""] * (8 - len(lines))
        return Server(
            version=int((self.data / "PG_VERSION").read_text()),
            directory=self.directory,
            pid=int(lines[0]),
            socket_directory=Path(lines[4]),
            port=int(lines[3] or 0),
            tcp=bool(lines[5]),
            password=self._password(),
            state=lines[7] or "starting",
        )

    def start(self, *, tcp_port: int | None = None) -> Server:
        """Start the server, initialising it where needed, and return it once it answers; a running one as it is.

        `tcp_port` makes it listen on 127.0.0.1 as well, 0 on any free port. Raises UsageError where the running
        server has no such port, ConnectionFailedError with the end of its log where it does not start.
        """
        if tcp_port is not None and tcp_port != 0 and not 1024 <= tcp_port <= 65535:
            raise UsageError(f"{tcp_port} is no TCP port", "choose 1024 to 65535, or 0 for any free one")
        running = self.status()
        if running and running.state == "ready":
            return self._fitting(running, tcp_port)
        account = server_account(self.data)
        self._prepare(account)
        with locked(self.directory / "pgvec.lock"):
            running = self._settled()
            if running is None:
                programs = self.programs or binaries(self.version, account, data_directory() / "binaries")
                self._initialise(programs, account)
                running = self._launch(programs, account, tcp_port)
            return self._fitting(running, tcp_port)

    def stop(self) -> bool:
        """Stop the server and wait until it has written everything out; False when it was not running."""
        if not self.exists():
            return False
        with locked(self.directory / "pgvec.lock"):
            running = self.status()
            if running is None:
                return False
            with suppress(ProcessLookupError):
                os.kill(running.pid, signal.SIGINT)  # "fast": ends sessions, then writes a checkpoint
            for _ in until(PATIENCE):
                if not is_postmaster(running.pid, self.data):
                    if running.socket_directory != self.directory:
                        with suppress(OSError):
                            running.socket_directory.rmdir()
                    return True
        raise PgvecError(f"PostgreSQL {running.version} is still stopping", f"see its log: {self.log}")

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the server's log; empty where there is none."""
        return self._log_since(0, lines)

    def size(self) -> int:
        """Bytes on disk of the data."""
        count = 0
        for directory, _, names in os.walk(self.data):
            for name in names:
                with suppress(OSError):  # temporary files come and go
                    count += Path(directory, name).lstat().st_size
        return count

    def _pid_file(self) -> list[str]:
        try:
            lines = [line.strip() for line in (self.data / "postmaster.pid").read_text().splitlines()]
        except FileNotFoundError:
            return []
        return lines if lines and lines[0].isdigit() else []

    def _password(self) -> str | None:
        try:
            return (self.directory / "password").read_text().strip()
        except OSError:
            return None

    def _fitting(self, running: Server, tcp_port: int | None) -> Server:
        if tcp_port is None or (running.tcp and tcp_port in (0, running.port)):
            return running
        has = f"listens on port {running.port}" if running.tcp else "listens on its unix socket only"
        raise UsageError(
            f"PostgreSQL {running.version} is running already and {has}",
            f"pgvec-admin db stop --postgres {self.version}, then db start with --tcp-port {tcp_port}",
        )

    def _settled(self) -> Server | None:
        """The server once it is ready, or None once it is gone: another process may be starting or stopping it."""
        for _ in until(PATIENCE):
            running = self.status()
            if running is None or running.state == "ready":
                return running
        raise ConnectionFailedError(
            f"PostgreSQL {self.version} has been {running.state if running else ''} for {PATIENCE} s",
            f"see its log: {self.log}",
        )

    def _prepare(self, account: Account) -> None:
        """Make the directory, owned by the server's account and closed to everyone else."""
        known = self.exists() or (self.directory / "pgvec.lock").exists()
        if not known and self.directory.exists() and any(self.directory.iterdir()):
            raise UsageError(f"{self.directory} is not empty and holds no server", "choose another directory")
        account.require_reach(self.directory.parent)
        make_directories(self.directory.parent, account)
        account.require_reach(self.directory.parent)
        if not self.exists():
            self.directory.mkdir(mode=0o700, exist_ok=True)
            self.directory.chmod(0o700)
            account.own(self.directory)

    def _initialise(self, programs: Path, account: Account) -> None:
        """Create the data unless it exists. Its name comes last, so that a partial one is never taken for it."""
        if self.exists():
            held = (self.data / "PG_VERSION").read_text().strip()
            if held != str(self.version):
                raise UsageError(f"{self.directory} holds data of PostgreSQL {held}", f"pass --postgres {held}")
            if (self.directory / UPGRADED).exists():
                raise UsageError(
                    f"PostgreSQL {held} was upgraded, and this is its data from before",
                    "pgvec-admin db upgrade --confirm deletes it, --undo returns to it and deletes the upgraded one",
                )
            return
        for leftover in self.directory.glob("data.partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        # a unique name: an initdb that outlived its interrupted command may still be writing to another
        partial = self.directory / f"data.partial-{secrets.token_hex(4)}"
        partial.mkdir(mode=0o700)
        account.own(partial)
        try:
            self._create(partial, programs, account)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        partial.rename(self.data)

    def _create(self, data: Path, programs: Path, account: Account, *options: str) -> None:
        """Fill the empty directory `data`, here with a new cluster; `options` are more of initdb's."""
        password = self.directory / "password"
        if not password.exists():
            self._write(password, secrets.token_urlsafe(24) + "\n", account)
        command: list[str | Path] = [programs / "initdb", "--pgdata", data, "--username", SUPERUSER]
        command += ["--pwfile", password, "--encoding=UTF8", *_LOCALE, *options]
        if self.version >= 17:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self.settings.get("fsync") == "off":
            command.append("--no-sync")
        account.must_run(command, "is the disk full, or is the directory on a network drive?")
        self._write(data / "pg_hba.conf", _HBA, account)

    def _launch(self, programs: Path, account: Account, tcp_port: int | None) -> Server:
        self._clear_stale()
        self._write_settings(account, tcp_port)
        if self.log.exists() and self.log.stat().st_size > 10 * MB:
            self.log.replace(self.log.with_name("server.log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "ab") as log:
            account.own(self.log)
            before = log.tell()
            # the data directory is given relative, as pg_ctl hands it to a shell
            command: list[str | Path] = [programs / "pg_ctl", "start", "-D", "data", "--wait", "--silent"]
            code = account.run(command, output=log, cwd=self.directory)
        running = self._settled()
        if running is None:
            raise ConnectionFailedError(
                f"PostgreSQL {self.version} did not start (pg_ctl: {code}):\n{self._log_since(before, 12)}",
                f"see its log: {self.log}",
            )
        return running

    def _clear_stale(self) -> None:
        """Remove the files of a killed server that PostgreSQL would take for a running one."""
        end_orphans(self.data)
        lines = self._pid_file()
        if len(lines) >= 5:
            Path(lines[4], f".s.PGSQL.{lines[3]}.lock").unlink(missing_ok=True)
        file = self.data / "postmaster.pid"
        # a minus marks a single-user session: PostgreSQL itself sees whether that one is running
        if file.exists() and not file.read_text().startswith("-"):
            file.unlink()

    def _write_settings(self, account: Account, tcp_port: int | None) -> None:
        port = 5432 if tcp_port is None else _bindable(tcp_port)
        settings = {
            **fitted(this_machine()),
            **self.settings,
            "listen_addresses": "" if tcp_port is None else "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": str(self._socket_directory(account)),
            "unix_socket_permissions": "0700",
            "password_encryption": "scram-sha-256",
        }
        self._write(self.directory / "pgvec.conf", as_file(settings), account)
        main = self.data / "postgresql.conf"
        if INCLUDE not in main.read_text():
            with os.fdopen(os.open(main, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW), "a") as file:
                file.write(f"\n{INCLUDE}\n\n{OWN}\n")

    def _socket_directory(self, account: Account) -> Path:
        """The instance's directory, or a private one with a short path where a socket address cannot hold that."""
        # a comma separates hosts for libpq and directories for the server; a quote would need quoting there
        if _socket_fits(self.directory) and not set(str(self.directory)) & set(',"'):
            return self.directory
        name = f"pgvec-{hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]}"
        temporary = Path(tempfile.gettempdir())
        if account.switched or not _socket_fits(temporary / name):
            temporary = Path("/tmp")  # noqa: S108 - the directory in it is private, which is checked
        place = temporary / name
        with suppress(FileExistsError):
            place.mkdir(mode=0o700)
            account.own(place)
        found = place.lstat()
        if not place.is_dir() or place.is_symlink() or found.st_uid != account.uid or found.st_mode & 0o077:
            raise PgvecError(f"{place} is not a private directory of the server", f"remove {place}, then start again")
        return place

    def _write(self, path: Path, text: str, account: Account) -> None:
        """Put a file into place as a whole, readable by the server's account only."""
        partial = path.with_name(f"{path.name}.partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        account.own(partial)
        partial.replace(path)

    def _log_since(self, offset: int, lines: int) -> str:
        try:
            with self.log.open("rb") as file:
                file.seek(max(offset, file.seek(0, os.SEEK_END) - lines * 1000))
                return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""


def default_instance() -> Instance:
    """The instance to use by default: PGVEC_POSTGRES_VERSION, else the newest that runs, else the newest there is."""
    wanted = os.environ.get("PGVEC_POSTGRES_VERSION")
    if wanted:
        return Instance(int(wanted) if wanted.isdigit() else 0)
    made = [instance for instance in map(Instance, VERSIONS) if instance.exists()]
    running = [instance for instance in made if instance.status()]
    return next(iter(running + made), Instance())


def until(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)


def _socket_fits(directory: Path) -> bool:
    return len(os.fsencode(directory / ".s.PGSQL.65535")) <= _SOCKET_PATH_LIMIT


def _bindable(port: int) -> int:
    """`port`, or a free one for 0; raises ConnectionFailedError where another program has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConnectionFailedError(
                f"port {port} of 127.0.0.1 cannot be used: {error.strerror}", "choose another, or 0 for any free one"
            ) from error
        return int(probe.getsockname()[1])
