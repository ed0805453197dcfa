"""The documented calls in strict TypeScript, against the types that the Supabase CLI generates (database.types.ts)."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from pages import ROOT
from supabase_project import FOLDER

TSC = FOLDER / "node_modules" / ".bin" / "tsc"
NODE = FOLDER / "node_modules" / ".bin" / "node"
PAGES = [ROOT / "docs" / name for name in ("rpc.md", "supabase.md")]
# the libraries' own declarations, whose errors would not be ours, are read and not checked
OPTIONS = [
    "--noEmit",
    "--skipLibCheck",
    "--strict",
    "--target",
    "es2022",
    "--module",
    "esnext",
    "--moduleResolution",
    "bundler",
]
HEAD = """
import { createClient } from "@supabase/supabase-js";
import type { Database } from "./database.types";
const supabase = createClient<Database>("", "");
export {};
"""


def _examples(page: Path) -> dict[str, str]:
    """The TypeScript files that a page makes."""
    made = re.findall(r"^\$ cat > (\w+\.ts) <<'END'\n(.*?)^> END\n", page.read_text(), flags=re.S | re.M)
    return {name: re.sub(r"^> ?", "", text, flags=re.M) for name, text in made}


def _calls(page: Path) -> list[tuple[str, str]]:
    """The function and the JSON of each RPC that a page makes by curl, and that is answered."""
    text = re.sub(r"\\\n> *", "", page.read_text())
    found = []
    for name, body, status in re.findall(
        r"^\$ curl [^\n]*?/rpc/(\w+)[^\n]*? -d '(.*?)'\n(?:[^\n]*?\}?(404))?", re.sub(r"\n>\s+", " ", text), flags=re.M
    ):
        if status != "404":
            found.append((name, body))
    return found


def _literal(value: object, key: str = "") -> str:
    """A value as the page tells readers of typed clients to write it: a query vector as its JSON text."""
    if key == "query_embedding" and isinstance(value, list):
        return f"JSON.stringify({json.dumps(value)})"
    if isinstance(value, dict) and not key:
        return "{" + ", ".join(f"{json.dumps(name)}: {_literal(one, name)}" for name, one in value.items()) + "}"
    return json.dumps(value)


def _documented() -> str:
    calls = _calls(ROOT / "docs" / "rpc.md")
    assert len({name for name, _ in calls}) >= 12, calls
    lines = [
        f"await supabase.rpc({json.dumps(name)}, {_literal(json.loads(body))});"
        for name, body in calls
        if not name.endswith("_jobs")
    ]
    return HEAD + "\n".join(lines)


# calls that do not exist, and what the compiler says of them
WRONG = {
    'await supabase.from("documents").insert({ colour: "red" });': "'colour' does not exist",
    'await supabase.rpc("match_documents", { query_embedding: [1, 0] });': "not assignable to type 'string'",
}


def test_what_the_pages_call_compiles_and_what_does_not_exist_does_not(tmp_path: Path) -> None:
    """All in one run of the compiler, which reads the libraries for longer than our calls."""
    examples = {f"{page.stem}_{name}": text for page in PAGES for name, text in _examples(page).items()}
    assert {"rpc_calls.ts", "supabase_search.ts"} <= set(examples)
    files = (
        examples | {"calls.ts": _documented()} | {f"wrong{place}.ts": HEAD + call for place, call in enumerate(WRONG)}
    )
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")
    (tmp_path / "database.types.ts").write_text((ROOT / "supabase" / "database.types.ts").read_text())
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    ran = subprocess.run(
        [NODE, TSC, *OPTIONS, "--types", "node", *files], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    said = re.split(r"\n(?=\S)", ran.stdout.strip())
    assert len(said) == len(WRONG), ran.stdout + ran.stderr
    for place, error in enumerate(WRONG.values()):
        assert [one for one in said if one.startswith(f"wrong{place}.ts") and error in one], ran.stdout
