"""Throughput with many clients: match_documents beside the bare query, by pgbench.

    python benchmarks/clients.py [--rows 100000] [--dimensions 384] [--postgres 18] [--seconds 10]

Prints a Markdown table: searches per second by 1, 4, 16 and 64 clients, of both in turn, and the ratio; the median of
three rounds. By the simple protocol each statement is parsed and planned; by the prepared one, as drivers and PostgREST
use it, the bare query is planned once, and match_documents plans the query inside it for each search. pgbench runs
beside the server.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from statistics import median

import psycopg

from dataset import Rows, arguments, build, clustered, server
from pgvec_admin.database import Target
from pgvec_admin.engine.search import vector_literal
from pgvec_admin.server.embedded_system import TREES, package_directory

CLIENTS = (1, 4, 16, 64)
PROTOCOLS = ("simple", "prepared")
ROUNDS = 3
CHOOSE = "\\set number random(1, {})\n"
QUERY = "(select q.vector from queries as q where q.number = :number)"
STATEMENTS = {
    "bare": "select id, content, metadata, embedding operator(extensions.<=>) {0} as distance from documents"
    " order by embedding operator(extensions.<=>) {0} limit 10;\n",
    "match_documents": "select id, content, metadata, similarity from match_documents({0}, 10);\n",
}


def main() -> None:
    parser = arguments("Throughput of searches by many clients.")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=10, help="for each way, protocol and number of clients")
    chosen = parser.parse_args()
    rows, queries = clustered(chosen.rows, chosen.dimensions, chosen.queries)
    with server(chosen.postgres) as (where, folder):
        fill(where, rows, queries)
        scripts = {}
        for name, statement in STATEMENTS.items():
            scripts[name] = folder / f"{name}.sql"
            scripts[name].write_text(CHOOSE.format(chosen.queries) + statement.format(QUERY))
        pgbench = package_directory() / TREES[chosen.postgres] / "bin" / "pgbench"
        print(f"PostgreSQL {chosen.postgres}, {chosen.rows:,} rows of {chosen.dimensions} dimensions\n")
        print("| protocol | clients | bare query, per second | match_documents, per second | ratio |")
        print("|---|---:|---:|---:|---:|")
        for protocol in PROTOCOLS:
            for clients in CLIENTS:
                found: dict[str, list[float]] = {name: [] for name in scripts}
                for _ in range(ROUNDS):
                    for name, script in scripts.items():
                        found[name].append(rate(pgbench, where, script, protocol, clients, chosen.seconds))
                bare, ours = (median(found[name]) for name in STATEMENTS)
                print(f"| {protocol} | {clients} | {bare:,.0f} | {ours:,.0f} | {ours / bare:.2f} |", flush=True)


def fill(where: Target, rows: Rows, queries: Rows) -> None:
    """Collection `documents` with these rows and an HNSW index, and table `queries` with the query vectors."""
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        size = rows.vectors.shape[1]
        connection.execute("select pgvec.create_collection('documents', %s)", (size,))
        connection.execute(f"create table queries (number int primary key, vector extensions.vector({size}))".encode())
        for table, vectors in (("documents (id, embedding)", rows.vectors), ("queries", queries.vectors)):
            with connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin".encode()) as copy:
                for number, vector in enumerate(vectors, 1):
                    copy.write_row((str(number), vector_literal(vector)))
        connection.execute("analyze queries")
        build(connection, "documents")


def rate(pgbench: Path, where: Target, script: Path, protocol: str, clients: int, seconds: int) -> float:
    """Searches per second; connections are made before."""
    command = [
        *(str(pgbench), "--no-vacuum", "--file", str(script), "--protocol", protocol, "--time", str(seconds)),
        *("--client", str(clients), "--jobs", "2" if clients > 1 else "1", where.conninfo),
    ]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+) \(without initial connection time\)", printed)
    assert found is not None, printed
    assert "failed transactions: 0" in printed, printed
    return float(found[1])


if __name__ == "__main__":
    main()
