-- pgvec.filtered_steps -- how a search with a filter goes about it, where there is a vector index.
-- So few matches that a look at the index would not pay are scanned (3000: look_costs of pgvec.wide_steps, times the
-- least ef_search of a look). For more see there.
create or replace function pgvec.filtered_steps(
    collection pgvec.collections, kind text, method text, wanted int, condition text, bound jsonb)
  returns pgvec.search_step[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
as $$
declare
  found record := pgvec.estimate_matches(collection, condition, bound);
begin
  if found.indexed and found.matches <= 3000 then
    return array[(null, null, null, null, wanted, 0, false, false, found.matches)];
  end if;
  return pgvec.wide_steps(collection, kind, method, wanted, found.matches, found.indexed);
end
$$;
comment on function pgvec.filtered_steps(pgvec.collections, text, text, int, text, jsonb) is
  'The steps of a search with a filter over an index of a kind and method (of pgvec.index_kind), the last an exact scan (see type pgvec.search_step).';
revoke all on function pgvec.filtered_steps(pgvec.collections, text, text, int, text, jsonb) from public;
select pgvec.grant_execute('pgvec.filtered_steps(pgvec.collections, text, text, int, text, jsonb)', 'reader');
