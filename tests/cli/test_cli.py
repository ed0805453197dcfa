"""The command as its users see it: a process, its output and its exit code."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest

from command import COMMANDS, Run, in_process
from conftest import Connection
from pgvec_admin import cli


@pytest.fixture
def again(database: str) -> Run:
    """As `run`, in this process, for a command that `run` has started already."""
    return partial(in_process, PGVEC_DATABASE_URL=database)


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    assert len(COMMANDS) > len(cli.COMMANDS) >= 20
    for name, (_, _, summary) in cli.COMMANDS.items():
        assert " ".join(cli.load_command(name).help.split("\n\n")[0].split()) == summary


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_sentence_of_help_an_example_and_help_for_every_option(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    assert "[" not in command.help  # it would be taken for markup, and be missing from the output
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


def test_a_collection_is_created_listed_shown_and_dropped(run: Run, again: Run) -> None:
    created = run("collection", "create", "jobs", "--dimensions", "8", "--storage", "halfvec", "--distance", "l2")
    assert (created.returncode, created.stdout) == (0, "")
    assert created.stderr == "collection jobs: table jobs, 8 dimensions, l2\n"

    (listed,) = json.loads(run("collection", "list", "--json").stdout)
    assert (listed["name"], listed["rows"], listed["dimensions"], listed["storage"]) == ("jobs", 0, 8, "halfvec")
    shown = json.loads(run("collection", "show", "jobs", "--json").stdout)
    assert shown.pop("keywords")["documents"] == 0
    assert shown == listed
    assert "jobs" in again("collection", "list").stdout

    existing = again("collection", "create", "jobs", "--dimensions", "8", "--if-not-exists")
    assert (existing.returncode, "already" in existing.stderr) == (0, True)

    refused = again("collection", "drop", "jobs")
    assert (refused.returncode, "--yes" in refused.stderr) == (2, True)
    assert run("collection", "drop", "jobs", "--yes").returncode == 0
    assert json.loads(again("collection", "list", "--json").stdout) == []


def test_a_mistake_is_one_line_and_a_hint_on_stderr_with_exit_code_2(run: Run, again: Run) -> None:
    unknown = run("collection", "show", "jops")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert unknown.stderr.splitlines()[0] == "error: there is no collection 'jops'"
    assert unknown.stderr.splitlines()[1].startswith("hint: collections: ")
    assert len(unknown.stderr.splitlines()) == 2
    assert again("search", "x", "--filter", "{lang: en}").returncode == 2
    assert again("search", "x", "--filter", "[1]").returncode == 2
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
    assert bare.returncode == 4
    assert "pgvec-admin migrate" in bare.stderr


def test_a_search_prints_a_table_for_people_and_json_for_programs(run: Run, again: Run, connection: Connection) -> None:
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

    connection.execute(
        """insert into documents (id, content) values ('code', 'if a < b && c > d: "kittens" &amp; more')"""
    )
    assert 'if a < b && c > d: "kittens" &amp; more' in again("search", "kittens", "--mode", "keyword").stdout

    def ids(*arguments: str) -> list[str]:
        found = again("search", *arguments, "--mode", "keyword", "--json")
        assert found.returncode == 0, found.stderr
        return [hit["id"] for hit in json.loads(found.stdout)]

    assert (ids("kittnes"), ids("kittnes", "--fuzzy")) == ([], ["code"])
    assert (ids("kitt"), ids("kitt", "--prefix")) == ([], ["code"])
    assert (ids("cats -mat"), sorted(ids("cats -mat", "--syntax", "plain"))) == (["dog"], ["cat", "dog"])
    assert again("search", "cats", "--mode", "keyword", "--syntax", "boolean").returncode == 2
    assert "--fuzzy means nothing in mode vector" in again("search", "cats", "--fuzzy").stderr


def test_a_vector_search_embeds_the_query_and_explains_itself(run: Run, again: Run, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 384)")
    connection.execute(
        "insert into documents (id, content) values ('tea', 'How to brew green tea'), ('car', 'How to change a tyre')"
    )
    unbound = again("search", "a hot drink")
    assert (unbound.returncode, "no embedding model" in unbound.stderr) == (2, True)
    assert run("embed", "--model", "local:all-MiniLM-L6-v2").returncode == 0
    found = run("search", "a hot drink", "--json", "--explain")
    assert [hit["id"] for hit in json.loads(found.stdout)] == ["tea", "car"]
    assert "route exact" in found.stderr
    assert "Limit (actual rows=2" in found.stderr


def test_an_index_is_created_listed_and_dropped(run: Run, again: Run, connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    name = "documents_embedding_hnsw_cosine_idx"
    assert run("index", "create", "documents").stderr.splitlines()[-1] == f"index {name} is built"
    assert again("index", "create", "documents").stderr.splitlines()[-1] == f"index {name} is there already"
    (listed,) = json.loads(run("index", "list", "documents", "--json").stdout)
    assert (listed["name"], listed["method"], listed["valid"]) == (name, "hnsw", True)
    assert run("index", "drop", "documents", name).returncode == 0
    assert json.loads(again("index", "list", "documents", "--json").stdout) == []


def test_a_table_is_adopted_and_released(run: Run, again: Run, connection: Connection) -> None:
    connection.execute("create table jobs (job_id int primary key, title text, pay int)")
    connection.execute("insert into jobs values (1, 'welder', 100), (2, 'potter', 90)")
    adopted = run("collection", "adopt", "public.jobs", "--content", "title", "--dimensions", "3")
    assert adopted.stderr.splitlines() == ["collection jobs: table public.jobs, 3 dimensions, cosine"]
    connection.execute("update jobs set embedding = '[1,0,0]'")
    found = json.loads(again("search", "welder", "--collection", "jobs", "--mode", "keyword", "--json").stdout)
    assert [(hit["id"], hit["metadata"]) for hit in found] == [("1", {"pay": 100})]
    assert again("collection", "drop", "jobs", "--yes").returncode == 2
    assert run("collection", "release", "jobs", "--yes").returncode == 0
    columns = "select count(*) from information_schema.columns where table_name = 'jobs'"
    assert connection.execute(columns).fetchone() == (3,)

    connection.execute("create table pairs (a int, b int, title text, primary key (a, b))")
    refused = again("collection", "adopt", "public.pairs", "--content", "title", "--dimensions", "3")
    assert refused.returncode == 2
    assert "hint: " in refused.stderr


OURS, THEIRS = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


def test_the_rows_of_a_tenant_are_loaded_searched_exported_and_purged(run: Run, again: Run, tmp_path: Path) -> None:
    assert run("collection", "create", "notes", "--dimensions", "2", "--access", "tenant").returncode == 0
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        '{"id": "1", "content": "a red fish", "metadata": {"n": 1}, "embedding": [1, 0]}\n'
        '{"id": "2", "content": "a blue bird", "embedding": [0, 1]}\n'
    )
    without = again("load", str(rows), "-c", "notes")
    assert without.returncode != 0
    assert "app.tenant_id" in without.stderr
    for tenant, load in ((OURS, run), (THEIRS, again)):
        assert load("load", str(rows), "-c", "notes", "--tenant", tenant).returncode == 0
    loaded = json.loads(again("load", str(rows), "-c", "notes", "--tenant", OURS, "--json").stdout)
    assert (loaded["inserted"], loaded["unchanged"]) == (0, 2)

    found = json.loads(again("search", "fish", "-c", "notes", "--mode", "keyword", "--tenant", OURS, "--json").stdout)
    assert [row["id"] for row in found] == ["1"]
    held = json.loads(run("tenant", "list", "--json").stdout)
    assert [(one["tenant_id"], one["documents"], one["embedded"]) for one in held] == [(OURS, 2, 2), (THEIRS, 2, 2)]
    assert OURS in run("tenant", "show", OURS).stdout
    exported = [json.loads(line) for line in run("tenant", "export", OURS).stdout.splitlines()]
    assert exported[0] == {
        "collection": "notes",
        "id": "1",
        "source": str(rows),
        "content": "a red fish",
        "metadata": {"n": 1},
        "embedding": [1, 0],
    }

    assert "pass --yes" in again("tenant", "purge", OURS).stderr
    assert "2 rows deleted" in run("tenant", "purge", OURS, "--yes").stderr
    assert again("tenant", "show", OURS).returncode == 2
    left = json.loads(again("tenant", "list", "--json").stdout)
    assert [one["tenant_id"] for one in left] == [THEIRS]
    # and back from what was exported
    back = tmp_path / "back.jsonl"
    back.write_text("".join(json.dumps(row) + "\n" for row in exported))
    loaded = json.loads(again("load", str(back), "-c", "notes", "--tenant", OURS, "--json").stdout)
    assert loaded["inserted"] == 2


def test_purging_leaves_neither_statistics_nor_loads(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('notes', 2, access => 'tenant')")
    connection.execute("insert into pgvec.memberships (member, tenant_id) values (gen_random_uuid(), %s)", (OURS,))
    for tenant in (OURS, THEIRS):
        connection.execute("insert into notes (tenant_id, content) values (%s, 'a red fish')", (tenant,))
        connection.execute("select set_config('app.tenant_id', %s, false)", (tenant,))
        connection.execute("select pgvec.note_load('notes', 'rows.csv', 'cut off', 1, 'a row')")
    connection.execute("select pgvec.purge_tenant(%s)", (OURS,))
    for table in ("lexemes", "text_totals", "bm25_parameters", "loads"):
        kept = connection.execute(f"select distinct tenant::text from pgvec.{table}".encode()).fetchall()
        assert kept == [(THEIRS,)], table
    assert connection.execute("select count(*) from pgvec.memberships").fetchone() == (0,)
