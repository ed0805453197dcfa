-- pgvec.sweep_is_due -- whether stale rows outside the queue of a collection are to be looked for again.
-- Definer, since nobody else may write when that was.
create or replace function pgvec.sweep_is_due(collection text, found_nothing boolean default false)
  returns boolean
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.of_model(sweep_is_due.collection);
begin
  perform pgvec.queue_scope(target);
  if target.source is not null and target.base = target.relation then
    if found_nothing then
      update pgvec.model_changes as m set swept_at = clock_timestamp() where m.collection = target.name;
    end if;
    return not exists (select from pgvec.model_changes as m where m.collection = target.name and m.swept_at > clock_timestamp() - interval '30 s');
  end if;
  if found_nothing then
    insert into pgvec.embedding_queues as q (collection, swept_at)
    values (target.name, clock_timestamp())
        on conflict on constraint embedding_queues_pkey do update set swept_at = excluded.swept_at;
    return false;
  end if;
  return not exists (select from pgvec.embedding_queues as q where q.collection = target.name and q.swept_at > clock_timestamp() - interval '30 s');
end
$$;
comment on function pgvec.sweep_is_due(text, boolean) is
  'Whether nobody has looked in the last half minute for stale rows outside the queue of a collection, and found none. found_nothing: the caller has. Raises PV001, PV006.';
revoke all on function pgvec.sweep_is_due(text, boolean) from public;
select pgvec.grant_execute('pgvec.sweep_is_due(text, boolean)', 'writer');
