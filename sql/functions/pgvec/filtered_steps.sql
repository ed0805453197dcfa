-- pgvec.filtered_steps -- how a search with a filter goes about it, where there is a vector index.
-- So few matches that a look at the index would not pay are scanned (3000: look_costs of pgvec.wide_steps, times the
-- least ef_search of a look). For more see there.
-- How many rows match is asked of the planner, by EXPLAIN, for 0.02 ms; a bounded count would read a good part of the
-- table for a filter that many rows pass. Volatile, since EXPLAIN is a utility statement, which stable functions may not
-- run themselves.
drop function if exists pgvec.filtered_steps(pgvec.collections, text, text, int, text, jsonb);

create or replace function pgvec.filtered_steps(
    collection pgvec.collections, kind text, method text, wanted int, read_rows int, ef_search int, condition text, bound jsonb)
  returns pgvec.search_step[]
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
declare
  plan    text;
  matches float8;
  indexed boolean;
begin
  execute format('explain (format json) select from %s as d where d.embedding is not null and %s', pgvec.rows_of(collection), condition)
    into plan
    using null::text, bound;
  -- those of the topmost node come first; reading it as JSON, or by a pattern, would take a good part of making it
  matches := split_part(split_part(plan, '"Plan Rows": ', 2), ',', 1)::float8;
  indexed := position('"Index Name":' in plan) > 0;
  if indexed and matches <= 3000 then
    return array[(null, null, null, null, wanted, 0, false, false, matches)];
  end if;
  return pgvec.wide_steps(collection, kind, method, wanted, read_rows, ef_search, matches, indexed);
end
$$;
comment on function pgvec.filtered_steps(pgvec.collections, text, text, int, int, int, text, jsonb) is
  'The steps of a search with a filter over an index of a kind and method (of pgvec.index_kind), the last an exact scan (see type pgvec.search_step).';
revoke all on function pgvec.filtered_steps(pgvec.collections, text, text, int, int, int, text, jsonb) from public;
select pgvec.grant_execute('pgvec.filtered_steps(pgvec.collections, text, text, int, int, int, text, jsonb)', 'reader');
