"""verify: each breakage of an installation is found by the check named for it, and repaired where that is possible."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from damage import FILL, QUICK, VECTOR, damage, fill, known
from psycopg.conninfo import make_conninfo

import installation
from conftest import copied, filled
from pgvec_admin.database import Target
from pgvec_admin.errors import UsageError
from pgvec_admin.install import migrate
from pgvec_admin.quality import verification
from pgvec_admin.quality.verification import Check, Options
from pgvec_admin.server import embedded
from properties import FULL

with_collections = filled("verified", fill)
verified = copied("with_collections")


@pytest.fixture
def where(verified: str) -> Target:
    """A database with three collections in which verify finds nothing."""
    return Target(verified, "the test")


@dataclass(frozen=True)
class Breakage:
    """A block of breakages.sql; `found_by` are the checks that find it, `says` is part of the first one's text.

    `alone` is what is planted with no other; `undone` is the statement that ends a breakage of the whole server, such
    as one of a role."""

    name: str
    found_by: tuple[str, ...]
    says: str
    repaired: bool
    alone: bool
    undone: str
    statements: tuple[str, ...]

    @property
    def opens(self) -> bool:
        """Whether it lets somebody in."""
        area, _, check = self.found_by[0].partition(": ")
        return area == "privileges" or check in OF_SECURITY

    @property
    def touches(self) -> set[str]:
        """The checks that find it, and the collections that it breaks."""
        return {*self.found_by} | {check.partition(": ")[0] for check in self.found_by} & COLLECTIONS


def _read(block: str) -> Breakage:
    lines = block.strip().splitlines()
    notes = [line[5:] for line in lines if line.startswith("--   ")]
    undone = "".join(note.removeprefix("undone: ") for note in notes if note.startswith("undone: "))
    checks = [note for note in notes if note not in ("repaired", "alone") and not note.startswith("undone: ")]
    first, _, says = checks[0].partition(" | ")
    statements = "\n".join(line for line in lines if not line.startswith("--"))
    return Breakage(
        lines[0][3:],
        (first, *checks[1:]),
        says,
        "repaired" in notes,
        "alone" in notes,
        undone,
        tuple(re.split(r";(?:\n|$)", statements)[:-1]),
    )


COLLECTIONS = {"documents", "notes", "jobs"}

# What these checks find lets somebody in; what the others find is slow, wrong or missing.
OF_SECURITY = {
    "overloads", "search_path", "definer", "owner", "definer of others", "leakproof", "event triggers",
    "rls", "policies", "writers", "strangers", "views", "triggers of others", "rules", "publications",
    "unique indexes", "inheritance", "code of others",
}  # fmt: skip


BREAKAGES = [_read(block) for block in Path(__file__).with_name("breakages.sql").read_text().split("\n\n")[1:]]


def _objections(where: Target, options: Options = QUICK) -> dict[str, Check]:
    return {f"{check.area}: {check.check_name}": check for check in _objecting(where, options)}


def _objecting(where: Target, options: Options) -> Iterator[Check]:
    return (check for check in verification.run(where, options) if check.result != "ok" and not known(check))


def test_nothing_is_found_in_what_is_installed(where: Target) -> None:
    checks = list(verification.run(where, QUICK))
    assert [check for check in checks if check.result != "ok" and not known(check)] == []
    assert {check.area for check in checks} == {
        "migrations", "functions", "extension", "server", "privileges", "documents", "notes", "jobs",
    }  # fmt: skip


def _together() -> list[list[Breakage]]:
    """Breakages that are planted at once: no check finds two of them, and of each collection one is broken. Each alone
    in make test-full, and what is `alone` always."""
    groups: list[list[Breakage]] = []
    for one in BREAKAGES:
        for group in [] if FULL or one.alone else groups:
            if not any(other.alone or other.touches & one.touches for other in group):
                group.append(one)
                break
        else:
            groups.append([one])
    return groups


@pytest.mark.parametrize("broken", _together(), ids=lambda broken: ", ".join(one.name for one in broken))
def test_what_is_broken_is_found_by_its_check_and_by_no_other(where: Target, broken: list[Breakage]) -> None:
    by_name = {check: one for one in broken for check in one.found_by}
    try:
        for one in broken:
            damage(where, *one.statements)
        found = _objections(where)
        if installation.OWNER:  # a superuser made what is planted, and whose words are counted is no superuser
            for also in {"functions: owner", "notes: keyword statistics"} - set(by_name):
                found.pop(also, None)
        assert set(found) == set(by_name)
        for one in broken:
            assert one.says in (found[one.found_by[0]].found or "")
            assert found[one.found_by[0]].hint
        said: list[str] = []
        verification.fix(where, list(found.values()), said.append)
        left = set(_objections(where))
        for one in broken:  # a repair may leave another check to object
            assert bool(left & {*one.found_by} or (left - set(by_name) and not one.repaired)) != one.repaired, said
        assert not (left and all(one.repaired for one in broken)), said
    finally:
        for one in broken:
            if one.undone:
                damage(where, one.undone)


def test_there_are_checks_for_all_that_can_be_damage(where: Target) -> None:
    names = {check.check_name for check in verification.run(where, QUICK)}
    broken = {check.split(": ")[1] for breakage in BREAKAGES for check in breakage.found_by}
    assert len(BREAKAGES) >= 110
    assert len([one for one in BREAKAGES if one.opens]) >= 70
    assert len({one.name for one in BREAKAGES}) == len(BREAKAGES)
    assert names - broken == {
        "postgres", "autovacuum", "jit", "shared_buffers", "statement_timeout", "recall", "latency", "replica",
    }  # fmt: skip


def test_a_recall_below_what_is_wanted_fails(where: Target) -> None:
    damage(
        where,
        "select pg_temp.add_rows(3000)",
        "update documents"
        " set embedding = array(select sin(hashtext(id || i)) from generate_series(1, 8) as i)::extensions.vector",
        "drop index documents_embedding_idx",
        "create index documents_embedding_idx on documents"
        " using hnsw (embedding extensions.vector_cosine_ops) with (m = 2, ef_construction = 4)",
        "select pgvec.note_index('documents')",
        """update pgvec.collections set settings = '{"ef_search": 1}' where name = 'documents'""",
        "vacuum analyze documents",
    )
    found = _objections(where, Options(seconds=1))
    assert set(found) == {"documents: recall"}
    assert re.fullmatch(
        r"recall@10 0\.\d+ over \d+ sampled queries \(wanted 0.98\)", found["documents: recall"].found or ""
    )
    assert "pgvec-admin index tune documents" in (found["documents: recall"].hint or "")
    assert _objections(where, Options(seconds=1, wanted_recall=0.01)) == {}


def test_a_latency_beyond_the_limit_is_told(where: Target) -> None:
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        row = connection.execute(
            "select result, found from pgvec.verify_search('documents', 0.2, slow_ms => 0.001)"
            " where check_name = 'latency'"
        ).fetchone()
    assert row is not None
    assert row[0] == "warn"
    assert re.fullmatch(r"vector p95 [\d.]+ ms; keyword p95 [\d.]+ ms; hybrid p95 [\d.]+ ms", row[1])


@pytest.fixture
def poor() -> Iterator[embedded.Server]:
    """A server with harmful settings, and without limits on the roles of the REST API."""
    with installation.own_server(shared_buffers="1MB", autovacuum="off") as instance:
        made = instance.start(tcp_port=0)
        installation.add_pgvector(made.url())
        with installation.connect(made.url()) as connection:
            connection.execute("create role anon; create role authenticated; create role service_role bypassrls")
        migrate.migrate(Target(made.url(), "the test"), report=lambda _: None)
        with installation.connect(made.url()) as connection:
            connection.execute(FILL.encode())
            connection.execute("vacuum analyze")
        yield made


def test_settings_of_the_server_that_hurt_are_told(poor: embedded.Server) -> None:
    where = Target(poor.url(), "the test")
    damage(where, "select pg_temp.add_rows(6000)")
    found = _objections(where)
    assert {name: one.result for name, one in found.items()} == {
        "server: autovacuum": "warn",
        "server: shared_buffers": "warn",
        "server: statement_timeout": "warn",
    }
    assert "shared_buffers 1024 kB" in (found["server: shared_buffers"].found or "")
    assert (
        found["server: statement_timeout"].found
        == "anon has no statement_timeout; authenticated has no statement_timeout"
    )
    damage(
        where, "alter role anon set statement_timeout = '3s'", "alter role authenticated set statement_timeout = '8s'"
    )
    told = [one.found for one in verification.run(where, QUICK) if one.check_name == "statement_timeout"]
    assert told == ["anon 3s, authenticated 8s"]


def test_a_repair_runs_what_it_says_whatever_tables_are_called(where: Target) -> None:
    odd = '"x; drop table victim; --"'
    with installation.connect(where.conninfo) as connection:
        connection.execute("create table victim ()")
        connection.execute(f"create table {odd} (id int primary key, title text, embedding extensions.vector(8))")
        connection.execute(f"alter table {odd} set (autovacuum_enabled = off)")
        connection.execute("select pgvec.adopt_collection('odd', %s, content_columns => '{title}')", (f"public.{odd}",))
        connection.execute(f"insert into {odd} select i, 'odd ' || i, {VECTOR} from generate_series(1, 1500) as i")
        connection.execute("select pg_stat_force_next_flush()")
        said: list[str] = []
        found = _objections(where)
        assert found["odd: analyze"].fix == f"analyze public.{odd};"
        verification.fix(where, [found["odd: analyze"]], said.append)
        assert said == [f"analyze public.{odd};"]
        assert connection.execute("select to_regclass('victim') is not null").fetchone() == (True,)
    assert "odd: analyze" not in _objections(where)


def test_a_repair_gives_back_no_grant_that_its_owner_took_away(where: Target) -> None:
    damage(
        where,
        "revoke select on documents from pgvec_reader",
        "grant truncate on documents to pgvec_writer",
        "drop policy read_all on documents",
    )
    found = _objections(where)
    assert set(found) == {"documents: readers", "documents: writers", "documents: policies"}
    assert found["documents: readers"].fix is None
    verification.fix(where, list(found.values()), lambda _: None)
    assert {name: one.result for name, one in _objections(where).items()} == {"documents: readers": "warn"}
    damage(where, "revoke select on documents from pgvec_writer")
    assert _objections(where)["documents: readers"].result == "fail"


def test_functions_of_others_are_neither_altered_nor_a_fault(where: Target) -> None:
    with installation.connect(where.conninfo) as connection:
        connection.execute("drop function public.match_jobs")
        connection.execute("create function public.match_jobs(n int) returns int language sql as 'select n'")
        connection.execute("create function pgvec.helper() returns int language sql set search_path = '' as 'select 1'")
        connection.execute("revoke all on function pgvec.helper() from public")
        checks = list(verification.run(where, QUICK))
        assert [check for check in checks if check.result != "ok" and not known(check)] == []
        assert "not of this engine: pgvec.helper" in str([check.found for check in checks])
        connection.execute("grant execute on function pgvec.helper() to public")
        found = _objections(where)["privileges: grants"]
        assert ("pgvec.helper() is for PUBLIC: execute" in (found.found or ""), found.fix) == (True, None)


def test_an_index_that_is_being_built_has_not_failed(where: Target) -> None:
    def build() -> None:
        with installation.connect(where.conninfo) as connection:
            connection.execute("create index concurrently slow on documents (chunk_index)")

    with ThreadPoolExecutor() as pool, installation.connect(where.conninfo) as holder:
        with holder.transaction():
            holder.execute("update documents set source = source where id = '1'")
            built = pool.submit(build)
            begun = "select true from pg_index where indexrelid = to_regclass('slow')"
            while not built.done() and not holder.execute(begun).fetchone():
                holder.execute("select pg_sleep(0.05)")
            assert not built.done()
            found = _objections(where)
        built.result()
    assert "documents: invalid index" not in found


def test_of_an_index_of_vectors_that_failed_only_the_useless_rest_is_removed(where: Target) -> None:
    damage(where, "update pg_index set indisvalid = false where indexrelid = 'documents_embedding_idx'::regclass")
    found = _objections(where)["documents: invalid index"]
    assert (found.fix or "").startswith("drop index concurrently public.documents_embedding_idx;")
    verification.fix(where, [found], lambda _: None)
    assert _objections(where) == {}


def test_who_asks_as_another_role_goes_on_as_that_role(where: Target) -> None:
    with installation.connect(make_conninfo(where.conninfo, user=embedded.SUPERUSER)) as connection:
        owner = connection.execute("select pg_get_userbyid(relowner) from pg_class where relname = 'notes'").fetchone()
        assert owner is not None
        connection.execute("select set_config('role', %s, false)", owner)
        with connection.transaction():
            connection.execute("select set_config('request.jwt.claims', '{\"sub\": \"x\"}', true)")
            tried = connection.execute("select * from pgvec.verify_access('notes')").fetchall()
            assert [row[2] for row in tried] == ["ok", "ok"]
            connection.execute("select * from pgvec.verify_tenants()")
            left = "select current_setting('role'), current_setting('request.jwt.claims')"
            assert connection.execute(left).fetchone() == (*owner, '{"sub": "x"}')


def test_a_role_that_cannot_be_tried_is_told_and_not_passed(server: embedded.Server, where: Target) -> None:
    with installation.connect(make_conninfo(where.conninfo, user=embedded.SUPERUSER)) as connection:
        connection.execute("create role stranger_to_readers login")
        try:
            schemas = f"public, pgvec, {installation.VECTOR_SCHEMA}"
            connection.execute(f"grant all on schema {schemas} to stranger_to_readers")
            connection.execute("grant all on all tables in schema pgvec to stranger_to_readers")
            connection.execute("grant all on all functions in schema pgvec, public to stranger_to_readers")
            if installation.OWNER:
                connection.execute("grant stranger_to_readers to owner")  # else its collections cannot be counted
            with psycopg.connect(make_conninfo(where.conninfo, user="stranger_to_readers")) as stranger:
                attempts = stranger.execute("select role_name, passed, detail from pgvec.verify_tenants()").fetchall()
            told = "not tried: stranger_to_readers may not act as it"
            assert attempts == [(name, False, told) for name in ("pgvec_reader", "pgvec_writer")]
        finally:
            connection.execute("drop owned by stranger_to_readers")
            connection.execute("drop role stranger_to_readers")


def test_its_own_searches_are_not_logged(where: Target) -> None:
    with installation.connect(where.conninfo) as connection:
        connection.execute("select pgvec.log_searches(name, 1) from pgvec.collections")
        connection.execute("select * from pgvec.verify(seconds => 0.1)")
        connection.execute("select * from pgvec.sample_similarities('documents')")
        assert connection.execute("select count(*) from pgvec.search_log").fetchone() == (0,)
        connection.execute("select * from match_documents('[1,1,1,1,1,1,1,1]', 1)")
        assert connection.execute("select count(*) from pgvec.search_log").fetchone() == (1,)


def test_nothing_is_written(where: Target) -> None:
    """Each group runs in a read-only transaction: a check that writes would fail with an error."""
    damage(
        where,
        "create or replace function pgvec.verify_table(collection text) returns setof pgvec.verdict language plpgsql"
        " volatile set search_path = '' as $$ begin delete from pgvec.collections; end $$",
    )
    found = _objections(where)
    assert "read-only transaction" in (found["documents: verify_table"].found or "")
    assert found["documents: verify_table"].result == "fail"


def test_what_takes_too_long_is_given_up_and_the_rest_goes_on(where: Target) -> None:
    with psycopg.connect(where.conninfo) as holder:
        holder.execute("lock table documents in access exclusive mode")
        found = _objections(where, Options(seconds=0.1, timeout=0.6))
    assert found["documents: verify_rows"].result == "warn"
    assert (found["documents: verify_rows"].found or "").startswith("given up: canceling statement due to")
    assert not any(name.startswith(("notes", "jobs")) for name in found)


def test_only_some_checks_are_made(where: Target) -> None:
    def made(*only: str) -> set[tuple[str, str]]:
        return {(one.area, one.check_name) for one in verification.run(where, Options(only, seconds=0.1))}

    assert made("grants", "rls") == {
        ("privileges", "grants"),
        *((name, "rls") for name in ("documents", "notes", "jobs")),
    }
    assert {area for area, _ in made("jobs")} == {"jobs"}
    assert ("jobs", "recall") in made("jobs")
    with pytest.raises(UsageError, match="there is no check or area gratns"):
        made("gratns")


def test_psql_users_have_the_same_checks(where: Target) -> None:
    ours = {(one.area, one.check_name, one.result) for one in verification.run(where, QUICK)}
    with psycopg.connect(where.conninfo, autocommit=True) as connection:
        rows = connection.execute("select area, check_name, result from pgvec.verify(seconds => 0.1)").fetchall()
        one = connection.execute("select distinct area from pgvec.verify('notes', 0.1)").fetchall()
    assert set(rows) == ours - {("migrations", "migrations", "ok"), ("functions", "drift", "ok")}
    assert one == [("notes",)]
