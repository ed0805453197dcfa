"""The time of a fresh installation, and of starting commands: this checkout beside another.

    python benchmarks/install.py [--beside ../other-checkout]

Prints a Markdown table: seconds of a migrate into an empty database, seconds of CPU of commands; medians, in turn.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import psycopg
from psycopg.conninfo import make_conninfo

from dataset import server

ROUNDS = 7
MIGRATE = """
import sys, time
try:
    from pgvec_admin.install import migrate
except ImportError:  # where it was before
    from pgvec_admin import migrate
from pgvec_admin.database import Target
started = time.perf_counter()
migrate.migrate(Target(sys.argv[1], "the benchmark"), report=lambda _: None)
print(time.perf_counter() - started)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Time to install, and to start.")
    parser.add_argument("--beside", type=Path, help="another checkout")
    beside = parser.parse_args().beside
    here = Path(__file__).parents[1]
    checkouts = {"here": here} | ({"beside": beside.resolve()} if beside else {})
    took: dict[tuple[str, str], list[float]] = {}
    with server(18) as (where, _), psycopg.connect(where.conninfo, autocommit=True) as connection:
        for turn in range(ROUNDS):
            for name, checkout in checkouts.items():
                made = f"{name}_{turn}"
                connection.execute(f"create database {made}".encode())
                url = make_conninfo(where.conninfo, dbname=made)
                seconds = float(_run(checkout, "-c", MIGRATE, url))
                took.setdefault(("fresh migrate, s", name), []).append(seconds)
                for command in (["--help"], ["status", "--database-url", url]):
                    before = _spent()
                    _run(checkout, "-m", "pgvec_admin", *command)
                    took.setdefault((f"{command[0]}, s of CPU", name), []).append(_spent() - before)
    print(f"| | {' | '.join(checkouts)} |{' ratio |' if beside else ''}")
    print(f"|---|{'---:|' * (len(checkouts) + bool(beside))}")
    for what in dict.fromkeys(what for what, _ in took):
        medians = [float(np.median(took[what, name])) for name in checkouts]
        ratio = f" {medians[0] / medians[1]:.2f} |" if beside else ""
        print(f"| {what} | {' | '.join(f'{median:.2f}' for median in medians)} |{ratio}")


def _run(checkout: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, check=True, capture_output=True, text=True
    ).stdout


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
