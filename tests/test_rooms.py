"""The direction of dependence: SQL functions call those of rooms above theirs, and never in a circle.

The order is that of the table in sql/functions/README.md.
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter

import pytest

from pgvec_admin import functions
from pgvec_admin.resources import sql_directory

FOLDER = sql_directory() / "functions"
ROOMS = re.findall(r"^\| (\w+) \|", (FOLDER / "README.md").read_text(), flags=re.M)[1:]
TEXTS = {file.name: file.text for file in functions.files()}
ROOM_OF = {file.name: file.path.parent.name for file in functions.files()}
MOST_FILES = 20

# A search that is logged, or for tenants, is a public function that is called again by a part of itself.
WITHIN_ITSELF = {
    ("pgvec.hybrid_candidates", "public.match_documents"),
    ("pgvec.keyword_hits", "pgvec.tenant_keyword_hits"),
    ("pgvec.hybrid_candidates", "pgvec.tenant_candidates"),
    ("pgvec.logged_embeddings", "public.match_documents_embeddings"),
    ("pgvec.logged_hybrid_search", "public.hybrid_search"),
    ("pgvec.logged_keyword_search", "public.keyword_search"),
    ("pgvec.logged_match_documents", "public.match_documents"),
    ("pgvec.tenant_matches", "public.match_documents"),
}


def _calls(name: str) -> set[str]:
    """The functions of ours that a function calls: without comments, hints, and what its file does besides."""
    text = re.sub(r"--[^\n]*", "", TEXTS[name])
    text = re.sub(r"^comment on function .*?;\n", "", text, flags=re.S | re.M)
    text = re.sub(r"^(?:drop function|revoke|select pgvec\.grant_execute)\b[^;]*;", "", text, flags=re.M)
    text = re.sub(r"hint\s*=.*", "", text)
    return {f"{schema}.{called}" for schema, called in re.findall(r"\b(pgvec|public)\.(\w+)\s*\(", text)} & (
        TEXTS.keys() - {name}
    )


CALLS = {name: {called for called in _calls(name) if (name, called) not in WITHIN_ITSELF} for name in TEXTS}


def test_the_calls_are_found() -> None:
    assert {"pgvec.scoped", "pgvec.keyword_query"} <= CALLS["public.document_facets"]
    assert sum(map(len, CALLS.values())) > 450


def test_every_room_is_in_the_table_and_holds_at_most_twenty_files() -> None:
    assert set(ROOM_OF.values()) == set(ROOMS)
    assert {room: n for room in ROOMS if (n := list(ROOM_OF.values()).count(room)) > MOST_FILES} == {}
    assert {
        file.name for file in functions.files() if len(file.path.parts) != (2 if file.name[:3] == "pub" else 3)
    } == set()


@pytest.mark.parametrize("name", TEXTS)
def test_a_function_calls_none_of_a_room_below_its_own(name: str) -> None:
    place = ROOMS.index(ROOM_OF[name])
    assert {called for called in CALLS[name] if ROOMS.index(ROOM_OF[called]) > place} == set()


def test_no_calls_go_round_in_a_circle() -> None:
    try:
        TopologicalSorter(CALLS).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
