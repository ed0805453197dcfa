"""The packages in integrations: their pages, their versions, and what they have in common."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from assemble import staged

import console
from pages import ROOT, steps_of
from pgvec_admin import __version__

PACKAGES = sorted(path.parent for path in (ROOT / "integrations").glob("*/pyproject.toml"))
SOURCES = {package.name: package / "src" / package.name.replace("-", "_") for package in PACKAGES}


def test_there_are_two() -> None:
    assert list(SOURCES) == ["langchain-pgvec", "llama-index-pgvec"]


def test_they_call_the_functions_by_the_same_file() -> None:
    texts = {(source / "_database.py").read_text() for source in SOURCES.values()}
    assert len(texts) == 1


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_commands_of_its_page_print_what_it_says(package: Path, empty_database: str, tmp_path: Path) -> None:
    text = (package / "README.md").read_text()
    assert len(steps_of(text)) >= 3
    source = str(package / "src")
    console.run(text, tmp_path, console.environment(PGVEC_DATABASE_URL=empty_database) | _with_path(source))


def _with_path(source: str) -> dict[str, str]:
    return {"PYTHONPATH": f"{source}:{os.environ.get('PYTHONPATH', '')}", "PYTHONWARNINGS": "ignore"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_links_of_its_page_lead_somewhere(package: Path) -> None:
    for link in re.findall(r"\]\((\.[^)#]+)", (package / "README.md").read_text()):
        assert (package / link).exists(), link


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_its_wheel_has_its_modules_and_the_version_of_the_release(package: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, staged(package, tmp_path)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob(f"*-{__version__}-*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = SOURCES[package.name]
    assert names == {f"{source.name}/{path.name}" for path in source.iterdir() if path.suffix in (".py", ".typed")}
