"""Calls of every function of the engine, over collections of every kind, in many ways: enumerated from the catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator

from conftest import Connection

TENANT = "00000000-0000-4000-8000-00000000000a"

FILL = f"""
select set_config('app.tenant_id', '{TENANT}', false);
select pgvec.create_collection('documents', 2);
select pgvec.create_collection('notes', 2, access => 'tenant');
select pgvec.create_collection('parts', 2, access => 'tenant', partition => 2);
select pgvec.create_collection('mine', 2, access => 'policy');

insert into documents (id, content, metadata, embedding, source, chunk_index, language)
select i::text, 'red fish number ' || i, '{{"lang": "en", "n": 1, "tags": ["a"], "day": "2026-01-31"}}',
       array[1, i]::real[]::extensions.vector, 'a.md', i, case when i % 2 = 0 then 'german' end
  from generate_series(1, 20) as i;
insert into notes (id, content, metadata, embedding) select id, content, metadata, embedding from documents;
insert into parts (id, content, metadata, embedding) select id, content, metadata, embedding from documents;
insert into mine (id, content, metadata, embedding) select id, content, metadata, embedding from documents;
create policy all_of_it on mine for all using (true) with check (true);
grant select, insert, update, delete on mine to pgvec_reader, pgvec_writer;
create table jobs (
  id int primary key, title text, place text, paid numeric, since date, embedding extensions.vector(2));
insert into jobs
select i, 'red fish ' || i, 'here', i, '2026-01-31', array[1, i]::real[]::extensions.vector
  from generate_series(1, 20) as i;
