"""Builds the documentation as a site whose SQL runs in the reader's page.

    python website/build.py FOLDER

writes it into FOLDER/site: the pages of docs/ and those beside it, with a button at each block of SQL, and PGlite with
the engine, which the page loads from the site itself. Nothing is fetched from elsewhere, neither here nor by a reader.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from sql_blocks import BLOCK, runnable

from pgvec_admin.install import supabase

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODULES = ROOT / "js" / "node_modules" / "@electric-sql"
PARTS = ("*.js", "*.wasm", "*.data", "vector.tar.gz")  # of PGlite and pgvector, without their maps and other extensions
_LINK = re.compile(r"(!?)\[([^\]\n]+)\]\(([^)\s#:]*)(#[^)\s]*)?\)")


def pages() -> dict[Path, Path]:
    """Where each page of the repository is on the site."""
    beside = {ROOT / name: Path(name) for name in ("README.md", "CHANGELOG.md", "js/README.md")}
    return beside | {path: Path(path.name) for path in sorted((ROOT / "docs").glob("*.md"))}


def page(source: Path, target: Path, folder: Path) -> str:
    """The text of a page: links as they are on the site, and after each block of SQL what it runs."""
    known = pages()

    def link(found: re.Match[str]) -> str:
        picture, text, path, anchor = found.groups()
        there = (source.parent / path).resolve()
        if not path or not there.exists():
            return found[0]
        if there.is_dir() or (there.suffix == ".md" and there not in known):
            return str(text)
        if there not in known and not (place := folder / there.relative_to(ROOT)).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(there, place)
        place = known.get(there, there.relative_to(ROOT))
        return f"{picture}[{text}]({os.path.relpath(place, target.parent)}{anchor or ''})"

    parts = re.split(r"(^```.*?^```$)", source.read_text(encoding="utf-8"), flags=re.S | re.M)
    text = "".join(part if part.startswith("```") else _LINK.sub(link, part) for part in parts)
    blocks = enumerate(runnable(text))

    def with_steps(found: re.Match[str]) -> str:
        number, block = next(blocks)
        steps = [asdict(one) for one in block]
        data = html.escape(json.dumps(steps), quote=True)
        prepares = "" if any(one["shown"] for one in steps) else " hidden"
        return (
            f'{found[0]}\n<div class="run-sql" data-block="{number}" data-steps="{data}"{prepares}></div>\n'
            if steps
            else found[0]
        )

    return BLOCK.sub(with_steps, text)


def engine(folder: Path) -> None:
    """PGlite, pgvector, and an archive of a database that has the engine already."""
    folder.mkdir()
    for source in (HERE / "run.js", HERE / "run.css", ROOT / "js" / "src" / "print.js"):
        shutil.copy(source, folder)
    for name in ("pglite", "pglite-pgvector"):
        (folder / name).mkdir()
        for part in PARTS:
            for path in (MODULES / name / "dist").glob(part):
                shutil.copy(path, folder / name)
    command = ["node", str(ROOT / "js" / "test" / "archive.mjs"), str(folder / "engine.tar.gz")]
    subprocess.run(command, input=supabase.text(), text=True, check=True)


def build(folder: Path) -> Path:
    """The site, in a folder that is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    docs = folder / "docs"
    for source, target in pages().items():
        (docs / target).parent.mkdir(parents=True, exist_ok=True)
        (docs / target).write_text(page(source, target, docs), encoding="utf-8")
    engine(docs / "run")
    shutil.copy(HERE / "mkdocs.yml", folder)
    generator = Path(sys.executable).with_name("zensical")
    subprocess.run([generator, "build", "--clean"], cwd=folder, check=True)
    return folder / "site"


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]).resolve())}\n")
