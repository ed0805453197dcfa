"""Servers that speak the OpenAI embeddings API in a dialect: their recorded answers and refusals, replayed."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from openai_server import Fault, OpenAIServer, vector_of
from pgvec_admin.errors import ConnectionFailedError
from pgvec_admin.providers import provider

TEXTS = [f"text {number}" for number in range(12)]
Item = dict[str, Any]


@dataclass(frozen=True)
class Server:
    """One vendor's ways. `answer`: the fields around `data`; `item`: one of its entries, from place and vector.

    `most`: texts a request, refused beyond with `too_many`; `too_long`: the refusal of a long text, and its reason.
    """

    name: str
    answer: dict[str, Any]
    tokens: int
    most: int = 2048
    too_many: Fault = field(default_factory=Fault)
    too_long: tuple[Fault, str] = field(default_factory=lambda: (Fault(), ""))
    base64: bool = False
    numbered: bool = True
    first_number: bool = True
    reordered: bool = False

    def item(self, place: int, text: str) -> Item:
        vector = vector_of(text)
        shown: Any = [float(value) for value in vector]
        if self.base64:
            shown = base64.b64encode(struct.pack("<8f", *vector)).decode()
        item: Item = {"object": "embedding", "embedding": shown}
        if self.numbered and (place or self.first_number):
            item["index"] = place
        return item

    def reply(self, inputs: list[str], body: dict[str, Any]) -> Fault:
        if len(inputs) > self.most:
            return self.too_many
        if any(len(text) > 1000 for text in inputs):
            return self.too_long[0]
        data = [self.item(place, text) for place, text in enumerate(inputs)]
        if self.reordered:
            data = data[::2] + data[1::2]
        return Fault(body=self.answer | {"data": data})


SERVERS = [
    Server(
        "OpenAI",
        {"object": "list", "model": "text-embedding-3-small", "usage": {"prompt_tokens": 24, "total_tokens": 24}},
        24,
        too_many=Fault(400, body={"error": {"message": "Invalid 'input': array too long", "code": "array_above_max"}}),
        too_long=(
            Fault(
                400,
                body={
                    "error": {
                        "message": "This model's maximum context length is 8192 tokens, however you requested 9001",
                        "type": "invalid_request_error",
                        "param": None,
                        "code": None,
                    }
                },
            ),
            "maximum context length is 8192 tokens",
        ),
        base64=True,
    ),
    Server(
        "Ollama",
        {"object": "list", "model": "nomic-embed-text", "usage": {"prompt_tokens": 36, "total_tokens": 36}},
        36,
        too_long=(
            Fault(
                400,
                body={
                    "error": {
                        "message": "the input length exceeds the context length",
                        "type": "invalid_request_error",
                        "param": None,
                        "code": None,
                    }
                },
            ),
            "the input length exceeds the context length",
        ),
    ),
    Server(
        "TEI",
        {"object": "list", "model": "BAAI/bge-base", "usage": {"prompt_tokens": 48, "total_tokens": 48}},
        48,
        most=4,
        too_many=Fault(
            422,
            body={
                "message": "batch size 12 > maximum allowed batch size 4",
                "code": 422,
                "type": "Validation",
            },
        ),
        too_long=(
            Fault(
                413,
                body={
                    "message": "Input validation error: `inputs` must have less than 512 tokens. Given: 534",
                    "code": 413,
                    "type": "Validation",
                },
            ),
            "must have less than 512 tokens. Given: 534",
        ),
        reordered=True,
    ),
    Server(
        "Gemini",
        {"object": "list", "model": "gemini-embedding-001"},
        0,
        most=5,
        too_many=Fault(
            400,
            body=[
                {
                    "error": {
                        "code": 400,
                        "message": "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch",
                        "status": "INVALID_ARGUMENT",
                    }
                }
            ],
        ),
        too_long=(
            Fault(
                400,
                body=[
                    {
                        "error": {
                            "code": 400,
                            "message": "The input token count exceeds the maximum number of tokens allowed (2048).",
                            "status": "INVALID_ARGUMENT",
                        }
                    }
                ],
            ),
            "exceeds the maximum number of tokens",
        ),
        first_number=False,
    ),
    Server(
        "Voyage",
        {"object": "list", "model": "voyage-3.5", "usage": {"total_tokens": 60}},
        60,
        most=6,
        too_many=Fault(
            400,
            body={
                "detail": "Request to model 'voyage-3.5' failed. The max allowed tokens per submitted batch is 120000."
                " Your batch has 138171 tokens after truncation. Please lower the number of tokens in the batch."
            },
        ),
        too_long=(
            Fault(400, body={"detail": "The example at index 0 has too many tokens for the model context window."}),
            "has too many tokens for the model context window",
        ),
        base64=True,
    ),
    Server(
        "Cohere",
        {"object": "list", "model": "embed-v4.0", "usage": {"prompt_tokens": 0, "total_tokens": 0}},
        0,
        most=8,
        too_many=Fault(
            400,
            body={"id": "e1", "message": "invalid request: total number of texts must be at most 96 - received 100"},
        ),
        too_long=(
            Fault(400, body={"message": "too many tokens: total number of tokens in the prompt exceeds the limit"}),
            "exceeds the limit",
        ),
    ),
    Server(
        "Mistral",
        {
            "id": "e",
            "object": "list",
            "model": "mistral-embed",
            "usage": {"prompt_audio_seconds": None, "prompt_tokens": 72, "total_tokens": 72, "completion_tokens": 0},
        },
        72,
        most=7,
        too_many=Fault(
            400,
            body={
                "object": "error",
                "message": "Too many tokens overall, split into more batches.",
                "type": "invalid_request_prompt",
                "param": None,
                "code": "3210",
            },
        ),
        too_long=(
            Fault(
                400,
                body={
                    "object": "error",
                    "message": "Input id 0 has 9001 tokens, exceeding max 8192 tokens.",
                    "type": "invalid_request_prompt",
                },
            ),
            "exceeding max 8192 tokens",
        ),
    ),
    Server(
        "vLLM",
        {
            "id": "embd-1",
            "object": "list",
            "created": 1,
            "model": "e5",
            "usage": {"prompt_tokens": 24, "total_tokens": 24, "completion_tokens": 0, "prompt_tokens_details": None},
        },
        24,
        too_long=(
            Fault(
                400,
                body={
                    "object": "error",
                    "message": "This model's maximum context length is 512 tokens.",
                    "type": "BadRequestError",
                    "param": None,
                    "code": 400,
                },
            ),
            "maximum context length is 512 tokens",
        ),
        base64=True,
    ),
    Server("LM Studio", {"object": "list", "model": "x", "usage": {"prompt_tokens": 0, "total_tokens": 0}}, 0),
    Server("a server that numbers nothing", {}, 0, numbered=False),
]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with OpenAIServer() as server:
        yield server


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server.name.replace(" ", "-"))
def test_the_vectors_of_a_dialect_are_those_of_the_texts(api: OpenAIServer, server: Server) -> None:
    api.behave = server.reply
    model = provider("openai:small", base_url=api.url, max_retries=0)
    assert model.dimensions == 8
    answer = model.embed_passages(TEXTS)
    assert answer.failures == {}
    assert np.array_equal(answer.vectors, np.vstack([vector_of(text) for text in TEXTS]))
    parts = sum(1 for request in api.requests if 1 < len(request.inputs) <= server.most)
    assert answer.tokens == server.tokens * parts
    seen = len(api.requests)
    assert model.embed_passages(TEXTS).failures == {}
    assert max(api.batches[seen:]) <= server.most  # what it takes at once is known now


@pytest.mark.parametrize(
    "server", [server for server in SERVERS if server.too_long[1]], ids=lambda server: server.name.replace(" ", "-")
)
def test_a_text_that_a_dialect_finds_too_long_fails_alone(api: OpenAIServer, server: Server) -> None:
    api.behave = server.reply
    model = provider("openai:small", base_url=api.url, max_retries=0)
    answer = model.embed_passages(["a", "long " * 300, "b"])
    assert list(answer.failures) == [1]
    assert server.too_long[1] in answer.failures[1]
    assert np.array_equal(answer.vectors[[0, 2]], np.vstack([vector_of("a"), vector_of("b")]))


@pytest.mark.parametrize(
    "refusal",
    [
        Fault(  # vLLM before 0.5.2
            400,
            body={
                "object": "error",
                "message": "base64 encoding is not currently supported",
                "type": "BadRequestError",
                "param": None,
                "code": 400,
            },
        ),
        Fault(  # servers that know their fields, by pydantic
            422,
            body={"detail": [{"type": "extra_forbidden", "loc": ["body", "encoding_format"], "input": "base64"}]},
        ),
    ],
)
def test_a_server_that_refuses_base64_is_asked_for_numbers(api: OpenAIServer, refusal: Fault) -> None:
    api.refuses_base64 = refusal
    model = provider("openai:small", base_url=api.url, max_retries=0)
    assert np.array_equal(model.embed_passages(["a"]).vectors[0], vector_of("a"))
    assert np.array_equal(model.embed_query("b"), vector_of("b"))
    assert [request.body["encoding_format"] for request in api.requests] == ["base64", *["float"] * 3]


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(429, {"Retry-After": "1"}, body={"message": "Rate limit exceeded"}), 1.0),
        (
            Fault(  # Gemini
                429,
                body=[
                    {
                        "error": {
                            "code": 429,
                            "message": "You exceeded your current quota",
                            "status": "RESOURCE_EXHAUSTED",
                            "details": [
                                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s"},
                            ],
                        }
                    }
                ],
            ),
            1.5,
        ),
        (Fault(429, body={"message": "You are using a Trial key, which is limited to 40 API calls / minute."}), 1.0),
        (Fault(429, body={"message": "Model is overloaded", "code": 429, "type": "Overloaded"}), 1.0),
    ],
    ids=["Mistral", "Gemini", "Cohere", "TEI"],
)
def test_the_rest_that_a_dialect_wants_is_taken(api: OpenAIServer, fault: Fault, seconds: float) -> None:
    model = provider("openai:small", base_url=api.url, max_retries=3)
    assert model.dimensions == 8
    api.faults.append(fault)
    assert np.array_equal(model.embed_passages(["x"]).vectors[0], vector_of("x"))
    _, refused, again = api.requests
    assert again.arrived - refused.answered >= 0.98 * seconds


def test_a_model_that_ollama_has_not_pulled_is_told(api: OpenAIServer) -> None:
    said = 'model "small" not found, try pulling it first'
    api.behave = lambda *_: Fault(404, body={"error": {"message": said, "type": "api_error", "code": None}})
    with pytest.raises(Exception, match=said):
        provider("openai:small", base_url=api.url, max_retries=0).embed_passages(["a"])


def test_a_plan_of_mistral_without_the_model_is_told(api: OpenAIServer) -> None:
    headers = {"x-ratelimit-limit-req-minute": "0", "x-ratelimit-remaining-req-minute": "0", "Retry-After-Ms": "1"}
    api.behave = lambda *_: Fault(429, headers, body={"object": "error", "message": "Rate limit exceeded"})
    with pytest.raises(ConnectionFailedError, match="Rate limit exceeded"):
        provider("openai:small", base_url=api.url, max_retries=1).embed_passages(["a"])
