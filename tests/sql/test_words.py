"""Words in every script, and as people type them: a table of texts and queries, and what does not fit into it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conftest import Connection

CASES = Path(__file__).with_name("words.cases")
CASE = re.compile(r"([+-]) \| (.*) \| (.*)")


def _cases() -> list[tuple[str, str, str, str, bool]]:
    """Collection, syntax, text, query, and whether the text is found."""
    found = []
    collection = syntax = ""
    for line in CASES.read_text().splitlines():
        if line.startswith("["):
            collection, syntax = line.strip("[]").split(", ")
        elif case := CASE.fullmatch(re.sub(r"\\u([0-9A-F]{4})", lambda code: chr(int(code[1], 16)), line)):
            found.append((collection, syntax, case[2].replace("\\\\", "\\"), case[3], case[1] == "+"))
        else:
            assert not line or line.startswith("#"), line
    return found


@pytest.fixture
def texts(connection: Connection) -> Connection:
    """The texts of all cases, in one collection for each kind of setting."""
    connection.execute("select pgvec.create_collection('english', 3)")
    connection.execute("select pgvec.create_collection('folded', 3, language => 'simple')")
    connection.execute("""update pgvec.collections set settings = '{"fold_accents": true}' where name = 'folded'""")
    for number, (collection, _, text, _, _) in enumerate(_cases()):
        connection.execute(
            f"insert into {collection} (id, content, metadata) values (%s, %s, jsonb_build_object('case', %s::int))",
            (str(number), text, number),
        )
    return connection


def test_every_text_is_found_by_its_queries_and_by_no_others(texts: Connection) -> None:
    wrong = []
    for number, (collection, syntax, text, query, wanted) in enumerate(_cases()):
        rows = texts.execute(
            "select id from keyword_search(%s, filter => jsonb_build_object('case', %s::int), collection => %s,"
            " syntax => %s)",
            (query, number, collection, syntax),
        ).fetchall()
        if bool(rows) is not wanted:
            wrong.append(f"{'not found' if wanted else 'found'}: {text} | {query}")
    assert wrong == []
