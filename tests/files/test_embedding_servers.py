"""Servers that misbehave: nothing wrong is stored, nothing good is sent twice, every row that fails is named."""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from time import time
from typing import Any

import numpy as np
import pytest

from openai_server import Fault, OpenAIServer, vector_of
from pgvec_admin.database import Connection
from pgvec_admin.embedding import embed
from pgvec_admin.errors import ConnectionFailedError, DataRejectedError, PgvecError, UsageError
from pgvec_admin.providers import provider

ROWS, BATCH, BAD = 12, 6, "text 5"
Answer = dict[str, Any]
Behaviour = Callable[[list[str], Answer], Fault | None]


@dataclass(frozen=True)
class Case:
    """`failed`: the reason of row 005, where it alone fails; `stopped`: the error that ends the run, where one does."""

    name: str
    behave: Behaviour
    failed: str | None = None
    stopped: type[PgvecError] | None = None
    said: str = ""
    dialect: bool = False


def _one(name: str, fault: Fault | Callable[[Answer], Any], reason: str) -> Case:
    """A request with one of the texts goes wrong, and all others go well."""

    def behave(inputs: list[str], good: Answer) -> Fault | None:
        if BAD not in inputs:
            return None
        return fault if isinstance(fault, Fault) else Fault(body=fault(copy.deepcopy(good)))

    return Case(name, behave, failed=reason)


def _vector(name: str, vector: Any, reason: str) -> Case:
    """The vector of one of the texts is no good; the others of its batch are."""

    def behave(inputs: list[str], good: Answer) -> Fault | None:
        if BAD not in inputs:
            return None
        body = copy.deepcopy(good)
        body["data"][inputs.index(BAD)]["embedding"] = vector
        return Fault(body=body)

    return Case(name, behave, failed=reason)


def _large(name: str, fault: Fault) -> Case:
    """More texts than the server takes at once."""
    return Case(name, lambda inputs, good: fault if len(inputs) > 4 else None)


def _dialect(name: str, change: Callable[[Answer], Any]) -> Case:
    """Another way to say the same."""
    return Case(name, lambda inputs, good: Fault(body=change(copy.deepcopy(good))), dialect=True)


def _later(name: str, fault: Fault, stopped: type[PgvecError], said: str) -> Case:
    """Every request goes wrong once one batch went well, whatever its texts are."""
    asked: list[list[str]] = []

    def behave(inputs: list[str], good: Answer) -> Fault | None:
        asked.append(inputs)
        return None if len(asked) <= 2 else fault  # the first one finds the dimensions

    return Case(name, behave, stopped=stopped, said=said)


def _items(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Answer], Any]:
    def changed(good: Answer) -> Any:
        good["data"] = change(good["data"])
        return good

    return changed


def _numbered(number: Callable[[int], Any]) -> Callable[[Answer], Any]:
    def change(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**item, "index": number(place)} for place, item in enumerate(items)]

    return _items(change)


def _unnumbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in item.items() if key != "index"} for item in items]


def _without_zero(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*_unnumbered(items[:1]), *items[1:]]


def _floats(good: Answer) -> Answer:
    for item in good["data"]:
        item["embedding"] = np.frombuffer(base64.b64decode(item["embedding"]), np.float32).tolist()
    return good


def _told(text: str) -> dict[str, Any]:
    return {"error": {"message": text, "type": "server_error"}}


_QUICK = {"Retry-After-Ms": "1"}
_LARGE = _told("input is too large to process")
_NOT_OURS = "not one of an OpenAI embeddings endpoint"

