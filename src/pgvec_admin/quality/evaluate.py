"""Search quality against judgements: every mode on the same queries, with intervals and paired differences.

Files are as BEIR has them: `queries.jsonl` with `_id` (or `id`), `text` and perhaps `embedding`, and `qrels.tsv` with
query, document and grade. Measures come from ir-measures (extra `evaluate`), which calls trec_eval.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pgvec_admin.database import Connection
from pgvec_admin.engine import calls
from pgvec_admin.engine.choices import DEFAULT_FUSION, DEFAULT_RANKING, FUSIONS, RANKINGS
from pgvec_admin.engine.search import is_fitted, vector_literal
from pgvec_admin.errors import DataRejectedError, UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Report = Callable[[int, int | None, str], None]
Embed = Callable[[str], Iterable[float]]
Qrels = Mapping[str, Mapping[str, int]]

DEPTH = 100
SAMPLES = 2000  # of the bootstrap; the ends of an interval then move by a few thousandths at the most
FEW = 10  # queries; of fewer, the bootstrap finds anything significant
HELPS = 0.005  # NDCG that fusion has to gain before it is worth its time

_VECTOR = (
    "select id from public.match_documents(query_embedding => %(embedding)s, match_count => %(depth)s,"
    " collection => %(collection)s)"
)
_KEYWORD = (
    "select id from public.keyword_search(query_text => %(text)s, match_count => %(depth)s, ranking => %(ranking)s,"
    " collection => %(collection)s)"
)
_HYBRID = (
    "select id from public.hybrid_search(query_text => %(text)s, query_embedding => %(embedding)s,"
    " match_count => %(depth)s, fusion => %(fusion)s, collection => %(collection)s)"
)
_NO_MODEL = (
    "select id from public.search(query_text => %(text)s, match_count => %(depth)s, collection => %(collection)s)"
)


@dataclass(frozen=True)
class Query:
    """A judged query; `embedding` is None where it was not given."""

    id: str
    text: str
    embedding: Sequence[float] | None = None


@dataclass(frozen=True)
class Mode:
    """A way to search: its function, and the ranking or fusion it is called with."""

    name: str
    sql: str
    arguments: Mapping[str, str]
    needs_vectors: bool


MODES = (
    Mode("vector", _VECTOR, {}, needs_vectors=True),
    *(Mode(f"keyword, {ranking}", _KEYWORD, {"ranking": ranking}, needs_vectors=False) for ranking in RANKINGS),
    *(
        Mode(f"hybrid, {fusion}", _HYBRID, {"fusion": fusion}, needs_vectors=True)
        for fusion in sorted(FUSIONS, key=lambda fusion: fusion != DEFAULT_FUSION)
    ),
)
NO_MODEL = Mode("no model", _NO_MODEL, {}, needs_vectors=False)  # where pgvec-admin fit was run
LEGS = ("vector", f"keyword, {DEFAULT_RANKING}")
DEFAULT_HYBRID = f"hybrid, {DEFAULT_FUSION}"


@dataclass(frozen=True)
class Result:
    """A mode's measures: means over all queries, 95 % intervals, latencies of a call in ms.

    `difference` is the mean NDCG@10 beside that of the better leg, `significant` that its interval leaves out 0.
    """

    mode: str
    ndcg10: float
    ndcg10_low: float
    ndcg10_high: float
    mrr10: float
    recall100: float
    p50_ms: float
    p95_ms: float
    difference: float
    difference_low: float
    difference_high: float
    significant: bool


@dataclass(frozen=True)
class Evaluation:
    """All modes on one collection; `unknown` judged documents are not in it."""

    collection: str
    queries: int
    unknown: int
    better_leg: str
    results: list[Result]


def read_queries(file: Path) -> list[Query]:
    """The queries of a JSON lines file."""
    found = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            given = row.get("embedding")
            embedding = None if given is None else [float(value) for value in given]
            query = Query(str(row["_id"] if "_id" in row else row["id"]), str(row["text"]), embedding)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            told = f"it has no {error}" if isinstance(error, KeyError) else error
            raise DataRejectedError(
                f"{file}:{number}: not a query: {told}", 'a line is {"_id": "q1", "text": "..."}'
            ) from error
        found.append(query)
    return found


def read_qrels(file: Path) -> dict[str, dict[str, int]]:
    """Grades by query and document: three columns as BEIR has them, with or without a header, or the four of TREC."""
    found: dict[str, dict[str, int]] = {}
    with file.open(encoding="utf-8", errors="replace", newline="") as lines:
        for number, cells in enumerate(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE), 1):
            row = cells if len(cells) > 1 else (cells[0].split() if cells else [])
            if not row or (number == 1 and not row[-1].lstrip("-").isdigit()):
                continue
            try:
                query, document, grade = row if len(row) == 3 else (row[0], row[2], row[3])
                found.setdefault(query, {})[document] = int(grade)
            except (ValueError, IndexError) as error:
                raise DataRejectedError(
                    f"{file}:{number}: not a judgement: {' '.join(row)}", "a line is query, document and grade"
                ) from error
    return found


def run(
    connection: Connection,
    collection: str,
    queries: Sequence[Query],
    qrels: Qrels,
    *,
    embed: Embed | None,
    report: Report,
    only: Sequence[str] = (),
) -> Evaluation:
    """Search by every mode for all judged queries; by keyword alone where one has no vector and no way to it.

    `only`: by these modes alone.
    """
    measures = _measures()
    judged = [query for query in queries if any(grade > 0 for grade in qrels.get(query.id, {}).values())]
    if not judged:
        raise UsageError("no query has a judged document", "the ids of the queries have to be those of the judgements")
    wanted = {query.id: qrels[query.id] for query in judged}
    vectors = _vectors(judged, embed, report)
    modes = [mode for mode in MODES if vectors or not mode.needs_vectors]
    if is_fitted(connection, collection):
        modes.append(NO_MODEL)
    modes = [mode for mode in modes if not only or mode.name in only]

    scores: dict[str, dict[str, NDArray[np.float64]]] = {}
    latencies: dict[str, NDArray[np.float64]] = {}
    for turn, mode in enumerate(modes):
        found: dict[str, dict[str, float]] = {}
        seconds = []
        statement = calls.exact(connection, mode.sql)
        for done, query in enumerate(judged):
            report(turn * len(judged) + done, len(modes) * len(judged), mode.name)
            arguments = {
                "text": query.text,
                "embedding": vectors.get(query.id),
                "depth": DEPTH,
                "collection": collection,
                **mode.arguments,
            }
            started = time.perf_counter()
            ids = [row[0] for row in connection.execute(statement, arguments).fetchall()]
            seconds.append(time.perf_counter() - started)
            # trec_eval sorts by score, and breaks ties its own way
            found[query.id] = {id_: float(-place) for place, id_ in enumerate(ids)}
        scores[mode.name] = _by_query(measures, wanted, found)
        latencies[mode.name] = np.array(seconds) * 1000
    return _summary(connection, collection, wanted, scores, latencies)


def answers(connection: Connection, collection: str, queries: Sequence[Query], embed: Embed) -> Qrels:
    """The ten nearest rows of each query as judgements, by which another model's answers may be judged."""
    statement = calls.exact(connection, _VECTOR)
    found = {}
    for asked in queries:
        arguments = {"collection": collection, "depth": 10, "embedding": vector_literal(embed(asked.text))}
        found[asked.id] = {row[0]: 1 for row in connection.execute(statement, arguments).fetchall()}
    return found


