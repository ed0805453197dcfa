"""supabase/functions/embed, in Deno: against PostgREST, and a server that speaks OpenAI's API."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from edge_function import (
    DENO,
    KEY,
    SERVICE_KEY,
    SOURCE,
    Function,
    Rows,
    World,
    asked_for,
    assert_embedded,
    restored,
    some_texts,
    working,
)
from openai_server import Fault, OpenAIServer
from pgvec_admin.server import embedded
from supabase_project import SUPERUSER, Project, conninfo, token


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


def test_rows_written_by_rest_are_embedded(rows: Rows, function: Function, provider: OpenAIServer) -> None:
    texts = some_texts(25)
    rows.write(texts)
    answer = function.call(collection=rows.name, batch=10)
    assert answer.status_code == 200
    assert answer.json() == {"collection": rows.name, "embedded": 25, "failed": 0, "released": 0, "more": False}
    assert_embedded(rows, texts)
    assert rows.jobs() == []
    assert provider.batches == [10, 10, 5]
    asked = provider.requests[0]
    assert (asked.body["model"], asked.body["dimensions"]) == ("text-embedding-3-small", 8)
    assert rows.sql("select documents, tokens from pgvec.embedding_usage where collection = %s", rows.name) == [
        (25, 50)
    ]
    assert function.call(collection=rows.name).json()["embedded"] == 0
    assert len(provider.requests) == 3


def test_a_text_that_changes_is_embedded_again_and_no_other(
    rows: Rows, function: Function, provider: OpenAIServer
) -> None:
    rows.write(["tea", "coffee"])
    function.call(collection=rows.name)
    changed = rows.project.call("PATCH", f"{rows.name}?id=eq.tea", "service_role", json={"content": "green tea"})
    assert changed.status_code == 204
    provider.requests.clear()
    assert function.call(collection=rows.name).json()["embedded"] == 1
    assert asked_for(provider) == ["green tea"]
    assert_embedded(rows, ["green tea", "coffee"])


def test_texts_get_the_prefix_that_is_kept_with_the_collection(
    world: tuple[Project, OpenAIServer, Function], provider: OpenAIServer
) -> None:
    rows = Rows(world[0], passage_prefix="passage: ")
    rows.write(["tea"])
    world[2].call(collection=rows.name)
    assert_embedded(rows, ["tea"], "passage: ")


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_only_the_service_role_may_embed(role: str, rows: Rows, function: Function, provider: OpenAIServer) -> None:
    rows.write(["tea"])
    other = token("service_role", exp=4_000_000_001)
    for bearer in (token(role), None, "x", SERVICE_KEY[:-1], SERVICE_KEY + "x", other, KEY):
        refused = function.call(bearer, collection=rows.name)
        assert refused.status_code == 401
        assert refused.json() == {"error": "only with the service role key"}
    job = {"id": "tea", "content_hash": "x"}
    for name, parameters in {
        "claim_embeddings": {"collection": rows.name},
        "complete_embeddings": {"collection": rows.name, "embeddings": [job | {"embedding": [1] * 8}]},
        "fail_embeddings": {"collection": rows.name, "failures": [job | {"reason": "mine"}]},
        "renew_embeddings": {"worker": 1},
        "embedding_model": {"collection": rows.name},
    }.items():
        denied = rows.project.rpc(name, parameters, role)
        assert denied.json()["code"] == "42501", name
    assert provider.requests == []
    assert rows.jobs() == [("tea", 0, None)]


def test_no_key_is_told(rows: Rows, function: Function, provider: OpenAIServer) -> None:
    rows.write(["tea"])
    provider.behave = lambda inputs, answer: Fault(403, body={"message": f"{KEY} and {SERVICE_KEY} are known"})
    told = function.call(collection=rows.name).text
    assert "*** and *** are known" in told
    assert "*** and *** are known" in function.log
    provider.behave = lambda inputs, answer: Fault(400, body=f"no {KEY}") if "tea" in inputs else None
    rows.make_due()
    assert function.call(collection=rows.name).json()["failed"] == 1
    for text in (told, function.log, str(rows.jobs())):
        assert KEY not in text
        assert SERVICE_KEY not in text


def test_two_calls_at_once_embed_each_row_once(rows: Rows, function: Function, provider: OpenAIServer) -> None:
    texts = some_texts(120)
    rows.write(texts)
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(function.call, collection=rows.name, batch=10) for _ in range(2)]
    counts = [answer.result().json()["embedded"] for answer in answers]
    assert sum(counts) == 120
    assert sorted(asked_for(provider)) == sorted(texts)
    assert_embedded(rows, texts)


def test_rows_of_a_function_that_was_killed_are_taken_after_the_lease(
    rows: Rows, function: Function, provider: OpenAIServer, tmp_path: Path
) -> None:
    rows.write(some_texts(5))
    provider.faults.append(Fault(hang=True))
    with Function(rows.project, provider.url, tmp_path) as killed, ThreadPoolExecutor(1) as pool:
        cut_off = pool.submit(killed.call, collection=rows.name, lease=2)
        while not provider.requests:
            assert not cut_off.done(), cut_off.result().text
            time.sleep(0.01)
        killed.process.kill()  # SIGKILL
        assert isinstance(cut_off.exception(), httpx.TransportError)
    assert function.call(collection=rows.name).json()["embedded"] == 0, "they are claimed"
    until = time.monotonic() + 20
    while (answer := function.call(collection=rows.name).json())["embedded"] == 0:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert answer["embedded"] == 5
    assert_embedded(rows, some_texts(5))
    assert rows.jobs() == []


def test_what_is_left_when_the_time_is_over_is_due_at_once(
    rows: Rows, function: Function, provider: OpenAIServer
) -> None:
    rows.write(some_texts(5))
    provider.faults.append(Fault(hang=True))
    answer = function.call(collection=rows.name, seconds=1, batch=3)
    assert answer.json()["error"] == "the provider did not answer in time"
    assert (answer.json()["released"], answer.json()["more"]) == (3, True)
    assert function.call(collection=rows.name).json()["embedded"] == 5
    provider.before_answer = lambda inputs: time.sleep(0.4)
    rows.write([text + " again" for text in some_texts(6)])
    answer = function.call(collection=rows.name, seconds=1, batch=2)
    assert answer.status_code == 200
    assert answer.json()["more"]
    assert answer.json()["embedded"] in (2, 4)


def test_a_collection_is_never_embedded_with_another_model(
    rows: Rows, function: Function, provider: OpenAIServer, tmp_path: Path
) -> None:
    project = rows.project
    local = Rows(project, model="local:all-MiniLM-L6-v2")
    local.write(["tea"])
    assert "pgvec-admin embed does" in function.call(collection=local.name).json()["error"]
    rows.write(["tea"])
    with Function(project, provider.url, tmp_path, EMBEDDING_MODEL="text-embedding-3-large") as other:
        answer = other.call(collection=rows.name)
    assert answer.status_code == 503
    assert answer.json()["error"] == (
        "the collection is bound to openai:text-embedding-3-small, and EMBEDDING_MODEL is openai:text-embedding-3-large"
    )
    assert provider.requests == []
    assert rows.jobs() == [("tea", 0, None)]


def test_the_model_of_the_platform_needs_no_key(
    world: tuple[Project, OpenAIServer, Function], provider: OpenAIServer, tmp_path: Path
) -> None:
    project, _, function = world
    rows = Rows(project, 384, "supabase:gte-small")
    rows.write(["tea", "coffee", "broken"])
    assert "only where Supabase runs this function" in function.call(collection=rows.name).json()["error"]
    stand_in = tmp_path / "platform.js"
    stand_in.write_text(
        "globalThis.Supabase = { ai: { Session: class { constructor(name) { this.name = name }"
        " async run(text, { mean_pool, normalize }) { if (text === 'broken') throw new Error('no tensor');"
        " return new Float32Array(384).fill(this.name === 'gte-small' && mean_pool && normalize"
        " ? text.length : NaN) } } } };"
    )
    with Function(project, provider.url, tmp_path, f"--preload={stand_in}", OPENAI_API_KEY="") as hosted:
        answer = hosted.call(collection=rows.name).json()
    assert (answer["embedded"], answer["failed"]) == (2, 1)
    assert {text: set(vector) for text, vector in rows.vectors().items()} == {"tea": {3.0}, "coffee": {6.0}}
    assert rows.jobs() == [("broken", 1, "no tensor")]
    assert provider.requests == []


def test_secret_keys_serve_where_there_is_no_service_role_key(
    rows: Rows, provider: OpenAIServer, tmp_path: Path
) -> None:
    rows.write(["tea"])
    keys = f'{{"default": "{SERVICE_KEY}"}}'
    given = {"SUPABASE_SERVICE_ROLE_KEY": "", "SUPABASE_SECRET_KEYS": keys}
    with Function(rows.project, provider.url, tmp_path, **given) as hosted:
        assert hosted.call(token("anon"), collection=rows.name).status_code == 401
        assert hosted.call(None, collection=rows.name).status_code == 401
        assert hosted.call(collection=rows.name).json()["embedded"] == 1


def test_mistakes_of_the_caller_are_told(rows: Rows, function: Function, provider: OpenAIServer) -> None:
    unknown = function.call(collection="nothing")
    assert unknown.status_code == 404
    assert "there is no collection 'nothing'" in unknown.json()["error"]
    for options, error in {
        '{"batch": 0}': "batch is a whole number from 1 to 2000",
        '{"batch": "5"}': "batch is a whole number from 1 to 2000",
        '{"seconds": 1000}': "seconds is a number from 1 to 390",
        '{"lease": 0}': "lease is a number of seconds from 1 to 3600",
        '{"collection": 1}': "collection is a name",
        '{"colection": "x"}': "unknown: colection",
        "null": "the body is no JSON object",
        "[1]": "the body is no JSON object",
        "{": "the body is no JSON object",
    }.items():
        headers = {"Authorization": f"Bearer {SERVICE_KEY}"}
        refused = httpx.post(function.url, content=options, headers=headers)
        assert (refused.status_code, refused.json()) == (400, {"error": error})
    assert httpx.get(function.url, headers=headers).status_code == 405
    assert httpx.post(function.url, headers=headers).status_code == 404, "no body: the collection documents"


# The platform's extensions are not here: stand-ins with their signatures note what they are given.
PLATFORM = """
create schema vault; create schema cron; create schema net;
create table vault.decrypted_secrets (name text, decrypted_secret text);
create function vault.create_secret(new_secret text, new_name text default null) returns void language sql
  as $$ insert into vault.decrypted_secrets values (new_name, new_secret) $$;
