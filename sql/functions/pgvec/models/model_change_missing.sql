-- pgvec.model_change_missing -- how many rows the new model would not find, which the present one finds.
-- While an application writes there is always a row on its way: one that was written since the change began and has been queued
-- within the last ten seconds does not count.
create or replace function pgvec.model_change_missing(collection text)
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(model_change_missing.collection);
  change  pgvec.model_changes;
  missing bigint;
begin
  select m.* into change from pgvec.model_changes as m where m.collection = target.name and m.state = 'pending';
  if change.state is null then
    perform pgvec.refuse_change(target.name);
  end if;
  execute format(
    $query$
    select count(*)
      from %s as d
     where d.embedded_hash_next is distinct from d.content_hash
       and d.content ~ '\S'
       and not (d.updated_at > $2
                and exists (select from pgvec.embedding_jobs as j where j.collection = $1 and j.id = d.id and j.queued_at > clock_timestamp() - interval '10 s'))
    $query$, target.base)
    into missing
    using target.name || '@' || change.model, change.begun_at;
  return missing;
end
$$;
comment on function pgvec.model_change_missing(text) is
  'The number of rows with text that the new model of a collection has not embedded, without those that were written since it is changed and queued in the last ten '
  'seconds. Raises '
  'PV001, PV004 where no change goes on.';
revoke all on function pgvec.model_change_missing(text) from public;
