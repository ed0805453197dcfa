"""`python -m soak`: see the package."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time

from pgvec_admin.server import embedded
from soak.report import as_json, as_markdown
from soak.run import Settings, soak


def main() -> int:
    """Run a soak and print its report; the exit code says whether everything held."""
    parser = argparse.ArgumentParser(prog="soak", description="Searches, loads, writes, upgrades and faults at once.")
    parser.add_argument("--minutes", type=float, default=float(os.environ.get("SOAK_MINUTES") or 10))
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to draw the same again")
    parser.add_argument("--postgres", type=int, choices=embedded.VERSIONS, default=embedded.DEFAULT_VERSION)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # leave no server behind
    seed = random.SystemRandom().randrange(10**6) if chosen.seed is None else chosen.seed
    settings = Settings(chosen.minutes * 60, seed, chosen.postgres)
    report = soak(settings, lambda text: print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True))
    print(as_json(report) if chosen.json else as_markdown(report))
    if not report.passed:
        print(f"FAILED; to draw the same again: --seed {seed}", file=sys.stderr)
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