CASES = [
    # a status for one text
    *(
        _one(f"status {status} for a text", Fault(status, _QUICK, _LARGE), "^input is too large to process")
        for status in (400, 402, 403, 404, 405, 408, 409, 413, 422, 500, 502, 503, 504)
    ),
    _one("an error as plain text", Fault(500, raw=b"tokenizer crashed"), "tokenizer crashed"),
    _one("an error as a page", Fault(502, raw=b"<html>Bad gateway</html>"), "status 502"),
    _one("an error without a body", Fault(500, raw=b""), "status 500"),
    _one("an error in a list", Fault(400, body=[_told("at most 2048 tokens")]), "^at most 2048 tokens$"),
    _one("an error of FastAPI", Fault(422, body={"detail": "too long"}), "^too long$"),
    _one("an error with a NUL", Fault(400, body=_told("bad \x00 byte")), "bad . byte"),
    # a status for too many texts
    *(
        _large(f"status {status} for a batch", Fault(status, _QUICK, _told("too many inputs")))
        for status in (400, 413, 422, 429, 500, 503)
    ),
    _large("a connection that is cut for a batch", Fault(cut=True)),
    _large("a connection that is dropped for a batch", Fault(drop=True)),
    _large("no answer in time for a batch", Fault(hang=True)),
    _large("fewer vectors for a batch", Fault(body={"data": []})),
    # 200, and no vectors
    _one("200 with an error", Fault(body=_told("out of memory")), "^out of memory$"),
    _one("200 with an error as text", Fault(body={"error": "model is loading"}), "^model is loading$"),
    _one("200 with an error and no data", Fault(body={**_told("overloaded"), "data": []}), "^overloaded$"),
    _one("200 with a page", Fault(raw=b"<html>Sign in</html>"), _NOT_OURS),
    _one("200 with nothing", Fault(raw=b""), _NOT_OURS),
    _one("200 with null", Fault(raw=b"null"), _NOT_OURS),
    _one("200 with a list", Fault(raw=b"[]"), _NOT_OURS),
    _one("200 with text", Fault(raw=b'"ok"'), _NOT_OURS),
    _one("JSON that ends early", Fault(raw=b'{"data": [{"index": 0, "embedding": [0.1, 0.2'), _NOT_OURS),
    _one("no data", lambda good: {"object": "list"}, _NOT_OURS),
    _one("null as data", lambda good: {"data": None}, _NOT_OURS),
    _one("items that are none", _items(lambda items: ["vector"] * len(items)), _NOT_OURS),
    _one("items without vectors", _items(lambda items: [{"index": item["index"]} for item in items]), _NOT_OURS),
    _one("a cut connection", Fault(cut=True), "cannot be reached"),
    _one("a dropped connection", Fault(drop=True), "cannot be reached"),
    _one("no answer in time", Fault(hang=True), "does not answer in time"),
    # vectors that do not pair with the texts
    _one("too few vectors", _items(lambda items: items[:-1]), _NOT_OURS),
    _one(
        "too many vectors",
        _items(lambda items: [*items, {**items[0], "index": len(items)}]),
        "answered 2 vectors for 1",
    ),
    _one("a vector twice", _items(lambda items: [*items, items[0]]), "answered 2 vectors for 1 texts"),
    _one("numbers from 1", _numbered(lambda place: place + 1), r"numbered \[1\]"),
    _one("negative numbers", _numbered(lambda place: -1 - place), r"numbered \[-1\]"),
    _one("numbers as text", _numbered(str), r"numbered \['0'\]"),
    _one("numbers with fractions", _numbered(lambda place: place + 0.5), r"numbered \[0.5\]"),
    Case(
        "the same number for all of a batch",
        lambda inputs, good: Fault(body=_numbered(lambda place: 0)(copy.deepcopy(good))),
    ),
    # vectors that are none, beside good ones
    _vector("NaN", [float("nan")] * 8, "NaN or infinity"),
    _vector("infinity", [float("inf")] * 8, "NaN or infinity"),
    _vector("beyond single precision", [1e300] * 8, "NaN or infinity"),
    _vector("null within", [None] * 8, "NaN or infinity|not one of"),
    _vector("zero", [0.0] * 8, "zero vector"),
    _vector("as good as zero", [1e-30] * 8, "zero vector"),
    _vector("too long to compare", [3e38] * 8, "too long to compare"),
    _vector("words", ["a"] * 8, _NOT_OURS),
    _vector("empty", [], _NOT_OURS),
    _vector("null", None, _NOT_OURS),
    _vector("a number", 0.5, _NOT_OURS),
    _vector("vectors within", [[0.5]] * 8, _NOT_OURS),
    _vector("fewer dimensions", [0.5] * 7, "answered vectors of 7 dimensions where 8 were expected"),
    _vector("more dimensions", [0.5] * 9, "answered vectors of 9 dimensions where 8 were expected"),
    _vector("no base64", "?", _NOT_OURS),
    _vector("base64 of half a number", "AAAAAAA=", _NOT_OURS),
    # dialects
    _dialect("floats", _floats),
    _dialect("another order", _items(lambda items: items[::-1])),
    _dialect("no numbers", _items(_unnumbered)),
    _dialect("no number 0", _items(_without_zero)),
    _dialect("no usage", lambda good: {key: value for key, value in good.items() if key != "usage"}),
    _dialect("null as usage", lambda good: {**good, "usage": None}),
    _dialect("usage in words", lambda good: {**good, "usage": {"total_tokens": "many"}}),
    _dialect("null as error", lambda good: {**good, "error": None}),
    _dialect("data alone", lambda good: {"data": good["data"]}),
    # the end of a run
    _later("a rest of an hour", Fault(429, {"Retry-After": "3600"}), ConnectionFailedError, "wait for 3600 s"),
    _later(
        "a rest until a date",
        Fault(503, {"Retry-After": formatdate(time() + 86_400, usegmt=True)}),
        ConnectionFailedError,
        r"wait for \d{5} s",
    ),
    _later(
        "a quota", Fault(429, _QUICK, _told("You exceeded your quota")), ConnectionFailedError, "exceeded your quota"
    ),
    _later("a server that has gone", Fault(drop=True), ConnectionFailedError, "cannot be reached"),
    _later("a proxy without a server", Fault(502, _QUICK, raw=b"<html>"), ConnectionFailedError, "answering 502"),
    _later("a key that was revoked", Fault(401, body=_told("revoked")), ConnectionFailedError, "does not let us use"),
    _later("a model that was removed", Fault(404, body=_told("no such model")), UsageError, "no such model"),
    _later("errors with 200", Fault(body=_told("no GPU")), ConnectionFailedError, "answers 200 with an error: no GPU"),
    _later("a page with 200", Fault(raw=b"<html>"), ConnectionFailedError, "does not answer as an OpenAI"),
    _later(
        "another model", Fault(body={"data": [{"index": 0, "embedding": [1.0]}]}), DataRejectedError, "of 1 dimensions"
    ),
    _later("a redirect to a page", Fault(302, {"Location": "/login"}), ConnectionFailedError, "does not answer as"),
    _later(
        "a redirect that goes round", Fault(307, {"Location": "/v1/embeddings"}), ConnectionFailedError, "redirects"
    ),
]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def documents(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 8)")
    return connection


