"""Answers within a number of tokens: whole rows while they fit, the beginning of one, the ids of the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

from pgvec_admin.agents.models import Text
from pgvec_admin.providers.tokens import OPENAI_MODELS, Counter, counter

_FRAME = 40  # tokens of an answer without its rows
_IDS = 8  # the part of the tokens for ids of rows that do not fit
_LEAST = 30  # tokens of a beginning that says something

Row = TypeVar("Row", bound=Text)


def _counter() -> Counter:
    return counter(f"openai:{OPENAI_MODELS[0]}")


def tokens(text: str) -> int:
    """Tokens of a text as OpenAI's models count them; others count much alike."""
    return _counter().count(text)


def beginning(text: str, most: int) -> str:
    """A text, or as much of it as so many tokens hold."""
    return text if _counter().fits(text, most) else f"{_counter().beginning(text, most)} ..."


def fit(rows: Sequence[Row], most: int, order: Sequence[int] | None = None) -> tuple[list[Row], list[str], int]:
    """The rows that `most` tokens hold, ids of the others, and how many are not even named.

    `order` has the places of the rows, the most important first; what is returned keeps the order of `rows`. Rows
    beyond those that fit are not counted.
    """
    places = list(range(len(rows)) if order is None else order)
    left = most - _FRAME
    sizes: list[int] = []  # of the rows that fit, in that order
    for place in places:
        told = rows[place].model_dump_json()
        if not _counter().fits(told, left - 1):
            break
        sizes.append(tokens(told) + 1)
        left -= sizes[-1]
    if len(sizes) == len(rows):
        return list(rows), [], 0
    reserve = most // _IDS
    while left < reserve:
        left += sizes.pop()
    kept = {place: rows[place] for place in places[: len(sizes)]}
    cut = _beginning(rows[places[len(sizes)]], left - reserve)
    if cut is not None:
        kept[places[len(sizes)]] = cut
        left -= tokens(cut.model_dump_json()) + 1
    named: list[str] = []
    for place in places[len(kept) :]:
        left -= tokens(json.dumps(rows[place].id)) + 1
        if left < 0:
            break
        named.append(rows[place].id)
    return [kept[place] for place in sorted(kept)], named, len(rows) - len(kept) - len(named)


def _beginning(row: Row, most: int) -> Row | None:
    """A row with the beginning of its content; metadata that takes too much is left out as well."""
    bare = row.model_copy(update={"content": "", "cut": True})
    if not _counter().fits(bare.model_dump_json(), most // 2):
        bare = bare.model_copy(update={"metadata": {}})
    room = most - tokens(bare.model_dump_json()) - 1
    while room >= _LEAST:
        cut = bare.model_copy(update={"content": _counter().beginning(row.content, room)})
        if _counter().fits(cut.model_dump_json(), most - 1):
            return cut
        room -= room // 8  # what JSON escapes takes more
    return None
