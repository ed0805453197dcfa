-- pgvec.index_definition -- the statement that builds a vector index on a collection.
-- A text and not an action, because CREATE INDEX CONCURRENTLY cannot run inside a function.
create or replace function pgvec.index_definition(
    collection text,
    method text default 'hnsw',
    m int default 16,
    ef_construction int default 64,
    lists int default null)
  returns table (index_name text, statement text)
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
declare
  target  pgvec.collections := pgvec.collection(index_definition.collection);
  limit_of_storage int := case target.storage when 'vector' then 2000 else 4000 end;
  opclass text := format('%s_%s_ops', target.storage, case target.distance when 'inner_product' then 'ip' else target.distance end);
  rows_now float8;
  options text;
begin
  perform pgvec.check_choice('method', method, '{hnsw,ivfflat}');
  if target.dimensions > limit_of_storage then
    raise exception using
      errcode = 'PV004',
      message = format('a vector index over %s holds at most %s dimensions, collection %L has %s',
                       target.storage, limit_of_storage, target.name, target.dimensions),
      hint    = 'create the collection with storage => ''halfvec'' (to 4000 dimensions), or with a model of fewer dimensions; exact search needs no index';
  end if;

  if method = 'ivfflat' then
    if target.distance = 'l1' then
      raise exception using
        errcode = 'PV004',
        message = 'ivfflat does not support the distance l1',
        hint    = 'use method => ''hnsw''';
    end if;
    -- pgvector's advice: rows / 1000 up to a million rows, their square root above
    execute format('select count(*) from %s where embedding is not null', target.relation) into rows_now;
    options := format('lists = %s', coalesce(lists, greatest(1, least(32768, case when rows_now > 1e6 then sqrt(rows_now) else rows_now / 1000 end)::int)));
  else
    options := format('m = %s, ef_construction = %s', m, ef_construction);
  end if;

  index_name := format('%s_embedding_%s_%s_idx', target.name, method, case target.distance when 'inner_product' then 'ip' else target.distance end);
  statement := format('create index concurrently %I on %s using %s (embedding extensions.%I) with (%s)',
                      index_name, target.relation, method, opclass, options);
  return next;
end
$$;
comment on function pgvec.index_definition(text, text, int, int, int) is
  'Name and CREATE INDEX CONCURRENTLY statement of a vector index for a collection''s distance and storage. method: hnsw (m, ef_construction) '
  'or ivfflat (lists; by default rows / 1000, or their square root above a million). Raises PV004 where pgvector cannot index it.';
revoke all on function pgvec.index_definition(text, text, int, int, int) from public;
