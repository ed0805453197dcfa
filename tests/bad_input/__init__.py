"""The corpus of bad input: calls, and the answers that they must get.

A case is a line with the call, as its users write it, and below it, indented, the answer: a code and a part of the
message, further parts on further lines. `ok` instead of a code is for input that is legal after all, with the rows
found; of a long answer the beginning and `...`.

    match_documents('[1, 2]')
        PV002 the query has 2 dimensions

Lines that begin with # are comments.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A call, the code of its answer, and parts of the message (where the code is `ok`: all rows found)."""

    place: str
    call: str
    code: str
    told: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place} {self.call[:70]}"


def read(name: str) -> list[Case]:
    """The cases of `<name>.cases`; ValueError where a call has no answer, or an answer no call."""
    found: list[tuple[int, str, list[str]]] = []
    for number, line in enumerate((FOLDER / f"{name}.cases").read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if not line.startswith("    "):
            found.append((number, line, []))
        elif found:
            found[-1][2].append(line.strip())
        else:
            raise ValueError(f"{name}.cases:{number}: an answer without a call")
    return [_case(f"{name}:{number}", call, answer) for number, call, answer in found]


def _case(place: str, call: str, answer: list[str]) -> Case:
    if not answer:
        raise ValueError(f"{place}: no answer to {call}")
    code, _, told = answer[0].partition(" ")
    return Case(place, call, code, tuple(part for part in (told, *answer[1:]) if part))
