"""A report for people, in Markdown, and for programs, in JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from soak.measure import Failure
from soak.run import Report


def as_markdown(report: Report) -> str:
    """Tables of operations, faults, errors and checks."""
    return "\n".join(_lines(report))


def as_json(report: Report) -> str:
    """The same, with every unexpected error whole."""
    told = {
        "passed": report.passed,
        "settings": asdict(report.settings),
        "seconds": report.seconds,
        "rows": report.rows,
        "operations": [asdict(one) for one in report.operations],
        "faults": dict(Counter(fault.kind for fault in report.faults)),
        "errors": {
            name: [{"kind": kind, "state": state, "count": count} for (kind, state), count in _counted(failures)]
            for name, failures in (("expected", report.expected), ("unexpected", report.unexpected))
        },
        "failures": [asdict(one) for one in report.unexpected],
        "checks": [asdict(one) for one in report.checks],
    }
    return json.dumps(told, indent=2)


def _lines(report: Report) -> Iterator[str]:
    yield f"Soak of {report.seconds:.0f} s, seed {report.settings.seed}, PostgreSQL {report.settings.postgres}: " + (
        "passed" if report.passed else "FAILED"
    )
    yield ""
    yield "| operation | count | a second | p50 ms | p95 ms | p99 ms | longest ms |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for one in report.operations:
        times = " | ".join(f"{value:,.1f}" for value in (one.p50, one.p95, one.p99, one.longest))
        yield f"| {one.kind} | {one.count:,} | {one.rate:,.1f} | {times} |"
    yield ""
    yield "| fault | times | longest s |"
    yield "|---|---:|---:|"
    for kind, count in Counter(fault.kind for fault in report.faults).items():
        longest = max(fault.ended - fault.begun for fault in report.faults if fault.kind == kind)
        yield f"| {kind} | {count} | {longest:.1f} |"
    yield ""
    yield "| errors | operation | SQLSTATE | times |"
    yield "|---|---|---|---:|"
    for name, failures in (("because of faults", report.expected), ("unexpected", report.unexpected)):
        for (kind, state), count in _counted(failures):
            yield f"| {name} | {kind} | {state} | {count} |"
    yield ""
    yield "| check | result | |"
    yield "|---|---|---|"
    for check in report.checks:
        detail = " ".join(check.detail.split()).replace("|", "\\|")
        yield f"| {check.name} | {'ok' if check.passed else 'FAILED'} | {detail} |"


def _counted(failures: Sequence[Failure]) -> list[tuple[tuple[str, str], int]]:
    return sorted(Counter((one.kind, one.state) for one in failures).items())
