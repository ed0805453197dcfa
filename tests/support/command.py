"""The command, and all commands that it has."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pgvec_admin import cli
from pgvec_admin.server import embedded_system

PSQL = embedded_system.package_directory() / embedded_system.TREES[18] / "bin"

Run = Callable[..., "subprocess.CompletedProcess[str]"]

COMMAND = Path(sys.executable).with_name("pgvec-admin")


def in_process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the command prints, and its exit code, without the start of another process, which takes 0.2 seconds.

    For what comes beside a run of the same command as a process.
    """
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    code: Any = 0
    with (
        patch.dict(os.environ, environment),
        patch.object(sys, "argv", [COMMAND.name, *arguments]),
        patch.object(sys, "stdin", io.StringIO()),
        redirect_stdout(streams[0]),
        redirect_stderr(streams[1]),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
    out, err = (stream.buffer.getvalue().decode() for stream in streams)
    return subprocess.CompletedProcess(arguments, code, out, err)


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
