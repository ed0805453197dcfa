"""The npm package as its users have it: packed, and unpacked beside its dependencies."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

from pages import ROOT
from supabase_project import FOLDER

DEPENDENCIES = ROOT / "js" / "node_modules"
BESIDE = FOLDER / "node_modules"  # supabase-js, TypeScript, and a newer Node


def packed(folder: Path) -> Path:
    """The package as a file, made as a release makes it."""
    made = subprocess.run(
        [sys.executable, ROOT / "js" / "pack.py", folder], check=True, capture_output=True, text=True
    ).stdout
    return Path(made.strip())


def unpacked(folder: Path) -> Path:
    """The package in `node_modules` of a folder, with all that it and the tests import."""
    modules = folder / "node_modules"
    modules.mkdir()
    for source in (BESIDE, DEPENDENCIES):
        for path in source.iterdir():
            if not path.name.startswith(".") and not (modules / path.name).exists():
                (modules / path.name).symlink_to(path)
    with tarfile.open(packed(folder)) as archive:
        archive.extractall(folder, filter="data")
    return (folder / "package").rename(modules / "pgvec-admin")
