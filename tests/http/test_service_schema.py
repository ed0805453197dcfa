"""The HTTP service against its own OpenAPI document: no request, however odd, is an internal error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from pytest_postgresql.executors import NoopExecutor
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

import installation
from http_service import running
from openai_server import OpenAIServer
from pgvec_admin.api import Limits, Settings, create_app
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.server import embedded

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def database(server: embedded.Server, with_engine: NoopExecutor) -> Iterator[str]:
    with installation.created(server, "schema_of_the_service", with_engine.template_dbname) as made:
        yield made


@pytest.fixture(scope="module")
def address(database: str) -> Iterator[str]:
    """A service over a collection with a few rows, for as long as the tests of this file take."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 8, model => 'openai:stand-in')")
        connection.execute(
            "insert into documents (id, content) select i::text, 'text ' || i from generate_series(1, 20) as i"
        )
    with OpenAIServer() as openai:
        told = Settings(
            database,
            provider=ProviderOptions(base_url=openai.url, api_key="k"),
            limits=Limits(requests_a_minute=0),
        )
        with running(told) as client:
            yield str(client.base_url)


DOCUMENT = create_app(Settings("")).openapi()
schema = schemathesis.openapi.from_dict(DOCUMENT)


def test_the_document_names_the_fusions() -> None:
    fusion = DOCUMENT["components"]["schemas"]["Question"]["properties"]["fusion"]
    assert fusion["anyOf"][0] == {"type": "string", "enum": ["rrf", "dbsf", "minmax", "weighted"]}


@schema.parametrize()
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_as_described(case: schemathesis.Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address, checks=CHECKS)
