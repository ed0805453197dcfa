-- pgvec.tune_scan -- how far index scans look, for one search over a collection.
-- Called only by functions with SET clauses for the same settings, so that these end with that function and never
-- reach the caller's transaction.
create or replace function pgvec.tune_scan(collection pgvec.collections, match_count int)
  returns void
  language plpgsql stable parallel unsafe
  security invoker set search_path = ''
as $$
begin
  perform set_config('hnsw.ef_search', least(1000, greatest(match_count, coalesce((collection.settings ->> 'ef_search')::int, 100)))::text, true);
  perform set_config('ivfflat.probes', coalesce((collection.settings ->> 'probes')::int, 10)::text, true);
end
$$;
comment on function pgvec.tune_scan(pgvec.collections, int) is
  'Sets hnsw.ef_search and ivfflat.probes from a collection''s settings (ef_search, default 100; probes, default 10), '
  'and ef_search to match_count at least, for the calling function only.';
revoke all on function pgvec.tune_scan(pgvec.collections, int) from public;
select pgvec.grant_execute('pgvec.tune_scan(pgvec.collections, int)', 'reader');
