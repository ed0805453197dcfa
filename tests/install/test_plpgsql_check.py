"""plpgsql_check over all our PL/pgSQL functions: its findings are fixed, or listed here with why they are no fault."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import installation
from conftest import Connection
from pgvec_admin.database import Target
from pgvec_admin.install import migrate
from seeded import SHOP, fill

# Findings that are no fault in any function: a pattern of "level: message (detail)", and why.
NOWHERE_A_FAULT = {
    r"performance: target type is different": "numbers become other numbers, and names texts, unparsed",
    r"cannot to determin\w+ (result|volatility) of (used )?dynamic SQL": "the query that it cannot see does it",
    r"warning extra: composite OUT variable": "a row type that goes out beside others",
    r"warning: cannot determinate a result of dynamic SQL": "only says that other findings may be wrong",
}

# Records that a dynamic query fills: it takes them for unset, and what is compared with them for unused.
FILLED_BY_DYNAMIC_QUERIES = {
    "pgvec.count_lexemes": ("part",),
    "pgvec.compare_models": ("drawn",),
    "pgvec.enqueue_stale": ("page", "free"),
    "pgvec.graph_plan": ("drawn",),
    "pgvec.sample_queries": ("drawn", "filter"),
    "pgvec.sample_similarities": ("drawn",),
    "pgvec.tell_adoption": ("counted",),
    "pgvec.verify_models": ("found",),
    "pgvec.verify_fit": ("seen", "apart", "unknown"),
    "pgvec.verify_rows": ("seen", "stale", "whole"),
    "pgvec.verify_search": ("drawn", "explained", "most_scanned"),
    "pgvec.verify_texts": ("seen", "again", "repair", "outdated"),
}

# Queries built with %s, which it takes for an injection; what %s is there, and why it is safe.
SAFE_TEXTS = {
    "relations and conditions of pgvec.filter_condition and pgvec.vector_query, whose values are parameters": (
        "pgvec.deep_rows",
        "pgvec.explain_search",
        "pgvec.graph_plan",
        "pgvec.candidates",
        "pgvec.keyword_hits",
        "pgvec.posted_hits",
        "pgvec.model_change_status",
        "pgvec.prepare_bench",
        "pgvec.quantization_recall",
        "pgvec.recall_curve",
        "pgvec.sample_queries",
        "pgvec.sample_similarities",
        "pgvec.search_steps",
        "pgvec.tenant_rows",
        "pgvec.verify_search",
        "public.match_documents",
    ),
    "clauses of pgvec.index_clause, of checked choices, numbers and %I": ("pgvec.bench_index", "pgvec.build_seconds"),
    "names quoted by the catalog (regclass, format_type, quote_ident), and fixed phrases chosen by CASE": (
        "pgvec.attach_triggers",
        "pgvec.build_adoption",
        "pgvec.clear_emptied",
        "pgvec.copy_tenant",
        "pgvec.count_lexemes",
        "pgvec.create_table",
        "pgvec.create_collection_api",
        "pgvec.free_rows",
        "pgvec.hide_statistics",
        "pgvec.isolate_tenant",
        "pgvec.keep_lexemes",
        "pgvec.keep_queue",
        "pgvec.maintain_adopted",
        "pgvec.make_policies",
        "pgvec.make_view",
        "pgvec.merge_staged",
        "pgvec.protect_second",
        "pgvec.protect_side",
        "pgvec.protect_table",
        "pgvec.reads_text",
        "pgvec.release_collection",
        "pgvec.repair_adopted",
        "pgvec.skip_unchanged",
        "pgvec.store_adopted",
        "pgvec.store_embeddings",
        "pgvec.tell_adoption",
        "public.upsert_documents",
    ),
    "a list of attempts in the function itself": ("pgvec.verify_access", "pgvec.verify_tenants"),
}

FINDINGS = """
select n.nspname || '.' || p.proname as function,
       f.level || ': ' || f.message || coalesce(' (' || f.detail || ')', '') as finding
  from pg_proc as p
  join pg_namespace as n on n.oid = p.pronamespace
  join pg_language as l on l.oid = p.prolang
  left join (values ('count_lexemes', 'documents', 'old_rows', 'new_rows'),
                    ('enqueue_changes', 'documents', 'old_rows', 'new_rows'),
                    ('maintain_document', 'notes', null, null),
                    ('maintain_adopted', 'jobs', null, null),
                    ('forget_account', 'jobs', null, null),
                    ('forget_words', 'pgvec.forgotten', null, null),
                    ('forget_adopted', 'jobs', null, null)) as t (name, relation, old_rows, new_rows)
    on t.name = p.proname
 cross join lateral extensions.plpgsql_check_function_tb(
         p.oid, coalesce(to_regclass(t.relation), 0), oldtable => t.old_rows, newtable => t.new_rows,
         fatal_errors => false, extra_warnings => true, performance_warnings => true, security_warnings => true,
         compatibility_warnings => true) as f
 where l.lanname = 'plpgsql'
   and n.nspname in ('pgvec', 'public')
   and p.proname !~ '_(notes|jobs)$'
 order by 1, 2
"""


@pytest.fixture(scope="module")
def checked() -> Iterator[Connection]:
    """PostgreSQL 17 with plpgsql_check, collections, and the temporary tables that functions find when called."""
    with installation.running(17) as server:
        migrate.migrate(Target(server.url(), "the test"), report=lambda _: None)
        with installation.connect(server.url()) as connection:
            connection.execute("create extension plpgsql_check schema extensions")
            fill(connection)
            connection.execute(SHOP.replace("shop", "jobs"))
            connection.execute(
                "select pgvec.adopt_collection('jobs', 'jobs', content_columns => '{title}', add_columns => true)"
            )
            connection.execute("select pgvec.begin_staging('documents')")
            connection.execute("select pgvec.prepare_bench('documents')")
            connection.execute("create index pgvec_bench_idx on pgvec_bench_rows (id)")
            yield connection


def _excused(function: str, finding: str) -> bool:
    if any(re.search(pattern, finding) for pattern in NOWHERE_A_FAULT):
        return True
    if "text type variable is not sanitized" in finding:
        return any(function in functions for functions in SAFE_TEXTS.values())
    return any(f'"{name}"' in finding for name in FILLED_BY_DYNAMIC_QUERIES.get(function, ()))


def test_it_finds_nothing_in_our_functions_but_what_is_explained(checked: Connection) -> None:
    found = checked.execute(FINDINGS).fetchall()
    assert [one for one in found if not _excused(*one)] == []
    # an explanation that is no longer needed has to be removed
    unsafe = {function for function, finding in found if "not sanitized" in finding}
    assert {function for functions in SAFE_TEXTS.values() for function in functions} == unsafe
    assert set(FILLED_BY_DYNAMIC_QUERIES) <= {function for function, _ in found}


def test_it_finds_a_fault(checked: Connection) -> None:
    checked.execute(
        "create function pgvec.faulty(given int) returns int language plpgsql as"
        " $$ declare unused int; begin return (select n from no_such_table); end $$"
    )
    try:
        found = [finding for function, finding in checked.execute(FINDINGS).fetchall() if function == "pgvec.faulty"]
    finally:
        checked.execute("drop function pgvec.faulty")
    assert [finding for finding in found if not _excused("pgvec.faulty", finding)] == [
        'error: relation "no_such_table" does not exist',
        "performance: routine is marked as VOLATILE, should be IMMUTABLE",
        'warning extra: unused parameter "given"',
        'warning: unused variable "unused"',
    ]