def _fill(connection: Connection, count: int) -> None:
    connection.execute(
        "insert into documents (id, content) select to_char(n, 'FM000'), 'text ' || n from generate_series(1, %s) as n",
        (count,),
    )


def _embedded(connection: Connection) -> set[str]:
    """The ids of the rows with a vector, each of which has to be that of its text."""
    rows = connection.execute(
        "select id, content, embedding::text from documents where embedded_hash = content_hash"
    ).fetchall()
    assert all(np.array_equal(np.array(json.loads(vector), np.float32), vector_of(text)) for _, text, vector in rows)
    return {row[0] for row in rows}


def _marked(connection: Connection) -> set[str]:
    return {row[0] for row in connection.execute("select id from pgvec.embedding_jobs where attempts > 0").fetchall()}


def _assert_nothing_good_was_sent_again(api: OpenAIServer) -> None:
    done: set[str] = set()
    for request in api.requests:
        assert not done & set(request.inputs)
        if request.well:
            done |= set(request.inputs) - {"probe"}


def test_there_are_many_behaviours() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 80


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_a_server_that_misbehaves(documents: Connection, api: OpenAIServer, case: Case) -> None:
    _fill(documents, ROWS)
    every = {f"{number:03d}" for number in range(1, ROWS + 1)}
    api.behave = case.behave
    timeout = 0.5 if "in time" in case.name else 30.0
    model = provider("openai:small", base_url=api.url, max_retries=int("status" in case.name), timeout=timeout)
    result = embed.attempt(documents, "documents", model, batch=BATCH)

    failed = {"005"} if case.failed else set()
    assert {failure.id for failure in result.failures} == failed == _marked(documents)
    assert re.search(case.failed or "^$", result.failures[0].reason if failed else "")
    assert type(result.stopped) is (case.stopped or type(None))
    if result.stopped:
        assert re.search(case.said, result.stopped.message)
        assert result.stopped.hint
    assert _embedded(documents) == ({f"{n:03d}" for n in range(1, BATCH + 1)} if case.stopped else every - failed)
    _assert_nothing_good_was_sent_again(api)
    if case.dialect:
        assert api.batches == [1, BATCH, BATCH]

    api.behave = None
    again = embed.embed(documents, "documents", model, batch=BATCH)
    assert (again.failed, again.embedded) == (0, ROWS - result.embedded)
    assert _embedded(documents) == every
    assert _marked(documents) == set()
    _assert_nothing_good_was_sent_again(api)


def test_a_run_is_ended_by_a_server_that_refuses_every_text_from_some_time_on(
    documents: Connection, api: OpenAIServer
) -> None:
    _fill(documents, 60)
    model = provider("openai:small", base_url=api.url, max_retries=0)
    api.behave = lambda inputs, good: Fault(400, body=_told("closed")) if len(api.requests) > 1 else None
    result = embed.attempt(documents, "documents", model, batch=30)
    assert isinstance(result.stopped, UsageError)
    assert "refuses to embed: closed" in result.stopped.message
    assert result.failed == 20
    assert _embedded(documents) == {f"{number:03d}" for number in range(1, 31)}


def test_a_run_is_ended_by_a_server_that_embeds_nothing_but_the_probe(documents: Connection, api: OpenAIServer) -> None:
    _fill(documents, 130)
    model = provider("openai:small", base_url=api.url, max_retries=0)
    api.behave = lambda inputs, good: Fault(500, body=_told("no memory")) if inputs != ["probe"] else None
    result = embed.attempt(documents, "documents", model, batch=65)
    assert isinstance(result.stopped, ConnectionFailedError)
    assert "failed for 100 texts in a row: no memory" in result.stopped.message
    assert result.failed == 100
    # the next run begins with those that were not tried
    api.behave = None
    assert embed.embed(documents, "documents", model, limit=30).embedded == 30
    assert _embedded(documents) == {f"{number:03d}" for number in range(101, 131)}
