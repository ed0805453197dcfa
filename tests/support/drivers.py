"""Bursts of statements through database drivers, each with a few connections."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
import psycopg

from supabase_project import FOLDER

NODE = FOLDER / "node_modules" / ".bin" / "node"
CONNECTIONS = 4
SETTINGS = "select set_config('app.tenant_id', $1, true)"

# what a call returned: its ids, its error, or None where no answer came
Answer = list[str] | str | None


@dataclass(frozen=True)
class Call:
    """A statement with parameters $1, $2 of type text, which returns ids; with a tenant in a transaction of its own."""

    text: str
    values: Sequence[str]
    tenant: str | None = None


def burst(
    driver: str, url: str, calls: Sequence[Call], rounds: int = 3, seconds: int = 20, **options: Any
) -> list[Answer]:
    """All calls at once, in several rounds, by the driver with these options of its own."""
    if driver in _DRIVERS:
        return asyncio.run(_rounds(_DRIVERS[driver], url, calls, rounds, seconds, options))
    ran = subprocess.run(
        [NODE, FOLDER / "drivers.mjs", driver, url, json.dumps({"seconds": seconds, "rounds": rounds} | options)],
        input=json.dumps([asdict(call) for call in calls]),
        capture_output=True,
        text=True,
        timeout=rounds * seconds + 20,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answers: list[Answer] = json.loads(ran.stdout)
    return answers


_Run = Callable[[Call], Awaitable[list[str]]]


async def _psycopg(url: str, options: dict[str, Any], opened: AsyncExitStack) -> _Run:
    connection = await opened.enter_async_context(
        await psycopg.AsyncConnection.connect(url, autocommit=True, cursor_factory=psycopg.AsyncRawCursor, **options)
    )

    async def run(call: Call) -> list[str]:
        if call.tenant is None:
            found = await connection.execute(call.text.encode(), call.values)
        else:
            async with connection.transaction():
                await connection.execute(SETTINGS, [call.tenant])
                found = await connection.execute(call.text.encode(), call.values)
        return [row[0] for row in await found.fetchall()]

    return run


async def _asyncpg(url: str, options: dict[str, Any], opened: AsyncExitStack) -> _Run:
    connection = await asyncpg.connect(url, **options)
    opened.callback(connection.terminate)

    async def run(call: Call) -> list[str]:
        if call.tenant is None:
            found = await connection.fetch(call.text, *call.values)
        else:
            async with connection.transaction():
                await connection.execute(SETTINGS, call.tenant)
                found = await connection.fetch(call.text, *call.values)
        return [row[0] for row in found]

    return run


_DRIVERS = {"psycopg": _psycopg, "asyncpg": _asyncpg}


async def _rounds(
    connect: Callable[[str, dict[str, Any], AsyncExitStack], Awaitable[_Run]],
    url: str,
    calls: Sequence[Call],
    rounds: int,
    seconds: float,
    options: dict[str, Any],
) -> list[Answer]:
    answers: dict[tuple[int, int], Answer] = {}
    async with AsyncExitStack() as opened:
        free: asyncio.Queue[_Run] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            free.put_nowait(await connect(url, options, opened))

        async def answer(round_: int, number: int) -> None:
            run = await free.get()
            try:
                answers[round_, number] = await run(calls[number])
            except (psycopg.Error, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                answers[round_, number] = f"{getattr(error, 'sqlstate', '')} {error}"
            finally:
                free.put_nowait(run)

        for round_ in range(rounds):
            await asyncio.wait(
                [asyncio.create_task(answer(round_, number)) for number in range(len(calls))], timeout=seconds
            )
    return [answers.get((round_, number)) for round_ in range(rounds) for number in range(len(calls))]
