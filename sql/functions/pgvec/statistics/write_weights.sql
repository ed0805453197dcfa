-- pgvec.write_weights -- computes the BM25 weights of all rows, or of those of a tenant, again.
-- Within another statement's trigger (skip_locked) it skips rows that others have locked, instead of waiting for them.
-- Otherwise it locks them in the order of their keys, as every function that writes several rows does, and so waits instead of
-- deadlocking; rows that changed while it waited get weights too, which is why rows are matched by key and not by ctid.
create or replace function pgvec.write_weights(
    collection pgvec.collections, made_with pgvec.bm25_parameters, skip_locked boolean)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  -- a self-join of all rows by key; how many a tenant has, the planner does not know
  set enable_nestloop = off
as $$
declare
  key     constant name := coalesce((select a.id_column from pgvec.adopted(write_weights.collection.name) as a where a.side is null), 'id');
  renewed bigint;
begin
  execute format(
    $query$
    with n as materialized (
           select x.%2$I as key, pgvec.bm25_vector(x.fts, $1, $2, $3, $5) as bm25 from %1$s as x %3$s order by x.%2$I for update %4$s)
    update %1$s as d
       set bm25 = n.bm25
      from n
     where d.%2$I = n.key %5$s
       and (d.bm25 is null or d.bm25 operator(extensions.<>) n.bm25)
    $query$, collection.text_table, key,
    case collection.access when 'tenant' then 'where x.tenant_id = $4' end,
    case when skip_locked then 'skip locked' end,
    case collection.access when 'tenant' then 'and d.tenant_id = $4' end)
    using made_with.average_length, made_with.k1, made_with.b, made_with.tenant, pgvec.label_weights(write_weights.collection.settings -> 'weights');
  get diagnostics renewed = row_count;
  return renewed;
end
$$;
comment on function pgvec.write_weights(pgvec.collections, pgvec.bm25_parameters, boolean) is
  'Computes bm25 of all rows, or of those of the tenant of made_with, with its average_length, k1 and b, and returns how many changed. skip_locked: leave out rows '
  'that others have locked.';
revoke all on function pgvec.write_weights(pgvec.collections, pgvec.bm25_parameters, boolean) from public;
select pgvec.grant_execute('pgvec.write_weights(pgvec.collections, pgvec.bm25_parameters, boolean)', 'writer');
