"""Cutting texts: nothing is lost, nothing is too long, and every chunk has its position and heading."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pgvec_admin.errors import UsageError
from pgvec_admin.loading import chunk, markdown
from pgvec_admin.loading.chunk import Chunker, Chunking
from pgvec_admin.loading.records import BadRow, Document

VECTOR = np.ones(3, np.float32)
TEXT = st.text(st.sampled_from("ab .\n\n#-`*\u00e9\U0001f600") | st.characters(exclude_categories=["Cs"]), max_size=400)


@settings(max_examples=150)
@given(TEXT, st.integers(5, 80), st.booleans())
def test_chunks_without_overlap_cover_every_visible_character_once(text: str, size: int, markdown: bool) -> None:
    found = Chunker(Chunking(size, 0), markdown=markdown).chunks(text)
    covered = [False] * len(text)
    for piece in found:
        assert text[piece.start : piece.start + len(piece.text)] == piece.text
        assert len(piece.text) <= size
        assert piece.text.strip()
        for place in range(piece.start, piece.start + len(piece.text)):
            assert not covered[place]
            covered[place] = True
    assert all(done or not character.strip() for done, character in zip(covered, text, strict=True))


@settings(max_examples=60)
@given(TEXT, st.integers(10, 80))
def test_chunks_with_overlap_stay_within_their_size_and_in_order(text: str, size: int) -> None:
    found = Chunker(Chunking(size, size // 3), markdown=False).chunks(text)
    assert all(len(piece.text) <= size for piece in found)
    starts = [piece.start for piece in found]
    assert starts == sorted(set(starts))


def test_a_chunk_repeats_the_end_of_the_one_before() -> None:
    text = " ".join(f"word{number:02}" for number in range(40))

    def repeated(overlap: int) -> list[int]:
        found = Chunker(Chunking(35, overlap), markdown=False).chunks(text)
        return [before.start + len(before.text) - after.start for before, after in pairwise(found)]

    assert all(6 <= length <= 14 for length in repeated(14))
    assert all(length <= 0 for length in repeated(0))


HANDBOOK = """Before any heading.

# Leave

Intro.

## Holidays ##

Thirty days.

```sh
# not a heading
```

Illness
-------

Stay in bed.

# Pay

At the end of the month.
"""


def test_chunks_of_markdown_know_the_headings_above_them() -> None:
    found = Chunker(Chunking(40, 0), markdown=True).chunks(HANDBOOK)

    def heading(text: str) -> str | None:
        (one,) = [piece.heading for piece in found if text in piece.text]
        return one

    assert heading("Before any") is None
    assert heading("Intro") == "Leave"
    assert heading("Thirty") == "Leave > Holidays"
    assert heading("not a heading") == "Leave > Holidays"
    assert heading("Stay in bed") == "Leave > Illness"
    assert heading("end of the month") == "Pay"
    assert all(piece.heading is None for piece in Chunker(Chunking(40, 0), markdown=False).chunks(HANDBOOK))


def test_front_matter_quotes_and_code_lead_to_no_wrong_headings() -> None:
    text = """---
title: x
---

# A

> ## Quoted
>
> inside

outside

1. ### Step

   stepping

Two
lines
-----

below

<!--
# hidden
-->

~~~
# code
~~~

last
"""
    for made in (text, text.replace("\n", "\r\n")):
        found = markdown.headings(made)
        told = {
            word: [heading.path for heading in found if heading.start <= made.index(word)][-1]
            for word in ("inside", "outside", "stepping", "below", "last")
        }
        assert told == {
            "inside": "A > Quoted",
            "outside": "A",
            "stepping": "A > Step",
            "below": "A > Two lines",
            "last": "A > Two lines",
        }


@settings(max_examples=200)
@given(TEXT)
def test_headings_are_those_of_a_commonmark_parser(text: str) -> None:
    tokens = MarkdownIt("commonmark").parse(text)
    expected = [
        (int(token.tag[1]), " ".join(tokens[place + 1].content.split()))
        for place, token in enumerate(tokens)
        if token.type == "heading_open"
    ]
    assume(not markdown.front_matter(text)[1])
    assert [(one.level, one.title) for one in markdown.headings(text) if one.level] == expected


@pytest.mark.parametrize("kind", [False, True], ids=["text", "markdown"])
@pytest.mark.parametrize("unit", ["one sentence. ", "x", "- item\n", "a\n\n", "\n"])
def test_a_long_text_is_cut_in_the_time_of_its_length(unit: str, kind: bool) -> None:
    """The splitter alone takes a minute for each of these, and hours for 20 MB in a line."""
    text = "x " + unit * (600_000 // len(unit))
    found = Chunker(Chunking(1000, 0), markdown=kind).chunks(text)
    assert all(text[piece.start : piece.start + len(piece.text)] == piece.text for piece in found)
    assert sum(len("".join(piece.text.split())) for piece in found) == len("".join(text.split()))
    assert all(len(piece.text) <= 1000 for piece in found)


def test_sizes_can_be_counted_in_the_tokens_of_the_model() -> None:
    text = "antidisestablishmentarianism " * 20
    for model in ("local:all-MiniLM-L6-v2", "openai:text-embedding-3-small"):
        found = Chunker(Chunking(12, 0, "tokens", model), markdown=False).chunks(text)
        assert len(found) >= 5
        assert all(28 <= len(piece.text) <= 12 * 12 for piece in found)


def test_chunking_that_cannot_be_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="cannot have 0 characters"):
        Chunking(0, 0)
    with pytest.raises(UsageError, match="cannot overlap by 10"):
        Chunking(10, 10)
    with pytest.raises(UsageError, match="bound to none"):
        Chunker(Chunking(10, 0, "tokens"), markdown=False)
    with pytest.raises(UsageError, match="'nomic-embed-text' cannot be counted"):
        Chunker(Chunking(10, 0, "tokens", "openai:nomic-embed-text"), markdown=False)


def test_rows_of_a_document_are_numbered_below_its_id_or_on_from_its_place_in_the_source() -> None:
    small = Chunker(Chunking(12, 0), markdown=False)
    text = "first part.\n\nsecond part."

    def ids(document: Document, chunker: Chunker | None, index: int = 0) -> list[tuple[str, str | None, int | None]]:
        made = chunk.records(document, chunker, source="file.csv", index=index)
        assert isinstance(made, list)
        return [(record.id, record.source, record.chunk_index) for record in made]

    assert ids(Document(1, text), None, 4) == [("file.csv#4", "file.csv", 4)]
    assert ids(Document(1, text, id="x"), None, 4) == [("x", "file.csv", None)]
    assert ids(Document(1, text), small, 4) == [("file.csv#4", "file.csv", 4), ("file.csv#5", "file.csv", 5)]
    assert ids(Document(1, text, id="x"), small, 4) == [("x#0", "x", 0), ("x#1", "x", 1)]


def test_a_vector_of_the_whole_text_cannot_be_that_of_its_chunks() -> None:
    small = Chunker(Chunking(12, 0), markdown=False)
    made = chunk.records(Document(3, "first part.\n\nsecond part.", embedding=VECTOR), small, source="f", index=0)
    assert isinstance(made, BadRow)
    assert (made.line, "cut into 2 chunks; use --no-chunk" in made.reason) == (3, True)
    short = chunk.records(Document(3, "short", embedding=VECTOR), small, source="f", index=0)
    assert isinstance(short, list)
    (whole,) = short
    assert whole.embedding is VECTOR
