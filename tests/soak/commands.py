"""The command pgvec-admin, run as people and schedulers run it, and perhaps interrupted or killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from soak.measure import Recorder
from soak.world import CHECKOUT, World, environment

_CHECK_FAILED = 4
_LOST = 3  # the exit code of a command whose connection was lost
_LOOK = 0.05


@dataclass(frozen=True)
class Ran:
    """The result of a command."""

    code: int
    output: str
    errors: str

    @property
    def well(self) -> bool:
        """Whether it ran to its end."""
        return self.code == 0


def command(
    world: World,
    recorder: Recorder,
    kind: str,
    *arguments: str,
    checkout: Path = CHECKOUT,
    end_when: Callable[[], bool] | None = None,
    by: signal.Signals = signal.SIGKILL,
    verdict: str | None = None,
) -> Ran:
    """Run pgvec-admin as the owner; once `end_when` is true it gets a signal. Other failures are recorded.

    Exit code 4 with the words of `verdict` counts as success: it found what it was meant to find.
    """
    begun, ended = time.monotonic(), False
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "pgvec_admin", *arguments],
            stdout=output,
            stderr=errors,
            env=environment(checkout) | {"PGVEC_DATABASE_URL": world.owner.conninfo},
        )
        while end_when and not ended and process.poll() is None:
            if end_when():
                process.send_signal(by)
                ended = True
            time.sleep(_LOOK)
        code = process.wait()
        for file in (output, errors):
            file.seek(0)
        ran = Ran(code, output.read(), errors.read())
    if ran.well or (verdict and ran.code == _CHECK_FAILED and verdict in ran.errors):
        recorder.took(kind, time.monotonic() - begun)
    elif ended and ran.code in (-by, 130):
        how = "interrupted" if by == signal.SIGINT else "killed"
        recorder.took(f"{kind}, {how}", time.monotonic() - begun)
    else:
        recorder.failed(kind, f"exit {ran.code}", ran.errors or ran.output, begun, is_loss=ran.code == _LOST)
    return ran
