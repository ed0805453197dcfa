-- pgvec.swap_models -- exchanges the columns, indexes, settings and queues of the two models of a collection.
-- The caller has the table locked. A trigger keeps the types of columns as it saw them first, so it is made anew where the
-- type of the vectors changes.
create or replace function pgvec.swap_models(target pgvec.collections, change pgvec.model_changes)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  -- settings of the model, not of the collection: also the breadth of search that its index was found to need (pgvec.keep_recall)
  tuned    constant text[] := array(select k from unnest('{ef_search,probes}'::text[]) as k where target.settings -> k = target.settings #> array['tuned', k]);
  own_keys constant text[] := '{passage_prefix,embedding_price,tuned}'::text[] || tuned;
  own      constant jsonb := (
             select jsonb_object_agg(k, target.settings #> '{tuned,at_least}')  -- what somebody had set before
               from unnest(tuned) as k
              where (target.settings #>> '{tuned,at_least}')::int > greatest((target.settings ->> 'default_' || k)::int, case k when 'ef_search' then 40 else 10 end));
  item     record;
begin
  for item in
    select n.nspname, i.relname,
           case when i.relname like '%\_next\_stale\_idx' then regexp_replace(i.relname, '_next(_stale_idx)$', '\1')
                when i.relname like '%\_stale\_idx' then null
                when i.relname like '%\_embedding\_next\_%' then replace(i.relname, '_embedding_next_', '_embedding_')
                when i.relname like '%\_embedding\_%' then left(replace(i.relname, '_embedding_', '_embedding_old_'), 63) end as new_name
      from pg_catalog.pg_index as x
      join pg_catalog.pg_class as i on i.oid = x.indexrelid
      join pg_catalog.pg_namespace as n on n.oid = i.relnamespace
      join pg_catalog.pg_am as m on m.oid = i.relam
     where x.indrelid in (select target.base union all select p from pgvec.partitions(target.base) as p)
       and (m.amname in ('hnsw', 'ivfflat') or i.relname like '%\_stale\_idx')
     order by i.relname like '%\_next\_%'
  loop
    if item.new_name is null and item.relname like '%\_stale\_idx' then
      execute format('drop index if exists %I.%I', item.nspname, item.relname);  -- a partition's goes with that of the whole
    elsif item.new_name <> item.relname and to_regclass(format('%I.%I', item.nspname, item.new_name)) is null then
      execute format('alter index %I.%I rename to %I', item.nspname, item.relname, item.new_name);
    end if;
  end loop;
  for item in
    select v.name from unnest('{embedding,embedded_hash,embedded_by}'::name[]) as v (name)
  loop
    execute format('alter table %s rename column %I to %I', target.base, item.name, item.name || '_old');
    execute format('alter table %s rename column %I to %I', target.base, item.name || '_next', item.name);
  end loop;

  update pgvec.model_changes as m
     set state = 'old', model = target.model, dimensions = target.dimensions, storage = target.storage, finished_at = clock_timestamp(),
         settings = (select coalesce(jsonb_object_agg(s.key, s.value), '{}') from jsonb_each(target.settings) as s where s.key = any (own_keys))
   where m.collection = target.name;
  update pgvec.collections as c
     set model = change.model, dimensions = change.dimensions, storage = change.storage, changing = null, settings = c.settings - own_keys || coalesce(own, '{}') || change.settings
   where c.name = target.name;
  delete from pgvec.embedding_queues as q where q.collection = target.name;
  delete from pgvec.embedding_jobs as j where j.collection = target.name;
  update pgvec.embedding_jobs as j set collection = target.name where j.collection = target.name || '@' || change.model;

  if change.storage <> target.storage then
    execute format('drop trigger if exists %I on %s', target.name || '_maintain', target.base);
    perform pgvec.attach_triggers(target.name);
  end if;
  perform pgvec.keep_vectors(target.base, change.dimensions, change.storage);
  perform pgvec.describe_table(target.base);
  perform pgvec.protect_second(target.name);
  perform pgvec.note_index(target.name);
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function pgvec.swap_models(pgvec.collections, pgvec.model_changes) is
  'Renames the columns of the two models of a collection and their indexes, and registers the second model as the active one. For pgvec.finish_model_change, which '
  'has the lock.';
revoke all on function pgvec.swap_models(pgvec.collections, pgvec.model_changes) from public;
