-- pgvec.insert_search -- a row of the log of searches: straight from a search, or as it was announced.
create or replace function pgvec.insert_search(entry pgvec.search_log)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
begin
  insert into pgvec.search_log
         (collection, searched_at, function, route, requested, returned, ms, top_score, tenants, filtered, sample, query_text, query_filter, query_embedding)
  values (entry.collection, entry.searched_at, entry.function, entry.route, entry.requested, entry.returned, entry.ms, entry.top_score,
          entry.tenants, entry.filtered, entry.sample, entry.query_text, entry.query_filter, entry.query_embedding);
end
$$;
comment on function pgvec.insert_search(pgvec.search_log) is 'Adds a row to pgvec.search_log, with an id of its own.';
revoke all on function pgvec.insert_search(pgvec.search_log) from public;
