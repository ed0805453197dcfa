-- pgvec.create_table -- the table of a new collection, its partitions and its indexes, except the vector index.
create or replace function pgvec.create_table(name text, dimensions int, storage text, access text, partition int)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  made regclass;
  part text;
begin
  execute format(
    $ddl$
    create table public.%1$I (
      %4$s
      id            text not null default gen_random_uuid()::text,
      source        text,
      chunk_index   int,
      content       text not null default '',
      metadata      jsonb not null default '{}',
      language      text,
      embedding     extensions.%2$I(%3$s),
      embedded_hash text,
      content_hash  text not null default '',
      fts           tsvector,
      bm25          extensions.sparsevec(268435456),
      created_at    timestamptz not null default now(),
      updated_at    timestamptz not null default now(),
      embedded_by   int,
      primary key (%5$s)
    ) %6$s
    $ddl$, name, storage, dimensions,
    case access when 'tenant' then 'tenant_id uuid not null default pgvec.default_tenant(),' end,
    case access when 'tenant' then 'tenant_id, id' else 'id' end,
    case when partition > 0 then 'partition by hash (tenant_id)' when partition = 0 then 'partition by list (tenant_id)' end);
  made := format('public.%I', name)::regclass;
  for place in 0 .. greatest(partition, 1) - 1 loop
    exit when partition is null;
    part := format('pgvec.%I', format('%s_p%s', name, place));
    execute format('create table %s partition of %s %s', part, made,
                   case partition when 0 then 'default' else format('for values with (modulus %s, remainder %s)', partition, place) end);
  end loop;

  perform pgvec.keep_vectors(made, dimensions, storage);
  execute format('create index %I on %s using gin (metadata jsonb_path_ops)', name || '_metadata_idx', made);
  execute format('create index %I on %s using gin (fts)', name || '_fts_idx', made);
  perform pgvec.index_sources(name, made, access);
  execute format('create index %I on %s (id) where embedded_hash is distinct from content_hash', name || '_stale_idx', made);
  return made;
end
$$;
comment on function pgvec.create_table(text, int, text, text, int) is
  'Creates public.NAME for pgvec.create_collection, which has checked the arguments and registers it as a collection.';
revoke all on function pgvec.create_table(text, int, text, text, int) from public;
