"""Threads that work on the database until they have to stop, whatever happens to their connections."""

from __future__ import annotations

import random
import threading
import time
from abc import abstractmethod
from contextlib import suppress

import psycopg

from pgvec_admin.database import Connection
from soak.measure import Recorder, is_loss
from soak.world import World

_PAUSE = 0.1  # the load should be varied, not maximal: others use this machine too


class Activity:
    """Work that runs in its own thread until `ended` is set."""

    def __init__(self, name: str) -> None:
        self.ended = threading.Event()
        self.crash: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for its end."""
        self._thread.join()

    @abstractmethod
    def run(self) -> None:
        """The work. An exception that leaves it is stored in `crash`."""

    def _run(self) -> None:
        try:
            self.run()
        except BaseException as error:
            self.crash = error


class Worker(Activity):
    """Repeats `step`, over a connection as `user` that is opened again when it is lost."""

    def __init__(self, world: World, recorder: Recorder, name: str, user: str, **settings: str) -> None:
        super().__init__(name)
        self.world = world
        self.recorder = recorder
        self.drawn = random.Random(f"{world.rows.seed} {name}")
        self._user = user
        self._settings = settings
        self._connection: Connection | None = None

    def run(self) -> None:
        """Until `ended`."""
        try:
            while not self.ended.is_set():
                with suppress(psycopg.Error):  # recorded where it happened
                    self.step()
                self.ended.wait(_PAUSE)
        finally:
            self.close()

    def close(self) -> None:
        """End the connection, where there is one."""
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.close()

    @abstractmethod
    def step(self) -> None:
        """One operation. A psycopg.Error may leave it once it is recorded."""

    def connection(self) -> Connection:
        """The connection of this worker."""
        if self._connection is None or self._connection.closed or self._connection.broken:
            begun = time.monotonic()
            try:
                self._connection = self.world.connect(self._user, **self._settings)
            except psycopg.Error as error:
                self.recorder.failed("connect", error.sqlstate or "lost", str(error), begun, is_loss=is_loss(error))
                raise
        return self._connection
