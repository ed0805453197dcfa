"""`python -m mutations`: see the package."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mutations import faults
from mutations.faults import Fault

CHECKOUT = Path(__file__).resolve().parents[2]
# what make has brought for the tests, and git does not know
MADE = ("tests/supabase/node_modules", "tests/supabase/pgtap", "tests/servers/postgres17", "tests/servers/pgbouncer")
# the test that faults can be planted, and that of an environment of its own, which would find the package by PYTHONPATH
LEFT_OUT = ("--ignore=tests/mutations", "--ignore=tests/install/test_packaging.py")
ALL = ("tests",)


@dataclass(frozen=True)
class Outcome:
    """Which test failed first (None: all passed), whether in its set-up, and how long that took."""

    failed: str | None
    seconds: float
    in_set_up: bool = False


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the checkout as it is now, with a place of its own for what Hypothesis remembers."""
    with tempfile.TemporaryDirectory(prefix="pgvec-fault-") as directory:
        copy = Path(directory)
        copy.chmod(0o755)  # as root, servers and some tests run as another user
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True)
        for name in filter(None, listed.stdout.split("\0")):
            if (CHECKOUT / name).exists():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(CHECKOUT / name, copy / name)
        for name in MADE:
            if (CHECKOUT / name).exists():
                (copy / name).symlink_to((CHECKOUT / name).resolve())
        yield copy


def environment(copy: Path, *, full: bool) -> dict[str, str]:
    """Variables by which tests, and the command in processes of its own, use the package of the copy."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTEST_ADDOPTS", "PGVEC_TEST_FULL")}
    return kept | {"PYTHONPATH": str(copy / "src")} | ({"PGVEC_TEST_FULL": "1"} if full else {})


def run(copy: Path, tests: Sequence[str], *, full: bool) -> Outcome:
    """Run tests in a copy until the first fails. SystemExit where they cannot be run."""
    own = environment(copy, full=full)
    where = subprocess.run(
        [sys.executable, "-c", "import pgvec_admin; print(pgvec_admin.__file__)"],
        cwd=copy,
        env=own,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert where.startswith(str(copy)), f"tests would use {where}"
    started = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:xdist", "--tb=short", *LEFT_OUT, *tests],
        cwd=copy,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    seconds = time.monotonic() - started
    if ran.returncode == 0:
        return Outcome(None, seconds)
    told = re.findall(r"^(FAILED|ERROR) (\S.*?)(?: - .*)?$", ran.stdout, flags=re.M)
    if ran.returncode != 1 or not told:
        sys.exit(f"the tests cannot be run:\n{ran.stdout[-5000:]}")
    kind, name = told[-1]
    return Outcome(name, seconds, in_set_up=kind == "ERROR")


def find(fault: Fault, *, full: bool, everything: bool) -> Outcome:
    """Plant a fault, and run its tests, then all where they do not find it.

    A test that fails has to fail by itself too: one that did not come through for want of time has found nothing.
    """
    seconds = 0.0
    for tests in (fault.tests, ALL) if everything else (fault.tests,):
        with copied() as copy:
            (copy / fault.file).write_text(fault.planted(copy), encoding="utf-8")
            passed_over: list[str] = []
            while (outcome := run(copy, [*tests, *passed_over], full=full)).failed:
                seconds += outcome.seconds
                if run(copy, [outcome.failed], full=full).failed:
                    return replace(outcome, seconds=seconds)
                print(f"{fault.name}: {outcome.failed} failed once and then passed", file=sys.stderr, flush=True)
                passed_over.append(f"--deselect={outcome.failed}")
            seconds += outcome.seconds
    return Outcome(None, seconds)


def main() -> int:
    """Plant the faults that were asked for, print what found each, and say by the exit code whether all were found."""
    known = {fault.name: fault for fault in faults.read()}
    parser = argparse.ArgumentParser(prog="mutations", description="Faults planted one at a time, and what finds them.")
    parser.add_argument("--only", action="append", choices=known, metavar="NAME", help="of this fault; may be repeated")
    parser.add_argument("--all", action="store_true", help="where its own tests do not find a fault, run all tests")
    parser.add_argument("--full", action="store_true", help="properties with all examples: PGVEC_TEST_FULL=1")
    parser.add_argument("--times", type=int, default=1, help="each fault so often, as properties draw anew (1)")
    parser.add_argument("--no-baseline", action="store_true", help="do not see first that all pass without a fault")
    chosen = parser.parse_args()
    wanted = [known[name] for name in chosen.only or known]

    if not chosen.no_baseline:
        with copied() as copy:
            clean = run(copy, sorted({test for fault in wanted for test in fault.tests}), full=chosen.full)
        if clean.failed:
            sys.exit(f"without any fault, {clean.failed} fails")
        print(f"without a fault all pass, in {clean.seconds:.0f} s", file=sys.stderr, flush=True)

    print("| fault | file | found by | found | seconds |\n|---|---|---|---|---|", flush=True)
    missed = 0
    for fault in wanted:
        outcomes = [find(fault, full=chosen.full, everything=chosen.all) for _ in range(chosen.times)]
        names = dict.fromkeys(
            outcome.failed + " (its set-up)" * outcome.in_set_up for outcome in outcomes if outcome.failed
        )
        found = sum(outcome.failed is not None for outcome in outcomes)
        seconds = sum(outcome.seconds for outcome in outcomes) / len(outcomes)
        missed += found < len(outcomes)
        told = ", ".join(name.replace("|", r"\|") for name in names) or "**nothing**"
        print(f"| {fault.name} | {fault.file} | {told} | {found} of {len(outcomes)} | {seconds:.0f} |", flush=True)
    print(f"{len(wanted) - missed} of {len(wanted)} faults were found", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
