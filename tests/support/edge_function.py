"""The Edge Function in Deno, and collections that it embeds."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
import psycopg

from conftest import searchable
from openai_server import OpenAIServer, vector_of
from pgvec_admin.server import embedded
from supabase_project import FOLDER, Project, token

SOURCE = Path(__file__).parents[2] / "supabase" / "functions" / "embed" / "index.ts"
DENO = FOLDER / "node_modules" / "deno" / "deno"
MODEL = "openai:text-embedding-3-small"
KEY = "sk-of-the-tests"
SERVICE_KEY = token("service_role")

_numbers = itertools.count()


class Function:
    """The function in a Deno of its own, with what hosted functions have in their environment."""

    def __init__(self, project: Project, provider: str, folder: Path, *flags: str, **environment: str) -> None:
        self._log = folder / "deno.log"
        given = {
            "SUPABASE_URL": project.url,
            "SUPABASE_SERVICE_ROLE_KEY": SERVICE_KEY,
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": provider,
            "DENO_SERVE_ADDRESS": "tcp:127.0.0.1:0",
            "DENO_DIR": str(folder / "deno"),
            "DENO_NO_UPDATE_CHECK": "1",
            "NO_COLOR": "1",
        }
        command: list[str | Path] = [
            DENO,
            "run",
            "--no-remote",
            "--no-npm",
            "--allow-net",
            "--allow-env",
            *flags,
            SOURCE,
        ]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]} | given | environment
            )
        until = time.monotonic() + 20
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", self.log)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < until, self.log
            time.sleep(0.02)
        self.url = found[0]

    @property
    def log(self) -> str:
        return self._log.read_text()

    def call(self, bearer: str | None = SERVICE_KEY, **options: Any) -> httpx.Response:
        headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
        return httpx.post(self.url, json=options, headers=headers, timeout=60, verify=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)


class Rows:
    """A collection with a model, whose rows are written by REST."""

    def __init__(
        self, project: Project, dimensions: int = 8, model: str = MODEL, storage: str = "vector", **settings: str
    ) -> None:
        self.name = f"notes_{next(_numbers)}"
        self.project = project
        made = "select pgvec.create_collection(%s, %s, model => %s, storage => %s)"
        self.sql(made, self.name, dimensions, model, storage)
        for setting, value in settings.items():
            self.sql(
                "update pgvec.collections set settings = settings || jsonb_build_object(%s::text, %s::text)"
                " where name = %s",
                setting,
                value,
                self.name,
            )
        project.settle()

    def sql(self, query: str, *parameters: Any) -> list[Any]:
        with psycopg.connect(self.project.database, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def write(self, texts: Sequence[str]) -> None:
        """A row each, whose id is its text without spaces."""
        rows = [{"id": text.replace(" ", "-"), "content": text} for text in texts]
        written = self.project.call("POST", self.name, "service_role", json=rows)
        assert written.status_code == 201, written.text

    def vectors(self) -> dict[str, Any]:
        """Of rows that are not stale, by their text."""
        found = self.sql(
            f"select content, embedding::float4[] from {self.name}"
            " where embedding is not null and embedded_hash = content_hash"
        )
        return {text: np.array(vector, np.float32) for text, vector in found}

    def jobs(self) -> list[tuple[str, int, str | None]]:
        """Id, attempts and reason of each entry in the queue."""
        return self.sql(
            "select id, attempts, reason from pgvec.embedding_jobs where collection = %s order by id", self.name
        )

    def make_due(self) -> None:
        self.sql("update pgvec.embedding_jobs set due_at = now() where collection = %s", self.name)


World = tuple[Project, OpenAIServer, Function]


@contextmanager
def working(platform: embedded.Server, installed: str, folder: Path) -> Iterator[World]:
    """A project, a server that embeds, and the function between them."""
    with (
        searchable(platform, installed, folder) as project,
        OpenAIServer() as provider,
        Function(project, provider.url, folder) as function,
    ):
        yield project, provider, function


def restored(provider: OpenAIServer) -> OpenAIServer:
    """The server, as it behaves at first."""
    provider.requests.clear()
    provider.faults.clear()
    provider.vectors.clear()
    provider.poison.clear()
    provider.behave, provider.before_answer, provider.shuffled, provider.models = None, None, False, None
    provider.key = KEY
    return provider


def some_texts(count: int) -> list[str]:
    return [f"text {number}" for number in range(count)]


def asked_for(provider: OpenAIServer) -> list[str]:
    return [text for request in provider.requests for text in request.inputs]


def assert_embedded(rows: Rows, texts: Sequence[str], prefix: str = "") -> None:
    vectors = rows.vectors()
    assert set(vectors) == set(texts)
    for text in texts:
        np.testing.assert_allclose(vectors[text], vector_of(prefix + text), rtol=1e-5)
