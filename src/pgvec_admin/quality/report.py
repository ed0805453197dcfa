"""The checks of verify as a page: one file, with pictures of the recall, latency and similarities of collections.

Needs matplotlib (extra `plot`). The figures come from `pgvec.recall_curve` and `pgvec.sample_similarities`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import class_row

from pgvec_admin import database
from pgvec_admin.database import Connection, Target
from pgvec_admin.errors import UsageError
from pgvec_admin.quality.verification import Check, Options
from pgvec_admin.resources import query

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZES = query("relation_sizes").encode()
_BLUE, _GREY = "#3f6fb5", "#9aa5b5"


@dataclass(frozen=True)
class Point:
    """Recall@10 and latencies in ms at a value of ef_search or probes."""

    setting: str
    value: int
    recall: float | None
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True)
class Figures:
    """The figures for the pictures of a collection: similarities to nearest rows and to any, bytes on disk by name."""

    curve: list[Point]
    nearest: list[float]
    apart: list[float]
    sizes: list[tuple[str, int]]


def write(file: Path, where: Target, checks: Sequence[Check], options: Options) -> None:
    """Measure the figures, read-only and within the time of the options, and write the page."""
    sections = [_section("To look at", [check for check in checks if check.result != "ok"], named=True)]
    with database.connect(where, autocommit=True) as connection:
        names = [row[0] for row in connection.execute("select name from pgvec.collections order by name").fetchall()]
        for area in dict.fromkeys(check.area for check in checks):
            sections.append(_section(area, [check for check in checks if check.area == area]))
            if area in names and any(check.check_name == "recall" for check in checks if check.area == area):
                try:
                    sections.append(_pictures(_measure(connection, area, options)))
                except psycopg.errors.QueryCanceled as error:
                    sections.append(f"<p>no pictures: {escape(str(error.diag.message_primary))}</p>")
    counts = {result: sum(check.result == result for check in checks) for result in ("ok", "warn", "fail")}
    page = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8")).substitute(
        database=escape(where.describe()),
        moment=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        summary="".join(f'<b class="{result}">{count} {result}</b>' for result, count in counts.items() if count),
        sections="\n".join(sections),
    )
    file.write_text(page, encoding="utf-8")


def _measure(connection: Connection, collection: str, options: Options) -> Figures:
    with connection.transaction(), connection.cursor(row_factory=class_row(Point)) as cursor:
        cursor.execute("set transaction read only")
        cursor.execute("select set_config('statement_timeout', %s, true)", (f"{int(options.timeout * 1000)}ms",))
        curve = cursor.execute(
            "select * from pgvec.recall_curve(%s, seconds => %s)", (collection, options.seconds)
        ).fetchall()
        similarities = connection.execute("select * from pgvec.sample_similarities(%s)", (collection,)).fetchall()
        sizes = connection.execute(_SIZES, {"collection": collection}).fetchall()
    return Figures(
        curve,
        [value for kind, value in similarities if kind == "nearest"],
        [value for kind, value in similarities if kind == "any"],
        [(name, size) for name, size in sizes],
    )


def _section(title: str, checks: Sequence[Check], *, named: bool = False) -> str:
    """A table of checks under a title; nothing where there are none. named: with the area before each."""
    rows = "\n".join(_row(check, f"{check.area}, " if named else "") for check in checks)
    return f"<h2>{escape(title)}</h2>\n<table>\n{rows}\n</table>" if checks else ""


def _row(check: Check, before: str) -> str:
    hint = f'<span class="hint">{escape(check.hint)}</span>' if check.hint else ""
    return (
        f'<tr class="{check.result}"><th scope="row">{escape(before + check.check_name)}</th>'
        f"<td>{escape(check.found or '')}{hint}</td><td>{check.result}</td></tr>"
    )


def _pictures(figures: Figures) -> str:
    made = []
    if figures.curve:
        made.append(f"<figure><h3>Recall and latency of the index</h3>{_draw_curve(figures.curve)}</figure>")
    if figures.nearest:
        made.append(f"<figure><h3>Similarity to the ten nearest, and to any row</h3>{_draw_scores(figures)}</figure>")
    largest = max((size for _, size in figures.sizes), default=0) or 1
    bars = "".join(
        f'<div class="size"><span>{escape(name)}</span><span>{_megabytes(size)}</span>'
        f'<i style="width:{100 * size / largest:.1f}%"></i></div>'
        for name, size in figures.sizes
    )
    made.append(f"<figure><h3>On disk</h3>{bars}</figure>")
    return f'<div class="pictures">{"".join(made)}</div>'


def _draw_curve(curve: Sequence[Point]) -> str:
    figure, axes = _axes()
    known = [point for point in curve if point.recall is not None]
    recall = [point.recall or 0.0 for point in known]
    axes.plot([point.p50_ms for point in known], recall, marker="o", color=_BLUE, label="p50")
    axes.plot([point.p95_ms for point in known], recall, marker="o", color=_GREY, linestyle=":", label="p95")
    for point, value in zip(known, recall, strict=True):
        axes.annotate(str(point.value), (point.p50_ms, value), xytext=(4, -11), textcoords="offset points", fontsize=8)
    axes.set(xscale="log", xlabel=f"ms on the server; beside the points {curve[0].setting}", ylabel="recall@10")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    return _svg(figure)


def _draw_scores(figures: Figures) -> str:
    figure, axes = _axes()
    low, high = min(figures.nearest + figures.apart), max(figures.nearest + figures.apart)
    for values, colour, label in ((figures.apart, _GREY, "any"), (figures.nearest, _BLUE, "nearest")):
        if values:
            weights = [100 / len(values)] * len(values)
            axes.hist(
                values,
                bins=30,
                range=(low, max(high, low + 1e-9)),
                weights=weights,
                color=colour,
                alpha=0.75,
                label=label,
            )
    axes.set(xlabel="similarity", ylabel="% of pairs")
    axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def _axes() -> tuple[Figure, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("pictures need matplotlib", "pip install 'pgvec-admin[plot]'") from error
    figure = Figure(figsize=(4.6, 3.1), layout="constrained")
    axes: Axes = figure.subplots()
    axes.grid(visible=True, alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    """The picture for use within a page: without the prologue of a file, and with unique ids."""
    from matplotlib import rc_context

    told = io.StringIO()
    with rc_context({"svg.hashsalt": str(id(figure))}):
        figure.savefig(told, format="svg", transparent=True, metadata={"Date": None})
    text = re.sub(r"^.*?(?=<svg)", "", told.getvalue(), flags=re.S)
    return re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"