create table cron.job (jobname text, schedule text, command text);
create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql
  as $$ insert into cron.job values ($1, $2, $3); select 1::bigint $$;
create table net.requests (url text, body jsonb, params jsonb, headers jsonb, timeout_milliseconds int);
create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}',
                              headers jsonb default '{}', timeout_milliseconds int default 5000)
  returns bigint language sql as $$ insert into net.requests values ($1, $2, $3, $4, $5); select 1::bigint $$;
"""


def test_the_documented_schedule_calls_the_function(rows: Rows, function: Function, provider: OpenAIServer) -> None:
    page = (SOURCE.parents[3] / "docs" / "supabase.md").read_text()
    (schedule,) = re.findall(r"^```sql\n(.*?)^```", page, flags=re.S | re.M)
    rows.write(["tea"])
    for placeholder, value in {
        "create extension if not exists pg_cron;": "",
        "create extension if not exists pg_net;": "",
        "THE SERVICE ROLE OR SECRET KEY": SERVICE_KEY,
        "articles": rows.name,
    }.items():
        assert placeholder in schedule
        schedule = schedule.replace(placeholder, value)
    database = conninfo_to_dict(rows.project.database)["dbname"]
    with psycopg.connect(conninfo(rows.project.server, str(database), SUPERUSER)) as connection:
        connection.execute(f"grant create on database {database} to postgres".encode())
    rows.sql(PLATFORM)
    rows.sql(schedule)
    ((command,),) = rows.sql("select command from cron.job where schedule = '30 seconds'")
    rows.sql(command)
    ((url, body, headers, milliseconds),) = rows.sql(
        "select url, body, headers, timeout_milliseconds from net.requests"
    )
    assert url == "https://PROJECT.supabase.co/functions/v1/embed"
    assert milliseconds > 50_000
    answer = httpx.post(function.url, json=body, headers=headers, timeout=60)
    assert answer.json()["embedded"] == 1
    rows.sql("drop schema vault, cron, net cascade")


@pytest.mark.parametrize("command", [["check"], ["lint"], ["fmt", "--check"]], ids=lambda command: command[0])
def test_deno_finds_nothing_to_say(command: list[str], tmp_path: Path) -> None:
    ran = subprocess.run(
        [DENO, *command, SOURCE.name],
        cwd=SOURCE.parent,
        env={"PATH": os.environ["PATH"], "DENO_DIR": str(tmp_path), "NO_COLOR": "1", "DENO_NO_UPDATE_CHECK": "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
