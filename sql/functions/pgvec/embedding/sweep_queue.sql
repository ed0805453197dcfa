-- pgvec.sweep_queue -- looks for stale rows outside the queue of a collection, until it has found some, or all rows are seen; and, once for
-- each model, for rows with vectors of another.
create or replace function pgvec.sweep_queue(collection text)
  returns boolean
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  last_id text;
  queued  bigint;
begin
  if pgvec.sweep_is_due(sweep_queue.collection) then
    if strpos(sweep_queue.collection, '@') = 0 and pgvec.mark_others(sweep_queue.collection) > 0 then
      return true;
    end if;
    loop
      select s.last_id, s.queued into last_id, queued from pgvec.enqueue_stale(sweep_queue.collection, last_id) as s;
      if queued > 0 then
        return true;
      end if;
      exit when last_id is null;
    end loop;
    perform pgvec.sweep_is_due(sweep_queue.collection, found_nothing => true);
  end if;
  return false;
end
$$;
comment on function pgvec.sweep_queue(text) is
  'Enters stale rows that are not in the queue of a collection into it, some thousand at once, and returns whether there were some. After a look that found none it waits '
  'half a minute. Raises PV001, PV006.';
revoke all on function pgvec.sweep_queue(text) from public;
select pgvec.grant_execute('pgvec.sweep_queue(text)', 'writer');
