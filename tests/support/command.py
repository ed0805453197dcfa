"""The command, and all commands that it has."""

from __future__ import annotations

import signal
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


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, and wait for the end; a process that goes on is killed, and the test fails."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    members = getattr(command, "commands", None)
    if members is None:
        yield name, command
        return
    for below, member in members.items():
        yield from _below(f"{name} {below}", member)


def _commands() -> Iterator[tuple[str, Any]]:
    for name in cli.COMMANDS:
        yield from _below(name, cli.load_command(name))


COMMANDS = dict(_commands())
