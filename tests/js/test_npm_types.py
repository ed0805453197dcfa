"""The types of the npm package in strict TypeScript, beside those of the Supabase CLI (database.types.ts)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import npm_package
from conftest import Connection
from pages import ROOT

NODE, TSC = (npm_package.BESIDE / name for name in (".bin/node", "typescript/bin/tsc"))
OPTIONS = ["--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"]
# our declarations are checked, and those of what we import; TypeScript's own are not ours to check
OPTIONS += ["--skipDefaultLibCheck"]
HERE = Path(__file__).parent
# each with what the compiler says of it
WRONG = {
    "docs.matchDocuments();": "Expected 1-2 arguments",
    "docs.matchDocuments([1], { match_count: 5 });": "'match_count' does not exist",
    "docs.matchDocuments([1], { filter: { year: { $gte: true } } });": "not assignable",
    "docs.matchDocuments([1], { filter: { $gte: 2020 } });": "not assignable",
    "docs.matchDocuments([1], { filter: { $or: { a: 1 } } });": "'a' does not exist in type 'readonly Filter[]'",
    "docs.keywordSearch('x', { embedding: [1] });": "'embedding' does not exist",
    "docs.hybridSearch('x');": "Expected 2-3 arguments",
    "docs.upsert({ metadata: { lang: 1 } });": "not assignable to type 'string'",
    "docs.upsert({ colour: 'red' });": "'colour' does not exist",
    "docs.delete('a');": "no properties in common",
}
HEAD = """
import { createClient } from "@supabase/supabase-js";
import { pgvec } from "pgvec-admin";
const docs = pgvec(createClient("", "")).collection<{ lang: string }>();
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("npm")
    npm_package.unpacked(made)
    (made / "database.types.ts").write_text((ROOT / "supabase" / "database.types.ts").read_text())
    return made


def _compile(folder: Path, files: dict[str, str], *options: str) -> str:
    for name, text in files.items():
        (folder / name).write_text(text)
    command = [NODE, TSC, *(options or OPTIONS), "--types", "node", *files]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert (ran.returncode == 0) == (not ran.stdout), ran.stdout + ran.stderr
    return ran.stdout


def test_calls_compile_with_the_parameters_of_the_functions_as_options_and_wrong_calls_do_not(folder: Path) -> None:
    files = {name: (HERE / name).read_text() for name in ("calls.ts", "parameters.ts")}
    told = _compile(folder, files | {"wrong.ts": HEAD + "\n".join(WRONG)})
    assert [line for line in told.splitlines() if not line.startswith(("wrong.ts(", " "))] == []
    first = HEAD.count("\n") + 1
    by_line = {
        int(line): text
        for line, text in re.findall(r"^wrong\.ts\((\d+),.*?error TS\d+: ((?:.|\n(?!\w))*)", told, flags=re.M)
    }
    missed = {
        call: by_line.get(line, "")
        for line, (call, says) in enumerate(WRONG.items(), first)
        if says not in by_line.get(line, "")
    }
    assert missed == {}


def test_calls_compile_as_node_resolves_modules(folder: Path) -> None:
    text = (HERE / "calls.ts").read_text().replace("./database.types", "./database.types.js")
    nodenext = ["--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]
    assert _compile(folder, {"calls.mts": text}, *nodenext) == ""


def test_a_filter_has_every_operator(connection: Connection) -> None:
    names = [name for (name,) in connection.execute("select jsonb_object_keys(pgvec.filter_operators())").fetchall()]
    text = (ROOT / "js" / "src" / "index.d.ts").read_text()
    assert set(names) == set(re.findall(r"^  (\$\w+)\?: ", text, flags=re.M))
