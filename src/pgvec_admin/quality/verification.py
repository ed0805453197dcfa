"""Checks that the installation is as it should be, and does what it should.

Checks within the database are its own functions (`pgvec.verify_*`), each in a read-only transaction with a time limit.
This module adds the comparison with the files of this release, and the repairs.
"""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
import sqlparse
from psycopg import sql
from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.errors import PgvecError, UsageError, from_postgres
from pgvec_admin.install import functions, migrate

Say = Callable[[str], None]
Result = Literal["ok", "warn", "fail"]

_SEARCH, _SEARCHES = "pgvec.verify_search", ("plan", "recall", "latency")


@dataclass(frozen=True)
class Check:
    """A check: what it examined (a collection, or a part of the installation), and what it found.

    `fix` is SQL that repairs it, where that is safe; `hint` is the next step for people.
    """

    area: str
    check_name: str
    result: Result
    found: str | None
    hint: str | None = None
    fix: str | None = None


@dataclass(frozen=True)
class Attempt:
    """A forbidden attempt of a role, and whether it was stopped; `detail` says how it succeeded."""

    role_name: str
    attempt: str
    passed: bool
    detail: str | None


@dataclass(frozen=True)
class Options:
    """What to check: areas and checks by name (all if empty), and how long: seconds of searching a collection
    (`seconds`), and seconds after which any one group of checks is given up (`timeout`)."""

    only: Sequence[str] = ()
    seconds: float = 10.0
    timeout: float = 30.0
    wanted_recall: float = 0.98


def run(where: Target, options: Options | None = None) -> Iterator[Check]:
    """Every check, in order, as soon as it is made. Changes nothing. UsageError where `only` names no check."""
    chosen = options or Options()
    met = False
    for check in _all(where, chosen):
        if not chosen.only or check.area in chosen.only or check.check_name in chosen.only:
            met = True
            yield check
    if not met:
        raise UsageError(
            f"there is no check or area {', '.join(chosen.only)}", "pgvec-admin verify lists areas and checks"
        )


def _all(where: Target, options: Options) -> Iterator[Check]:
    status = migrate.status(where)
    yield _migrations(status)
    if status.installed_version is None or any(state.state == "pending" for state in status.migrations):
        return  # nothing else can be checked yet
    yield _functions(status)
    with database.connect(where, autocommit=True) as connection:
        for (function,) in connection.execute("select unnest(pgvec.installation_checks())").fetchall():
            yield from _ask(connection, options, function, "installation")
        names = [row[0] for row in connection.execute("select name from pgvec.collections order by name").fetchall()]
        for name in names:
            row = connection.execute("select pgvec.collection_checks(%s)", (name,)).fetchone()
            assert row is not None
            if row[0] is None:
                continue  # dropped meanwhile
            for function in row[0]:
                if function != _SEARCH:
                    yield from _ask(connection, options, function, name, name)
                elif not options.only or {name, *_SEARCHES} & set(options.only):
                    yield from _ask(connection, options, function, name, name, options.seconds, options.wanted_recall)


def _ask(connection: Connection, options: Options, function: str, area: str, *arguments: Any) -> Iterator[Check]:
    """The verdicts of one function; a failed check where it cannot run, a warning where it takes too long."""
    query = sql.SQL("select * from {}({})").format(
        sql.Identifier(*function.split(".")), sql.SQL(", ").join([sql.Placeholder()] * len(arguments))
    )
    name = function.removeprefix("pgvec.")
    try:
        with connection.transaction(), connection.cursor(row_factory=class_row(Check)) as cursor:
            cursor.execute("set transaction read only")
            cursor.execute(
                "select set_config('statement_timeout', %s, true), set_config('lock_timeout', '3s', true)",
                (f"{int(options.timeout * 1000)}ms",),
            )
            found = cursor.execute(query, arguments).fetchall()
    except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable) as error:
        told = str(error.diag.message_primary)
        yield Check(area, name, "warn", f"given up: {told}", "run it when less is going on, or with a longer --timeout")
    except psycopg.Error as error:
        if connection.broken:
            raise
        shown = from_postgres(error)
        yield Check(area, name, "fail", f"cannot be checked: {shown.message}", shown.hint)
    else:
        yield from found


