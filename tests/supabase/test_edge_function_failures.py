"""What goes wrong around the Edge Function charges no row that is not at fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edge_function import (
    KEY,
    Function,
    Rows,
    World,
    assert_embedded,
    restored,
    some_texts,
    working,
)
from openai_server import Fault, OpenAIServer
from pgvec_admin.server import embedded
from supabase_project import Project


@pytest.fixture(scope="module")
def world(platform: embedded.Server, installed: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with working(platform, installed, tmp_path_factory.mktemp("edge")) as made:
        yield made


@pytest.fixture
def function(world: World) -> Function:
    return world[2]


@pytest.fixture
def provider(world: World) -> OpenAIServer:
    return restored(world[1])


@pytest.fixture(scope="module")
def collection(world: World) -> Rows:
    return Rows(world[0])


@pytest.fixture
def rows(collection: Rows) -> Rows:
    """An empty collection of 8 dimensions; the trigger of its table empties its queue."""
    collection.sql(f"delete from {collection.name}")
    assert collection.jobs() == []
    return collection


FAILURES = {
    "rate limit": Fault(429, {"Retry-After": "7"}),
    "rate limit in milliseconds": Fault(429, {"retry-after-ms": "7000"}),
    "rate limit that names no time": Fault(429),
    "wrong key": Fault(401, body={"error": {"message": f"Incorrect API key provided: {KEY}"}}),
    "no such model": Fault(404),
    "server error": Fault(500),
    "unavailable": Fault(503, {"Retry-After": "7"}, raw=b"<html>Service Unavailable</html>"),
    "lost connection": Fault(drop=True),
    "a refusal of everything": Fault(400),
    "a page instead of an answer": Fault(raw=b"<html>Sign in</html>"),
    "an error with status 200": Fault(body={"error": {"message": "overloaded"}}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_of_the_provider_charges_no_row(
    failure: str, rows: Rows, function: Function, provider: OpenAIServer
) -> None:
    fault = FAILURES[failure]
    rows.write(some_texts(5))
    provider.behave = lambda inputs, answer: fault
    answer = function.call(collection=rows.name, batch=3)
    assert answer.status_code == 503
    told = answer.json()
    assert {**told, "error": ""} == {
        "collection": rows.name,
        "embedded": 0,
        "failed": 0,
        "released": 3,
        "more": True,
        "error": "",
    }
    assert told["error"]
    # Deno itself sends a request again whose connection was lost
    assert {tuple(request.inputs) for request in provider.requests} <= {
        ("text 0", "text 1", "text 2"),
        ("probe",),
    }, "it asks for one word, and then no more"
    assert rows.jobs() == [(f"text-{number}", 0, None) for number in range(5)]
    waits = rows.sql(
        "select extract(epoch from due_at - clock_timestamp())::float8 from pgvec.embedding_jobs"
        " where collection = %s and due_at > clock_timestamp()",
        rows.name,
    )
    wanted = 7 if any(name.lower().startswith("retry-after") for name in fault.headers) else 60
    assert len(waits) == 3
    assert all(wanted - 5 < wait <= wanted for (wait,) in waits)
    assert (
        rows.sql("select worker from pgvec.embedding_jobs where collection = %s and worker is not null", rows.name)
        == []
    )

    provider.behave = None
    rows.make_due()
    assert function.call(collection=rows.name).json()["embedded"] == 5
    assert_embedded(rows, some_texts(5))


def _bad_answer(change: Any) -> Any:
    """A server whose answer for a text `bad` differs."""

    def behave(inputs: list[str], answer: dict[str, Any]) -> Fault | None:
        for item, text in zip(answer["data"], inputs, strict=True):
            if text == "bad":
                change(item, answer["data"])
                return Fault(body=answer)
        return None

    return behave


REFUSALS = {
    "refused with 400": (Fault(400), "fault 400"),
    "refused with 413": (Fault(413), "fault 413"),
    "refused with 422": (Fault(422, body={"detail": "too\nlong"}), "too long"),
    "a text that the server fails for": (Fault(500), "the provider answered 500: fault 500"),
    "a text that the connection is lost for": (Fault(drop=True), "no answer"),
    "an item that is missing": (lambda item, data: data.remove(item), "vectors for"),
    "a vector that is null": (lambda item, data: item.update(embedding=None), "no vector for a text"),
    "an item that is null": (lambda item, data: data.__setitem__(data.index(item), None), "no vector for a text"),
    "NaN": (lambda item, data: item["embedding"].__setitem__(0, float("nan")), "vectors"),
    "infinity as float4": (lambda item, data: item["embedding"].__setitem__(0, 1e39), "NaN or infinity"),
    "a null in a vector": (lambda item, data: item["embedding"].__setitem__(0, None), "NaN or infinity"),
    "other dimensions": (lambda item, data: item["embedding"].pop(), "7 dimensions where 8 were expected"),
    "a zero vector": (lambda item, data: item.update(embedding=[0.0] * 8), "zero vector"),
    "a vector that rounds to zero": (lambda item, data: item.update(embedding=[1e-60] * 8), "zero vector"),
    "a number of no text": (lambda item, data: item.update(index=99), "no vector for a text"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_text_at_fault_fails_alone(refusal: str, rows: Rows, function: Function, provider: OpenAIServer) -> None:
    fault, reason = REFUSALS[refusal]
    good = some_texts(7)
    rows.write([*good[:4], "bad", *good[4:]])
    if isinstance(fault, Fault):
        provider.behave = lambda inputs, answer: fault if "bad" in inputs else None
    else:
        provider.behave = _bad_answer(fault)
    answer = function.call(collection=rows.name)
    assert answer.json() == {"collection": rows.name, "embedded": 7, "failed": 1, "released": 0, "more": False}
    assert_embedded(rows, good)
    ((name, attempts, told),) = rows.jobs()
    assert (name, attempts) == ("bad", 1)
    assert reason in (told or "")
    assert "\n" not in (told or "")
    provider.requests.clear()
    assert function.call(collection=rows.name).json()["embedded"] == 0
    assert provider.requests == [], "it waits"


def test_an_error_that_passes_charges_nothing(rows: Rows, function: Function, provider: OpenAIServer) -> None:
    rows.write(["only one"])
    provider.faults.append(Fault(500))
    assert function.call(collection=rows.name).json()["embedded"] == 1
    assert_embedded(rows, ["only one"])


@pytest.mark.parametrize("numbering", ["reversed", "none", "without zero"])
def test_vectors_belong_to_the_texts_by_their_numbers(
    numbering: str, rows: Rows, function: Function, provider: OpenAIServer
) -> None:
    def behave(inputs: list[str], answer: dict[str, Any]) -> Fault:
        data = answer["data"]
        if numbering == "reversed":
            data.reverse()
        for item in data:
            if numbering == "none" or (numbering == "without zero" and item["index"] == 0):
                del item["index"]
        return Fault(body=answer)

    provider.behave = behave
    rows.write(some_texts(5))
    assert function.call(collection=rows.name).json()["embedded"] == 5
    assert len(provider.requests) == 1
    assert_embedded(rows, some_texts(5))


def test_a_vector_that_the_database_refuses_fails_alone(
    world: tuple[Project, OpenAIServer, Function], provider: OpenAIServer
) -> None:
    rows = Rows(world[0], storage="halfvec")
    rows.write([*some_texts(4), "huge"])
    provider.vectors["huge"] = [1e6] * 8
    assert world[2].call(collection=rows.name).json() == {
        "collection": rows.name,
        "embedded": 4,
        "failed": 1,
        "released": 0,
        "more": False,
    }
    ((name, attempts, reason),) = rows.jobs()
    assert (name, attempts) == ("huge", 1)
    assert "halfvec" in (reason or "")
