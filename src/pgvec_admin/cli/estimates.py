"""What embedding would take, for people: tokens, money and time."""

from __future__ import annotations

from dataclasses import asdict

from pgvec_admin.cli.output import echo, print_json
from pgvec_admin.embedding.estimate import Estimate, Price, estimate, price
from pgvec_admin.errors import UsageError

__all__ = ["affordable", "estimate", "price", "show"]


def affordable(cost: Price, dollars: float, budget: int | None) -> int | None:
    """How many tokens so many dollars buy, and `budget` allows; UsageError where their price is not known."""
    if cost.dollars is None:
        raise UsageError(
            "what the model's tokens cost is not known here",
            "pass --price, dollars for a million; or set embedding_price in the settings of the collection",
        )
    bought = None if cost.dollars == 0 else int(dollars * 1_000_000 / cost.dollars)
    return min((most for most in (bought, budget) if most is not None), default=None)


def show(found: Estimate, *, as_json: bool) -> None:
    """Print an estimate."""
    if as_json:
        print_json(asdict(found))
        return
    echo(f"{found.rows:,} rows of {found.collection} to embed with {found.model}")
    echo(_tokens(found))
    if found.longer:
        echo(f"{found.longer:,} rows have more than the {found.longest:,} tokens that the model reads")
    if found.dollars is None:
        echo("money: the price is not known (--price)")
    else:
        echo(f"${_dollars(found.dollars)} at ${found.price.dollars:g} for a million tokens: {found.price.source}")
    if found.seconds is not None:
        echo(
            f"{_time(found.seconds)} by one worker, at the {found.tokens_a_minute:,.0f} tokens a minute measured so far"
        )


def _tokens(found: Estimate) -> str:
    how = f"counted by {found.counted_by}"
    if found.calibrated_by:
        how += f", corrected by the {found.calibrated_by:,} rows embedded so far"
    if found.low == found.high:
        return f"{'' if found.exact else 'about '}{found.tokens:,} tokens, {how}"
    return (
        f"about {found.tokens:,} tokens, {how} in {found.sampled:,} rows drawn at random"
        f" (95 % sure: {found.low:,} to {found.high:,})"
    )


def _dollars(amount: float) -> str:
    return (
        f"{amount:,.2f}"
        if amount >= 1
        else f"{amount:.2g}"
        if amount >= 0.0001
        else f"{amount:.6f}".rstrip("0").rstrip(".") or "0"
    )


def _time(seconds: float) -> str:
    for unit, name in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.1f} {name}"
    return f"{max(1, seconds):.0f} s"
