"""What README.md and docs/ say, beside their commands: see test_site.py."""

from __future__ import annotations

import subprocess

from pages import ROOT
from pgvec_admin.install import functions


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
