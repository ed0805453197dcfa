"""Bad input to every command: an exit code, a line that says what is wrong, one that says what to do."""

from __future__ import annotations

import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import typer.main

import bad_input
from bad_input import Case, files
from bad_input.shelf import STATE, fill
from command import COMMAND, COMMANDS
from conftest import Connection
from pgvec_admin import cli
from pgvec_admin.server import embedded

CASES = bad_input.read("commands")
SECRET = "geheim"
BYTES = os.fsdecode(b"caf\xe9")


@dataclass(frozen=True)
class Place:
    """The setting of the commands: the values of the placeholders in their arguments, and the database."""

    values: dict[str, str]
    database: Connection


@pytest.fixture(scope="module")
def place(server: embedded.Server, with_engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("files")
    files.write(folder)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create database hollow")
    with (
        fill(server, with_engine.template_dbname, "shelf_of_commands") as database,
        pytest.MonkeyPatch.context() as patch,
    ):
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "PGVEC_DEBUG", "PGVEC_POSTGRES_VERSION"):
            patch.delenv(name, raising=False)
        patch.setenv("PGVEC_DATABASE_URL", server.url("shelf_of_commands"))
        patch.setenv("PGVEC_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setattr(cli, "app", typer.main.get_command(cli.app))  # otherwise it is built again for every call
        yield Place(
            {
                "{dir}": str(folder),
                "{server}": server.url().partition("?")[2],
                "{port}": str(server.port),
                "{empty}": server.url("hollow"),
                "{deeper}": '{"a":' * 2000 + "1" + "}" * 2000,
                "{deep}": '{"a":' * 100 + "1" + "}" * 100,
                "{bytes}": BYTES,
            },
            database,
        )


@pytest.fixture(scope="module")
def before(place: Place) -> Any:
    return place.database.execute(STATE).fetchone()


def _arguments(case: Case, place: Place) -> list[str]:
    found = shlex.split(case.call)
    for name, value in place.values.items():
        found = [argument.replace(name, value) for argument in found]
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bad_call_of_the_command_ends_with_its_code_and_a_line_that_helps(
    place: Place, before: Any, case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pgvec-admin", *_arguments(case, place)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, said = capsys.readouterr()
    assert str(ended.value.code) == ("0" if case.code == "ok" else case.code), said
    for part in case.told:
        assert part in (out + said if case.code == "ok" else said)
    assert SECRET not in out + said
    if case.code != "ok":
        lines = said.splitlines()
        assert lines[-2].startswith("error: ")
        assert lines[-1].startswith("hint: ")
        assert max(map(len, lines)) < 520, "a line for people"


@pytest.mark.parametrize("call", ["collection show nowhere", f"search {BYTES} --mode keyword"])
def test_a_process_of_its_own_ends_the_same_way(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], call: str
) -> None:
    arguments = call.split()
    ran = subprocess.run([COMMAND, *arguments], capture_output=True, stdin=subprocess.DEVNULL)
    monkeypatch.setattr(sys, "argv", ["pgvec-admin", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert (ran.returncode, ran.stderr.decode()) == (ended.value.code, capsys.readouterr().err)


def test_no_command_has_changed_what_it_refused_to(place: Place, before: Any) -> None:
    assert place.database.execute(STATE).fetchone() == before


def test_every_command_is_in_the_corpus() -> None:
    assert [name for name in COMMANDS if not any(f"{case.call} ".startswith(f"{name} ") for case in CASES)] == []


def test_the_codes_are_those_of_the_command() -> None:
    assert {case.code for case in CASES} <= {"ok", "2", "3", "4", "5"}
