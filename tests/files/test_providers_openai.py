"""Models behind the OpenAI API: what is sent, and what becomes of faults, refusals and answers of every dialect."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import numpy as np
import pytest

from openai_server import Fault, OpenAIServer, vector_of
from pgvec_admin.errors import ConnectionFailedError, DataRejectedError, UsageError
from pgvec_admin.providers import Provider, answers, provider

SOON = {"Retry-After-Ms": "5"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with OpenAIServer() as server:
        yield server


def _remote(api: OpenAIServer, name: str = "small", timeout: float = 30.0, **options: int | None) -> Provider:
    batch, dimensions = options.get("batch"), options.get("dimensions")
    max_retries = options.get("max_retries")
    return provider(
        f"openai:{name}",
        base_url=api.url,
        batch=batch,
        dimensions=dimensions,
        max_retries=3 if max_retries is None else max_retries,
        timeout=timeout,
    )


# --- OpenAI: answers


@pytest.mark.parametrize("floats_only", [False, True])
def test_vectors_come_back_as_the_server_made_them_in_the_order_of_the_texts(
    api: OpenAIServer, floats_only: bool
) -> None:
    api.floats_only, api.shuffled = floats_only, True
    texts = [f"text {number}" for number in range(20)]
    answer = _remote(api).embed_passages(texts)
    assert np.array_equal(answer.vectors, np.vstack([vector_of(text) for text in texts]))
    assert answer.tokens == 40
    assert answer.failures == {}


def test_the_dimensions_of_an_unknown_model_are_found_by_one_word(api: OpenAIServer) -> None:
    assert _remote(api).dimensions == 8
    assert [request.inputs for request in api.requests] == [["probe"]]


def test_a_server_of_ones_own_needs_no_key(api: OpenAIServer) -> None:
    _remote(api).embed_query("x")
    assert api.requests[0].authorization == "Bearer none"


def test_the_key_given_is_sent(api: OpenAIServer) -> None:
    api.key = "sk-right"
    assert provider("openai:small", base_url=api.url, api_key="sk-right").embed_query("x").shape == (8,)


def test_a_model_that_can_is_asked_for_fewer_dimensions(api: OpenAIServer) -> None:
    remote = _remote(api, "text-embedding-3-large", dimensions=8)
    assert remote.dimensions == 8
    assert remote.embed_passages(["x"]).vectors.shape == (1, 8)
    assert [request.body.get("dimensions") for request in api.requests] == [8]


@pytest.mark.parametrize("name", ["text-embedding-ada-002", "small"])
def test_a_model_that_cannot_is_not_asked_for_fewer_dimensions(api: OpenAIServer, name: str) -> None:
    api.dimensions = 1536
    remote = _remote(api, name, dimensions=8)
    assert remote.dimensions == 1536
    remote.embed_query("x")
    assert all("dimensions" not in request.body for request in api.requests)


def test_prefixes_are_sent_and_can_be_replaced(api: OpenAIServer) -> None:
    known = _remote(api, "nomic-embed-text")
    known.embed_query("q")
    known.embed_passages(["p"])
    own = provider("openai:nomic-embed-text", base_url=api.url, query_prefix="", passage_prefix="doc: ")
    own.embed_query("q")
    own.embed_passages(["p"])
    assert [request.inputs for request in api.requests] == [
        ["search_query: q"],
        ["search_document: p"],
        ["q"],
        ["doc: p"],
    ]


# --- OpenAI: batches


def test_requests_hold_no_more_texts_than_the_batch(api: OpenAIServer) -> None:
    _remote(api, batch=3).embed_passages([str(number) for number in range(8)])
    assert api.batches == [1, 3, 3, 2]  # the first one finds the dimensions


def test_requests_hold_no_more_tokens_than_the_limit(api: OpenAIServer) -> None:
    texts = [f"{number:03d}" + "x" * 20_000 for number in range(100)]
    assert _remote(api).embed_passages(texts).failures == {}
    sizes = [sum(len(text) for text in request.inputs) for request in api.requests]
    assert max(sizes) <= 3 * 250_000
    assert len(sizes) == 1 + 3


def test_a_text_that_is_too_long_fails_alone_in_a_request_of_its_own(api: OpenAIServer) -> None:
    answer = _remote(api).embed_passages(["a", "y" * 40_000, "b", "z" * 30_000])
    assert answer.failures == {1: "This model's maximum context length is 8192 tokens"}
    assert np.array_equal(answer.vectors[3], vector_of("z" * 30_000))
    assert sorted(api.batches) == [1, 1, 1, 2]


def test_a_poisoned_text_fails_alone_and_costs_few_requests(api: OpenAIServer) -> None:
    texts = [f"text {number}" for number in range(64)]
    api.poison = {"text 41"}
    answer = _remote(api).embed_passages(texts)
    assert answer.failures == {41: "Invalid 'input': this text cannot be embedded"}
    assert np.isnan(answer.vectors[41]).all()
    others = [index for index in range(64) if index != 41]
    assert np.array_equal(answer.vectors[others], np.vstack([vector_of(texts[index]) for index in others]))
    assert len(api.requests) == 1 + 1 + 2 * 6  # the probe, the batch, and two halves at each of log2(64) steps


def test_a_server_that_takes_fewer_texts_at_once_is_given_fewer(api: OpenAIServer) -> None:
    api.most_inputs = 8
    remote = _remote(api, batch=32)
    assert remote.embed_passages([str(number) for number in range(32)]).failures == {}
    seen = len(api.requests)
    assert remote.embed_passages([f"more {number}" for number in range(32)]).failures == {}
    assert api.batches[seen:] == [8, 8, 8, 8]


def test_a_server_that_refuses_everything_ends_the_run_at_once(api: OpenAIServer) -> None:
    api.faults.extend([Fault(400)] * 2)
    with pytest.raises(UsageError, match=r"openai:text-embedding-3-small at .* refuses to embed: fault 400"):
        _remote(api, "text-embedding-3-small").embed_passages(["a"] * 100)
    assert api.batches == [100, 1]


@pytest.mark.parametrize(
    ("vector", "reason"),
    [
        ([0.0] * 8, "the model answered a zero vector"),
        ([float("nan")] * 8, "the model answered a vector with NaN or infinity"),
        ([float("inf")] + [0.0] * 7, "the model answered a vector with NaN or infinity"),
    ],
)
def test_a_vector_without_direction_fails_its_text_alone(api: OpenAIServer, vector: list[float], reason: str) -> None:
    api.vectors["bad"] = vector
    answer = _remote(api).embed_passages(["good", "bad"])
    assert answer.failures == {1: reason}
    assert np.array_equal(answer.vectors[0], vector_of("good"))
    with pytest.raises(DataRejectedError, match=reason):
        _remote(api).embed_query("bad")


# --- OpenAI: faults


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_fault_is_tried_again(api: OpenAIServer, status: int) -> None:
    api.faults.extend([Fault(status, SOON), Fault(status, SOON)])
    assert np.array_equal(_remote(api).embed_query("x"), vector_of("x"))
    assert len(api.requests) == 3


def test_retry_after_in_seconds_is_waited_for(api: OpenAIServer) -> None:
    api.faults.append(Fault(429, {"Retry-After": "1"}))
    assert np.array_equal(_remote(api).embed_query("x"), vector_of("x"))
    first, second = api.requests
    assert second.arrived - first.answered >= 1.0


def test_retry_after_in_milliseconds_is_waited_for(api: OpenAIServer) -> None:
    api.faults.append(Fault(503, {"Retry-After-Ms": "300"}))
    assert np.array_equal(_remote(api).embed_query("x"), vector_of("x"))
    first, second = api.requests
    assert second.arrived - first.answered >= 0.3


def test_retry_after_as_a_date_is_waited_for(api: OpenAIServer) -> None:
    due = int(time.time()) + 2
    api.faults.append(Fault(429, {"Retry-After": formatdate(due, usegmt=True)}))
    assert np.array_equal(_remote(api).embed_query("x"), vector_of("x"))
    assert time.time() >= due
    assert len(api.requests) == 2


def test_a_fault_that_does_not_pass_is_reported_after_the_last_try(api: OpenAIServer) -> None:
    api.faults.extend([Fault(429, SOON)] * 4)
    with pytest.raises(ConnectionFailedError, match="keeps answering 429: fault 429") as caught:
        _remote(api).embed_query("x")
    assert len(api.requests) == 4
    assert "goes on where it stopped" in str(caught.value.hint)


def test_a_server_that_wants_a_long_rest_is_not_waited_for(api: OpenAIServer) -> None:
    api.faults.append(Fault(429, {"Retry-After": "3600"}))
    with pytest.raises(ConnectionFailedError, match="it says to wait for 3600 s"):
        _remote(api).embed_query("x")
    assert len(api.requests) == 1


def test_a_cut_connection_is_tried_again(api: OpenAIServer) -> None:
    api.faults.append(Fault(cut=True))
    assert np.array_equal(_remote(api).embed_query("x"), vector_of("x"))
    assert len(api.requests) == 2


def test_an_answer_that_does_not_come_is_tried_again(api: OpenAIServer) -> None:
    api.faults.append(Fault(hang=True))
    assert np.array_equal(_remote(api, timeout=2.0).embed_query("x"), vector_of("x"))
    assert len(api.requests) == 2


def test_a_server_that_never_answers_is_reported(api: OpenAIServer) -> None:
    api.faults.append(Fault(hang=True))
    with pytest.raises(ConnectionFailedError, match="does not answer in time"):
        _remote(api, timeout=0.3, max_retries=0).embed_query("x")


def test_a_server_that_is_not_there_is_reported() -> None:
    with OpenAIServer() as gone:
        url = gone.url
    with pytest.raises(ConnectionFailedError, match="cannot be reached"):
        provider("openai:small", base_url=url, max_retries=0).embed_query("x")


def test_a_wrong_key_is_reported_at_once(api: OpenAIServer) -> None:
    api.key = "sk-right"
    with pytest.raises(ConnectionFailedError, match="Incorrect API key provided") as caught:
        _remote(api).embed_passages(["a", "b"])
    assert "OPENAI_API_KEY" in str(caught.value.hint)
    assert len(api.requests) == 1


def test_a_model_that_the_server_does_not_have_is_reported_at_once(api: OpenAIServer) -> None:
    api.models = {"large"}
    with pytest.raises(UsageError, match="The model `small` does not exist"):
        _remote(api).embed_passages(["a", "b"])
    assert len(api.requests) == 1


def test_a_server_that_answers_other_dimensions_than_promised_is_refused(api: OpenAIServer) -> None:
    remote = _remote(api)
    assert remote.dimensions == 8
    api.dimensions = 5
    with pytest.raises(DataRejectedError, match="answered vectors of 5 dimensions where 8 were expected"):
        remote.embed_passages(["a"])


@pytest.mark.parametrize("indexes", [[0], [0, 0], [0, 2], [0, 1, 2]])
def test_answers_that_do_not_pair_with_the_texts_are_refused(api: OpenAIServer, indexes: list[int]) -> None:
    data = [{"object": "embedding", "index": index, "embedding": [1.0] * 8} for index in indexes]
    remote = _remote(api, "text-embedding-3-small", dimensions=8)
    api.faults.append(Fault(body={"object": "list", "model": "m", "data": data}))
    answer = remote.embed_passages(["a", "b"])
    assert np.array_equal(answer.vectors, np.vstack([vector_of("a"), vector_of("b")]))
    assert [request.inputs for request in api.requests] == [["a", "b"], ["probe"], ["a"], ["b"]]
    if len(indexes) > 1:
        api.faults.append(Fault(body={"object": "list", "model": "m", "data": data}))
        with pytest.raises(DataRejectedError, match=f"answered {len(indexes)} vectors for 1 texts"):
            remote.embed_query("a")


# --- OpenAI: other vendors


AZURE = "/openai/deployments/small"


@pytest.mark.parametrize(
    "base",
    [
        f"{AZURE}?api-version=2024-02-01",
        f"{AZURE}/embeddings?api-version=2024-02-01",
        f"{AZURE}/?api-version=2024-02-01",
        "/openai?api-version=2024-02-01",
        "?api-version=2024-02-01",
        "/?api-version=2024-02-01",
    ],
)
@pytest.mark.parametrize("variable", [None, "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"])
def test_a_deployment_of_azure_gets_its_version_and_its_header(
    api: OpenAIServer, monkeypatch: pytest.MonkeyPatch, base: str, variable: str | None
) -> None:
    if variable:
        monkeypatch.setenv(variable, "k-azure")
    api.path = f"{AZURE}/embeddings"
    root = api.url.removesuffix("/v1")
    remote = provider("openai:small", base_url=root + base, api_key=None if variable else "k-azure", max_retries=0)
    assert np.array_equal(remote.embed_query("x"), vector_of("x"))
    (request,) = api.requests
    assert request.path == f"{AZURE}/embeddings?api-version=2024-02-01"
    assert request.headers["api-key"] == "k-azure"
    assert request.authorization is None


def test_the_newer_api_of_azure_gets_its_version_too(api: OpenAIServer) -> None:
    api.path = "/openai/v1/embeddings"
    root = api.url.removesuffix("/v1")
    remote = provider("openai:small", base_url=f"{root}/openai/v1/?api-version=preview", api_key="k-azure")
    assert np.array_equal(remote.embed_query("x"), vector_of("x"))
    assert api.requests[0].path == "/openai/v1/embeddings?api-version=preview"
    assert api.requests[0].headers["api-key"] == "k-azure"


def test_azure_wants_a_key_before_anything_is_sent(api: OpenAIServer) -> None:
    with pytest.raises(UsageError, match="no key for openai:small"):
        provider("openai:small", base_url=f"{api.url}?api-version=1").embed_query("x")
    assert api.requests == []


def test_a_query_in_the_base_url_is_sent_and_not_told(api: OpenAIServer) -> None:
    remote = provider("openai:small", base_url=f"{api.url}/embeddings?key=s3cret", max_retries=0)
    assert np.array_equal(remote.embed_query("x"), vector_of("x"))
    assert api.requests[0].path == "/v1/embeddings?key=s3cret"
    api.faults.append(Fault(503))
    with pytest.raises(ConnectionFailedError) as caught:
        remote.embed_query("x")
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize("url", ["localhost:11434/v1", "ftp://127.0.0.1/v1", "http://", "/v1", "http:///v1"])
def test_what_is_no_address_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no address of a server"):
        provider("openai:small", base_url=url)


def test_a_server_that_takes_a_hundred_texts_at_once_and_numbers_them_its_own_way(api: OpenAIServer) -> None:
    """As Gemini does."""

    def behave(inputs: list[str], good: dict[str, Any]) -> Fault:
        if len(inputs) > 100:
            error = {"code": 400, "message": "at most 100 requests can be in one batch", "status": "INVALID_ARGUMENT"}
            return Fault(400, body=[{"error": error}])
        first, *others = good["data"]
        return Fault(body={"object": "list", "data": [{"embedding": first["embedding"]}, *others], "model": "small"})

    api.behave = behave
    texts = [f"text {number}" for number in range(300)]
    answer = _remote(api).embed_passages(texts)
    assert answer.failures == {}
    assert np.array_equal(answer.vectors, np.vstack([vector_of(text) for text in texts]))
    assert _remote(api).embed_query("x").shape == (8,)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after-ms": "?", "retry-after": "9"}, 9),
        ({"retry-after": "Sun, 99 Nov 2026 00:00:00 GMT"}, None),
    ],
)
def test_the_rest_that_a_server_wants_is_understood(headers: dict[str, str], seconds: float | None) -> None:
    assert answers.wait_of(headers) == seconds


def test_the_rest_that_a_server_wants_may_be_a_date() -> None:
    found = answers.wait_of({"retry-after": formatdate(time.time() + 600, usegmt=True)})
    assert found == pytest.approx(600, abs=60)


@pytest.mark.parametrize(
    "body", [{}, {"data": []}, {"data": [{"index": 0}]}, {"data": [{"index": 0, "embedding": "?"}]}]
)
def test_a_server_that_speaks_something_else_is_reported(api: OpenAIServer, body: dict[str, object]) -> None:
    api.faults.append(Fault(body=body))
    with pytest.raises(ConnectionFailedError, match="does not answer as an OpenAI embeddings endpoint"):
        _remote(api).embed_query("x")


def test_an_empty_text_is_not_sent(api: OpenAIServer) -> None:
    answer = _remote(api).embed_passages([" ", ""])
    assert answer.failures == {0: "the text is empty", 1: "the text is empty"}
    assert api.requests == []
