"""Rate limits, learnt from the headers of a server's answers: requests wait for their turn instead of being refused.

Two kinds are told apart. A bucket that refills all the time (OpenAI) says when it will be full again: the more is used,
the later. A window (most others) is full again at its end, however much of it is used; until then nothing is refilled.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pgvec_admin.providers.answers import delay_in, wait_of

MINUTE = 60.0
PERIODS = (MINUTE, 86_400.0)  # in which a bucket refills
TOLERANCE = 0.15  # of these
LONGEST_WAIT = 120.0  # seconds; whoever wants a longer rest is not waited for
LONGEST_PAUSE = 32.0  # seconds after a refusal that names no time; a minute in all, with those before
PART = 8  # a request has at most this part of the tokens of a minute
TICK = 0.5

# limit, remaining, and the time until it is reset: OpenAI and Azure; Mistral, Cerebras; Mistral's older ones; Anthropic
_HEADERS = {
    "requests": (
        ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-limit-req-minute", "x-ratelimit-remaining-req-minute", "x-ratelimit-reset-req-minute"),
        (
            "x-ratelimit-limit-requests-minute",
            "x-ratelimit-remaining-requests-minute",
            "x-ratelimit-reset-requests-minute",
        ),
        (
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ),
        ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    ),
    "tokens": (
        ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
        ("x-ratelimit-limit-tokens-minute", "x-ratelimit-remaining-tokens-minute", "x-ratelimit-reset-tokens-minute"),
        ("x-ratelimitbysize-limit-minute", "x-ratelimitbysize-remaining-minute", "ratelimitbysize-reset"),
        (
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ),
    ),
}
_UNITS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "\N{MICRO SIGN}s": 1e-6}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|\N{MICRO SIGN}s|[dhms])")


class HaltedError(BaseException):
    """The wait was ended by `halt`. Not an Exception: the library of the provider would try again."""


@dataclass(frozen=True)
class Told:
    """What a server says of a limit: `reset` in seconds, known to within `unit`."""

    limit: float
    remaining: float
    reset: float | None = None
    unit: float = 0.0


def told(headers: Mapping[str, str]) -> dict[str, Told]:
    """The limits of requests and tokens that headers tell of."""
    found: dict[str, Told] = {}
    for kind, spellings in _HEADERS.items():
        for names in spellings:
            try:
                limit, remaining = float(headers[names[0]]), float(headers[names[1]])
            except (KeyError, ValueError):
                continue
            if limit > 0:  # Mistral says 0 for a model that is not on the plan
                reset = seconds(headers.get(names[2], ""))
                found[kind] = Told(limit, remaining, *(reset or (None,)))
                break
    return found


def seconds(text: str, now: float | None = None) -> tuple[float, float] | None:
    """A time until something, in seconds, and how exactly that is known: `6m0s`, `1.5`, a time of Unix, a date."""
    text = text.strip().lower()
    parts = _DURATION.findall(text)
    if parts and "".join(map("".join, parts)) == text:
        number, unit = parts[-1]
        exact = _UNITS[unit] / 10 ** len(number.partition(".")[2])
        return sum(float(number) * _UNITS[unit] for number, unit in parts), exact
    now = time.time() if now is None else now
    try:
        number = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.upper())
        except ValueError:
            return None
        return max(0.0, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - now), 1.0
    exact = 1 / 10 ** len(text.partition(".")[2])
    return (max(0.0, number - now), 1.0) if number > 1e9 else (number, exact)


@dataclass
class _Limit:
    """A limit, and what is left of it; times are monotonic.

    `level`: what was left at the time `at`; `refill`: how much comes back a second; `full_at`: when it is whole again;
    `sent`: what was asked for and is not answered yet.
    """

    limit: float
    level: float
    at: float
    refill: float = 0.0
    full_at: float | None = None
    window: bool = False
    certain: bool = True
    sent: float = 0.0

    def left(self, now: float) -> float:
        """What may be asked for now. What is on its way counts twice where the server has it taken off already."""
        if not self.certain and self.sent and self._is_full(now):
            return 0.0  # without a time from the server, one request finds out
        return self._known(now) - self.sent

    def wait(self, wanted: float, now: float) -> float:
        """Seconds until so much may be asked for, as far as is known now."""
        wanted = min(wanted, self.limit)  # of a limit that is too small, all
        lacking = wanted - self.left(now)
        if lacking <= 0:
            return 0.0
        times = [lacking / self.refill + 0.001] if self.refill else []
        if self.full_at is not None:
            times.append(self.full_at - now)
        return min((time for time in times if time > 0), default=TICK)

    def learn(self, said: Told, now: float, *, newest: bool) -> None:
        """Take over what a server says. Of answers that overtook each other the lower one counts."""
        level = said.remaining if newest else min(said.remaining, self._known(now))
        used = said.limit - said.remaining
        self.limit, self.level, self.at = said.limit, level, now
        if said.reset is None:
            if self.full_at is None or now >= self.full_at:
                self.full_at = now + MINUTE
            self.certain = False
            return
        full_at = now + said.reset + said.unit
        self.full_at = full_at if newest or self.full_at is None else max(self.full_at, full_at)
        self.certain, self.refill = True, 0.0
        if used > 0 and not self.window:
            low, high = ((said.reset + step) * said.limit / used for step in (-said.unit, said.unit))
            self.window = not any(low <= p * (1 + TOLERANCE) and high >= p * (1 - TOLERANCE) for p in PERIODS)
            self.refill = 0.0 if self.window else used / (said.reset + said.unit)
        elif not self.window:
            self.full_at = now

    def _known(self, now: float) -> float:
        return self.limit if self._is_full(now) else min(self.limit, self.level + self.refill * (now - self.at))

    def _is_full(self, now: float) -> bool:
        return self.full_at is not None and now >= self.full_at


@dataclass
class _Ticket:
    tokens: float
    began: float


@dataclass
class Pacer:
    """The turn of each request to a server, shared by all threads that ask it."""

    _limits: dict[str, _Limit] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _mine: threading.local = field(default_factory=threading.local)
    _resume: float = 0.0
    _refused: int = 0
    _answers: int = 0
    _under_way: int = 0
    _learnt: float = 0.0
    _halted: bool = False

    @contextmanager
    def asking(self, tokens: float) -> Iterator[None]:
        """What this thread sends within the block has so many tokens, as estimated."""
        self._mine.tokens = tokens
        try:
            yield
        finally:
            self._settle(None)
            self._mine.tokens = None

    def most_tokens(self, otherwise: int) -> int:
        """How many tokens a request should have at most."""
        with self._changed:
            tokens, requests = self._limits.get("tokens"), self._limits.get("requests")
        if tokens is None:
            return otherwise
        share = max(tokens.limit / PART, tokens.limit / requests.limit if requests else 0.0)
        return max(1, min(otherwise, int(min(share, tokens.limit / 2))))

    def halt(self) -> None:
        """End all waits, now and later: HaltedError."""
        with self._changed:
            self._halted = True
            self._changed.notify_all()

    def before(self, _request: Any) -> None:
        """Wait for the turn of a request: a hook of the client."""
        tokens: float | None = getattr(self._mine, "tokens", None)
        if tokens is None:
            return  # a query waits for nobody
        with self._changed:
            self._settle(None)
            while (pause := self._pause(tokens, time.monotonic())) > 0:
                if self._halted:
                    raise HaltedError
                self._changed.wait(min(pause, TICK))
            now = time.monotonic()
            for kind, limit in self._limits.items():
                limit.sent += 1 if kind == "requests" else tokens
            self._mine.ticket = _Ticket(tokens, now)
            self._under_way += 1

    def after(self, response: Any) -> None:
        """Learn from the head of an answer: a hook of the client."""
        refused = response.status_code == 429
        wait = wait_of(response.headers)
        if refused and wait is None:
            response.read()
            wait = delay_in(response.text)
        self._settle(response.headers, refused=refused, wait=wait)

    def _pause(self, tokens: float, now: float) -> float:
        if now < self._resume:
            return self._resume - now
        if not self._answers and self._under_way:
            return TICK  # the first answer tells the limits
        return max(
            (limit.wait(1.0 if kind == "requests" else tokens, now) for kind, limit in self._limits.items()),
            default=0.0,
        )

    def _settle(self, headers: Mapping[str, str] | None, *, refused: bool = False, wait: float | None = None) -> None:
        """End the request that this thread has under way: answered with headers, or not at all."""
        ticket: _Ticket | None = getattr(self._mine, "ticket", None)
        if ticket is None:
            return
        self._mine.ticket = None
        now = time.monotonic()
        with self._changed:
            self._under_way -= 1
            newest = ticket.began >= self._learnt
            said = {} if headers is None else told(headers)
            for kind, limit in self._limits.items():
                part = 1.0 if kind == "requests" else ticket.tokens
                limit.sent = max(0.0, limit.sent - part)
                if kind not in said:
                    limit.level -= part
            for kind, one in said.items():
                if kind not in self._limits:
                    self._limits[kind] = _Limit(one.limit, one.remaining, now)
                self._limits[kind].learn(one, now, newest=newest)
            if headers is not None:
                self._answers += 1
                self._learnt = now
                self._rest(refused, wait, now)
            self._changed.notify_all()

    def _rest(self, refused: bool, wait: float | None, now: float) -> None:
        """After a refusal nobody asks for a while: as long as the server says, else longer each time."""
        if not refused:
            self._refused = 0
            return
        self._refused += 1
        pause = min(LONGEST_PAUSE, 2.0 ** (self._refused - 1)) if wait is None else wait
        if pause <= LONGEST_WAIT:
            self._resume = max(self._resume, now + pause)
