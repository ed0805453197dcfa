"""The commands of a page (`pages.steps_of`), run as a reader would: top to bottom, in one folder.

A block marked `console` has commands after `$ ` (a backslash or an open quote or heredoc continues one) and what they
print, stdout and stderr together. A line `...` stands for any lines, and `...` within a line for any text.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import supabase_project
from command import PSQL
from pages import Step, matches, steps_of
from supabase_project import Project

NODE = supabase_project.FOLDER / "node_modules"


def environment(*programs: Path, **more: str) -> dict[str, str]:
    """The variables of a reader: our command and psql (the machine's own, else the embedded server's) in the PATH."""
    path = [Path(sys.executable).parent, *programs, os.environ["PATH"], PSQL]
    return os.environ | {"PATH": ":".join(map(str, path)), "COLUMNS": "120", "LC_ALL": "C.UTF-8"} | more


def run(page: str, folder: Path, variables: Mapping[str, str], after: Callable[[str], None] = lambda _: None) -> None:
    """Run the commands of a page, top to bottom; AssertionError for one that prints something else."""
    for step in steps_of(page):
        _run_step(step, folder, variables)
        after(step.command)


def _run_step(step: Step, folder: Path, variables: Mapping[str, str]) -> None:
    ran = subprocess.run(
        ["bash", "-c", step.command],
        cwd=folder,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    shown = "\n".join(step.expected)
    printed = ran.stdout.splitlines()
    assert matches(step.expected, printed), f"$ {step.command}\n--- page\n{shown}\n--- printed\n{ran.stdout}"


def needs_project(page: str) -> bool:
    """Whether a page is about a Supabase project, and not about any database."""
    return "$SUPABASE_URL" in page


@contextmanager
def reader(page: str, folder: Path, database: str | Project) -> Iterator[Callable[[Step], None]]:
    """What runs the commands of a page of ours, one by one, in a reader's folder."""
    if "$ node " in page:
        (folder / "node_modules").symlink_to(NODE)
    told = {"PGVEC_DATABASE_URL": database} if isinstance(database, str) else database.variables()
    variables = environment(NODE / ".bin", **told)

    def run_step(step: Step) -> None:
        _run_step(step, folder, variables)
        if isinstance(database, Project) and "pgvec-admin " in step.command:
            database.settle()  # PostgREST hears of changes a moment later

    with _services(page, folder / "pid"):
        yield run_step


@contextmanager
def _services(page: str, pid: Path) -> Iterator[None]:
    """One page at a time that starts a service, for they listen at ports of this machine; one left running is ended."""
    ports = [int(port) for port in re.findall(r"curl .*localhost:(\d+)", page)]
    with (Path(tempfile.gettempdir()) / "pgvec-pages.lock").open("w") as held:
        if ports:
            fcntl.flock(held, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if pid.exists():
                with suppress(ProcessLookupError):
                    os.kill(int(pid.read_text()), signal.SIGINT)
                until = time.monotonic() + 20
                while any(map(_listens, ports)) and time.monotonic() < until:
                    time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as made:
        return made.connect_ex(("127.0.0.1", port)) == 0