select pgvec.adopt_collection('jobs', 'public.jobs', content_columns => '{{title}}');
create table crates (id int primary key, title text, embedding extensions.vector(2));
insert into crates select i, 'red fish ' || i, array[1, i]::real[]::extensions.vector from generate_series(1, 20) as i;
select pgvec.adopt_collection('crates', 'public.crates', content_columns => '{{title}}', add_columns => true);
select pgvec.create_collection_api('jobs');
grant select, insert, update, delete on jobs, crates to pgvec_reader, pgvec_writer;
"""
# what releases before did not have
LATER = """
select pgvec.set_synonyms(c.name, '{"cod": ["red fish", "number"]}') from pgvec.collections as c;
insert into pgvec.fits (collection, dimensions, rows, lexemes, length, mean)
select c.name, 2, 20, 2, 1, '[1,1]' from pgvec.collections as c where c.name in ('documents', 'jobs');
insert into pgvec.lexeme_vectors
select f.collection, u.lexeme, '[1,2]' from pgvec.fits as f, unnest(array['red', 'fish']) as u (lexeme);
select pgvec.create_collection('moving', 2, model => 'local:x');
insert into moving (id, content, metadata, embedding) select id, content, metadata, embedding from documents;
select pgvec.begin_model_change('moving', 'local:y', 2, 'halfvec');
"""
COLLECTIONS = ("documents", "notes", "parts", "mine", "jobs", "crates", "moving")

# values of arguments: SQL expressions by the name of an argument, else by its type; the first is the usual one
ROW = "(select c from pgvec.collections as c where c.name = {collection})"
QUERY = "pgvec.keyword_query({collection}, 'red -fish \"number 1\"')"
HITS = "array[row('1', 1, 0.5, 0.5, 1, 1)::pgvec.fused, row('2', 0.5, 0.5, 0.5, 2, 2)::pgvec.fused]"
STEP = "row('column', 'relaxed_order', 40, 20000, 5, 5, false, true, 1)::pgvec.search_step"
FILTERS = [
    "'{}'",
    '\'{"lang": "en"}\'',
    """'{"n": {"$gte": 1}, "$or": [{"lang": {"$like": "e%"}}, {"tags": {"$contains": "a"}}],"""
    """ "$text": "red \\"fish number\\""}'""",
    """'{"paid": {"$in": [1, 2.5]}, "since": {"$gt": "2026-01-01"}, "place": {"$ilike": "H%"}, "id": {"$nin": [3]}}'""",
    """'"{\\"lang\\": {\\"$ne\\": \\"de\\"}}"'""",
]
REQUESTS = [
    "(select jsonb_populate_record(pgvec.vector_request('[1,2]', 5, "
    + one
    + ", null, {collection}, null, "
    + distance
    + "),"
    " jsonb_build_object('query', to_jsonb(" + QUERY + "), 'query_text', 'red fish', 'filter', " + one + "::jsonb,"
    " 'ranking', '" + ranking + "', 'fusion', 'rrf', 'semantic_weight', 1, 'full_text_weight', 1, 'rrf_k', 60,"
    " 'depth', 5, 'group_by', 'source', 'diversity', 0.5, 'recency_field', 'day', 'half_life', '30 days')))"
    for distance in ("null", "'l2'", "'inner_product'", "'l1'")
    for one, ranking in zip(FILTERS, ("bm25", "ts_rank", "ts_rank_cd", "bm25", "bm25"), strict=True)
]
BY_NAME: dict[tuple[str, str], list[str]] = {
    ("name", "text"): ["{collection}"],
    ("key", "text"): ["'1'", "'source'"],
    ("filter", "jsonb"): FILTERS,
    ("query_text", "text"): ["'red fish numbr'", "'red -blue \"fish number\"'", "'red cod fsh'"],
    ("syntax", "text"): ["'web'", "'plain'"],
    ("ranking", "text"): ["'bm25'", "'ts_rank'", "'ts_rank_cd'"],
    ("fusion", "text"): ["null", "'rrf'", "'minmax'", "'weighted'"],
    ("distance", "text"): ["'cosine'", "'l2'"],
    ("kind", "text"): ["null", "'column'", "'halfvec'", "'binary'"],
    ("method", "text"): ["'hnsw'", "'ivfflat'"],
    ("function", "text"): ["'match_documents'"],
    ("group_by", "text"): ["null", "'source'", "'lang'"],
    ("recency_field", "text"): ["null", "'day'"],
    ("half_life", "interval"): ["null", "'30 days'"],
    ("diversity", "double precision"): ["null", "0.5"],
    ("field", "text"): ["'lang'", "'tags'"],
    ("operator", "text"): ["'$eq'", "'$like'", "'$in'", "'$or'"],
    ("operand", "jsonb"): ['\'[{"lang": "en"}]\'', "'1'", "'\"a%\"'", "'[1]'"],
    ("condition", "text"): ["''"],
    ("conditions", "text"): ["'\"red fish\" -blue'"],
    ("bound", "jsonb"): ["'[]'"],
    ("documents", "jsonb"): [
        """'[{"id": "1", "content": "a red fish", "language": "german", "embedding": [1, 2]}, {"content": "new"}]'"""
    ],
    ("embeddings", "vector[]"): ["array['[1,2]', '[2,1]']::extensions.vector[]"],
    ("target", "pgvec.collections"): ["(select c from pgvec.collections as c where c.name = 'crates')", ROW],
    ("tenants", "uuid[]"): ["null", f"array['{TENANT}', '{TENANT}']"],
    ("known", "text[]"): ["array['id', 'content_hash', 'embedding']"],
    ("jobs", "jsonb"): ["""'[{"id": "1", "content_hash": "x", "embedding": [1, 2]}]'"""],
    ("embeddings", "jsonb"): ["""'[{"id": "1", "content_hash": "x", "embedding": "[1,2]"}]'"""],
    ("failures", "jsonb"): ["""'[{"id": "1", "content_hash": "x", "reason": "y"}]'"""],
    ("type", "text"): ["'integer'", "'text'", "'date'"],
    ("category", "text"): ["'N'", "'S'", "'D'"],
    ("audience", "text"): ["'reader'"],
    ("for_tenant", "uuid"): ["null", f"'{TENANT}'"],
    ("row_name", "text"): ["'b'"],
    ("worker", "bigint"): [str(2**52 + 5)],
    ("operation", "text"): ["'DELETE'"],
    ("owner", "text"): ["'people'"],
    ("language", "text"): ["'german'"],
    ("configuration", "text"): ["'english'"],
    ("configuration", "regconfig"): ["'english'"],
    ("configurations", "text[]"): ["array['english', 'german']"],
    ("model", "text"): ["'local:x'"],
    ("condition", "jsonb"): FILTERS,
    ("conditions", "jsonb"): FILTERS,
    ("storage", "text"): ["'vector'", "'halfvec'", "'binary'"],
    ("access", "text"): ["'open'", "'tenant'", "'policy'"],
    ("root", "text"): ["'d.metadata'"],
    ("value_of", "text"): ["'d.metadata'"],
    ("accessor", "text"): ["'@.\"a\"'"],
    ("searched", "text"): ["'(select * from public.documents)'"],
    ("relation", "regclass"): ["'public.documents'"],
    ("acting", "name"): ["session_user"],
    ("reading", "jsonb"): ["null", """'{"fuzzy": true, "prefix": true}'"""],
    ("prefix", "text"): ["'red fis'", "'numbe'"],
    ("beginning", "text"): ["'fi'", "'numbe'"],
    ("lexeme", "text"): ["'fish'"],
    ("weights", "jsonb"): ["""'{"lang": 2, "content": 1}'"""],
    ("synonyms", "jsonb"): ["""'{"cod": ["red fish", "number"]}'"""],
}
BY_TYPE: dict[str, list[str]] = {
    "text": ["'1'"],
    "anyelement": ["null::bigint"],
    "text[]": ["array['1', '2']"],
    "uuid": [f"'{TENANT}'"],
    "uuid[]": ["null", f"array['{TENANT}']"],
    "integer": ["5"],
    "integer[]": ["array[1, 2]"],
    "bigint": ["5"],
    "double precision": ["0.5"],
    "boolean": ["true", "false"],
    "jsonb": ["'{}'"],
    "interval": ["'1 day'"],
    "regclass[]": ["array['public.documents'::regclass]"],
    "name[]": ["array['embedding']"],
    "oid[]": ["array[1]"],
    "bigint[]": ["array[1]"],
    "double precision[]": ["array[0.5]"],
    "regclass": ["'public.documents'"],
    "oid": ["1"],
    "tsquery": ["'red'"],
    "tsvector": ["'red'"],
    "timestamp with time zone": ["now()"],
    "vector": ["'[1,2]'"],
    "sparsevec": ["'{1:0.5}/268435456'"],
    "vector[]": ["array['[1,2]']::extensions.vector[]"],
    "pgvec.collections": [ROW],
    "pgvec.search_request": REQUESTS,
    "pgvec.search_request[]": [f"array[{REQUESTS[0]}]"],
    "pgvec.keyword_query": [QUERY],
    "pgvec.fused[]": [HITS],
    "pgvec.search_step": [STEP],
    "pgvec.search_step[]": [f"array[{STEP}]"],
    "pgvec.model_changes": ["row({collection}, 'pending', 'local:y', 2, 'vector', '{}'::jsonb, now(), null, null)"],
    "pgvec.adoptions": ["(select a from pgvec.adoptions as a limit 1)"],
    "pgvec.fits": ["(select f from pgvec.fits as f limit 1)"],
    "pgvec.bm25_parameters": ["row({collection}, pgvec.no_tenant(), 3, 1.2, 0.75, 20, now())"],
    "name": ["'embedding'"],
    "real": ["0.5"],
    "smallint": ["1"],
    "regprocedure": ["'pgvec.version()'"],
}


