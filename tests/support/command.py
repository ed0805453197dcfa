"""The command, and all commands that it has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pgvec_admin import cli
from pgvec_admin.server import embedded_system

PSQL = embedded_system.package_directory() / embedded_system.TREES[18] / "bin"

Run = Callable[..., "subprocess.CompletedProcess[str]"]

COMMAND = Path(sys.executable).with_name("pgvec-admin")


def _commands() -> Iterator[tuple[str, Any]]:
    for name in cli.COMMANDS:
        command = cli.load_command(name)
        for below, member in getattr(command, "commands", {"": command}).items():
            yield f"{name} {below}".strip(), member


COMMANDS = dict(_commands())
