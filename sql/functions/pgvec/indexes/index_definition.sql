-- pgvec.index_definition -- the statements that build a vector index on a collection.
-- It returns them and does not run them, because CREATE INDEX CONCURRENTLY cannot run inside a function. A partitioned table
-- does not support that either: the index is declared on the parent alone, and is invalid until the index of each partition has
-- been attached.
drop function if exists pgvec.index_definition(text, text, int, int, int), pgvec.index_definition(text, text, text, int, int, int);
create or replace function pgvec.index_definition(
    collection text,
    method text default 'hnsw',
    storage text default null,
    m int default 16,
    ef_construction int default 64,
    lists int default null,
    filter jsonb default null)
  returns table (index_name text, statement text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.of_model(index_definition.collection);
  held     text := pgvec.index_storage(target, storage);
  kind     text := case target.distance when 'inner_product' then 'ip' else target.distance end;
  suffix   text;
  clause   text;
  part     record;
  rows_now float8;
begin
  if method = 'ivfflat' and lists is null then
    execute format('select count(*) from %s as d where d.embedding is not null', coalesce(target.source, target.relation::text)) into rows_now;
    lists := pgvec.default_lists(rows_now / (select count(*) from pgvec.partitions(target.base)));
  end if;
  if held = 'binary' then
    kind := held;
  elsif held <> target.storage then
    kind := held || '_' || kind;
  end if;

  suffix := format('_%s_%s_%s%s_idx', target.embedding_column, method, kind, '_' || left(md5(filter::text), 8));
  clause := pgvec.index_clause(target, target.embedding_column, method, held, m, ef_construction, lists);
  if filter is not null then
    clause := concat_ws(' ', clause, pgvec.index_condition(target, filter, method, held));
  end if;
  index_name := pgvec.index_name(target.name, suffix);
  if not exists (select from pgvec.partitions(target.base) as p where p <> target.base) then
    statement := format('create index concurrently %I on %s %s', index_name, target.base, clause);
    return next;
    return;
  end if;

  statement := format('create index %I on only %s %s', index_name, target.base, clause);
  return next;
  for part in
    select p.relname, n.nspname
      from pgvec.partitions(target.base) as x
      join pg_catalog.pg_class as p on p.oid = x
      join pg_catalog.pg_namespace as n on n.oid = p.relnamespace
  loop
    statement := format('create index concurrently %I on %I.%I %s', pgvec.index_name(part.relname, suffix), part.nspname, part.relname, clause);
    return next;
    statement := format('alter index public.%I attach partition %I.%I', index_name, part.nspname, pgvec.index_name(part.relname, suffix));
    return next;
  end loop;
end
$$;
comment on function pgvec.index_definition(text, text, text, int, int, int, jsonb) is
  'Name and statement of a vector index for a collection''s distance. method: hnsw (m, ef_construction) or ivfflat (lists; see pgvec.default_lists). storage: '
  'vector, halfvec or binary; by default the most exact that pgvector indexes at these dimensions. For a partitioned table several statements, to run in this '
  'order. filter: over the rows alone that match it (pgvec.index_condition). Raises PV004 where pgvector cannot index it.';
revoke all on function pgvec.index_definition(text, text, text, int, int, int, jsonb) from public;
