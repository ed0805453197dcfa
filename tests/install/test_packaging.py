"""The package: the wheel has all SQL and the Edge Function, and works in an environment that has nothing else."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import psycopg
import pytest

from pgvec_admin import __version__

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("dist")
    # by way of an sdist, as a release is made
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", directory, ROOT],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    (built,) = directory.glob("*.whl")
    return built


def _tracked(*patterns: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(listed.stdout.split())


def test_the_wheel_holds_the_package_with_every_sql_file_the_edge_function_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = {name.removeprefix("src/") for name in _tracked("src")}
    sql = {f"pgvec_admin/{name}" for name in _tracked("sql")}
    edge = {
        f"pgvec_admin/edge_functions/{name.removeprefix('supabase/functions/')}"
        for name in _tracked("supabase/functions")
    }
    assert inside == sources | sql | edge


def test_the_wheel_installs_into_an_empty_environment_and_migrates_from_there(
    wheel: Path, tmp_path: Path, empty_database: str
) -> None:
    venv.create(tmp_path / "env")
    binaries = tmp_path / "env" / "bin"
    pip = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "install", "--quiet", "--no-compile"]
    subprocess.run([*pip, str(wheel)], check=True, cwd=tmp_path)

    where = subprocess.run(
        [binaries / "python", "-c", "import pgvec_admin.resources as r; print(r.sql_directory())"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    ).stdout.strip()
    assert where.endswith("site-packages/pgvec_admin/sql")
    assert where.startswith(str(tmp_path))

    command = binaries / "pgvec-admin"
    (tmp_path / "supabase").mkdir()
    subprocess.run([command, "supabase", "export", "--edge-function"], check=True, cwd=tmp_path)
    exported = tmp_path / "supabase" / "functions" / "embed"
    assert {path.name: path.read_text() for path in exported.iterdir()} == {
        path.name: path.read_text() for path in (ROOT / "supabase" / "functions" / "embed").iterdir()
    }
    subprocess.run([command, "migrate", "--database-url", empty_database], check=True, cwd=tmp_path)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select pgvec.version()").fetchone() == (__version__,)
