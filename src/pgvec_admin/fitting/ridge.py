"""Vectors of lexemes by ridge regression, from the bag of lexemes of a row to its vector.

The vector of a text is then the sum of those of its lexemes: `pgvec.query_vector`. Each row is two examples: all of its
lexemes, weighted by 1 + ln(times) and a power of their idf, and those with which it begins, as short as queries. All
examples have length 1. A ridge regression shrinks most those directions in which rows differ least; that is taken
back. docs/fitted.md says what else was tried.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Report = Callable[[int, int | None, str], None]
Floats = NDArray[np.float32]

BEGINNING = 20  # positions of the lexemes that are the second example of a row
RARITY = 1.5  # power of the idf: at 1, rare terms of science count too little
PENALTIES = (0.3, 1.0, 3.0)
STEPS = 12  # of conjugate gradients; more change NDCG@10 by a thousandth or two, in either direction
MOST_LEXEMES = 50_000  # without those of a single row, scientific claims lose a third of the gain
COLUMNS = 64  # solved together: the memory that one thread takes
HELD_OUT = 1000
TRAINED = 10_000  # rows, to choose the penalty
SPREAD_ROWS = 20_000  # rows whose spread is measured


@dataclass(frozen=True)
class Rows:
    """`times` and `firsts` of each lexeme by row, of the same structure; a vector a row."""

    lexemes: list[str]
    times: sparse.csr_matrix
    firsts: sparse.csr_matrix
    vectors: Floats

    def part(self, chosen: NDArray[np.int64]) -> Rows:
        """Some of the rows."""
        return Rows(self.lexemes, self.times[chosen], self.firsts[chosen], self.vectors[chosen])


@dataclass(frozen=True)
class Fitted:
    """The vectors of lexemes, with their idf in it; the mean of the rows' vectors and their mean length.

    `agreement`: the mean cosine of fitted and own vectors of rows that were left out; None for too few rows.
    """

    lexemes: list[str]
    vectors: Floats
    mean: Floats
    length: float
    rows: int
    penalty: float
    agreement: float | None


def fit(rows: Rows, report: Report) -> Fitted:
    """The vectors of the lexemes, of a large collection of those that most rows have.

    Raises ValueError where there is nothing to fit.
    """
    count = rows.times.shape[0]
    known = np.asarray((rows.times > 0).sum(axis=0)).ravel()
    wanted = np.flatnonzero(known)
    wanted = np.sort(wanted[np.argsort(-known[wanted], kind="stable")[:MOST_LEXEMES]])
    if count < 2 or not len(wanted):
        raise ValueError("no rows with words and a vector")
    weights = (np.log(1 + (count - known + 0.5) / (known + 0.5)) ** RARITY).astype(np.float32)[wanted]
    kept = Rows([rows.lexemes[one] for one in wanted], rows.times[:, wanted], rows.firsts[:, wanted], rows.vectors)
    mean = rows.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    penalty, agreement = _chosen(kept, weights, mean, report)
    examples = _examples(kept, weights)
    solved = _solved(examples, rows.vectors - mean, penalty, lambda done, total: report(done, total, "fit"))
    return Fitted(
        lexemes=kept.lexemes,
        vectors=_spread(solved * weights[:, None], kept, mean),
        mean=mean,
        length=float(np.linalg.norm(rows.vectors, axis=1).mean()),
        rows=count,
        penalty=penalty,
        agreement=agreement,
    )


def _chosen(rows: Rows, weights: Floats, mean: Floats, report: Report) -> tuple[float, float | None]:
    """The penalty by which the beginnings of rows that were left out find their row best, and their agreement."""
    count = rows.times.shape[0]
    held = min(HELD_OUT, count // 5)
    if held < 10:
        return PENALTIES[1], None
    order = np.random.default_rng(1).permutation(count)
    left_out = rows.part(order[:held])
    trained = rows.part(order[held : held + TRAINED])
    examples = _examples(trained, weights)
    asked = _lengths_one(_beginnings(left_out).multiply(weights))
    truth = _unit(left_out.vectors - mean)
    tried = []
    for place, penalty in enumerate(PENALTIES):
        report(place, len(PENALTIES), "choose")
        found = _unit(asked @ _solved(examples, trained.vectors - mean, penalty, lambda *_: None))
        alike = found @ truth.T
        own = np.diag(alike)
        reciprocal = float((1 / (1 + (alike > own[:, None]).sum(axis=1))).mean())
        tried.append((reciprocal, penalty, float(own.mean())))
    _, penalty, agreement = max(tried)
    return penalty, agreement


def _spread(fitted: Floats, rows: Rows, mean: Floats) -> Floats:
    """The vectors of lexemes, stretched along each principal component of the rows to the spread that rows have."""
    chosen = np.random.default_rng(1).permutation(len(rows.vectors))[:SPREAD_ROWS]
    own = rows.vectors[chosen] - mean
    variances, components = np.linalg.eigh((own.T @ own).astype(np.float64) / len(own))
    components = components.astype(np.float32)
    begun = _unit(_beginnings(rows.part(chosen)) @ fitted) @ components
    have = np.sqrt(np.maximum(variances, 0)), begun.std(axis=0)
    rows_have, fitted_have = (one / (one.max() or 1) + 0.01 for one in have)
    stretched: Floats = (fitted @ components * (rows_have / fitted_have)) @ components.T
    return stretched.astype(np.float32)


def _examples(rows: Rows, weights: Floats) -> sparse.csr_matrix:
    whole = rows.times.astype(np.float32)
    whole.data = 1 + np.log(whole.data)
    return sparse.vstack(
        [_lengths_one(whole.multiply(weights)), _lengths_one(_beginnings(rows).multiply(weights))], format="csr"
    )


def _beginnings(rows: Rows) -> sparse.csr_matrix:
    begin = rows.firsts.astype(np.float32)
    begin.data = (begin.data <= BEGINNING).astype(np.float32)
    begin.eliminate_zeros()
    return begin


def _lengths_one(bags: sparse.spmatrix) -> sparse.csr_matrix:
    bags = sparse.csr_matrix(bags, dtype=np.float32)
    lengths = np.sqrt(np.asarray(bags.multiply(bags).sum(axis=1)).ravel())
    lengths[lengths == 0] = 1
    return sparse.csr_matrix(sparse.diags(1 / lengths) @ bags, dtype=np.float32)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    unit: Floats = (vectors / lengths).astype(np.float32)
    return unit


def _solved(
    examples: sparse.csr_matrix, targets: Floats, penalty: float, report: Callable[[int, int | None], None]
) -> Floats:
    """Conjugate gradients with a diagonal preconditioner, a few columns at a time.

    The targets are those of the rows; the examples are as many again for each kind of example.
    """
    kinds = examples.shape[0] // targets.shape[0]
    turned = sparse.csr_matrix(examples.T)
    scale = (1 / (np.asarray(turned.multiply(turned).sum(axis=1)).ravel() + penalty)).astype(np.float32)[:, None]
    solved = np.empty((examples.shape[1], targets.shape[1]), np.float32)
    starts = range(0, targets.shape[1], COLUMNS)

    def solve(start: int) -> None:
        aims = np.tile(targets[:, start : start + COLUMNS], (kinds, 1))
        found = np.zeros((examples.shape[1], aims.shape[1]), np.float32)
        rest = turned @ aims
        way = scale * rest
        before = (rest * way).sum(axis=0)
        for _ in range(STEPS):
            ahead = turned @ (examples @ way) + penalty * way
            step = before / np.maximum((way * ahead).sum(axis=0), 1e-30)
            found += step * way
            rest -= step * ahead
            ahead = scale * rest
            now = (rest * ahead).sum(axis=0)
            way = ahead + now / np.maximum(before, 1e-30) * way
            before = now
        solved[:, start : start + COLUMNS] = found

    with ThreadPoolExecutor(2) as threads:
        for done, _ in enumerate(threads.map(solve, starts), 1):
            report(min(done * COLUMNS, targets.shape[1]), targets.shape[1])
    return solved
