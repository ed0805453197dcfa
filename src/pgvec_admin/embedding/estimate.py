"""What embedding the rows that are due will take: tokens, money and time, before anything is sent."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pgvec_admin.database import Connection
from pgvec_admin.engine.collections import Collection
from pgvec_admin.errors import UsageError
from pgvec_admin.providers import Provider, tokens
from pgvec_admin.providers.tokens import Counter

SAMPLE = 1000  # texts whose tokens are counted; of fewer rows all are
CALIBRATION = 300  # texts embedded already, where the model's own tokenizer is not known
CONFIDENCE = 1.96  # standard errors, for 95 %


@dataclass(frozen=True)
class Price:
    """Dollars for a million tokens, and where that is from; None where it is not known."""

    dollars: float | None
    source: str | None

    def of(self, counted: float) -> float | None:
        """What so many tokens cost."""
        return None if self.dollars is None else self.dollars * counted / 1_000_000


@dataclass(frozen=True)
class Estimate:
    """What is due, and what it will take.

    `low` and `high`: between these the tokens are, with 95 % confidence; equal where all texts were counted. `exact`:
    whether the tokenizer `counted_by` is the model's own; `calibrated_by`: rows that corrected one that is not.
    `longer`: rows with more tokens than the model reads (`longest`), where that is known. `seconds`: by one worker at
    the pace of those before, `tokens_a_minute`; None where there were none.
    """

    collection: str
    model: str
    rows: int
    tokens: int
    low: int
    high: int
    sampled: int
    counted_by: str
    exact: bool
    calibrated_by: int
    longer: int | None
    longest: int | None
    price: Price
    dollars: float | None
    seconds: float | None
    tokens_a_minute: float | None


def price(connection: Connection, collection: str, model: str, own: float | None = None) -> Price:
    """What a million tokens of a model cost: `own`, else by the collection's setting, else by the list of prices."""
    if own is not None:
        return Price(own, "--price")
    ((dollars, source),) = connection.execute(
        "select dollars, source from pgvec.embedding_price(%s, %s)", (collection, model)
    ).fetchall()
    return Price(None if dollars is None else float(dollars), source)


def affordable(cost: Price, dollars: float, budget: int | None) -> int | None:
    """How many tokens so many dollars buy, and `budget` allows; UsageError where their price is not known."""
    if cost.dollars is None:
        raise UsageError(
            "what the model's tokens cost is not known here",
            "pass --price, dollars for a million; or set embedding_price in the settings of the collection",
        )
    bought = None if cost.dollars == 0 else int(dollars * 1_000_000 / cost.dollars)
    return min((most for most in (bought, budget) if most is not None), default=None)


def estimate(
    connection: Connection,
    known: Collection,
    model: Provider,
    *,
    own_price: float | None = None,
    limit: int | None = None,
) -> Estimate:
    """Estimate a run over the stale rows of a collection, `limit` of them at most. The provider is not asked."""
    counter = tokens.counter(model.spec)
    rows, size, texts = _texts(connection, known.name, SAMPLE, embedded=False)
    read, longer = _read(counter, model, texts)
    ratio, error = _total(
        read, [len(_bytes(model, text)) for text in texts], rows, size + rows * len(_bytes(model, ""))
    )
    pace = connection.execute(
        "select documents, tokens, seconds from pgvec.embedding_pace(%s, %s)", (known.name, model.spec)
    ).fetchall()[0]
    correction, calibrated_by = 1.0, 0
    if not counter.exact:
        correction, calibrated_by = _correction(connection, known.name, counter, model, *pace[:2])
    wanted = rows if limit is None else min(rows, limit)
    part = correction * wanted / max(1, rows)
    counted = round(ratio * part)
    cost = price(connection, known.name, model.spec, own_price)
    speed = pace[1] / pace[2] if pace[1] and pace[2] >= 1 else None
    return Estimate(
        collection=known.name,
        model=model.spec,
        rows=wanted,
        tokens=counted,
        low=max(0, round((ratio - error) * part)),
        high=round((ratio + error) * part),
        sampled=len(texts),
        counted_by=counter.by,
        exact=counter.exact,
        calibrated_by=calibrated_by,
        longer=None if counter.longest is None else round(longer * wanted / max(1, len(texts))),
        longest=counter.longest,
        price=cost,
        dollars=cost.of(counted),
        seconds=None if speed is None else counted / speed,
        tokens_a_minute=None if speed is None else 60 * speed,
    )


def _texts(connection: Connection, collection: str, size: int, *, embedded: bool) -> tuple[int, int, list[str]]:
    row = connection.execute(
        "select documents, bytes, texts from pgvec.sample_texts(%s, %s, %s)", (collection, size, embedded)
    ).fetchall()[0]
    return int(row[0]), int(row[1]), row[2]


def _bytes(model: Provider, text: str) -> bytes:
    return (model.passage_prefix + text).encode()


def _read(counter: Counter, model: Provider, texts: list[str]) -> tuple[list[int], int]:
    """The tokens of each text that the model will read and count, and how many texts have more than it reads."""
    counted = [counter.count(model.passage_prefix + text) for text in texts]
    if counter.longest is None:
        return counted, 0
    cut = model.too_long == "cut" or (model.too_long is None and model.spec.startswith("local:"))
    longer = [length > counter.longest for length in counted]
    read = [(counter.longest if cut else 0) if long else n for n, long in zip(counted, longer, strict=True)]
    return read, sum(longer)


def _total(read: list[int], sizes: list[int], rows: int, size: int) -> tuple[float, float]:
    """Tokens of all rows, and half the width of the interval around them: the ratio estimator of tokens to bytes.

    Cochran, Sampling Techniques, 3rd edition, 6.3: N^2 (1 - n/N) / n times the variance of what the ratio leaves.
    """
    drawn = len(read)
    if drawn == rows:
        return float(sum(read)), 0.0
    ratio = sum(read) / sum(sizes)
    left = sum((tokens - ratio * bytes_) ** 2 for tokens, bytes_ in zip(read, sizes, strict=True)) / max(1, drawn - 1)
    return ratio * size, CONFIDENCE * rows * math.sqrt(max(0.0, 1 - drawn / rows) / drawn * left)


def _correction(
    connection: Connection, collection: str, counter: Counter, model: Provider, documents: int, billed: int
) -> tuple[float, int]:
    """Tokens that the provider counted for each that the wrong tokenizer counts, and of how many rows that is known."""
    if not documents or not billed:
        return 1.0, 0
    _, _, texts = _texts(connection, collection, CALIBRATION, embedded=True)
    counted = sum(counter.count(model.passage_prefix + text) for text in texts)
    return (billed / documents / (counted / len(texts)), documents) if counted else (1.0, 0)
