"""The examples, each run as its reader would run it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient

from command import PSQL
from conftest import Connection
from supabase_project import Project, token

EXAMPLES = Path(__file__).parents[2] / "examples"
OURS = "00000000-0000-4000-8000-00000000000a"
THEIRS = "00000000-0000-4000-8000-00000000000b"


def _run(name: str, *arguments: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_an_application_of_ones_own(connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    monkeypatch.setenv("PGVEC_DATABASE_URL", database)
    spec = importlib.util.spec_from_file_location("fastapi_app", EXAMPLES / "fastapi_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fastapi_app", module)
    spec.loader.exec_module(module)
    with TestClient(module.app) as client:
        notes = [
            {"content": "near", "embedding": [1, 0, 0], "metadata": {"lang": "en"}},
            {"content": "far", "embedding": [0, 1, 0], "metadata": {"lang": "en"}},
            {"content": "nah", "embedding": [1, 0, 0], "metadata": {"lang": "de"}},
        ]
        ids = client.post("/notes", json=notes).json()
        question = {"embedding": [1, 0.1, 0], "top_k": 2, "filters": {"lang": "en"}}
        found = client.post("/nearest", json=question).json()
        assert [(hit["id"], hit["content"]) for hit in found] == [(ids[0], "near"), (ids[1], "far")]
        # a request that fails leaves nothing
        broken = [{"content": "kept?", "embedding": [1, 1, 1]}, {"content": "zero", "embedding": [0, 0, 0]}]
        with pytest.raises(Exception, match="zero vector"):
            client.post("/notes", json=broken)
    assert connection.execute("select count(*) from documents").fetchone() == (3,)


def test_a_resume_and_a_table_of_jobs(connection: Connection, database: str) -> None:
    lines = _run("resumes.py", PGVEC_DATABASE_URL=database).splitlines()
    assert {line.split("  ")[2]: line.split("  ")[1] for line in lines} == {
        "Backend developer": "70000",
        "Database engineer": "85000",
    }
    connection.execute("select pgvec.release_collection('jobs')")


def test_an_assistant_reads_its_own_tenants_passages(with_search: Project) -> None:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('handbook', 384, access => 'tenant')")
        for tenant, text in ((OURS, "Refunds are paid within a week."), (THEIRS, "Refunds are never paid.")):
            connection.execute(
                "insert into handbook (tenant_id, id, content) values (%s, 'refunds', %s)", (tenant, text)
            )
    with_search.settle()
    told = _run(
        "rag_supabase.py",
        "When are refunds paid?",
        SUPABASE_URL=with_search.url,
        SUPABASE_KEY=token("anon"),
        ACCESS_TOKEN=token("authenticated", app_metadata={"tenant_id": OURS}),
    )
    assert "[refunds] Refunds are paid within a week." in told
    assert "never" not in told


def test_a_session_in_psql(database: str) -> None:
    ran = subprocess.run(
        ["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", database, "-f", EXAMPLES / "session.sql"],
        env=os.environ | {"PATH": f"{os.environ['PATH']}:{PSQL}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout.splitlines() == [
        "planets",
        "earth|0.742",
        "jupiter|0.105",
        "jupiter|Jupiter is the <mark>largest</mark> planet, with dozens of <mark>moons</mark>.",
        "earth|Earth has one <mark>moon</mark>, oceans, and life.",
        "earth|2|1",
        "mercury|1|",
        "exact|2",
    ], ran.stderr
