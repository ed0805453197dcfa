"""What commands print moves no cursor and tells no secret, whoever wrote rows, named files or made functions."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from command import COMMAND, Run, in_process
from conftest import Connection
from openai_server import Fault, OpenAIServer
from pgvec_admin import cli
from pgvec_admin.cli.output import print_json, print_table, say
from pgvec_admin.database import Target
from pgvec_admin.embedding.embed import ProviderOptions


def test_texts_of_others_move_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["text"], [["red\x1b]52;c;eA==\x07\x9b2J fish\u00a0\u3000"]])
    assert "red\ufffd]52;c;eA==\ufffd\ufffd2J fish\u00a0\u3000" in capsys.readouterr().out


# characters that control a terminal or reorder text: every control character, and every direction mark
OBEYED = "".join(
    chr(code)
    for code in range(0x10000)
    if unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp")
    or unicodedata.bidirectional(chr(code)) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    or unicodedata.name(chr(code), "").endswith(("-TO-LEFT MARK", "-TO-RIGHT MARK", "LETTER MARK"))
)


def test_nothing_that_a_terminal_obeys_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(OBEYED) == 65 + 2 + 12
    for letter in OBEYED:
        say(f"before{letter}after")
        assert capsys.readouterr().err == "before\ufffdafter\n"
        print_table([f"name{letter}"], [[f"text{letter}"]], title=f"title{letter}")
        print_json({letter: letter})
        told = capsys.readouterr().out
        assert not set(told) & set(OBEYED) - {"\n"}, repr(letter)
        assert json.loads(told[told.index("{") :]) == {letter: letter}
    say("[red]no [/markup] :warning: https://x")
    assert capsys.readouterr().err == "[red]no [/markup] :warning: https://x\n"


def test_only_one_place_of_the_command_prints() -> None:
    folder = Path(cli.__file__).parent
    pattern = r"\btyper\.(echo|secho|confirm|prompt)\(|(?<![_.])\bprint\(|Console\(|std(out|err)\.write|print_exc"
    printing = {path.name for path in folder.rglob("*.py") if re.search(pattern, path.read_text(encoding="utf-8"))}
    assert printing == {"output.py"}
    others = [path for path in folder.parent.rglob("*.py") if folder not in path.parents]
    assert [path.name for path in others if re.search(pattern, path.read_text(encoding="utf-8"))] == []


def test_a_files_name_or_a_row_moves_no_cursor_while_it_is_loaded(
    run: Run, database: str, connection: Connection, tmp_path: Path
) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    evil = "".join(letter for letter in OBEYED if letter not in "\0")
    folder = tmp_path / "folder"
    folder.mkdir()
    key = evil.replace("\n", "")
    rows = [{"id": key, "content": "x"}, {"id": key, "content": "y"}, {"id": "2", "content": "z", "m": {key: "\0"}}]
    (folder / f"[red]{evil}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / f"{evil}.md").symlink_to("/etc/passwd")
    ran = run("load", str(folder), "--reject-to", str(tmp_path / "rejects.jsonl"))
    assert ran.returncode == 5
    assert not set(ran.stderr + ran.stdout) & set(OBEYED) - {"\n"}
    lines = ran.stderr.splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith(("left out", "error", "hint"))] == [
        "left out",
        "error",
        "hint",
    ]
    assert len(lines) == 6
    assert (tmp_path / "rejects.jsonl").read_bytes().isascii()
    for option in (["--collection", key], ["--format", key], ["--metadata", f"a:{key}"], ["--content", key]):
        told = in_process("load", str(folder), *option, PGVEC_DATABASE_URL=database).stderr
        assert not set(told) & set(OBEYED) - {"\n"}, option
    shown = _on_a_terminal([COMMAND, "load", str(folder), "--database-url", database])
    assert b"left out: " in shown
    assert not any(f"a{letter}b".encode() in shown for letter in OBEYED)
    assert b"\x1b]" not in shown.replace(b"\x1b[", b"")


def _on_a_terminal(command: list[str | Path]) -> bytes:
    """The output of a command to a terminal."""
    ours, theirs = os.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the end, on Linux
            while piece := os.read(ours, 65536):
                shown += piece
        process.wait()
    os.close(ours)
    return shown


def test_a_definition_is_the_same_for_a_program_and_harmless_for_a_terminal(
    run: Run, database: str, connection: Connection
) -> None:
    connection.execute(
        "create or replace function pgvec.version() returns text language sql as $$select '\x1b]0;x\x9b'$$"
    )
    definition = connection.execute("select pg_get_functiondef('pgvec.version()'::regprocedure)").fetchone()
    assert definition is not None
    assert "\x1b]0;x\x9b" in run("functions", "diff", "version").stdout
    shown = _on_a_terminal([COMMAND, "functions", "diff", "version", "--database-url", database])
    assert b"\x1b]0;" not in shown
    assert "\ufffd]0;x\ufffd".encode() in shown


PASSWORDS = {
    "a bad escape": "postgresql://me:se%ZZcretword@host/db",
    "an @": "postgresql://me:secret@word.invalid@127.0.0.1:1/db",
    "a slash": "postgresql://me:secret/word@127.0.0.1:1/db",
    "a slash and a colon": "postgresql://me:sec:ret/word@127.0.0.1:1/db",
    "a bracket": "postgresql://me:secret[word@[::1/db",
    "two words": "host=127.0.0.1 port=1 password=secret word",
    "a quote": "host=127.0.0.1 port=1 password='secretword",
    "another option": "host=127.0.0.1 port=1 password=secretword unknown=1",
    "an = in it": "host=127.0.0.1 port=1 password=secret word=x",
    "well-formed": "postgresql://me:secretword@127.0.0.1:1/db",
    "as a parameter": "postgresql://me@127.0.0.1:1/db?password=secretword&x=1",
    "a bad port": "postgresql://me:secretword@127.0.0.1:port/db",
    "a name that is none": "postgresql://me:secretword@nowhere.invalid/db",
}


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["", "debug"])
@pytest.mark.parametrize("url", PASSWORDS.values(), ids=PASSWORDS)
def test_no_password_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, debug: tuple[str, ...]
) -> None:
    monkeypatch.delenv("PGVEC_DEBUG", raising=False)
    monkeypatch.setattr(sys, "argv", ["pgvec-admin", *debug, "status", "--database-url", url])
    monkeypatch.setenv("PGVEC_DEBUG", "1" if debug else "")
    with pytest.raises(SystemExit):
        cli.main()
    told = "".join(capsys.readouterr())
    assert ("Traceback" in told) == bool(debug)
    assert [
        piece for piece in ("secret", "word", "sec:", "ret/", "cretw") if piece in told.replace("password", "")
    ] == []


def test_no_key_is_told(run: Run) -> None:
    key = "sk-0123456789abcdef"
    assert run("collection", "create", "documents", "--dimensions", "8", "--model", "openai:small").returncode == 0
    with OpenAIServer() as server:
        server.faults.append(Fault(401, body={"error": {"message": f"Incorrect API key provided: {key}"}}))
        arguments = ("--debug", "search", "x", "--base-url", server.url, "--api-key", key)
        told = run(*arguments)
    assert told.returncode == 3
    assert "Incorrect API key provided: ..." in told.stderr
    assert key not in told.stderr
    assert key not in repr(ProviderOptions(api_key=key))
    assert "secretword" not in repr(Target("postgresql://me:secretword@host/db", "the test"))
