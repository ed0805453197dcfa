"""Blocks marked `console` in a page: commands after `$ ` and what they print, run as a reader would.

A backslash or an open quote or heredoc continues a command in lines that begin with `>`. What is printed is stdout and
stderr together. A line `...` stands for any lines, and `...` within a line for any text.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from command import PSQL


@dataclass
class Step:
    """A command of a page and the lines that it should print."""

    command: str
    expected: list[str] = field(default_factory=list)


def steps(text: str) -> list[Step]:
    found: list[Step] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, flags=re.S | re.M):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            elif line == ">" or line.startswith("> "):
                found[-1].command += "\n" + line[2:]
            else:
                found[-1].expected.append(line)
    return found


def matches(expected: list[str], printed: list[str]) -> bool:
    if not expected:
        return not printed
    if expected[0].strip() == "...":
        return any(matches(expected[1:], printed[skip:]) for skip in range(len(printed) + 1))
    line = ".*".join(map(re.escape, expected[0].rstrip().split("...")))
    return bool(printed) and re.fullmatch(line, printed[0].rstrip()) is not None and matches(expected[1:], printed[1:])


def environment(*programs: Path, **more: str) -> dict[str, str]:
    """The variables of a reader: our command and psql (the machine's own, else the embedded server's) in the PATH."""
    path = [Path(sys.executable).parent, *programs, os.environ["PATH"], PSQL]
    return os.environ | {"PATH": ":".join(map(str, path)), "COLUMNS": "120", "LC_ALL": "C.UTF-8"} | more


def run(page: str, folder: Path, variables: Mapping[str, str], after: Callable[[str], None] = lambda _: None) -> None:
    """Run the commands of a page, top to bottom; AssertionError for one that prints something else."""
    for step in steps(page):
        ran = subprocess.run(
            ["bash", "-c", step.command],
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        after(step.command)
        shown = "\n".join(step.expected)
        printed = ran.stdout.splitlines()
        assert matches(step.expected, printed), f"$ {step.command}\n--- page\n{shown}\n--- printed\n{ran.stdout}"