def _vectors(judged: Sequence[Query], embed: Embed | None, report: Report) -> dict[str, str]:
    """pgvector's text form of every query's vector; none at all where one of them has none."""
    found = {}
    for done, query in enumerate(judged):
        if query.embedding is None and embed is None:
            return {}
        report(done, len(judged), "embedding")
        embedding: Iterable[float] | None = query.embedding
        if embedding is None:
            assert embed is not None
            embedding = embed(query.text)
        found[query.id] = vector_literal(embedding)
    return found


def _measures() -> Any:
    try:
        import ir_measures
    except ImportError as error:
        raise UsageError("evaluating needs ir-measures", "pip install 'pgvec-admin[evaluate]'") from error
    return ir_measures


def _by_query(measures: Any, qrels: Qrels, found: Mapping[str, Mapping[str, float]]) -> dict[str, NDArray[np.float64]]:
    """Each measure for each query, in the order of the qrels; a query without rows counts as 0."""
    named = {"ndcg10": measures.nDCG @ 10, "mrr10": measures.RR @ 10, "recall100": measures.R @ 100}
    place = {query: number for number, query in enumerate(qrels)}
    scores = {name: np.zeros(len(qrels)) for name in named}
    names = {str(measure): name for name, measure in named.items()}
    for metric in measures.iter_calc(list(named.values()), qrels, found):
        scores[names[str(metric.measure)]][place[metric.query_id]] = metric.value
    return scores


