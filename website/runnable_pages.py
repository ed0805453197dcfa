"""Builds the documentation as a site whose SQL runs in the reader's page.

    python website/runnable_pages.py FOLDER

writes it into FOLDER/site: the pages of docs/ and those beside it, with a button at each block of SQL, and PGlite,
which a page loads from the site itself. Every command of the pages up to the last SQL is run for that: see states.py.
Nothing is fetched from elsewhere, neither here nor by a reader.
"""

from __future__ import annotations

import gzip
import html
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

# the pages are run as their tests run them
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from pages import Step as Command
from pages import steps_of
from sql_blocks import BLOCK, Sql, Step, sql_of
from states import Recorder, packed

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
    """The text of a page, with links as they are on the site."""
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
    return "".join(part if part.startswith("```") else _LINK.sub(link, part) for part in parts)


def blocks_of(commands: list[Command]) -> dict[int, Sql]:
    """The SQL of commands, by their number."""
    return {number: found for number, command in enumerate(commands) if (found := sql_of(command.command))}


class Runnable:
    """Puts what they run beside the blocks of SQL, and into a folder what is in the database before that."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self._folder, self._recorder = folder, recorder
        engine = recorder.engine()
        self._known = engine.split("\n")
        _write(folder / "engine.sql.gz", engine)

    def page(self, name: str, text: str) -> str:
        """The text of a page with a place for a button after each block of SQL."""
        commands = steps_of(text)
        sql = blocks_of(commands)
        states = self._recorder.states(text, commands, set(sql))
        for number, state in states.items():
            _write(self._folder / f"{name}-{number}.json.gz", packed(state, self._known))
        numbers = itertools.count()

        def with_steps(block: re.Match[str]) -> str:
            steps = [
                asdict(Step(number, sql[number], f"{name}-{number}.json.gz" if number in states else None))
                for number in itertools.islice(numbers, len(steps_of(block[0])))
                if number in sql
            ]
            data = html.escape(json.dumps(steps), quote=True)
            return f'{block[0]}\n<div class="run-sql" data-steps="{data}"></div>\n' if steps else block[0]

        return BLOCK.sub(with_steps, text)


def _write(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def database(folder: Path) -> None:
    """PGlite, pgvector, and an archive of an empty database, which takes less time than making one."""
    folder.mkdir()
    for source in (HERE / "run.js", HERE / "run.css", ROOT / "js" / "src" / "print.js"):
        shutil.copy(source, folder)
    for name in ("pglite", "pglite-pgvector"):
        (folder / name).mkdir()
        for part in PARTS:
            for path in (MODULES / name / "dist").glob(part):
                shutil.copy(path, folder / name)
    command = ["node", str(ROOT / "js" / "test" / "archive.mjs"), str(folder / "empty.tar.gz")]
    subprocess.run(command, input="", text=True, check=True)


def build(folder: Path, recorder: Recorder) -> Path:
    """The site, in a folder that is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    docs = folder / "docs"
    docs.mkdir(parents=True)
    database(docs / "run")
    runnable = Runnable(docs / "run", recorder)
    for source, target in pages().items():
        (docs / target).parent.mkdir(parents=True, exist_ok=True)
        text = runnable.page("-".join(target.with_suffix("").parts), page(source, target, docs))
        (docs / target).write_text(text, encoding="utf-8")
    shutil.copy(HERE / "mkdocs.yml", folder)
    generator = Path(sys.executable).with_name("zensical")
    subprocess.run([generator, "build", "--clean"], cwd=folder, check=True)
    return folder / "site"


if __name__ == "__main__":
    with Recorder() as run:
        sys.stdout.write(f"{build(Path(sys.argv[1]).resolve(), run)}\n")
