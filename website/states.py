"""The database as the commands of a page leave it, for the page to go on from.

A page runs its SQL on PGlite, and cannot run the other commands: load files, embed, serve. So when the site is built,
every page is run as tests/pages/test_readme.py runs it, on a server and with the real command, and what is in the
database before SQL that follows another command is kept as SQL.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

import console
import installation
import supabase_project
from command import PSQL
from pages import Step
from pgvec_admin.database import Target
from pgvec_admin.install import migrate
from pgvec_admin.server import embedded
from supabase_project import Project

# not run, for time: they only look
_LOOKS = re.compile(
    r"pgvec-admin (search|bench|evaluate|stats|status|verify(?!.*--fix)|\w+ (plan|list|show|status|diff|history))\b"
)
_OPTIONS = ["--no-password", "--restrict-key=none"]
_DUMP = ["--inserts", "--rows-per-insert=1000", "--statistics"]
# psql's own, and the role that every server has
_LEFT_OUT = re.compile(r"^(\\(un)?restrict .*|(CREATE|ALTER) ROLE postgres\b.*)\n", flags=re.M)


class Recorder:
    """Runs pages, each in a database of its own, on servers that end with the block."""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._numbers = itertools.count()
        self._server = self._stack.enter_context(installation.running())
        self._platform: embedded.Server | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def engine(self) -> str:
        """A database with the engine, which those of all pages resemble."""
        with installation.created(self._server, "engine") as url:
            migrate.migrate(Target(url, "the site"), report=lambda _: None)
            return _dump(url)

    def states(self, text: str, steps: list[Step], sql: set[int], *, whole: bool = False) -> dict[int, str]:
        """By the number of a command of those in `sql`: the database before it, where the one before left another.

        AssertionError where a command prints something else than the page says. whole: run all of them, also those
        that only look, and those after the last SQL.
        """
        needed = len(steps) if whole else max(sql, default=-1) + 1
        if not needed:
            return {}
        made, left = {}, ""
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            self._database(text) as (database, administrator),
            console.reader(text, Path(folder), database) as run,
        ):
            for number, step in enumerate(steps[:needed]):
                if number in sql and number - 1 not in sql and (found := _dump(administrator)) != left:
                    made[number] = found
                if whole or not _LOOKS.match(step.command):
                    run(step)
                if number in sql and number + 1 not in sql:
                    left = _dump(administrator)
        return made

    @contextmanager
    def _database(self, text: str) -> Iterator[tuple[str | Project, str]]:
        """What a reader of the page has, and the connection string of a superuser."""
        name = f"page_{next(self._numbers)}"
        if not console.needs_project(text):
            with installation.created(self._server, name) as url:
                yield url, url
            return
        if self._platform is None:
            self._platform = self._stack.enter_context(installation.running())
            supabase_project.prepare(self._platform)
        supabase_project.create(self._platform, name)
        with (
            tempfile.TemporaryDirectory() as folder,
            supabase_project.serve(self._platform, name, Path(folder)) as project,
        ):
            yield project, supabase_project.conninfo(self._platform, name, supabase_project.SUPERUSER)


def _dump(url: str) -> str:
    """A database as SQL that another one, with a superuser `postgres`, can run."""
    roles = _output("pg_dumpall", "--roles-only", "--no-role-passwords", "--dbname", url)
    text = re.sub(r" GRANTED BY \w+;", ";", roles) + _output("pg_dump", *_DUMP, "--dbname", url)
    return _LEFT_OUT.sub("", text)


def _output(program: str, *arguments: str) -> str:
    command = [str(PSQL / program), *_OPTIONS, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def packed(text: str, known: list[str]) -> str:
    """Lines as JSON, where those that are known, one after the other, are the first's number and how many they are."""
    places = {line: number for number, line in reversed(list(enumerate(known)))}
    made: list[str | list[int]] = []
    for line in text.split("\n"):
        last = made[-1] if made else None
        if isinstance(last, list) and sum(last) < len(known) and known[sum(last)] == line:
            last[1] += 1
        else:
            made.append([places[line], 1] if line in places else line)
    return json.dumps(made, ensure_ascii=False)
