"""compose.yaml: valid, and its programs work together, started by hand with its variables, commands and scripts."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml

import console
import installation
from command import COMMAND, interrupt
from pages import ROOT
from supabase_project import POSTGREST, SECRET, token

FILE = ROOT / "compose.yaml"


def _interpolated(value: Any, variables: dict[str, str]) -> Any:
    """The file as Compose reads it: `${NAME:?why}`, `${NAME:-default}` and `$$`."""
    if isinstance(value, dict):
        return {key: _interpolated(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [_interpolated(one, variables) for one in value]
    if not isinstance(value, str):
        return value

    def told(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if found["kind"] == "-":
            return variables.get(found["name"]) or found["rest"]
        return variables[found["name"]]

    return re.sub(r"\$\$|\$\{(?P<name>\w+):(?P<kind>[?-])(?P<rest>[^}]*)\}", told, value)


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def _started(command: list[str], variables: dict[str, str], address: str, log: Path) -> Iterator[None]:
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=os.environ | variables, stdout=written, stderr=written, text=True)
    try:
        until = time.monotonic() + 60
        while True:
            assert process.poll() is None, log.read_text()
            try:
                if httpx.get(address, verify=False).status_code < 500:
                    break
            except httpx.TransportError:
                pass
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        interrupt(process)


def test_it_is_valid_by_the_schema_of_the_specification() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE],
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_what_it_names_is_there() -> None:
    text = FILE.read_text()
    file = yaml.safe_load(text)
    needs = {name: set(one.get("depends_on", {})) for name, one in file["services"].items()}
    assert list(TopologicalSorter(needs).static_order())[:2] == ["db", "setup"]
    for one in file["services"].values():
        assert {source["source"] for source in one.get("configs", [])} <= set(file["configs"])
        assert {volume.partition(":")[0] for volume in one.get("volumes", [])} <= set(file["volumes"])
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", []))
    # nothing secret has a default
    secrets = set(re.findall(r"\$\{(\w+):\?", text))
    assert secrets == {"POSTGRES_PASSWORD", "AUTHENTICATOR_PASSWORD", "JWT_SECRET"}
    assert all(name in (ROOT / "docs" / "compose.md").read_text() for name in secrets)


def test_the_image_can_be_built_from_what_docker_is_given(tmp_path: Path) -> None:
    context = tmp_path / "context"
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source, target = ROOT / line[1:], context / line[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, target)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, context],
        check=True,
        capture_output=True,
    )
    assert len(list(tmp_path.glob("pgvec_admin-*.whl"))) == 1


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The addresses of the services, each started as the file says, but on this machine and on free ports."""
    with installation.running() as server, ExitStack() as running:
        variables = {
            "POSTGRES_PASSWORD": str(server.password),
            "AUTHENTICATOR_PASSWORD": "0a" * 16,
            "JWT_SECRET": SECRET,
        }
        ports = {name: str(_free_port()) for name in ("rest", "service", "agents")}
        text = FILE.read_text().replace("@db:5432/", f"@127.0.0.1:{server.port}/")
        file = _interpolated(yaml.safe_load(text), variables)
        services = file["services"]
        connect = {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGPASSWORD": variables["POSTGRES_PASSWORD"]}
        script = tmp_path / "roles.sh"
        script.write_text(file["configs"]["roles"]["content"])
        environment = console.environment(**connect, **services["db"]["environment"])
        subprocess.run(["bash", script], env=environment, check=True, capture_output=True)
        setup = [str(COMMAND), *services["setup"]["command"][1:]]
        subprocess.run(setup, env=os.environ | services["setup"]["environment"], check=True, capture_output=True)
        addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        rest = services["rest"]["environment"] | {"PGRST_SERVER_PORT": ports["rest"], "LC_ALL": "C.UTF-8"}
        running.enter_context(_started([str(POSTGREST)], rest, addresses["rest"], tmp_path / "rest.log"))
        for name, path in (("service", "/health"), ("agents", "/health")):
            told = services[name]["command"]
            command = [str(COMMAND), *told[1:-1], ports[name]]
            assert told[-2] == "--port"
            log = tmp_path / f"{name}.log"
            running.enter_context(_started(command, services[name]["environment"], addresses[name] + path, log))
        health = [
            part.replace(":8000/", f":{ports['service']}/") for part in services["service"]["healthcheck"]["test"]
        ]
        assert subprocess.run([sys.executable, *health[2:]]).returncode == 0
        yield addresses | {"database": services["setup"]["environment"]["PGVEC_DATABASE_URL"]}


def test_its_programs_work_together(programs: dict[str, str]) -> None:
    with psycopg.connect(programs["database"], autocommit=True) as connection:
        connection.execute("select pgvec.create_collection('documents', 2)")
        connection.execute("notify pgrst, 'reload schema'")
    rows = [{"id": "pool", "content": "pools hold connections", "embedding": [1, 0]}]
    service, anon = ({"authorization": f"Bearer {token(role)}"} for role in ("service_role", "anon"))
    with httpx.Client(verify=False, timeout=30) as client:

        def rpc(name: str, arguments: dict[str, Any], headers: dict[str, str] | None = None) -> httpx.Response:
            return client.post(f"{programs['rest']}/rpc/{name}", json=arguments, headers=headers or {})

        assert rpc("upsert_documents", {"documents": rows}).status_code == 401
        assert rpc("upsert_documents", {"documents": rows}, service).json() == ["pool"]
        assert [row["id"] for row in rpc("keyword_search", {"query_text": "pools"}).json()] == ["pool"]
        question = {"query_embedding": [1, 0.1], "top_k": 1}
        asked = client.post(f"{programs['service']}/search", json=question, headers=anon)
        assert [row["id"] for row in asked.json()["results"]] == ["pool"]
        assert client.post(f"{programs['service']}/search", json=question).status_code == 401
        call = {"name": "search", "arguments": {"query": "pools", "mode": "keyword"}}
        told = client.post(
            f"{programs['agents']}/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
            headers=anon | {"accept": "application/json, text/event-stream"},
        )
        assert [row["id"] for row in told.json()["result"]["structuredContent"]["results"]] == ["pool"]
