-- pgvec.announce_search -- notifies the listener of a search that could not be logged because its transaction is read-only.
-- NOTIFY writes nothing, but transactions that notify commit one by one: so only where a listener is running, and not when the
-- queue of notifications is half full, since a full one fails the commit. A notification takes 8,000 bytes: the row is sent in
-- numbered pieces, of at most four bytes a character.
create or replace function pgvec.announce_search(entry jsonb)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  piece  constant int := 1900;
  told   constant text := entry::text;
  pieces constant int := ceil(length(told)::float8 / piece);
  key    constant text := gen_random_uuid();
begin
  if pg_is_in_recovery() or not pgvec.collector_listens() or pg_notification_queue_usage() > 0.5 then
    return;
  end if;
  perform pg_notify(c.name, format('%s %s %s %s', key, n, pieces, substr(told, (n - 1) * piece + 1, piece)))
     from pgvec.search_channel as c, generate_series(1, pieces) as n
    order by n;
end
$$;
comment on function pgvec.announce_search(jsonb) is
  'Sends a row for pgvec.search_log to the channel of pgvec.search_channel, where a listener is running: in pieces "key number of-how-many text". Does nothing on a '
  'standby.';
revoke all on function pgvec.announce_search(jsonb) from public;
