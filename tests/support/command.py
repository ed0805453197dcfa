"""The command, and all commands that it has."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pgvec_admin import cli

COMMAND = Path(sys.executable).with_name("pgvec-admin")


def _commands() -> Iterator[tuple[str, Any]]:
    for name in cli.COMMANDS:
        command = cli.load_command(name)
        for below, member in getattr(command, "commands", {"": command}).items():
            yield f"{name} {below}".strip(), member


COMMANDS = dict(_commands())
