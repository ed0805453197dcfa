"""supabase/tests: what `supabase test db` runs, run here by pg_prove itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

import supabase_project
from supabase_project import FOLDER, Project

TESTS = Path(__file__).parents[2] / "supabase" / "tests"
PGTAP = FOLDER / "pgtap" / "usr"  # Debian's packages, unpacked


def _prove(project: Project, psql: Path) -> subprocess.CompletedProcess[str]:
    told = conninfo_to_dict(project.database)
    return subprocess.run(
        ["perl", "-I", PGTAP / "share/perl5", PGTAP / "bin/pg_prove", "--psql-bin", psql, *TESTS.iterdir()],
        env=os.environ
        | {"PGHOST": str(told["host"]), "PGPORT": str(told["port"]), "PGUSER": "postgres"}
        | {"PGDATABASE": str(told["dbname"]), "PGPASSWORD": project.server.password or ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_they_pass_and_fail_where_something_is_wrong(with_search: Project) -> None:
    name = str(conninfo_to_dict(with_search.database)["dbname"])
    url = supabase_project.conninfo(with_search.server, name, supabase_project.SUPERUSER)
    with psycopg.connect(url, autocommit=True) as connection:
        places: dict[str, str] = dict(connection.execute("select name, setting from pg_config").fetchall())
        for file in PGTAP.glob("share/postgresql/*/extension/*"):
            shutil.copy(file, Path(places["SHAREDIR"], "extension"))
        connection.execute("create extension pgtap schema extensions")
        ran = _prove(with_search, Path(places["BINDIR"], "psql"))
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "Result: PASS" in ran.stdout

        connection.execute("grant execute on function pgvec.version() to public")
        ran = _prove(with_search, Path(places["BINDIR"], "psql"))
        assert ran.returncode != 0
        assert 'Failed test 4: "nothing of it is for PUBLIC"' in ran.stdout + ran.stderr
