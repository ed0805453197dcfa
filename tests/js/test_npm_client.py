"""The client of the npm package, over the real supabase-js, against PostgREST."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

import npm_package
from pages import ROOT
from supabase_project import Project, token

NODE = npm_package.BESIDE / ".bin" / "node"


@pytest.fixture
def documents(with_search: Project) -> Project:
    with psycopg.connect(with_search.database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 3)")
        connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    with_search.settle()
    return with_search


def _run(project: Project, folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    npm_package.unpacked(folder)
    script = folder / "script.mjs"
    script.write_text(text)
    command = [str(NODE), str(script), project.url, token("service_role"), token("anon")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran


@pytest.fixture
def told(documents: Project, tmp_path: Path) -> dict[str, Any]:
    """What each call of client.mjs returned."""
    text = Path(__file__).with_name("client.mjs").read_text()
    made: dict[str, Any] = json.loads(_run(documents, tmp_path, text).stdout)
    return made


def _code(error: dict[str, Any]) -> tuple[str | None, int | None]:
    assert error["ours"]
    assert error["name"] == "PgvecError"
    return error["code"], error["status"]


def test_each_method_calls_its_function(told: dict[str, Any]) -> None:
    assert told["upserted"] == ["pool-0", "pool-1", "7", "plain"]
    assert told["generated"] == 1
    assert told["kept"] == ["plain"]
    assert told["chunk"] == {"source": "pool.md", "chunk_index": 1}

    assert [(hit["id"], round(hit["similarity"], 3)) for hit in told["match"]] == [("pool-0", 0.995), ("pool-1", 0.949)]
    assert told["match"][0]["metadata"] == {"lang": "en", "year": 2024}
    assert told["typed_array"] == told["text"] == ["pool-0"]
    assert told["undefined"] == 3
    assert [hit["id"] for hit in told["keyword"]] == ["pool-1"]
    assert "<mark>timeout</mark>" in told["keyword"][0]["headline"]
    assert [hit["id"] for hit in told["hybrid"]] == ["pool-1", "pool-0"]
    assert told["grouped"] == ["pool-0"]
    assert told["search"] == [["pool-1", "number"]]
    assert told["search_both"] == ["7", "pool-1"]
    assert (told["tenant"], told["of_tenant"], told["of_other"]) == (["n"], ["n"], [])
    assert told["without_vector"] == ["pool-1"]
    assert told["deleted"] == [1, 1]


def test_the_examples_of_its_readme_run(documents: Project, tmp_path: Path) -> None:
    blocks = re.findall(r"^```js\n(.*?)^```", (ROOT / "js" / "README.md").read_text(), flags=re.S | re.M)
    given = "const [url, key] = process.argv.slice(2);\nconst embedding = [1, 0.2, 0];\n"
    ran = _run(documents, tmp_path, given + "".join(blocks))
    said = re.findall(r"^  // (PV.*)\n", blocks[-1], flags=re.M)
    assert ran.stderr.splitlines() == said


def test_what_is_refused_has_code_message_and_hint(told: dict[str, Any]) -> None:
    assert told["dimensions"] == {
        "ours": True,
        "name": "PgvecError",
        "code": "PV002",
        "message": "the query has 2 dimensions, collection 'documents' has 3",
        "hint": "embed queries with the model that embedded the rows",
        "details": None,
        "status": 400,
    }
    assert _code(told["operator"]) == ("PV003", 400)
    assert _code(told["unknown"]) == ("PV001", 400)
    assert _code(told["parameter"]) == ("PGRST202", 404)
    assert "top_k" in told["parameter"]["message"]
    assert _code(told["not_a_number"])[1] == 400
    assert "NaN" in told["not_a_number"]["message"]
    assert _code(told["not_allowed"]) == ("42501", 401)
    assert _code(told["nothing_given"]) == ("PV004", 400)
    assert _code(told["no_network"])[0] in (None, "ECONNREFUSED")
    assert (told["no_vector"]["ours"], told["no_vector"]["name"]) == (False, "TypeError")
    assert told["no_vector"]["message"] == "an embedding is an array of numbers, not undefined"