def _values(name: str, type_: str) -> list[str]:
    if name == "collection" and type_ == "text":
        return ["{collection}"]
    type_ = re.sub(r"^(extensions|public)\.", "", type_)
    return BY_NAME.get((name, type_)) or BY_TYPE[type_]


def functions(connection: Connection, role: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """All our functions, except triggers, that a role may execute: names and types of their arguments."""
    rows = connection.execute(
        "select format('%%I.%%I', n.nspname, p.proname), p.proargnames[:p.pronargs],"
        " array(select format_type(t, null) from unnest(p.proargtypes) with ordinality as a (t, n) order by n)"
        " from pg_catalog.pg_proc as p join pg_catalog.pg_namespace as n on n.oid = p.pronamespace"
        " where n.nspname in ('pgvec', 'public') and p.prorettype <> 'trigger'::regtype"
        " and has_function_privilege(%s, p.oid, 'execute')"
        " and (n.nspname = 'pgvec' or obj_description(p.oid, 'pg_proc') is not null)"
        " and not exists (select from pg_catalog.pg_depend as d where d.objid = p.oid and d.deptype = 'e')"
        " order by 1",
        (role,),
    ).fetchall()
    return [(name, list(zip(names or [], types, strict=True))) for name, names, types in rows]


def calls(connection: Connection, role: str) -> Iterator[tuple[str, str]]:
    """Functions and calls of them: for each collection the usual one, then each argument with each other value."""
    for name, arguments in functions(connection, role):
        options = [_values(argument, type_) for argument, type_ in arguments]
        usual = [values[0] for values in options]
        tuples = [usual]
        for place, values in enumerate(options):
            tuples += [[*usual[:place], other, *usual[place + 1 :]] for other in values[1:]]
        for chosen in tuples:
            given = ", ".join(f"{value}::{type_}" for value, (_, type_) in zip(chosen, arguments, strict=True))
            for collection in COLLECTIONS if "{collection}" in given else COLLECTIONS[:1]:
                yield name, f"select * from {name}({given})".replace("{collection}", f"'{collection}'")
