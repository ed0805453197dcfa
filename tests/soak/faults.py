"""Faults injected into the running server: restarts, kills, and lost connections."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import suppress

import psycopg

from pgvec_admin.server import embedded
from pgvec_admin.server.embedded_system import is_postmaster
from soak.measure import Recorder
from soak.workers import Activity
from soak.world import World

RESTARTS = ("restart", "immediate", "kill -9 of the server", "kill -9 of a session")
CUT = "cut connections"
_SERVER_BACK = 120.0


class Faults(Activity):
    """Injects each fault of `plan` at its time, in seconds from the beginning."""

    def __init__(self, world: World, recorder: Recorder, plan: list[tuple[float, str]]) -> None:
        super().__init__("faults")
        self.world = world
        self.recorder = recorder
        self._plan = plan
        self._drawn = random.Random(f"{world.rows.seed} faults")

    def run(self) -> None:
        """Until all are done, or `ended`."""
        for at, kind in self._plan:
            if self.ended.wait(max(0.0, self.recorder.started + at - time.monotonic())):
                return
            with self.recorder.fault(kind):
                self._do(kind)
                self._wait()

    def _do(self, kind: str) -> None:
        running = self.world.instance.status()
        assert running, "the server is gone by itself"
        if kind == CUT:
            self._cut()
        elif kind == "restart":
            self.world.instance.stop()
            self.world.instance.start()
        elif kind == "kill -9 of a session":
            with self.world.connect(embedded.SUPERUSER) as admin:
                pids = _others(admin)
            if pids:
                with suppress(ProcessLookupError):
                    os.kill(self._drawn.choice(pids), signal.SIGKILL)
            time.sleep(0.2)
        else:
            os.kill(running.pid, signal.SIGQUIT if kind == "immediate" else signal.SIGKILL)
            while is_postmaster(running.pid, self.world.instance.data):
                time.sleep(0.02)
            self.world.instance.start()

    def _cut(self) -> None:
        with self.world.connect(embedded.SUPERUSER) as admin:
            pids = _others(admin)
            for pid in self._drawn.sample(pids, min(3, len(pids))):
                admin.execute("select pg_terminate_backend(%s)", (pid,))

    def _wait(self) -> None:
        """Until the server answers."""
        until = time.monotonic() + _SERVER_BACK
        while True:
            try:
                with self.world.connect(embedded.SUPERUSER):
                    return
            except psycopg.Error:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)


def planned(seconds: float, seed: int) -> list[tuple[float, str]]:
    """Faults between a fifth and three quarters of the time: restarts of each kind, lost connections in between."""
    drawn = random.Random(f"{seed} plan")
    plan = []
    at, kinds = 0.2 * seconds, list(RESTARTS)
    drawn.shuffle(kinds)
    while at < 0.75 * seconds:
        plan += [(at, kinds[0]), (at + drawn.uniform(6, 9), CUT)]
        kinds = [*kinds[1:], kinds[0]]
        at += drawn.uniform(12, 18)
    return [one for one in plan if one[0] < 0.75 * seconds]


def _others(admin: psycopg.Connection[tuple[object, ...]]) -> list[int]:
    rows = admin.execute(
        "select pid from pg_stat_activity"
        " where backend_type = 'client backend' and pid <> pg_backend_pid() order by pid"
    ).fetchall()
    return [int(str(row[0])) for row in rows]
