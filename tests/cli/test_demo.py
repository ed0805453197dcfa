"""The demo as a newcomer sees it: a new server, a real corpus, the real model, and correct answers."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator

import pytest

import installation
from command import COMMAND
from pgvec_admin import demo

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    """Runs the command with its own embedded server."""
    with installation.folder("pgvec-demo-") as place:
        hidden = ("PGVEC_DATABASE_URL", "SUPABASE_DB_URL", "DATABASE_URL", "PGVEC_POSTGRES_VERSION")
        environment = {name: value for name, value in os.environ.items() if name not in hidden}
        environment |= {"PGVEC_DATA_DIR": f"{place}/data", "COLUMNS": "120"}

        def command(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [COMMAND, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
            )

        yield command
        command("db", "stop")


@pytest.fixture(scope="module")
def first(run: Run) -> subprocess.CompletedProcess[str]:
    return run("demo")


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Its messages, without the lines of progress."""
    return [line.split(" in /")[0] for line in done.stderr.splitlines() if not re.search(r"/s\b", line)]


def test_the_demo_goes_from_nothing_to_answers_and_shows_them(first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    lines = said(first)
    assert lines[0].startswith("server: PostgreSQL ")
    assert lines[0].endswith(" started")
    assert any(line.startswith("collection: documents created, 384 dimensions") for line in lines)
    for question in demo.QUESTIONS:
        assert question in first.stdout
    assert first.stdout.count("rank ┃ vector") == len(demo.QUESTIONS)
    assert "from match_documents(" in first.stdout
    assert 'supabase.rpc("match_documents"' in first.stdout


@pytest.mark.parametrize(
    ("question", "wanted"),
    list(zip(demo.QUESTIONS, ({"argparse"}, {"tempfile"}, {"concurrent", "threading"}), strict=True)),
)
def test_each_question_finds_the_right_module_among_the_first_five(
    run: Run, first: subprocess.CompletedProcess[str], question: str, wanted: set[str]
) -> None:
    assert first.returncode == 0, first.stderr
    found = json.loads(run("search", question, "--limit", "5", "--json").stdout)
    assert len(found) == 5
    assert wanted & {hit["id"].split(".")[0] for hit in found}


def test_the_calls_that_the_demo_shows_work_in_psql(run: Run, first: subprocess.CompletedProcess[str]) -> None:
    shown = first.stdout.split("nearest to a row that is there:")[1].split("and through Supabase")[0]
    for statement in filter(None, map(str.strip, shown.split(";"))):
        answered = run("db", "psql", "--", "-At", "-c", statement)
        assert answered.returncode == 0, answered.stderr
        assert len(answered.stdout.splitlines()) == 5


def test_a_second_run_finds_everything_there(run: Run, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stderr
    again = run("demo")
    assert again.returncode == 0, again.stderr
    lines = said(again)
    assert lines[0] == said(first)[0].replace("started", "was running")
    assert lines[1].startswith("engine: pgvec-admin ")
    assert "is installed and current" in lines[1]
    rows = lines[2].removeprefix("collection: documents was there, ").removesuffix(" rows")
    assert 1000 <= int(rows.replace(",", "")) <= 1500
    assert lines[3:6] == [
        f"load: 0 new, 0 changed, {rows} unchanged",
        "embed: nothing to do",
        "index: documents_embedding_hnsw_cosine_idx was there",
    ]
