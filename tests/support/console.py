"""The commands of a page (`pages.steps_of`), run as a reader would: top to bottom, in one folder.

A block marked `console` has commands after `$ ` (a backslash or an open quote or heredoc continues one) and what they
print, stdout and stderr together. A line `...` stands for any lines, and `...` within a line for any text.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from command import PSQL
from pages import matches, steps_of


def environment(*programs: Path, **more: str) -> dict[str, str]:
    """The variables of a reader: our command and psql (the machine's own, else the embedded server's) in the PATH."""
    path = [Path(sys.executable).parent, *programs, os.environ["PATH"], PSQL]
    return os.environ | {"PATH": ":".join(map(str, path)), "COLUMNS": "120", "LC_ALL": "C.UTF-8"} | more


def run(page: str, folder: Path, variables: Mapping[str, str], after: Callable[[str], None] = lambda _: None) -> None:
    """Run the commands of a page, top to bottom; AssertionError for one that prints something else."""
    for step in steps_of(page):
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
