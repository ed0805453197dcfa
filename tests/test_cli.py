"""The command as its users meet it: a process, its output and its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from conftest import Connection
from pgvec_admin.cli import app

COMMAND = Path(sys.executable).with_name("pgvec-admin")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(database: str) -> Run:
    """Runs the command against the test's database; returns what it printed and its exit code."""

    def run_command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PGVEC_DATABASE_URL": database} | environment,
        )

    return run_command


def _commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_sentence_of_help_an_example_and_help_for_every_option(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    assert "Example:" in command.help
    assert f"pgvec-admin {name}" in command.help
    assert [p.name for p in command.params if not getattr(p, "help", None) and p.name != "help"] == []


def test_the_commands_of_the_contract_are_there() -> None:
    wanted = """
        demo, migrate, status, rollback, functions list, functions diff, functions history, functions rollback,
        collection create, collection list, collection drop, load, embed, search, index create, index list,
        index drop, db start, db stop, db status, db url, db psql
    """
    assert {name.strip() for name in wanted.split(",")} - set(COMMANDS) == set()


def test_a_collection_is_created_listed_shown_and_dropped(run: Run) -> None:
    created = run("collection", "create", "jobs", "--dimensions", "8", "--storage", "halfvec", "--distance", "l2")
    assert (created.returncode, created.stdout) == (0, "")
    assert created.stderr == "collection jobs: table jobs, 8 dimensions, l2\n"

    (listed,) = json.loads(run("collection", "list", "--json").stdout)
    assert (listed["name"], listed["rows"], listed["dimensions"], listed["storage"]) == ("jobs", 0, 8, "halfvec")
    assert json.loads(run("collection", "show", "jobs", "--json").stdout) == listed
    assert "jobs" in run("collection", "list").stdout

    again = run("collection", "create", "jobs", "--dimensions", "8", "--if-not-exists")
    assert (again.returncode, "already" in again.stderr) == (0, True)

    refused = run("collection", "drop", "jobs")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert run("collection", "drop", "jobs", "--yes").returncode == 0
    assert json.loads(run("collection", "list", "--json").stdout) == []


def test_a_mistake_is_one_line_and_a_hint_on_stderr_with_exit_code_2(run: Run) -> None:
    unknown = run("collection", "show", "jops")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.splitlines()[0] == "error: there is no collection 'jops'"
    assert unknown.stderr.splitlines()[1].startswith("hint: collections: ")
    assert len(unknown.stderr.splitlines()) == 2
    assert run("search", "x", "--filter", "{lang: en}").returncode == 2
    assert run("search", "x", "--filter", "[1]").returncode == 2
    assert run("serach").returncode == 2


def test_a_traceback_is_shown_only_in_debug_mode(run: Run) -> None:
    assert "Traceback" not in run("collection", "show", "jops").stderr
    assert "Traceback" in run("--debug", "collection", "show", "jops").stderr


def test_a_server_that_cannot_be_reached_is_exit_code_3(run: Run, tmp_path: Path) -> None:
    gone = run("collection", "list", "--database-url", f"postgresql://postgres@/x?host={tmp_path}")
    assert (gone.returncode, len(gone.stderr.splitlines())) == (3, 2)
    assert "hint:" in gone.stderr


def test_a_malformed_connection_string_is_told_without_its_password(run: Run) -> None:
    bad = run("collection", "list", PGVEC_DATABASE_URL="postgresql://me:se%ZZcret@host/db")
    assert bad.returncode == 2
    assert "PGVEC_DATABASE_URL is no connection string" in bad.stderr


def test_an_engine_that_is_not_installed_is_told_with_the_command_that_installs_it(
    run: Run, empty_database: str
) -> None:
    bare = run("collection", "list", "--database-url", empty_database)
    assert bare.returncode == 1
    assert "pgvec-admin migrate" in bare.stderr


def test_a_search_prints_a_table_for_people_and_json_for_programs(run: Run, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        "insert into documents (id, content, metadata) values"
        " ('cat', 'The cat sat on the mat.', '{\"lang\": \"en\"}'), ('dog', 'A dog, no cats.', '{}')"
    )
    table = run("search", "cats", "--mode", "keyword")
    assert table.returncode == 0
    assert [line.split()[0] for line in table.stdout.splitlines()[2:]] == ["1", "2"]
    assert "The cat sat on the mat." in table.stdout

    found = json.loads(run("search", "cats", "--mode", "keyword", "--json", "--filter", '{"lang": "en"}').stdout)
    assert [hit["id"] for hit in found] == ["cat"]
    assert found[0]["headline"] == "The <mark>cat</mark> sat on the mat."
    assert found[0]["metadata"] == {"lang": "en"}


def test_a_vector_search_embeds_the_query_and_explains_itself(run: Run, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 384)")
    connection.execute(
        "insert into documents (id, content) values ('tea', 'How to brew green tea'), ('car', 'How to change a tyre')"
    )
    unbound = run("search", "a hot drink")
    assert (unbound.returncode, "no embedding model" in unbound.stderr) == (2, True)
    assert run("embed", "--model", "local:all-MiniLM-L6-v2").returncode == 0
    found = run("search", "a hot drink", "--json", "--explain")
    assert [hit["id"] for hit in json.loads(found.stdout)] == ["tea", "car"]
    assert "route exact" in found.stderr
    assert "Limit (actual rows=2" in found.stderr


def test_an_index_is_created_listed_and_dropped(run: Run, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    name = "documents_embedding_hnsw_cosine_idx"
    assert run("index", "create", "documents").stderr.splitlines()[-1] == f"index {name} is built"
    assert run("index", "create", "documents").stderr.splitlines()[-1] == f"index {name} is there already"
    (listed,) = json.loads(run("index", "list", "documents", "--json").stdout)
    assert (listed["name"], listed["method"], listed["valid"]) == (name, "hnsw", True)
    assert run("index", "drop", "documents", name).returncode == 0
    assert json.loads(run("index", "list", "documents", "--json").stdout) == []
