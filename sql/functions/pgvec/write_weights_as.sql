-- pgvec.write_weights_as -- pgvec.write_weights for a table of a weaker role's, written by that role: else its triggers would run as
-- the stronger one that counts.
-- Weights are made as the caller, over rows that are locked, and handed over; so the owner needs no right to anything of the engine.
create or replace function pgvec.write_weights_as(writer name, collection pgvec.collections, made_with pgvec.bm25_parameters)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  batch    constant int := 5000;
  role     constant text := current_setting('role');
  adopted  pgvec.adoptions;
  key      name := 'id';
  key_type text := 'text';
  keys     text[];
  weights  extensions.sparsevec[];
  behind   text;
  seen     bigint;
  renewed  bigint := 0;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = write_weights_as.collection.name;
  if adopted.collection is not null then
    key := adopted.id_column;
    key_type := adopted.id_type;
  end if;
  loop
    execute format(
      $query$
      select array_agg(w.key) filter (where w.is_new), array_agg(w.bm25) filter (where w.is_new), (array_agg(w.key order by w.key desc))[1], count(*)
        from (select x.%2$I as key, n.bm25, x.bm25 is null or x.bm25 operator(extensions.<>) n.bm25 as is_new
                from %1$s as x
               cross join lateral pgvec.bm25_vector(x.fts, $1, $2, $3) as n (bm25)
               where ($5 is null or x.%2$I > $5::%3$s) %4$s
               order by x.%2$I
               limit $6
                 for update of x) as w
      $query$, collection.text_table, key, key_type, case collection.access when 'tenant' then 'and x.tenant_id = $4' end)
      into keys, weights, behind, seen
      using made_with.average_length, made_with.k1, made_with.b, made_with.tenant, behind, batch;
    if cardinality(keys) > 0 then
      perform set_config('role', writer, true);
      execute format('update %1$s as d set bm25 = n.bm25 from unnest($1::%3$s[], $2) as n (key, bm25) where d.%2$I = n.key %4$s',
                     collection.text_table, key, key_type, case collection.access when 'tenant' then 'and d.tenant_id = $3' end)
        using keys, weights, made_with.tenant;
      perform set_config('role', role, true);
      renewed := renewed + cardinality(keys);
    end if;
    exit when seen < batch;
  end loop;
  return renewed;
end
$$;
comment on function pgvec.write_weights_as(name, pgvec.collections, pgvec.bm25_parameters) is
  'Makes bm25 of all rows, or of those of the tenant of made_with, with its average_length, k1 and b, as a role that the caller may act as, and returns how many changed.';
revoke all on function pgvec.write_weights_as(name, pgvec.collections, pgvec.bm25_parameters) from public;
select pgvec.grant_execute('pgvec.write_weights_as(name, pgvec.collections, pgvec.bm25_parameters)', 'writer');
