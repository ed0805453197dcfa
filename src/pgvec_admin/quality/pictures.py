"""Pictures of what was measured: recall against latency, and latency against rows. Needs matplotlib (extra `plot`)."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pgvec_admin.errors import UsageError
from pgvec_admin.quality.bench import Bench, good, pareto

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def recall_and_latency(bench: Bench, file: Path, title: str) -> None:
    """A line an index kind, its best points with their settings; those that nothing of any kind beats are ringed."""
    figure, axes = _empty(title)
    for kind, group in groupby(bench.measures, key=lambda one: one.kind):
        found = sorted(group, key=lambda one: (one.recall, one.p50_ms))
        (line,) = axes.plot([one.recall for one in found], [one.p50_ms for one in found], marker="o", label=kind)
        for one in pareto(found):
            if one.value is not None:
                _label(axes, one.recall, one.p50_ms, str(one.value), line.get_color())
    front = pareto(bench.measures)
    axes.plot(
        [one.recall for one in front],
        [one.p50_ms for one in front],
        linestyle="none",
        marker="o",
        markersize=13,
        markerfacecolor="none",
        markeredgecolor="black",
        label="nothing beats it in both",
    )
    axes.set(xlabel="recall (points with their ef_search or probes)", ylabel="p50 latency on the server, ms")
    _finish(figure, axes, file)


def growth(steps: list[Bench], file: Path, title: str, wanted_recall: float) -> None:
    """A line a kind of index over the number of rows, each point with its setting and recall."""
    figure, axes = _empty(title)
    axes.set_xscale("log")
    for kind in dict.fromkeys(one.kind for one in steps[0].measures):
        found = [good(step, kind, wanted_recall) for step in steps]
        rows = [step.rows for step in steps]
        (line,) = axes.plot(rows, [one.p50_ms for one in found], marker="o", label=kind)
        for count, one in zip(rows, found, strict=True):
            said = f"{one.parameter} {one.value}, recall {one.recall:.3f}" if one.parameter else ""
            _label(axes, count, one.p50_ms, said, line.get_color())
    axes.set(xlabel="rows", ylabel="p50 latency on the server, ms")
    axes.set_xticks([step.rows for step in steps])
    axes.margins(x=0.15)
    _finish(figure, axes, file)


def _empty(title: str) -> tuple[Figure, Axes]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("pictures need matplotlib", "pip install 'pgvec-admin[plot]'") from error
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes: Axes = figure.subplots()
    axes.set(yscale="log", title=title)
    return figure, axes


def _label(axes: Axes, x: float, y: float, text: str, colour: Any) -> None:
    white = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.5}
    axes.annotate(
        text, (x, y), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=8, color=colour, bbox=white
    )


def _finish(figure: Figure, axes: Axes, file: Path) -> None:
    """Plain numbers at the axes, 0.5 and 200,000 instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    plain = FuncFormatter(lambda value, _: f"{value:,.6g}")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_minor_locator(NullLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(plain)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.savefig(file, dpi=150)
