"""PgBouncer in front of a server of the tests: the real one, as servers/pgbouncer.sh unpacks it."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from pgvec_admin.server import embedded
from pgvec_admin.server.embedded_system import server_account

SUITES = Path(__file__).parents[1] / "servers" / "pgbouncer"
# by the version that they have: the older knows nothing of prepared statements
VERSIONS = {"1.18": "bookworm", "1.24": "trixie"}


@contextmanager
def pooled(
    server: embedded.Server,
    database: str,
    roles: Sequence[str] = (embedded.SUPERUSER,),
    *,
    version: str = "1.18",
    mode: str = "transaction",
    sessions: int = 3,
    settings: Sequence[str] = (),
) -> Iterator[str]:
    """A pooler with a few sessions for all; the URL of the first role, whose name may be replaced by another's."""
    program = SUITES / VERSIONS[version] / "usr" / "sbin" / "pgbouncer"
    assert program.exists(), f"{program} is missing: make tests/servers/pgbouncer/.done"
    name = conninfo_to_dict(database)["dbname"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as directory:
        Path(directory).chmod(0o755)  # under root, the pooler runs as the server's user
        roles_file, log, ini = (Path(directory) / name for name in ("roles", "log", "ini"))
        roles_file.write_text("".join(f'"{role}" ""\n' for role in roles))
        log.touch()
        ini.write_text(
            "[databases]\n"
            f"{name} = host={server.socket_directory} port={server.port}\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = trust\nauth_file = {roles_file}\nadmin_users = {roles[0]}\n"
            f"pool_mode = {mode}\ndefault_pool_size = {sessions}\n" + "".join(f"{one}\n" for one in settings)
        )
        account = server_account(server.directory / "data")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [program, ini],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                user=account.uid if account.switched else None,
                group=account.gid if account.switched else None,
                extra_groups=[] if account.switched else None,
            )
        try:
            _wait(process, port, log)
            yield f"postgresql://{roles[0]}@127.0.0.1:{port}/{name}"
        finally:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.01)
        else:
            return
