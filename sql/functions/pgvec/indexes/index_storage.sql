-- pgvec.index_storage -- the storage of a vector index over a collection: the one asked for, or the most exact that pgvector
-- indexes.
create or replace function pgvec.index_storage(collection pgvec.collections, storage text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  limits constant jsonb := '{"vector": 2000, "halfvec": 4000, "binary": 64000}'::jsonb;  -- dimensions, of pgvector's indexes
  chosen text := coalesce(
    storage,
    case
      when collection.storage = 'vector' and collection.dimensions <= (limits -> 'vector')::int then 'vector'
      when collection.dimensions <= (limits -> 'halfvec')::int then 'halfvec'
      else 'binary'
    end);
begin
  perform pgvec.check_choice('storage', chosen, '{vector,halfvec,binary}');
  if chosen = 'vector' and collection.storage = 'halfvec' then
    raise exception using
      errcode = 'PV004',
      message = format('the embeddings of collection %L are stored as halfvec', collection.name),
      hint    = 'index them as halfvec or binary';
  end if;
  if collection.dimensions > (limits -> chosen)::int then
    raise exception using
      errcode = 'PV004',
      message = format('a vector index of storage %s holds at most %s dimensions, collection %L has %s',
                       chosen, limits -> chosen, collection.name, collection.dimensions),
      hint    = 'halfvec holds to 4000 and binary to 64000 dimensions; exact search needs no index';
  end if;
  return chosen;
end
$$;
comment on function pgvec.index_storage(pgvec.collections, text) is
  'The storage of a vector index (vector, halfvec or binary): the one asked for, for null the most exact that pgvector indexes at these dimensions '
  '(vector to 2,000, halfvec to 4,000, binary to 64,000). Raises PV004 for one that is impossible.';
revoke all on function pgvec.index_storage(pgvec.collections, text) from public;
