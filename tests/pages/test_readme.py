"""Every command and output of README.md and of docs/, run as a reader would: top to bottom, in an empty directory."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import console
from pages import PAGES, ROOT, steps_of
from pgvec_admin.install import functions

WITH_COMMANDS = [page for page in PAGES if steps_of(page.read_text())]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_every_command_prints_what_the_page_says(page: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    text = page.read_text()
    database = request.getfixturevalue("project" if console.needs_project(text) else "empty_database")
    steps = steps_of(text)
    assert len(steps) >= 5
    with console.reader(text, tmp_path, database) as run:
        for step in steps:
            run(step)


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