def _summary(
    connection: Connection,
    collection: str,
    qrels: Qrels,
    scores: Mapping[str, Mapping[str, NDArray[np.float64]]],
    latencies: Mapping[str, NDArray[np.float64]],
) -> Evaluation:
    better = max((leg for leg in LEGS if leg in scores), key=lambda leg: float(scores[leg]["ndcg10"].mean()))
    # the same queries for every mode: differences are paired
    drawn = np.random.default_rng(1).integers(0, len(qrels), size=(SAMPLES, len(qrels)))
    results = []
    for mode, measured in scores.items():
        ndcg = measured["ndcg10"]
        beside = ndcg - scores[better]["ndcg10"]
        low, high = _interval(ndcg, drawn)
        beside_low, beside_high = _interval(beside, drawn)
        results.append(
            Result(
                mode=mode,
                ndcg10=float(ndcg.mean()),
                ndcg10_low=low,
                ndcg10_high=high,
                mrr10=float(measured["mrr10"].mean()),
                recall100=float(measured["recall100"].mean()),
                p50_ms=float(np.percentile(latencies[mode], 50)),
                p95_ms=float(np.percentile(latencies[mode], 95)),
                difference=float(beside.mean()),
                difference_low=beside_low,
                difference_high=beside_high,
                significant=len(qrels) >= FEW and (beside_low > 0 or beside_high < 0),
            )
        )
    return Evaluation(collection, len(qrels), _unknown(connection, collection, qrels), better, results)


def _interval(values: NDArray[np.float64], drawn: NDArray[np.int64]) -> tuple[float, float]:
    """The middle 95 % of the means of bootstrap samples."""
    means = values[drawn].mean(axis=1)
    return float(np.percentile(means, 2.5)), float(np.percentile(means, 97.5))


def _unknown(connection: Connection, collection: str, qrels: Qrels) -> int:
    judged = sorted({document for grades in qrels.values() for document in grades})
    row = connection.execute("select pgvec.count_ids(%s, %s)", (collection, judged)).fetchone()
    assert row is not None
    return len(judged) - int(row[0])


def advice(evaluation: Evaluation) -> list[str]:
    """What the figures say, a sentence a line."""
    by_name = {result.mode: result for result in evaluation.results}
    lines = []
    if evaluation.unknown:
        lines.append(
            f"{evaluation.unknown:,} judged documents are not in {evaluation.collection}: are the ids the same?"
        )
    hybrid = by_name.get(DEFAULT_HYBRID)
    if hybrid is None:
        lines.append("no vectors were given, so keywords were measured alone")
        return lines
    beside = f"{hybrid.difference:+.3f} NDCG@10 beside {evaluation.better_leg}"
    if not hybrid.significant or 0 <= hybrid.difference < HELPS:
        lines.append(f"hybrid is no clear gain here ({beside}, {evaluation.queries} queries)")
    elif hybrid.difference < 0:
        lines.append(f"hybrid does not help here ({beside}): use {evaluation.better_leg} alone")
    else:
        lines.append(f"hybrid helps here ({beside})")
    best = max(evaluation.results, key=lambda result: result.ndcg10)
    if best.mode not in (DEFAULT_HYBRID, evaluation.better_leg) and best.ndcg10 > hybrid.ndcg10 + HELPS:
        lines.append(f"best here: {best.mode}")
    return lines


def plot(evaluation: Evaluation, file: Path) -> None:
    """A picture of NDCG@10 with its intervals, a bar a mode. Needs matplotlib (extra `plot`)."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UsageError("pictures need matplotlib", "pip install 'pgvec-admin[plot]'") from error

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes: Axes = figure.subplots()
    shown = evaluation.results[::-1]
    values = np.array([result.ndcg10 for result in shown])
    reach = np.array(
        [
            [result.ndcg10 - result.ndcg10_low for result in shown],
            [result.ndcg10_high - result.ndcg10 for result in shown],
        ]
    )
    colours = {"vector": "tab:blue", "keyword": "tab:orange", "hybrid": "tab:green", NO_MODEL.name: "tab:red"}
    axes.barh(
        [result.mode for result in shown],
        values,
        xerr=reach,
        color=[colours[result.mode.split(",")[0]] for result in shown],
        capsize=3,
    )
    for place, value in enumerate(values):
        axes.text(0.004, place, f"{value:.3f}", va="center", color="white")
    axes.set(xlabel="NDCG@10, 95 % interval", title=f"{evaluation.collection}: {evaluation.queries} queries")
    axes.grid(visible=True, axis="x", alpha=0.3)
    figure.savefig(file, dpi=150)
