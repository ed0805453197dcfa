"""The queue of embedding: what enters it, when that which failed comes back, and how little of it a claim reads."""

from __future__ import annotations

import re

from installation import Connection, function_file

JOBS = "select id, content_hash, due_at, attempts, reason from pgvec.embedding_jobs order by id"


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


def test_where_no_model_is_bound_nothing_is_queued_and_no_trigger_costs(connection: Connection) -> None:
    def triggers() -> list[str]:
        rows = connection.execute(
            "select t.tgname from pg_trigger as t where t.tgrelid = 'documents'::regclass"
            " and t.tgfoid = 'pgvec.enqueue_changes()'::regprocedure"
        ).fetchall()
        return [row[0] for row in rows]

    def write(id_: str) -> None:
        connection.execute("insert into documents (id, content) values (%s, 'tea')", (id_,))
        connection.execute("update documents set content = 'coffee' where id = %s", (id_,))

    connection.execute("select pgvec.create_collection('documents', 2)")
    assert triggers() == []
    write("before")
    assert connection.execute(JOBS).fetchall() == []
    connection.execute("select pgvec.bind_model('documents', 'openai:test', 2)")
    assert triggers() != []
    write("bound")
    assert "bound" in {row[0] for row in connection.execute(JOBS).fetchall()}


def test_the_same_text_again_is_not_queued_again(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 2, model => 'openai:test')")
    connection.execute(
        "insert into documents (id, content) values ('fresh', 'tea'), ('waits', 'tea'), ('failed', 'tea')"
    )
    connection.execute(
        "select pgvec.store_embeddings('documents', array['fresh'], array[content_hash],"
        " array['[1,2]']::extensions.vector[]) from documents where id = 'fresh'"
    )
    connection.execute(
        "select pgvec.fail_jobs('documents', array['failed'], array[content_hash], array['too long'])"
        "  from documents where id = 'failed'"
    )
    before = connection.execute(JOBS).fetchall()
    assert [row[0] for row in before] == ["failed", "waits"]
    assert before[0][3:] == (1, "too long")
    for again in (
        "update documents set content = content",
        "update documents set content = 'tea', metadata = '{\"n\": 1}'",
        "insert into documents (id, content) values ('fresh', 'tea'), ('failed', 'tea')"
        " on conflict (id) do update set content = excluded.content",
        'select upsert_documents(\'[{"id": "fresh", "content": "tea"}, {"id": "failed", "content": "tea"}]\')',
    ):
        connection.execute(again.encode())
        assert connection.execute(JOBS).fetchall() == before, again
    # another text, and then the first again: stale in between, so it is due at once
    connection.execute("update documents set content = 'coffee' where id = 'failed'")
    connection.execute("update documents set content = 'tea' where id = 'failed'")
    after = connection.execute(JOBS).fetchall()
    assert [(row[0], row[3], row[4]) for row in after] == [("failed", 0, None), ("waits", 0, None)]


def test_what_failed_together_does_not_come_back_together(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('documents', 2, model => 'openai:test')")
    connection.execute(
        "insert into documents (id, content) select i::text, 'tea ' || i from generate_series(1, 200) as i"
    )
    for failures, longest in ((1, 60), (2, 120), (3, 240), (4, 480)):
        connection.execute(
            "select pgvec.fail_jobs('documents', array_agg(id), array_agg(content_hash), array_agg('no'::text))"
            "  from pgvec.embedding_jobs"
        )
        row = connection.execute(
            "select min(wait), max(wait), count(distinct wait), max(attempts)"
            "  from (select extract(epoch from due_at - tried_at)::float8 as wait, attempts"
            "          from pgvec.embedding_jobs) as w"
        ).fetchone()
        assert row is not None
        shortest, most, different, attempts = row
        assert attempts == failures
        assert longest / 2 - 1 <= shortest < 0.6 * longest < 0.9 * longest < most <= longest + 1
        assert different > 190
