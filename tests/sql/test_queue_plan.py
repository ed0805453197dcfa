"""Claims read the queue from its head: by the index of due times, and no more of it than they take."""

from __future__ import annotations

import re

from installation import Connection, function_file


def test_a_claim_reads_the_head_of_the_queue_by_its_index(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 2, model => 'openai:test')")
    connection.execute(
        "insert into pgvec.embedding_jobs (collection, id, tenant, content_hash)"
        " select 'documents', i::text, pgvec.no_tenant(), md5(i::text) from generate_series(1, 20000) as i"
    )
    connection.execute("vacuum analyze pgvec.embedding_jobs")
    source = function_file("pgvec.lease_jobs").read_text()
    found = re.search(r"select j\.ctid as place\n.*?skip locked", source, re.S)
    assert found
    query = found[0].replace("= queue", "= 'documents'").replace("limit batch", "limit 100")
    query = query.replace("(scope is null or j.tenant = any (scope))", "true")
    plan = "\n".join(row[0] for row in connection.execute(f"explain (costs off) {query}".encode()).fetchall())
    assert "Index Scan using embedding_jobs_due_idx" in plan
    assert "Sort" not in plan
    # and finds each again by its place, not by its key
    statement = re.search(r"with due as materialized .*?j\.attempts", source, re.S)
    assert statement
    update = statement[0].replace("= queue", "= 'documents'").replace("limit batch", "limit 100")
    update = update.replace("(scope is null or j.tenant = any (scope))", "true").replace("lease,", "'1 hour',")
    update = update.replace("lease_jobs.worker", "null").replace("= locked", "= false")
    plan = "\n".join(row[0] for row in connection.execute(f"explain (costs off) {update}".encode()).fetchall())
    assert "Tid Scan on embedding_jobs" in plan
    before = "select count(*) from pgvec.embedding_jobs where due_at > now()"
    assert len(connection.execute("select from pgvec.lease_jobs('documents', 100, '1 hour')").fetchall()) == 100
    assert connection.execute(before).fetchall() == [(100,)]
