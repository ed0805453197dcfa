-- The ground: pgvector, schema pgvec with the registry of collections, and the roles that may search and write.
-- Idempotent, since an interrupted run may repeat it. It calls nothing from sql/functions.

do $$
declare
  installed text := (select e.extversion from pg_catalog.pg_extension as e where e.extname = 'vector');
begin
  if installed is null then
    if to_regnamespace('extensions') is null then
      create schema extensions;
      comment on schema extensions is 'Extensions, kept out of the schemas that an API exposes.';
    end if;
    create extension vector with schema extensions;
    installed := (select e.extversion from pg_catalog.pg_extension as e where e.extname = 'vector');
  end if;

  if string_to_array(regexp_replace(installed, '[^0-9.].*$', ''), '.')::int[] < array[0, 8, 0] then
    raise exception using
      errcode = 'PV007',
      message = format('pgvector %s is too old', installed),
      detail  = 'iterative index scans, which filtered searches need, came with 0.8.0',
      hint    = 'alter extension vector update; where the server has no newer one, upgrade its pgvector first';
  end if;
end
$$;

do $$
begin
  if to_regnamespace('pgvec') is null then
    create schema pgvec;
  end if;
end
$$;

comment on schema pgvec is 'The search engine of pgvec-admin: registry, engine and admin functions. Never expose it to a REST API.';

revoke all on schema pgvec from public;

-- Supabase has its roles. A plain server gets two groups to grant to people and services; a role that may not
-- create roles goes without them, and grants what it likes by hand.
do $$
begin
  if to_regrole('anon') is null and (select r.rolsuper or r.rolcreaterole from pg_catalog.pg_roles as r where r.rolname = current_user) then
    if to_regrole('pgvec_reader') is null then
      begin
        create role pgvec_reader nologin;
        comment on role pgvec_reader is 'May search the collections of pgvec-admin.';
      exception when duplicate_object or unique_violation then
        null;  -- another database of this server was just installed
      end;
    end if;
    if to_regrole('pgvec_writer') is null then
      begin
        create role pgvec_writer nologin;
        comment on role pgvec_writer is 'May search and write the collections of pgvec-admin.';
      exception when duplicate_object or unique_violation then
        null;
      end;
    end if;
  end if;
end
$$;

create table if not exists pgvec.collections (
  name       text primary key check (name ~ '^[a-z_][a-z0-9_]{0,47}$'),
  relation   regclass not null unique,
  dimensions int not null check (dimensions between 1 and 16000),
  distance   text not null check (distance in ('cosine', 'l2', 'inner_product', 'l1')),
  access     text not null check (access in ('open', 'tenant', 'policy')),
  storage    text not null check (storage in ('vector', 'halfvec')),
  language   text not null,
  model      text,
  settings   jsonb not null default '{}' check (jsonb_typeof(settings) = 'object'),
  created_at timestamptz not null default now()
);

comment on table  pgvec.collections            is 'The collections that the search functions know: one table with text, metadata and one active vector column each.';
comment on column pgvec.collections.name       is 'What callers pass as collection => ...';
comment on column pgvec.collections.relation   is 'The table that holds the rows; follows a rename.';
comment on column pgvec.collections.dimensions is 'Dimensions of its embeddings.';
comment on column pgvec.collections.distance   is 'The distance it is searched by: cosine, l2, inner_product or l1.';
comment on column pgvec.collections.access     is 'Who sees which rows: open (all that may read), tenant (rows belong to tenants), policy (the owner''s own RLS).';
comment on column pgvec.collections.storage    is 'Type of the embedding column: vector (4 bytes a dimension) or halfvec (2 bytes).';
comment on column pgvec.collections.language   is 'Text search configuration of rows that name none.';
comment on column pgvec.collections.model      is 'Embedding model as provider:name, or null when vectors come from elsewhere.';
comment on column pgvec.collections.settings   is 'Search settings, for example {"ef_search": 100}.';
comment on column pgvec.collections.created_at is 'When it was made.';

revoke all on table pgvec.collections from public;

do $$
declare
  role_name name;
begin
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('anon', 'authenticated', 'service_role', 'pgvec_reader', 'pgvec_writer')
  loop
    execute format('grant usage on schema pgvec to %I', role_name);
    execute format('grant select on table pgvec.collections to %I', role_name);
    -- the caller resolves types and operators of pgvector; its schema is ours to grant only if we own it
    if exists (select
                 from pg_catalog.pg_extension as e
                 join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
                where e.extname = 'vector'
                  and pg_has_role(n.nspowner, 'usage')
                  and not has_schema_privilege(role_name, n.oid, 'usage')) then
      execute (select format('grant usage on schema %I to %I', n.nspname, role_name)
                 from pg_catalog.pg_extension as e
                 join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
                where e.extname = 'vector');
    end if;
  end loop;
end
$$;
