-- pgvec.index_definition -- the statement that builds a vector index on a collection.
-- A text and not an action, because CREATE INDEX CONCURRENTLY cannot run inside a function.
drop function if exists pgvec.index_definition(text, text, int, int, int);
create or replace function pgvec.index_definition(
    collection text,
    method text default 'hnsw',
    storage text default null,
    m int default 16,
    ef_construction int default 64,
    lists int default null)
  returns table (index_name text, statement text)
  language plpgsql stable parallel safe
  security invoker set search_path = ''
as $$
declare
  target   pgvec.collections := pgvec.collection(index_definition.collection);
  held     text := pgvec.index_storage(target, storage);
  kind     text := case target.distance when 'inner_product' then 'ip' else target.distance end;
  suffix   text;
  rows_now float8;
begin
  if method = 'ivfflat' and lists is null then
    execute format('select count(*) from %s as d where d.embedding is not null', target.relation) into rows_now;
    lists := pgvec.default_lists(rows_now);
  end if;
  if held = 'binary' then
    kind := held;
  elsif held <> target.storage then
    kind := held || '_' || kind;
  end if;

  suffix := format('_%s_%s_idx', method, kind);
  index_name := format('%s_%s%s', target.name, target.embedding_column, suffix);
  if length(index_name) > 63 then
    -- PostgreSQL would cut it off, and make one of two names
    index_name := format('%s_%s%s', left(target.name, 63 - 9 - length(suffix)), left(md5(index_name), 8), suffix);
  end if;
  statement := format('create index concurrently %I on %s %s', index_name, target.base,
                      pgvec.index_clause(target, target.embedding_column, method, held, m, ef_construction, lists));
  return next;
end
$$;
comment on function pgvec.index_definition(text, text, text, int, int, int) is
  'Name and CREATE INDEX CONCURRENTLY statement of a vector index for a collection''s distance. method: hnsw (m, ef_construction) or ivfflat '
  '(lists; see pgvec.default_lists). storage: vector, halfvec or binary; by default the most exact that pgvector indexes at these dimensions. '
  'Raises PV004 where pgvector cannot index it.';
revoke all on function pgvec.index_definition(text, text, text, int, int, int) from public;
