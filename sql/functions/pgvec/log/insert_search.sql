-- pgvec.insert_search -- inserts a row into the log of searches, from a search or from its announcement.
create or replace function pgvec.insert_search(entry jsonb)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pgvec.search_log
         (collection, searched_at, function, route, requested, returned, ms, top_score, tenants, owner, filtered, sample, query_text, query_filter, query_embedding)
  select l.collection, l.searched_at, l.function, l.route, l.requested, l.returned, l.ms, l.top_score, l.tenants, l.owner, l.filtered, l.sample,
         l.query_text, l.query_filter, l.query_embedding
    from jsonb_populate_record(null::pgvec.search_log, jsonb_strip_nulls(entry)) as l;
end
$$;
comment on function pgvec.insert_search(jsonb) is 'Adds a row to pgvec.search_log, given as an object with its columns; the id is generated.';
revoke all on function pgvec.insert_search(jsonb) from public;