def _migrations(status: migrate.Status) -> Check:
    odd = [f"migration {state.id} is {state.state}" for state in status.migrations if state.state != "applied"]
    if status.installed_version is None:
        return Check("migrations", "migrations", "fail", "the engine is not installed", "pgvec-admin migrate")
    return Check(
        "migrations",
        "migrations",
        "fail" if odd else "ok",
        "; ".join(odd) or f"{len(status.migrations)} applied, release {status.installed_version}",
        "pgvec-admin migrate" if odd else None,
    )


def _functions(status: migrate.Status) -> Check:
    odd = [one for one in status.functions if one.state not in (*functions.SETTLED, "unmanaged")]
    drifted = [one.name for one in odd if one.state == "drifted"]
    own = [one.name for one in status.functions if one.state == "replaced"]
    others = [one.name for one in status.functions if one.state == "unmanaged"]
    installed = len(status.functions) - len(others)
    found = f"{installed} installed, {installed - len(odd)} current, {len(drifted)} drifted"
    if own:
        found += f"; replaced by this installation: {', '.join(own)}"
    if others:
        found += f"; not of this engine: {', '.join(others[:3])}"
    if not odd:
        return Check("functions", "drift", "ok", found)
    return Check(
        "functions",
        "drift",
        "fail",
        f"{found}: " + ", ".join(f"{one.name} is {one.state}" for one in odd[:5]),
        f"pgvec-admin functions diff {drifted[0]}; pgvec-admin migrate --overwrite-drift"
        if drifted
        else "pgvec-admin migrate",
    )


def fix(where: Target, checks: Sequence[Check], report: Say) -> int:
    """Repair what can be repaired safely, and return how many checks that was.

    These are the repairs that `migrate` makes without overwriting anything, and the SQL of the checks, one by one. A
    repair that fails, or waits for a lock for 3 s, is reported, and the next one tried.
    """
    repaired = 0
    if any(check.check_name in ("migrations", "drift") and check.result == "fail" for check in checks):
        try:
            report(migrate.migrate(where, report=report).summary())
            repaired += 1
        except PgvecError as error:
            report(f"not repaired: {error.message}")
    with database.connect(where, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        for check in checks:
            if check.result == "ok" or not check.fix:
                continue
            try:
                for statement in sqlparse.split(check.fix):  # some cannot share a transaction with others
                    report(statement)
                    patience = "0" if " concurrently " in statement else "3s"  # it waits, and nobody waits for it
                    connection.execute("select set_config('lock_timeout', %s, false)", (patience,))
                    connection.execute(statement.encode())
                repaired += 1
            except psycopg.Error as error:
                report(f"not repaired: {from_postgres(error).message}")
    return repaired


def tenants(connection: Connection) -> list[Attempt]:
    """Try, as each role and with two made-up tenants, to see and change what it must not; leaves nothing behind."""
    with connection.transaction(), connection.cursor(row_factory=class_row(Attempt)) as cursor:
        return cursor.execute("select * from pgvec.verify_tenants()").fetchall()


def probe(attempts: Sequence[Attempt]) -> Check:
    """The attempts of `tenants` as one check."""
    failed = [f"{one.role_name} {one.attempt}: {one.detail}" for one in attempts if not one.passed]
    return Check(
        "tenants",
        "probe",
        "fail" if failed else "ok",
        "; ".join(failed[:3]) or f"two made-up tenants cannot see each other by {len(attempts)} paths",
        "look for grants, policies and functions that were changed: pgvec-admin status, \\dp in psql"
        if failed
        else None,
    )


def write_junit(file: Path, checks: Sequence[Check], seconds: float) -> None:
    """The checks as a JUnit file: a suite an area, a failure for each that failed; a warning is output of a test."""
    root = ET.Element("testsuites", name="pgvec-admin verify", time=f"{seconds:.1f}")
    for area in dict.fromkeys(check.area for check in checks):
        ours = [check for check in checks if check.area == area]
        failures = sum(check.result == "fail" for check in ours)
        suite = ET.SubElement(root, "testsuite", name=area, tests=str(len(ours)), failures=str(failures), errors="0")
        for check in ours:
            case = ET.SubElement(suite, "testcase", classname=f"verify.{area}", name=check.check_name)
            told = f"{check.found or ''}\n{check.hint or ''}".strip()
            if check.result == "fail":
                ET.SubElement(case, "failure", message=check.found or "").text = told
            else:
                ET.SubElement(case, "system-out").text = f"{check.result}: {told}"
    ET.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def stopwatch() -> Callable[[], float]:
    """A function that returns the seconds since now."""
    started = time.monotonic()
    return lambda: time.monotonic() - started
