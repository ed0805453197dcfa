"""How long verify takes on a large collection, with its default options.

    python benchmarks/verify.py [--rows 100000] [--dimensions 384]

Prints a Markdown table: the seconds of each group of checks, by area, and of all of it, and what was found.
"""

from __future__ import annotations

import time

from dataset import arguments, clustered, fill, server
from pgvec_admin.quality import verification


def main() -> None:
    chosen = arguments("How long verify takes.").parse_args()
    rows, _ = clustered(chosen.rows, chosen.dimensions, 0)
    with server(chosen.postgres) as (where, folder):
        fill(where, folder, rows)
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions")
        print("\n| area | checks | seconds | not ok |\n|---|---:|---:|---|")
        started = time.monotonic()
        seconds: dict[str, float] = {}
        checks = []
        last = started
        for check in verification.run(where):
            now = time.monotonic()
            seconds[check.area] = seconds.get(check.area, 0) + now - last
            last = now
            checks.append(check)
        for area, taken in seconds.items():
            ours = [check for check in checks if check.area == area]
            odd = "; ".join(f"{check.check_name}: {check.found}" for check in ours if check.result != "ok")
            print(f"| {area} | {len(ours)} | {taken:.1f} | {odd} |")
        print(f"| all | {len(checks)} | {last - started:.1f} | |")
        for check in checks:
            if check.check_name in ("rows", "plan", "recall", "latency"):
                print(f"\n{check.check_name}: {check.found}")


if __name__ == "__main__":
    main()
