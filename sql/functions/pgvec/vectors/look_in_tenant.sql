-- pgvec.look_in_tenant -- one look along the index for the rows of a tenant, where most of the rows are this tenant's.
-- It is what the first step of pgvec.nearest would be, without working out which steps there are: a small search pays for each query.
-- ef_search grows with the rows of others that are met on the way.
create or replace function pgvec.look_in_tenant(collection pgvec.collections, tenant uuid, query_embedding extensions.vector, wanted int)
  returns pgvec.hit[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_others constant float8 := 0.5;
  ef_before constant text := coalesce(current_setting('hnsw.ef_search', true), '40');
  ef_search text;
  share     float8;
  farthest  float8 := '-infinity'::float8;
  hit       pgvec.hit;
  hits      pgvec.hit[];
begin
  if collection.search_kind is distinct from 'column' or collection.search_method <> 'hnsw' or to_regclass(collection.search_index) is distinct from collection.search_index_oid
     or not has_table_privilege('pgvec.text_totals', 'select') then
    return null;
  end if;
  select (select sum(t.documents + t.uncounted) from pgvec.text_totals as t where t.collection = look_in_tenant.collection.name and t.tenant = look_in_tenant.tenant)
         / nullif(greatest(c.reltuples, 0), 0)
    into share
    from pg_catalog.pg_class as c
   where c.oid = collection.base and not c.relhassubclass and c.reltuples > 10000;
  if share >= 1 - most_others is not true then
    return null;
  end if;

  ef_search := least(1000, ceil(greatest(wanted + 1, coalesce((collection.settings ->> 'ef_search')::int, (collection.settings ->> 'default_ef_search')::int, 40)) / least(share, 1)));
  if ef_search <> ef_before then
    perform set_config('hnsw.ef_search', ef_search, true);
  end if;
  for hit in execute format(collection.search_query, format('(select * from %s as r where coalesce(r.tenant_id = %L, false))', collection.relation, tenant), 'true')
    using query_embedding, null::jsonb, wanted + 1 loop
    hits := case when hit.distance >= farthest then hits || hit end;
    farthest := hit.distance;
  end loop;
  if ef_search <> ef_before then
    perform set_config('hnsw.ef_search', ef_before, true);
  end if;
  if cardinality(hits) > wanted and farthest < 'nan' and (hits[wanted]).distance < farthest then
    return hits;
  end if;
  return null;
end
$$;
comment on function pgvec.look_in_tenant(pgvec.collections, uuid, extensions.vector, int) is
  'One row more than wanted, nearest first, of those of a tenant that has at least half of the rows of a collection; null where it has fewer, where the look finds '
  'too few, and for a tie at LIMIT: then pgvec.nearest has to search. For the owner.';
revoke all on function pgvec.look_in_tenant(pgvec.collections, uuid, extensions.vector, int) from public;
