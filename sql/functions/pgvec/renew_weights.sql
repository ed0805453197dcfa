-- pgvec.renew_weights -- makes the BM25 weights of all rows anew, for another average length or other parameters.
-- On the way of a writer it passes over rows that others have locked, rather than waiting for them.
create or replace function pgvec.renew_weights(
    collection pgvec.collections, tenant uuid, average_length float8, documents bigint, skip_locked boolean)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
declare
  made_with pgvec.bm25_parameters;
  renewed   bigint;
begin
  update pgvec.bm25_parameters as p
     set average_length = renew_weights.average_length,
         documents      = renew_weights.documents,
         k1             = coalesce((renew_weights.collection.settings ->> 'k1')::float8, 1.2),
         b              = coalesce((renew_weights.collection.settings ->> 'b')::float8, 0.75),
         renewed_at     = now()
   where p.collection = renew_weights.collection.name
     and p.tenant = renew_weights.tenant
  returning p.* into made_with;

  execute format(
    'update %1$s as d set bm25 = pgvec.bm25_vector(d.fts, $1, $2, $3) %2$s',
    collection.text_table,
    case when skip_locked then format('where d.ctid = any (array(select x.ctid from %s as x for update skip locked))', collection.text_table) end)
    using made_with.average_length, made_with.k1, made_with.b;
  get diagnostics renewed = row_count;
  return renewed;
end
$$;
comment on function pgvec.renew_weights(pgvec.collections, uuid, float8, bigint, boolean) is
  'Makes bm25 of all rows with a new average_length and the settings k1 (default 1.2) and b (default 0.75) of the collection, and returns how many. '
  'skip_locked: leave out rows that others have locked.';
revoke all on function pgvec.renew_weights(pgvec.collections, uuid, float8, bigint, boolean) from public;
