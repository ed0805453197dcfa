-- pgvec.create_collection -- a new collection: its table, indexes, trigger, policies, grants and registry row.
-- The vector index is built later, by pgvec-admin index create: building it once over loaded rows is far faster than
-- maintaining it while they arrive.
drop function if exists pgvec.create_collection(text, int, text, text, text, text, text);
drop function if exists pgvec.create_collection(text, int, text, text, text, text, text, int);

create or replace function pgvec.create_collection(
    name text,
    dimensions int,
    distance text default 'cosine',
    access text default 'open',
    storage text default 'vector',
    language text default 'english',
    model text default null,
    partition int default null,
    owner text default null,
    owner_column text default null)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  configuration text;
  made          regclass;
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
  if partition not between 0 and 1000 or partition is not null and access <> 'tenant' then
    raise exception using
      errcode = 'PV004',
      message = format('a collection of access %L cannot have %s partitions', access, partition),
      hint    = 'partition is for access => ''tenant'', whose rows it spreads over 1 to 1000 tables by their tenant; 0: one table, and others for single tenants by pgvec.isolate_tenant';
  end if;
  if owner is null and owner_column is not null then
    raise exception using
      errcode = 'PV004',
      message = format('owner_column %L is of no owner', owner_column),
      hint    = 'name the table of the accounts as well: owner => ''auth.users''';
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

  made := pgvec.create_table(name, dimensions, storage, access, partition);
  insert into pgvec.collections (name, relation, base, text_table, dimensions, distance, access, storage, language, model, word_rules)
  values (create_collection.name, made, made, made, create_collection.dimensions, create_collection.distance,
          create_collection.access, create_collection.storage, configuration, create_collection.model, pgvec.word_rules());

  perform pgvec.attach_triggers(create_collection.name);
  perform pgvec.keep_queue(create_collection.name);
  perform pgvec.describe_table(made);
  perform pgvec.protect_table(create_collection.name);  -- before the statistics, which are not counted where others may create triggers
  perform pgvec.refresh_statistics(create_collection.name);
  if access <> 'open' then
    perform pgvec.hide_statistics(create_collection.name);
  end if;
  if owner is not null then
    perform pgvec.set_owner(create_collection.name, owner, owner_column);
  end if;
  perform pg_notify('pgrst', 'reload schema');
  return made;
end
$$;
comment on function pgvec.create_collection(text, int, text, text, text, text, text, int, text, text) is
  'Makes a collection: table public.NAME with text, metadata and an embedding of the given dimensions, known to the search functions. '
  'access: open (readers see all rows), tenant (rows belong to tenants: column tenant_id, pgvec.allowed_tenants), policy (the owner writes policies). '
  'distance: cosine, l2, inner_product or l1. storage: vector (4 bytes a dimension) or halfvec (2). language: a text search configuration. '
  'model: provider:name of the embedding model. partition: how many tables to spread the rows of tenants over (access tenant); they are pgvec.NAME_p0 and on. '
  '0: one table for all, beside which pgvec.isolate_tenant makes one for a large tenant. '
  'owner, owner_column: the table of the accounts with which rows are deleted, such as auth.users (pgvec.set_owner). '
  'Returns the table. Raises PV004 for a bad argument or a name that is taken.';
revoke all on function pgvec.create_collection(text, int, text, text, text, text, text, int, text, text) from public;
