-- pgvec.model_change_missing -- how many rows the new model would not find, which the present one finds.
-- While an application writes there is always a row on its way: one that was written since the change began, within the last
-- ten seconds, does not count.
create or replace function pgvec.model_change_missing(collection text)
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(model_change_missing.collection);
  missing bigint;
begin
  execute format(
    $query$
    select count(*)
      from %s as d
     where d.embedded_hash_next is distinct from d.content_hash
       and d.content ~ '\S'
       and d.updated_at <= greatest((select m.begun_at from pgvec.model_changes as m where m.collection = $1), now() - interval '10 s')
    $query$, target.base)
    into missing
    using target.name;
  return missing;
end
$$;
comment on function pgvec.model_change_missing(text) is
  'The number of rows with text that the new model of a collection has not embedded, without those that were written in the last ten seconds of the change. Raises PV001.';
revoke all on function pgvec.model_change_missing(text) from public;
