"""Every command and output of README.md and of docs/, run as a reader would: top to bottom, in an empty directory."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

import console
import supabase_project
from pages import PAGES, ROOT, steps_of
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
    text = page.read_text()
    project: Project | None = None
    if "$SUPABASE_URL" in text:
        project = request.getfixturevalue("project")
        told = {
            "PGVEC_DATABASE_URL": project.database,
            "SUPABASE_URL": project.url,
            "ANON_KEY": token("anon"),
            "SERVICE_ROLE_KEY": token("service_role"),
        }
    else:
        told = {"PGVEC_DATABASE_URL": request.getfixturevalue("empty_database")}
    if "$ node " in text:
        (tmp_path / "node_modules").symlink_to(NODE)
    assert len(steps_of(text)) >= 5
    request.addfinalizer(lambda: _stop(tmp_path / "pid"))

    def settle(command: str) -> None:
        if project and "pgvec-admin " in command:
            project.settle()  # PostgREST hears of changes a moment later

    console.run(text, tmp_path, console.environment(NODE / ".bin", **told), settle)


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
