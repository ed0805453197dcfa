"""Makes the npm package: js/ with the files that it installs, which are generated here and kept nowhere.

    python js/pack.py FOLDER

writes pgvec-admin-<version>.tgz into the folder.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from pgvec_admin import __version__
from pgvec_admin.install import supabase
from pgvec_admin.resources import edge_function_directory

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


def stage(folder: Path) -> None:
    """Everything that is in the package, in a new folder."""
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "*.py"))
    shutil.copy(ROOT / "LICENSE", folder)
    described = json.loads((HERE / "package.json").read_text(encoding="utf-8")) | {"version": __version__}
    if repository := os.environ.get("GITHUB_REPOSITORY"):  # npm compares it with where the package was built
        described["repository"] = {"type": "git", "url": f"git+https://github.com/{repository}.git", "directory": "js"}
    (folder / "package.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    assets = folder / "assets"
    shutil.copytree(edge_function_directory(), assets / "functions" / "embed")
    shutil.copytree(ROOT / "supabase" / "tests", assets / "tests")
    for name in ("seed.sql", "database.types.ts"):
        shutil.copy(ROOT / "supabase" / name, assets)
    (assets / "migration.sql").write_text(supabase.text(), encoding="utf-8")


def pack(folder: Path) -> Path:
    """The package as a file in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        staged = Path(made) / "package"
        stage(staged)
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder.resolve())]
        name = subprocess.run(command, cwd=staged, check=True, capture_output=True, text=True).stdout.split()[-1]
    return folder / name


if __name__ == "__main__":
    sys.stdout.write(f"{pack(Path(sys.argv[1]))}\n")
