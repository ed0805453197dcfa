"""`npx pgvec-admin init` writes what `pgvec-admin supabase export` writes, and overwrites nothing."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import npm_package
from pages import ROOT
from pgvec_admin import __version__
from pgvec_admin.install import supabase

NODE = shutil.which("node") or str(npm_package.BESIDE / ".bin" / "node")
Init = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return npm_package.unpacked(tmp_path_factory.mktemp("npm"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "supabase").mkdir()
    (tmp_path / "supabase" / "config.toml").write_text('project_id = "mine"')
    return tmp_path


@pytest.fixture
def init(package: Path, project: Path) -> Init:
    def run(*arguments: str, cwd: Path = project) -> subprocess.CompletedProcess[str]:
        command = [NODE, str(package / "bin" / "pgvec-admin.js"), "init", *arguments]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60)

    return run


def _files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def _migration(project: Path) -> Path:
    (path,) = (project / "supabase" / "migrations").iterdir()
    return path


def test_a_project_gets_what_the_python_command_exports(init: Init, project: Path, tmp_path: Path) -> None:
    ran = init()
    assert (ran.returncode, ran.stderr) == (0, "")
    exported = tmp_path / "exported" / "supabase"
    exported.mkdir(parents=True)
    supabase.export(exported / "migrations")
    supabase.export_edge_function(exported / "functions")
    ours, theirs = _files(project / "supabase"), _files(exported)
    suffix = f"_pgvec_admin_{__version__.replace('.', '_')}.sql"
    migrations = [next(name for name in files if name.endswith(suffix)) for files in (ours, theirs)]
    assert ours.pop(migrations[0]) == theirs.pop(migrations[1])
    assert abs(int(Path(migrations[0]).name[:14]) - int(Path(migrations[1]).name[:14])) < 10_000  # both are now
    for name in ("seed.sql", "database.types.ts", "tests/search.test.sql"):
        theirs[name] = (ROOT / "supabase" / name).read_text()
    assert ours.pop("config.toml").startswith('project_id = "mine"\n\n# The function')
    assert ours == theirs
    # and the Python command takes it for its own
    assert supabase.check(project / "supabase" / "migrations") == _migration(project)


def test_again_it_changes_nothing(init: Init, project: Path) -> None:
    init()
    before = _files(project)
    ran = init()
    assert ran.returncode == 0
    assert _files(project) == before
    assert len(ran.stdout.splitlines()) == 6
    assert all(line.endswith(" is up to date") for line in ran.stdout.splitlines())


def test_it_finds_the_project_from_below_and_says_where_there_is_none(init: Init, project: Path, package: Path) -> None:
    below = project / "app" / "src"
    below.mkdir(parents=True)
    assert init(cwd=below).returncode == 0
    assert _migration(project).exists()
    nowhere = init(cwd=package)
    assert nowhere.returncode == 2
    assert nowhere.stderr == (
        f"error: there is no supabase/config.toml in {package} or above it\nhint: npx supabase init makes one\n"
    )
    assert init("--directory", str(project), cwd=package).returncode == 0


def test_what_differs_is_shown_and_left_until_it_may_be_updated(init: Init, project: Path) -> None:
    init()
    migration, edge = _migration(project), project / "supabase" / "functions" / "embed" / "index.ts"
    wanted = {path: path.read_text() for path in (migration, edge)}
    migration.write_text(wanted[migration] + "-- by hand\n")
    edge.write_text(wanted[edge].replace("const WAIT = 60", "const WAIT = 61"))
    ran = init()
    assert ran.returncode == 4
    assert f"{migration.relative_to(project)} differs from this release, and is left as it is:" in ran.stdout
    assert "\n--- by hand\n" in ran.stdout
    assert "\n-const WAIT = 61" in ran.stdout
    assert "\n+const WAIT = 60" in ran.stdout
    assert ran.stderr.startswith("error: not everything is of this release\nhint: ")
    assert migration.read_text().endswith("-- by hand\n")
    ran = init("--update")
    assert ran.returncode == 0
    assert {path: path.read_text() for path in wanted} == wanted


def test_files_of_the_projects_own_are_left_alone(init: Init, project: Path) -> None:
    own = {
        "supabase/seed.sql": "insert into things values (1);\n",
        "supabase/database.types.ts": "export type Database = {};\n",
        "supabase/functions/embed/index.ts": "Deno.serve(() => new Response('mine'));\n",
        "supabase/tests/search.test.sql": "select 1;\n",
        "supabase/config.toml": "[functions.embed]\nverify_jwt = true\n",
    }
    for name, text in own.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for arguments in ([], ["--update"]):
        ran = init(*arguments)
        assert ran.returncode == 0, ran.stdout
        assert {name: (project / name).read_text() for name in own} == own
        assert ran.stdout.count(" is yours, and is left as it is\n") == 4
    assert not (project / "supabase" / "functions" / "embed" / "deno.json").exists()


def test_a_dry_run_writes_nothing(init: Init, project: Path) -> None:
    before = _files(project)
    ran = init("--dry-run")
    assert ran.returncode == 0
    assert ran.stdout.count(" would be written\n") == 6
    assert _files(project) == before


def test_the_migration_may_replace_functions_of_a_guide(init: Init, project: Path) -> None:
    assert init("--replace-existing").returncode == 0
    assert _migration(project).read_text() == supabase.text(replace_existing=True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--colour"], "error: Unknown option '--colour'\nhint: npx pgvec-admin --help\n"),
        (["there"], "error: Unexpected argument 'there'"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(init: Init, arguments: list[str], told: str) -> None:
    ran = init(*arguments)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(told)


def test_the_package_has_its_files_and_nothing_else(package: Path) -> None:
    assert set(_files(package)) == {
        *("LICENSE", "README.md", "package.json", "bin/pgvec-admin.js"),
        *(
            f"src/{name}"
            for name in ("index.js", "index.d.ts", "init.js", "dev.js", "package.js", "print.js", "sample.sql")
        ),
        *(f"assets/{name}" for name in ("migration.sql", "seed.sql", "database.types.ts", "tests/search.test.sql")),
        *("assets/functions/embed/index.ts", "assets/functions/embed/deno.json"),
    }
    ran = subprocess.run([NODE, package / "bin" / "pgvec-admin.js", "--version"], capture_output=True, text=True)
    assert ran.stdout == f"{__version__}\n"
