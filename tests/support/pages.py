"""The checkout, and the pages that its readers have."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]


@dataclass
class Step:
    """A command of a page and the lines that it should print."""

    command: str
    expected: list[str] = field(default_factory=list)


def steps_of(text: str) -> list[Step]:
    """The commands of a page, or of a block, with what they should print."""
    steps: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.S | re.M):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append(Step(line[2:]))
            elif line == ">" or line.startswith("> "):
                steps[-1].command += "\n" + line[2:]
            else:
                steps[-1].expected.append(line)
    return steps


def matches(expected: list[str], printed: list[str]) -> bool:
    """Whether lines are those that a page shows."""
    if not expected:
        return not printed
    if expected[0].strip() == "...":
        return any(matches(expected[1:], printed[skip:]) for skip in range(len(printed) + 1))
    line = ".*".join(map(re.escape, expected[0].rstrip().split("...")))
    return bool(printed) and re.fullmatch(line, printed[0].rstrip()) is not None and matches(expected[1:], printed[1:])
