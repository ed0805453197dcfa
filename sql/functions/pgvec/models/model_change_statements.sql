-- pgvec.model_change_statements -- the indexes that are missing before the change of a model can be finished, as statements.
-- Statements, since CREATE INDEX CONCURRENTLY cannot run inside a function. stale: of the rows that the new model has not
-- embedded, for workers and for the check within the lock; worth building at once. vector: where the present model has a
-- vector index; quickest when all rows are embedded. Leftovers of a build that failed go first.
create or replace function pgvec.model_change_statements(collection text)
  returns table (purpose text, statement text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(model_change_statements.collection);
  second constant text := (select target.name || '@' || m.model from pgvec.model_changes as m where m.collection = target.name and m.state = 'pending');
  stale  constant text := pgvec.index_name(target.name, '_next_stale_idx');
  clause constant text := '(id) where embedded_hash_next is distinct from content_hash';
  split  constant boolean := exists (select from pgvec.partitions(target.base) as p where p <> target.base);
  found  record;
begin
  if second is null then
    return;
  end if;
  purpose := 'stale';
  select x.indisvalid, format('%I.%I', n.nspname, i.relname) as name into found
    from pg_catalog.pg_index as x
    join pg_catalog.pg_class as i on i.oid = x.indexrelid
    join pg_catalog.pg_namespace as n on n.oid = i.relnamespace
   where x.indrelid = target.base and i.relname = stale;
  if found.indisvalid is not true then
    if found.name is not null then
      statement := format('drop index %s %s', case when not split then 'concurrently' end, found.name);
      return next;
    end if;
    if split then
      statement := format('create index %I on %s %s', stale, target.base, clause);
    else
      statement := format('create index concurrently %I on %s %s', stale, target.base, clause);
    end if;
    return next;
  end if;

  purpose := 'vector';
  if (pgvec.index_kind(target, target.distance)).kind is not null and (pgvec.index_kind(pgvec.of_model(second), target.distance)).kind is null then
    for statement in
      select r from pgvec.vector_indexes(second) as i cross join lateral pgvec.index_removal(second, i.name) as r where not i.valid
       union all
      select d.statement from pgvec.index_definition(second, (pgvec.index_kind(target, target.distance)).method) as d
    loop
      return next;
    end loop;
  end if;
end
$$;
comment on function pgvec.model_change_statements(text) is
  'Statements that build what pgvec.finish_model_change needs and is not there yet, to be run one by one outside a transaction; purpose: stale (the index of rows '
  'that the new '
  'model has not embedded) or vector (its vector index, as pgvec.index_definition has it). None where nothing is missing, or no change goes on. Raises PV001.';
revoke all on function pgvec.model_change_statements(text) from public;
