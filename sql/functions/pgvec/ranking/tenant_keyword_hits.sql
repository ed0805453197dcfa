-- pgvec.tenant_keyword_hits -- where the rows of a tenant are that score highest for a keyword query: ids and scores.
-- As pgvec.tenant_matches, for the words.
create or replace function pgvec.tenant_keyword_hits(
    collection text, query pgvec.keyword_query, ranking text, match_count int, filter jsonb, for_tenant uuid)
  returns pgvec.scored[]
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
begin
  return pgvec.keyword_hits(pgvec.tenant_target(collection, for_tenant), query, ranking, match_count, filter);
end
$$;
comment on function pgvec.tenant_keyword_hits(text, pgvec.keyword_query, text, int, jsonb, uuid) is
  'The ids and scores that pgvec.keyword_hits finds among the rows of a tenant of the caller. Raises PV001, PV003 and PV006.';
revoke all on function pgvec.tenant_keyword_hits(text, pgvec.keyword_query, text, int, jsonb, uuid) from public;
select pgvec.grant_execute('pgvec.tenant_keyword_hits(text, pgvec.keyword_query, text, int, jsonb, uuid)', 'reader');
