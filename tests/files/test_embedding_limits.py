"""Rate limits: learnt from the headers of answers, kept by all requests of a worker, and never a row's fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from openai_server import Fault, OpenAIServer, RateLimit, openai_headers
from pgvec_admin.database import Connection, Target
from pgvec_admin.embedding import embed
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.embedding.worker import Worker
from pgvec_admin.errors import ConnectionFailedError
from pgvec_admin.providers import pace, provider

TEXT = "ten words that are a text of tokens to embed "
MODEL = "openai:small"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 8, model => %s)", (MODEL,))
    return connection


def _fill(connection: Connection, count: int) -> None:
    connection.execute(
        "insert into documents (id, content) select to_char(n, 'FM0000'), %s || n from generate_series(1, %s) as n",
        (TEXT, count),
    )


def _mistral(kind: str, limit: float, remaining: float, reset: float) -> dict[str, str]:
    name = "req" if kind == "requests" else kind
    return {
        f"x-ratelimit-limit-{name}-minute": f"{limit:.0f}",
        f"x-ratelimit-remaining-{name}-minute": f"{int(remaining)}",
    }


def _anthropic(kind: str, limit: float, remaining: float, reset: float) -> dict[str, str]:
    at = datetime.fromtimestamp(time.time() + reset, UTC)
    return {
        f"anthropic-ratelimit-{kind}-limit": f"{limit:.0f}",
        f"anthropic-ratelimit-{kind}-remaining": f"{int(remaining)}",
        f"anthropic-ratelimit-{kind}-reset": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _groups(kind: str, limit: float, remaining: float, reset: float) -> dict[str, str]:
    """Seconds as a number, as Cerebras writes them."""
    return {
        f"x-ratelimit-limit-{kind}-minute": f"{limit:.0f}",
        f"x-ratelimit-remaining-{kind}-minute": f"{int(remaining)}",
        f"x-ratelimit-reset-{kind}-minute": f"{reset:.3f}",
    }


@pytest.mark.parametrize("spelt", [openai_headers, _groups])
@pytest.mark.parametrize(("tokens", "requests", "rows", "batch"), [(60_000, 1e6, 420, 10), (1e9, 600, 200, 4)])
def test_a_bucket_is_emptied_as_fast_as_it_fills_and_never_overdrawn(
    documents: Connection,
    api: OpenAIServer,
    spelt: Callable[..., dict[str, str]],
    tokens: float,
    requests: float,
    rows: int,
    batch: int,
) -> None:
    api.rate = rate = RateLimit(tokens=tokens, requests=requests, left=0.01, told=spelt)  # nearly empty at first
    _fill(documents, rows)
    model = provider(MODEL, base_url=api.url, max_retries=0)
    result = embed.embed(documents, "documents", model, batch=batch, concurrency=4)
    assert (result.embedded, result.failed) == (rows, 0)
    assert rate.refused == []
    took = rate.served[-1][0] - rate.served[0][0]
    used_tokens, used_requests = sum(tokens for _, tokens in rate.served), len(rate.served)
    shares = ((used_tokens - 0.01 * tokens) / tokens, (used_requests - 0.01 * requests) / requests)
    assert max(shares) >= 0.9 * took / 60


@pytest.mark.parametrize("spelt", [openai_headers, _groups, _anthropic, _mistral])
def test_a_window_is_waited_for_and_then_used_up(
    documents: Connection, api: OpenAIServer, monkeypatch: pytest.MonkeyPatch, spelt: Callable[..., dict[str, str]]
) -> None:
    monkeypatch.setattr(pace, "MINUTE", 2.0)  # of servers that name no time
    rate = RateLimit(tokens=1000, requests=1e6, period=2.0, window=True, told=spelt)
    api.rate = rate
    _fill(documents, 250)  # of ten words each
    model = provider(MODEL, base_url=api.url, max_retries=0)
    result = embed.embed(documents, "documents", model, batch=10, concurrency=4)
    assert (result.embedded, result.failed) == (250, 0)
    assert rate.refused == []
    # three windows and a part; where times are told by the second, each may be waited for a second longer
    longest = 3 * 2.0 + (3 * 1.0 if spelt is _anthropic else 0) + 1.5
    assert rate.served[-1][0] - rate.served[0][0] < longest


def test_requests_have_no_more_tokens_than_a_limit_allows_at_once(documents: Connection, api: OpenAIServer) -> None:
    api.rate = rate = RateLimit(tokens=600, requests=1e6, left=1.0)
    _fill(documents, 50)
    assert embed.embed(documents, "documents", provider(MODEL, base_url=api.url, max_retries=0)).embedded == 50
    assert rate.refused == []
    assert max(tokens for _, tokens in rate.served) <= 600 / pace.PART


def test_nothing_is_asked_beside_the_first_request_since_its_answer_tells_the_limit(
    documents: Connection, api: OpenAIServer
) -> None:
    _fill(documents, 40)
    seen: list[int] = []

    def look(inputs: list[str]) -> None:
        if len(api.requests) == 1:
            time.sleep(0.3)
        seen.append(len(api.requests))

    api.before_answer = look
    model = provider("openai:text-embedding-3-small", base_url=api.url, api_key="k", dimensions=8)  # known dimensions
    documents.execute("select pgvec.bind_model('documents', %s, 8)", (model.spec,))
    assert embed.embed(documents, "documents", model, batch=10, concurrency=4).embedded == 40
    assert seen[0] == 1


def test_a_refusal_makes_all_requests_wait(documents: Connection, api: OpenAIServer) -> None:
    """As Voyage and Cohere tell of a limit: by a status, and at most a time."""
    _fill(documents, 60)
    refused: list[float] = []

    def behave(inputs: list[str], _: object) -> Fault | None:
        if len(api.requests) == 4:
            refused.append(time.monotonic())
            return Fault(429, {"Retry-After": "1"})
        return None

    api.behave = behave
    result = embed.embed(
        documents, "documents", provider(MODEL, base_url=api.url, max_retries=2), batch=5, concurrency=3
    )
    assert result.embedded == 60
    later = [request.arrived for request in api.requests if request.arrived > refused[0] + 0.2]
    assert min(later) >= refused[0] + 0.95


def test_a_limit_that_lets_a_word_through_charges_no_row(documents: Connection, api: OpenAIServer) -> None:
    api.behave = lambda texts, _: Fault(429, {"Retry-After-Ms": "1"}) if texts != ["probe"] else None
    _fill(documents, 5)
    result = embed.attempt(documents, "documents", provider(MODEL, base_url=api.url, max_retries=0))
    assert isinstance(result.stopped, ConnectionFailedError)
    assert "keeps answering 429" in result.stopped.message
    assert (result.embedded, result.failed) == (0, 0)
    charged = "select count(*) from pgvec.embedding_jobs where attempts > 0 or worker is not null"
    assert documents.execute(charged).fetchone() == (0,)
    api.behave = None
    assert embed.embed(documents, "documents", provider(MODEL, base_url=api.url)).embedded == 5


def test_a_text_that_is_always_refused_by_429_comes_after_the_others(documents: Connection, api: OpenAIServer) -> None:
    _fill(documents, 6)
    bad = f"{TEXT}2"
    api.behave = lambda texts, _: Fault(429, {"Retry-After-Ms": "1"}) if bad in texts else None
    model = provider(MODEL, base_url=api.url, max_retries=0)
    stopped = [embed.attempt(documents, "documents", model, batch=1) for _ in range(2)]
    assert [result.embedded for result in stopped] == [1, 4]
    assert all(result.stopped and not result.failures for result in stopped)
    assert documents.execute("select id, attempts from pgvec.embedding_jobs").fetchall() == [("0002", 0)]


def test_a_worker_that_waits_for_a_limit_stops_when_it_is_told(
    documents: Connection, database: str, api: OpenAIServer
) -> None:
    api.rate = RateLimit(tokens=600, requests=1e6, left=0.1)
    _fill(documents, 60)
    stop = threading.Event()
    reports: list[object] = []
    worker = Worker(
        Target(database, "the test"),
        ["documents"],
        ProviderOptions(base_url=api.url, batch=5),
        report=lambda worked: reports.append(worked.error),
        stop=stop,
    )
    thread = threading.Thread(target=worker.work)
    thread.start()
    while len(api.requests) < 2:
        time.sleep(0.01)
    time.sleep(0.2)
    told = time.monotonic()
    stop.set()
    thread.join(timeout=30)
    assert time.monotonic() - told < 4  # a minute would be needed for the rest
    assert [error for error in reports if error] == []
    left = "select count(*), count(*) filter (where worker is not null or attempts > 0) from pgvec.embedding_jobs"
    count, claimed = documents.execute(left).fetchall()[0]
    assert count > 0
    assert claimed == 0


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, {}),
        (
            {
                "x-ratelimit-limit-requests": "3000",
                "x-ratelimit-remaining-requests": "2999",
                "x-ratelimit-reset-requests": "20ms",
                "x-ratelimit-limit-tokens": "150000",
                "x-ratelimit-remaining-tokens": "149984",
                "x-ratelimit-reset-tokens": "6m0s",
            },
            {"requests": pace.Told(3000, 2999, 0.02, 0.001), "tokens": pace.Told(150_000, 149_984, 360, 1)},
        ),
        (  # Azure names no time
            {"x-ratelimit-limit-tokens": "120000", "x-ratelimit-remaining-tokens": "119990"},
            {"tokens": pace.Told(120_000, 119_990)},
        ),
        (
            {
                "x-ratelimit-limit-req-minute": "4",
                "x-ratelimit-remaining-req-minute": "3",
                "x-ratelimit-limit-tokens-minute": "50000",
                "x-ratelimit-remaining-tokens-minute": "47300",
            },
            {"requests": pace.Told(4, 3), "tokens": pace.Told(50_000, 47_300)},
        ),
        ({"x-ratelimit-limit-req-minute": "0", "x-ratelimit-remaining-req-minute": "0"}, {}),
        (
            {"ratelimit-limit": "100", "ratelimit-remaining": "7", "ratelimit-reset": "30"},
            {"requests": pace.Told(100, 7, 30, 1)},
        ),
        ({"x-ratelimit-limit-tokens": "many", "x-ratelimit-remaining-tokens": "few"}, {}),
        ({"x-ratelimit-limit-tokens": "10"}, {}),
    ],
)
def test_headers_of_limits_are_understood(headers: dict[str, str], found: dict[str, pace.Told]) -> None:
    assert pace.told(headers) == found


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20ms", (0.02, 0.001)),
        ("1s", (1, 1)),
        ("1.25s", (1.25, 0.01)),
        ("6m0s", (360, 1)),
        ("1h2m3s", (3723, 1)),
        ("1m30.5s", (90.5, 0.1)),
        ("12", (12, 1)),
        ("0.5", (0.5, 0.1)),
        ("1800000030", (30, 1)),
        ("2027-01-15T08:00:30Z", (30, 1)),
        ("", None),
        ("soon", None),
        ("1s and more", None),
    ],
)
def test_times_until_a_limit_is_reset_are_understood(text: str, seconds: tuple[float, float] | None) -> None:
    assert pace.seconds(text, now=1_800_000_000.0) == (seconds and pytest.approx(seconds))
