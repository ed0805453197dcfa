"""Every command and output of README.md and of docs/, run as a reader would: top to bottom, in an empty directory.

A block marked `console` has commands after `$ ` (a backslash or an open quote or heredoc continues one) and what they
print, stdout and stderr together. A line `...` stands for any lines, and `...` within a line for any text.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import supabase_project
from command import PSQL
from pages import PAGES, ROOT, matches, steps_of
from pgvec_admin.install import functions
from supabase_project import Project, token


def _stop(pid: Path) -> None:
    """A service that a page has started, and not stopped."""
    if pid.exists():
        with suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGINT)


NODE = supabase_project.FOLDER / "node_modules"
WITH_COMMANDS = [page for page in PAGES if steps_of(page.read_text())]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_every_command_prints_what_the_page_says(page: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    environment = os.environ | {
        # the machine's own psql where there is one, else the embedded server's
        "PATH": f"{Path(sys.executable).parent}:{NODE / '.bin'}:{os.environ['PATH']}:{PSQL}",
        "COLUMNS": "120",
        "LC_ALL": "C.UTF-8",
    }
    project: Project | None = None
    if "$SUPABASE_URL" in page.read_text():
        project = request.getfixturevalue("project")
        environment |= {
            "PGVEC_DATABASE_URL": project.database,
            "SUPABASE_URL": project.url,
            "ANON_KEY": token("anon"),
            "SERVICE_ROLE_KEY": token("service_role"),
        }
    else:
        environment["PGVEC_DATABASE_URL"] = request.getfixturevalue("empty_database")
    if "$ node " in page.read_text():
        (tmp_path / "node_modules").symlink_to(NODE)
    steps = steps_of(page.read_text())
    assert len(steps) >= 5
    request.addfinalizer(lambda: _stop(tmp_path / "pid"))
    for step in steps:
        ran = subprocess.run(
            ["bash", "-c", step.command],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if project and "pgvec-admin " in step.command:
            project.settle()  # PostgREST hears of changes a moment later
        printed = ran.stdout.splitlines()
        shown = "\n".join(step.expected)
        assert matches(step.expected, printed), f"$ {step.command}\n--- page\n{shown}\n--- printed\n{ran.stdout}"


def test_the_two_commands_of_the_first_screen_are_targets_of_the_makefile() -> None:
    text = (ROOT / "README.md").read_text()
    for target, command in (("demo", "pgvec-admin demo"), ("test", "pytest")):
        assert f"make {target} " in text
        planned = subprocess.run(
            ["make", "--no-print-directory", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout
        assert planned.strip().splitlines()[-1].endswith(command)


def test_the_page_of_calls_has_every_function() -> None:
    page = (ROOT / "docs" / "rpc.md").read_text()
    public = [file.name.removeprefix("public.") for file in functions.files() if file.name.startswith("public.")]
    assert [name for name in public if f"/rest/v1/rpc/{name}" not in page] == []
