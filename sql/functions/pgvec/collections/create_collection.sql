-- pgvec.create_collection -- a new collection: its table, indexes, trigger, policies, grants and registry row.
-- The vector index is made later, by pgvec-admin index create: building it once over loaded rows is far faster than
-- keeping it while they arrive.
drop function if exists pgvec.create_collection(text, int, text, text, text, text, text);

create or replace function pgvec.create_collection(
    name text,
    dimensions int,
    distance text default 'cosine',
    access text default 'open',
    storage text default 'vector',
    language text default 'english',
    model text default null,
    partition int default null)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  configuration text;
  made          regclass;
  part          text;
  vector_bytes  constant bigint := dimensions::bigint * (case storage when 'vector' then 4 else 2 end);
begin
  perform pgvec.check_new_collection(name);
  if dimensions is null or dimensions not between 1 and 16000 then
    raise exception using
      errcode = 'PV004',
      message = format('dimensions cannot be %s', coalesce(dimensions::text, 'null')),
      hint    = 'the number of dimensions of your embedding model, 1 to 16000 (for example 384 for all-MiniLM-L6-v2, 1536 for text-embedding-3-small)';
  end if;
  perform pgvec.check_choice('distance', distance, '{cosine,l2,inner_product,l1}');
  perform pgvec.check_choice('access', access, '{open,tenant,policy}');
  perform pgvec.check_choice('storage', storage, '{vector,halfvec}');
  if partition not between 1 and 1000 or partition is not null and access <> 'tenant' then
    raise exception using
      errcode = 'PV004',
      message = format('a collection of access %L cannot have %s partitions', access, partition),
      hint    = 'partition is for access => ''tenant'', whose rows it spreads over 1 to 1000 tables by their tenant';
  end if;
  configuration := pgvec.text_search_configuration(language);
  if model is not null then
    perform pgvec.check_model(model);
  end if;
  if to_regclass(format('public.%I', name)) is not null then
    raise exception using
      errcode = 'PV004',
      message = format('there is a table public.%I already, which is not a collection', name),
      hint    = format('choose another name, or make it searchable as it is: select pgvec.adopt_collection(%L, %L)', name, 'public.' || name);
  end if;

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
      content_hash  text not null,
      fts           tsvector,
      bm25          extensions.sparsevec(268435456),
      created_at    timestamptz not null default now(),
      updated_at    timestamptz not null default now(),
      primary key (%5$s)
    ) %6$s
    $ddl$, name, storage, dimensions,
    case access when 'tenant' then 'tenant_id uuid not null default pgvec.default_tenant(),' end,
    case access when 'tenant' then 'tenant_id, id' else 'id' end,
    case when partition is not null then 'partition by hash (tenant_id)' end);
  made := format('public.%I', name)::regclass;
  for place in 0 .. coalesce(partition, 0) - 1 loop
    part := format('pgvec.%I', format('%s_p%s', name, place));
    execute format('create table %s partition of %s for values with (modulus %s, remainder %s)', part, made, partition, place);
  end loop;

  -- A row beyond 2 KB sends its vector away, and an exact scan then takes four times as long. Small vectors stay, and so
  -- do 2.5 KB beside them, text, lexemes and weights, up to two rows a page: to compress them or send them away makes
  -- loading a tenth slower.
  if vector_bytes <= 2048 then
    execute format('alter table %s alter column embedding set storage main', made);
    for part in
      select p from pgvec.partitions(made) as p
    loop
      execute format('alter table %s set (toast_tuple_target = %s)', part, least(4080, vector_bytes + 2536));
    end loop;
  end if;

  execute format('create index %I on %s using gin (metadata jsonb_path_ops)', name || '_metadata_idx', made);
  execute format('create index %I on %s using gin (fts)', name || '_fts_idx', made);
  perform pgvec.index_sources(name, made, access);
  execute format('create index %I on %s (id) where embedded_hash is distinct from content_hash', name || '_stale_idx', made);

  insert into pgvec.collections (name, relation, base, text_table, dimensions, distance, access, storage, language, model)
  values (create_collection.name, made, made, made, create_collection.dimensions, create_collection.distance,
          create_collection.access, create_collection.storage, configuration, create_collection.model);

  perform pgvec.attach_triggers(create_collection.name);
  perform pgvec.describe_table(made);
  perform pgvec.protect_table(create_collection.name);  -- before statistics, which are not counted where others may make triggers
  perform pgvec.refresh_statistics(create_collection.name);
  if access <> 'open' then
    perform pgvec.hide_statistics(create_collection.name);
  end if;
  perform pg_notify('pgrst', 'reload schema');
  return made;
end
$$;
comment on function pgvec.create_collection(text, int, text, text, text, text, text, int) is
  'Makes a collection: table public.NAME with text, metadata and an embedding of the given dimensions, known to the search functions. '
  'access: open (who may read sees all rows), tenant (rows belong to tenants: column tenant_id, pgvec.allowed_tenants), policy (the owner writes policies). '
  'distance: cosine, l2, inner_product or l1. storage: vector (4 bytes a dimension) or halfvec (2). language: a text search configuration. '
  'model: provider:name of the embedding model. partition: how many tables to spread the rows of tenants over (access tenant); they are pgvec.NAME_p0 and on. '
  'Returns the table. Raises PV004 for a bad argument or a name that is taken.';
revoke all on function pgvec.create_collection(text, int, text, text, text, text, text, int) from public;
