-- pgvec.log_search -- logs a search, and never fails it or makes it wait.
-- The search functions call it, for every role that may search; definer, since none of these may write the log. A direct call
-- can log a search that never took place: this is no audit log.
-- The lock that an insert needs is taken only where it is free: TRUNCATE, ALTER and the like cost rows of the log, and no
-- search waits. The handler lists every other error class to ignore; cancellation is not among them.
-- In a read-only transaction, which PostgREST gives to stable functions, nothing can be inserted. The row is then announced, if
-- there is a listener: pgvec-admin log collect holds the advisory lock that shows it, and inserts the row. A standby can do
-- neither.
-- A line in the server's log would always be possible, but the server adds the statement to it, and with it the text.
drop function if exists pgvec.log_search(text, text, text, int, int, timestamptz, float8, float8, uuid, jsonb, text, extensions.vector);

create or replace function pgvec.log_search(
    collection text,
    function text,
    route text,
    requested int,
    returned int,
    started timestamptz,
    top_score float8,
    for_tenant uuid,
    filter jsonb,
    query_text text,
    query_embedding extensions.vector)
  returns void
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  ended   constant timestamptz := clock_timestamp();
  request pgvec.search_request;
  target  pgvec.collections;
  entry   jsonb;
begin
  if current_setting('pgvec.search_log', true) = 'off' then  -- not a user's search
    return;
  end if;
  request := pgvec.scoped(log_search.collection, for_tenant);
  target := request.collection;
  if target.log_sample is null or function not in ('match_documents', 'keyword_search', 'hybrid_search') then
    return;
  end if;
  entry := jsonb_build_object(
    'collection', target.name,
    'searched_at', greatest(least(started, ended), ended - interval '1 day'),
    'function', function,
    'route', left(route, 100),
    'requested', greatest(requested, 0),
    'returned', greatest(returned, 0),
    'ms', extract(epoch from 1000 * (ended - greatest(least(started, ended), ended - interval '1 day')))::float8,
    'top_score', case when top_score between -1e300 and 1e300 then top_score end,
    'tenants', request.tenants,
    'owner', case when exists (select from pgvec.collections as c where pgvec.holds_users(c.owner_table)) then pgvec.current_owner()
                  when target.owner_column = 'owner_id' then pgvec.current_owner(false) end,
    'filtered', coalesce(filter, '{}') <> '{}',
    'sample', target.log_sample,
    'query_text', case when target.log_texts then left(query_text, 10000) end,
    'query_filter', case when target.log_texts and filter <> '{}' and length(filter::text) <= 65536 then filter end,
    'query_embedding', case when target.log_embeddings then query_embedding::text end);

  if current_setting('transaction_read_only')::boolean then
    perform pgvec.announce_search(entry);
  else
    lock table pgvec.search_log in row exclusive mode nowait;
    perform pgvec.insert_search(entry);
  end if;
exception
  when object_not_in_prerequisite_state           -- locked
    or syntax_error_or_access_rule_violation      -- gone, altered, not ours
    or integrity_constraint_violation
    or data_exception
    or plpgsql_error                              -- a foreign trigger
    or invalid_transaction_state                  -- read only
    or feature_not_supported
    or insufficient_resources                     -- no space
    or program_limit_exceeded
    or system_error
    or internal_error
    or sqlstate 'PV001' or sqlstate 'PV006'       -- the collection was dropped meanwhile, the tenant taken away
    or sqlstate 'PV004' then                      -- app.owner_id is no uuid
    null;
end
$$;
comment on function pgvec.log_search(text, text, text, int, int, timestamptz, float8, uuid, jsonb, text, extensions.vector) is
  'Logs a search of a collection whose searches are logged (pgvec.log_searches), if that is possible without waiting.';
revoke all on function pgvec.log_search(text, text, text, int, int, timestamptz, float8, uuid, jsonb, text, extensions.vector) from public;
select pgvec.grant_execute('pgvec.log_search(text, text, text, int, int, timestamptz, float8, uuid, jsonb, text, extensions.vector)', 'reader');
