"""pgvec-admin verify: does what is installed do what it should?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from pgvec_admin import database
from pgvec_admin.cli.output import DatabaseUrl, Json, open_target, print_json, print_table, say
from pgvec_admin.errors import CheckFailedError
from pgvec_admin.quality import report, verification
from pgvec_admin.quality.verification import Check, Options

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def verify(
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", help="A check, an area or a collection; may be given several times.", show_default="all"
        ),
    ] = None,
    tenants: Annotated[
        bool,
        typer.Option(
            "--tenants", help="Also try, as each role and two made-up tenants, to see and write what it must not."
        ),
    ] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Repair what can be repaired safely, and check again.")] = False,
    recall: Annotated[float, typer.Option(min=0, max=1, help="Recall@10 that searches should reach.")] = 0.98,
    seconds: Annotated[float, typer.Option(min=0.1, help="Time for the searches of each collection.")] = 10.0,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds after which a group of checks is given up.")] = 30.0,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write the checks into this file as JUnit does.", dir_okay=False)
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option("--html", help="Write a page with pictures into this file (extra plot).", dir_okay=False),
    ] = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Check that what is installed is what it should be, and finds what it should; exit with 4 where it does not.

    Changes nothing without --fix (--tenants tries to write, and leaves nothing behind).

    Example:

    \b
      pgvec-admin verify
      pgvec-admin verify --only documents --recall 0.95
      pgvec-admin verify --fix --junit verify.xml --html verify.html
    """
    where = open_target(database_url)
    options = Options(tuple(only or ()), seconds, timeout, recall)
    took = verification.stopwatch()
    checks = list(verification.run(where, options))
    if fix and any(check.result != "ok" for check in checks):
        if repaired := verification.fix(where, checks, lambda text: say(text, lines=True)):
            say(f"repaired {repaired} of {sum(check.result != 'ok' for check in checks)}; checking again")
            checks = list(verification.run(where, options))
        else:
            say("nothing that can be repaired without a decision of yours; the hints say what to decide")
    attempts = []
    if tenants and not any(check.area == "migrations" and check.result == "fail" for check in checks):
        with database.connect(where, autocommit=True) as connection:
            attempts = verification.tenants(connection)
        checks.append(verification.probe(attempts))
    if junit:
        verification.write_junit(junit, checks, took())
    if as_json:
        print_json({"checks": [asdict(one) for one in checks], "attempts": [asdict(one) for one in attempts]})
    else:
        _print(checks)
    if html:
        report.write(html, where, checks, options)
    failed = [check for check in checks if check.result == "fail"]
    warned = sum(check.result == "warn" for check in checks)
    if failed:
        raise CheckFailedError(
            f"{failed[0].area}, {failed[0].check_name}: {failed[0].found}"
            + (f", and {len(failed) - 1} more" if len(failed) > 1 else ""),
            failed[0].hint,
        )
    say(f"{len(checks)} checks in {took():.0f} s: {len(checks) - warned} ok, {warned} to look at")


def _print(checks: list[Check]) -> None:
    rows = [[one.area, one.check_name, one.found, Text(one.result, style=_STYLES[one.result])] for one in checks]
    columns = ["area", "check", "found", "result"]
    if any(one.hint for one in checks):
        columns.append("what to do")
        rows = [[*row, one.hint] for row, one in zip(rows, checks, strict=True)]
    print_table(columns, rows)
