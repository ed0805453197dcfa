"""The output of commands: data to stdout, messages to stderr, progress on a terminal and plain lines elsewhere."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol
from uuid import UUID

import typer

from pgvec_admin.errors import UsageError

# rich and psycopg are imported where they are needed: --help and --json do without
if TYPE_CHECKING:
    from psycopg.errors import Diagnostic

    from pgvec_admin.database import Target

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="Connection string. Else PGVEC_DATABASE_URL, SUPABASE_DB_URL, DATABASE_URL, else the embedded server.",
        show_default=False,
    ),
]
Tenant = Annotated[
    UUID | None, typer.Option("--tenant", help="Act for this tenant (access tenant).", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON to stdout, for programs.")]

BaseUrl = Annotated[
    str | None, typer.Option(envvar="OPENAI_BASE_URL", help="Server of an openai: model.", show_default=False)
]
ApiKey = Annotated[
    str | None, typer.Option(envvar="OPENAI_API_KEY", help="Key of an openai: model.", show_default=False)
]


PICTURES = (".png", ".svg", ".pdf", ".jpg")


# characters that control a terminal or reorder a text: C0, C1, bidirectional marks, line separators; and half surrogate
# pairs, which cannot be written
_OBEYED = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_LINE = re.compile(f"[{_OBEYED}]")
_IN_LINES = re.compile(f"(?![\\n\\t])[{_OBEYED}]")


def harmless(text: str, *, lines: bool = False) -> str:
    """A text without control characters: it may come from anybody who can write rows, search, or name a file.

    `lines`: it may have several.
    """
    return (_IN_LINES if lines else _IN_LINE).sub("\N{REPLACEMENT CHARACTER}", text)


def say(text: str, *, lines: bool = False) -> None:
    """Print a message of one line or several on stderr."""
    typer.echo(harmless(text, lines=lines), err=True)


def notices() -> Callable[[Diagnostic], None]:
    """A handler that prints what the engine tells, each message once; the server's own notices have no hint."""
    told = set[str]()

    def tell(notice: Diagnostic) -> None:
        if notice.message_hint and notice.message_primary not in told:
            told.add(str(notice.message_primary))
            say(f"{notice.message_primary}\nhint: {notice.message_hint}")

    return tell


def echo(text: str, *, lines: bool = False) -> None:
    """Print data on stdout: unchanged for a program, without control characters for a terminal."""
    typer.echo(harmless(text, lines=lines) if sys.stdout.isatty() else text)


def echo_json(text: str) -> None:
    """Print JSON on stdout: control characters are escaped, which means the same."""
    escaped = _IN_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    sys.stdout.write(escaped + "\n")
    sys.stdout.flush()  # who reads a line of a service waits for it


def open_target(url: str | None) -> Target:
    """The database to work on; says so when it is the embedded server."""
    from pgvec_admin.server import default

    where = default.target(url)
    if where.origin == "the embedded server":
        say(f"using {where.origin} ({where.describe()})")
    return where


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    echo_json(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> None:
    """A table on stdout; numbers to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown_title = None if title is None else harmless(title, lines=True)
    table = Table(title=shown_title, title_justify="left", show_edge=False, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(harmless(column), justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        cells = ("" if cell is None else cell for cell in row)
        table.add_row(*(cell if isinstance(cell, Text) else harmless(str(cell), lines=True) for cell in cells))
    Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 120).print(table)


def size(count: int | None) -> str:
    """A number of bytes for people: 12.3 MB."""
    if count is None:
        return ""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def duration(seconds: float) -> str:
    """A time for people: 12 s, 3 min, 2.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def shortened(text: str, length: int = 60) -> str:
    """One line of a text."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def confirm(question: str, *, yes: bool) -> None:
    """Continue only after a yes; without a terminal, only with --yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"not confirmed: {question}", "pass --yes where nobody can answer")
    typer.confirm(harmless(question), abort=True, err=True)


def check_picture(path: Path | None) -> None:
    """UsageError for a picture that could not be written, before the work that it would show."""
    if path is None:
        return
    if path.suffix.lower() not in PICTURES:
        raise UsageError(f"{path} is no picture", f"its name has to end with one of: {', '.join(PICTURES)}")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"{path} cannot be written", "name a file in a directory that is there")


class Reporter(Protocol):
    """The progress that long work reports."""

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        """`done` units so far, out of `total` where that is known; `note` is shown beside them."""


@contextmanager
def progress(label: str, unit: str) -> Iterator[Reporter]:
    """A live bar with rate and time left on a terminal; otherwise a plain line every few seconds, on stderr."""
    from rich import progress as bars
    from rich.console import Console

    console = Console(stderr=True, emoji=False)
    if not console.is_terminal:
        yield _PlainProgress(label, unit)
        return
    bar = bars.Progress(
        bars.SpinnerColumn(),
        bars.TextColumn("{task.description}", markup=False),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[rate]}", markup=False),
        bars.TimeElapsedColumn(),
        bars.TimeRemainingColumn(),
        bars.TextColumn("{task.fields[note]}", markup=False),
        console=console,
    )
    with bar:
        task = bar.add_task(harmless(label), total=None, rate="", note="")

        def report(done: int, total: int | None = None, note: str = "") -> None:
            elapsed = bar.tasks[task].elapsed or 0
            rate = f"{done / elapsed:,.0f} {unit}/s" if elapsed > 0 else ""
            bar.update(task, completed=done, total=total, rate=rate, note=harmless(note))

        yield report


class _PlainProgress:
    """Progress as lines for a log. Work that ends before the first is due prints none."""

    INTERVAL = 3.0

    def __init__(self, label: str, unit: str) -> None:
        self._label, self._unit = label, unit
        self._start = self._last = time.monotonic()

    def __call__(self, done: int, total: int | None = None, note: str = "") -> None:
        now = time.monotonic()
        if now - self._last < self.INTERVAL or done == total:
            return  # the command itself prints a line at the end
        self._last = now
        rate = done / (now - self._start)
        left = f", {(total - done) / rate:.0f} s left" if total and rate > 0 and done < total else ""
        of = f" of {total:,}" if total else ""
        say(f"{self._label}: {done:,}{of} {self._unit}, {rate:,.0f}/s{left}{' ' + note if note else ''}")
