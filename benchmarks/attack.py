"""The HTTP service under attack: the effect on eight honest clients.

    python benchmarks/attack.py [--rows 20000] [--seconds 60] [--alone 20]

The service is `pgvec-admin serve` in a separate process, over an embedded server; all of it is on loopback, and ends
with the run. The honest clients search by new vectors, ten times a second each. Each kind of attacker has one process:
strangers without a token, and users with a valid one. Prints a Markdown table of the honest clients' results, alone,
beside each attack, and beside all at once; and fails beyond the bar.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import numpy as np

from dataset import Rows, arguments, clustered, fill, server
from pgvec_admin.database import Target

SECRET = "a secret of at least thirty-two characters"
CLIENTS, PAUSE = 8, 0.1
SLOW, HEADS, PATTERNS = 300, 16, 16  # connections of each kind
BAR = 3.0  # times their p95 without attackers
HOST, ELSEWHERE = "127.0.0.1", "127.0.0.2"  # strangers come from another address

Outcomes = Counter[str]


def _token(subject: str) -> str:
    return jwt.encode({"role": "pgvec_reader", "sub": subject, "exp": 4_000_000_000}, SECRET, algorithm="HS256")


@dataclass(frozen=True)
class Seen:
    """The results of the honest clients: milliseconds, failures, the most memory of the service in MB."""

    taken: list[float]
    failed: Outcomes
    memory: float

    def percentile(self, percent: int) -> float:
        """Of the milliseconds."""
        return float(np.percentile(self.taken, percent))


def main() -> None:
    parser = arguments("The HTTP service under attack.")
    parser.set_defaults(rows=20_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--alone", type=int, default=20)
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, 20_000)
    kinds = {"slow bodies": _slow_body, "large heads": _large_head, "many patterns": _many_patterns}
    with server(chosen.postgres) as (where, folder):
        fill(where, folder, rows)
        load = os.getloadavg()[0]
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows, {os.cpu_count()} cores, load before {load:.1f}\n")
        print("| beside | requests | failed | p50 ms | p95 ms | p95 of alone | MB | what the attackers were answered |")
        print("|---|---:|---:|---:|---:|---:|---:|---|")
        with _service(where) as (port, process):
            bodies = _bodies(queries)
            asyncio.run(_honest(port, bodies, 3, process))  # warms up
            alone, _ = _measure(port, bodies, chosen.alone, process, {})
            _row("nobody", alone, alone, Counter())
            worst = 0.0
            for name, attacks in {**{name: {name: kind} for name, kind in kinds.items()}, "all": kinds}.items():
                seconds = chosen.seconds if name == "all" else chosen.seconds // 3
                seen, outcomes = _measure(port, bodies, seconds, process, attacks)
                _row(name, seen, alone, outcomes)
                worst = max(worst, seen.percentile(95) / alone.percentile(95))
                assert not seen.failed, seen.failed
            again, _ = _measure(port, bodies, chosen.alone, process, {})
            _row("nobody again", again, alone, Counter())
    assert worst <= BAR, f"p95 is {worst:.1f} times that alone"


def _row(name: str, seen: Seen, alone: Seen, outcomes: Outcomes) -> None:
    told = ", ".join(f"{answer}: {number:,}" for answer, number in outcomes.most_common(5))
    p95 = seen.percentile(95)
    print(
        f"| {name} | {len(seen.taken):,} | {sum(seen.failed.values())} | {seen.percentile(50):.1f} | {p95:.1f}"
        f" | {p95 / alone.percentile(95):.2f} | {seen.memory:.0f} | {told} |",
        flush=True,
    )


def _measure(
    port: int, bodies: Iterator[bytes], seconds: int, process: subprocess.Popen[bytes], attacks: dict[str, Any]
) -> tuple[Seen, Outcomes]:
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    attackers = [context.Process(target=_attack, args=(kind, port, seconds, told)) for kind in attacks.values()]
    for one in attackers:
        one.start()
    for _ in attackers:
        told.get(timeout=60)  # they have started
    seen = asyncio.run(_honest(port, bodies, seconds, process))
    outcomes: Outcomes = Counter()
    for _ in attackers:
        outcomes += told.get(timeout=120)
    for one in attackers:
        one.join(30)
    return seen, outcomes


# the honest


def _bodies(queries: Rows) -> Iterator[bytes]:
    for vector in queries.vectors:
        yield json.dumps({"query_embedding": vector.tolist(), "top_k": 10}).encode()


async def _honest(port: int, bodies: Iterator[bytes], seconds: int, process: subprocess.Popen[bytes]) -> Seen:
    taken: list[float] = []
    failed: Outcomes = Counter()
    memory = [_resident(process)]
    headers = {"authorization": f"Bearer {_token('honest')}", "content-type": "application/json"}
    until = time.monotonic() + seconds

    async def client() -> None:
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", headers=headers, timeout=30) as service:
            while time.monotonic() < until:
                started = time.perf_counter()
                try:
                    answer = await service.post("/search", content=next(bodies))
                    if answer.status_code != 200 or len(answer.json()["results"]) != 10:
                        failed[str(answer.status_code)] += 1
                except httpx.HTTPError as error:
                    failed[type(error).__name__] += 1
                taken.append((time.perf_counter() - started) * 1000)
                await asyncio.sleep(PAUSE)

    async def watch() -> None:
        while time.monotonic() < until:
            memory.append(_resident(process))
            await asyncio.sleep(0.5)

    await asyncio.gather(*(client() for _ in range(CLIENTS)), watch())
    return Seen(taken, failed, max(memory))


# the attackers

Attempt = Callable[[int, int, Outcomes], Awaitable[None]]


def _attack(kind: tuple[int, Attempt], port: int, seconds: int, told: Any) -> None:
    """Attempts of a kind on so many connections, again and again."""
    os.nice(19)  # attackers would have their own machines
    connections, attempt = kind
    outcomes: Outcomes = Counter()

    async def again(number: int, until: float) -> None:
        while time.monotonic() < until:
            try:
                async with asyncio.timeout(max(0.1, until - time.monotonic())):
                    await attempt(port, number, outcomes)
            except TimeoutError:
                return
            except (OSError, httpx.HTTPError):
                outcomes["closed"] += 1

    async def everybody() -> None:
        until = time.monotonic() + seconds + 2
        await asyncio.gather(*(again(number, until) for number in range(connections)))

    told.put(None)
    asyncio.run(everybody())
    told.put(outcomes)


async def _answered(reader: asyncio.StreamReader, outcomes: Outcomes) -> None:
    line = await reader.readline()
    outcomes[line.split()[1].decode() if line else "closed"] += 1


async def _slow(port: int, number: int, outcomes: Outcomes) -> None:
    """A head, and of its body a byte a second; every third with a token."""
    reader, writer = await asyncio.open_connection(HOST, port, local_addr=(ELSEWHERE, 0))
    signed = f"authorization: Bearer {_token('slow')}\r\n" if number % 3 == 0 else ""
    writer.write(f"POST /search HTTP/1.1\r\nhost: {HOST}\r\n{signed}content-length: 100000\r\n\r\n".encode())
    answer = asyncio.create_task(_answered(reader, outcomes))
    try:
        while not reader.at_eof():  # continue after an answer
            writer.write(b"{")
            await writer.drain()
            await asyncio.sleep(1)
    finally:
        answer.cancel()
        writer.close()


async def _large(port: int, number: int, outcomes: Outcomes) -> None:
    """A field of the head that does not end, or fields without end."""
    reader, writer = await asyncio.open_connection(HOST, port, local_addr=(ELSEWHERE, 0))
    writer.write(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ")
    part = b"x" * 65_536 if number % 2 else b"\r\na: b" * 10_000
    answer = asyncio.create_task(_answered(reader, outcomes))
    try:
        for _ in range(3000):
            if answer.done():
                break
            writer.write(part)
            await writer.drain()
        await answer
    finally:
        answer.cancel()
        writer.close()


async def _patterns(port: int, number: int, outcomes: Outcomes) -> None:
    """A filter with the most patterns, and of the greatest total length, that are allowed."""
    patterns = [{"$like": f"%{'ab_' * 4}{number % 100}-{one}%"} for one in range(50)]
    question = {"query": "text", "mode": "keyword", "filter": {"$or": [{"topic": one} for one in patterns]}}
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=60) as service:
        headers = {"authorization": f"Bearer {_token('patterns')}"}
        answer = await service.post("/search", json=question, headers=headers)
        outcomes[str(answer.status_code)] += 1
        await asyncio.sleep(0.05)


_slow_body: tuple[int, Attempt] = (SLOW, _slow)
_large_head: tuple[int, Attempt] = (HEADS, _large)
_many_patterns: tuple[int, Attempt] = (PATTERNS, _patterns)


@contextmanager
def _service(where: Target) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    with socket.socket() as held:
        held.bind((HOST, 0))
        port = int(held.getsockname()[1])
    command = [
        sys.executable, "-m", "pgvec_admin", "serve", "--port", str(port), "--database-url", where.conninfo,
        "--jwt-secret", SECRET, "--requests-a-minute", "0",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"LC_ALL": "C.UTF-8"})
        try:
            until = time.monotonic() + 30
            while True:
                try:
                    if httpx.get(f"http://{HOST}:{port}/health").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.05)
                assert time.monotonic() < until, "the service does not get ready"
            yield port, process
        finally:
            process.terminate()
            process.wait(15)


def _resident(process: subprocess.Popen[bytes]) -> float:
    """Megabytes."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1000


if __name__ == "__main__":
    main()
