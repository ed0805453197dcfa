-- pgvec-admin 0.2.1, made by `pgvec-admin supabase export`. Do not edit it: export it again.

set search_path = pg_catalog, pg_temp;

-- The ledger: what pgvec-admin keeps about its own work. Laid before the first migration, which it records.
-- yoyo's bookkeeping tables come to lie beside these two.

do $$
begin
  if to_regnamespace('pgvec') is null then
    create schema pgvec;
    revoke all on schema pgvec from public;
  end if;
end
$$;

create table if not exists pgvec.migration_files (
  id         text primary key,
  sha256     text not null,
  applied_at timestamptz not null default now()
);

comment on table  pgvec.migration_files            is 'The text of every migration that was applied, by its hash: a released migration never changes.';
comment on column pgvec.migration_files.id         is 'Name of the file without .sql, as in yoyo''s own table.';
comment on column pgvec.migration_files.sha256     is 'SHA-256 of the file, line ends as LF.';
comment on column pgvec.migration_files.applied_at is 'When it was applied.';

revoke all on table pgvec.migration_files from public;

create table if not exists pgvec.function_history (
  name            text not null,
  version         int not null check (version > 0),
  origin          text not null check (origin in ('file', 'drift', 'replaced', 'rollback')),
  definition      text not null,
  file_sha256     text,
  held_sha256     text,
  fingerprint     text not null,
  package_version text not null,
  applied_at      timestamptz not null default clock_timestamp(),
  applied_by      text not null default session_user,
  primary key (name, version)
);

comment on table  pgvec.function_history                 is 'Every definition that a function has had; the highest version is the one installed.';
comment on column pgvec.function_history.name            is 'schema.name of the function.';
comment on column pgvec.function_history.version         is 'Counted from 1, a function.';
comment on column pgvec.function_history.origin          is 'file: from a release. rollback: brought back. drift, replaced: found here, kept before it was overwritten.';
comment on column pgvec.function_history.definition      is 'SQL that makes it.';
comment on column pgvec.function_history.file_sha256     is 'SHA-256 of the file it came from, line ends as LF.';
comment on column pgvec.function_history.held_sha256     is 'After a rollback: the file that shall not be applied again. Another one is.';
comment on column pgvec.function_history.fingerprint     is 'md5 of what the catalog says of the function; a live one that differs has drifted.';
comment on column pgvec.function_history.package_version is 'Release of pgvec-admin that did it.';
comment on column pgvec.function_history.applied_at      is 'When it was applied, or found.';
comment on column pgvec.function_history.applied_by      is 'Role that did it.';

revoke all on table pgvec.function_history from public;

-- What applies the rest of an exported file, as `pgvec-admin migrate` would: what is there already is left alone, what
-- somebody edited or made is not overwritten, and all is noted in the ledger.

do $$
declare
  found text := (select quote_ident(n.nspname)
                   from pg_catalog.pg_extension as e
                   join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
                  where e.extname = 'vector');
begin
  if found <> 'extensions' then
    raise exception using
      message = format('pgvector is in schema %s', found),
      hint    = 'this file is for projects that have it in schema extensions; elsewhere: pgvec-admin migrate';
  end if;
end
$$;

create table if not exists pgvec._yoyo_migration (
  migration_hash varchar(64) primary key, migration_id varchar(255), applied_at_utc timestamp);
create table if not exists pgvec._yoyo_log (
  id varchar(36) primary key, migration_hash varchar(64), migration_id varchar(255), operation varchar(10),
  username varchar(255), hostname varchar(255), comment varchar(255), created_at_utc timestamp);
create table if not exists pgvec._yoyo_version (version int not null primary key, installed_at_utc timestamp);
insert into pgvec._yoyo_version (version, installed_at_utc)
values (2, now() at time zone 'utc')
    on conflict do nothing;

create or replace function pg_temp.apply_migration(migration text, hash text, definition text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $installer$
begin
  if exists (select from pgvec._yoyo_migration as m where m.migration_id = migration) then
    return;
  end if;
  execute definition;
  insert into pgvec._yoyo_migration (migration_hash, migration_id, applied_at_utc)
  values (encode(sha256(convert_to(migration, 'utf8')), 'hex'), migration, now() at time zone 'utc');
  insert into pgvec.migration_files (id, sha256) values (migration, hash)
      on conflict do nothing;
end
$installer$;

create or replace function pg_temp.live_fingerprint(function_name text) returns text language sql set search_path = pg_catalog, pg_temp as $installer$
  select l.fingerprint from (
-- What the catalog says of our functions: all of schema pgvec, and those named elsewhere. Overloads of a name together.
-- Grants are left out of the fingerprint: a customer's own GRANT is no drift.
select n.nspname || '.' || p.proname as name,
       count(*) as overloads,
       md5(string_agg(
             jsonb_build_array(
               l.lanname, p.prosrc, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
               p.prokind, p.provolatile, p.proparallel, p.prosecdef, p.proisstrict, p.proleakproof, p.proconfig)::text,
             chr(10) order by pg_get_function_identity_arguments(p.oid))) as fingerprint,
       string_agg(pg_get_functiondef(p.oid) || ';', chr(10) order by pg_get_function_identity_arguments(p.oid)) as definition,
       array_agg(p.oid::int8 order by p.oid) as oids,
       array_agg(p.oid || ':' || p.xmin order by p.oid) as row_versions
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
  join pg_catalog.pg_language as l on l.oid = p.prolang
 where (n.nspname = 'pgvec' or n.nspname || '.' || p.proname = any (array[function_name]))
   and p.prokind in ('f', 'p')
   and not exists (select
                     from pg_catalog.pg_depend as d
                    where d.classid = 'pg_catalog.pg_proc'::regclass
                      and d.objid = p.oid
                      and d.deptype = 'e')
 group by 1
 order by 1

  ) as l where l.name = function_name
$installer$;

create or replace function pg_temp.apply_function(function_name text, hash text, release text, text_of_file text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $installer$
declare
  last pgvec.function_history;
  live text := pg_temp.live_fingerprint(function_name);
begin
  select h.* into last from pgvec.function_history as h where h.name = function_name order by h.version desc limit 1;
  if live is distinct from last.fingerprint and live is not null then
    raise exception using
      message = format('%s was not made by pgvec-admin, or was edited since', function_name),
      hint    = 'pgvec-admin migrate --replace-existing or --overwrite-drift keeps the other text in the history';
  end if;
  if live is not null and (last.file_sha256 = hash or last.held_sha256 = hash) then
    return;
  end if;
  text_of_file := ltrim(text_of_file, chr(10));
  execute text_of_file;
  insert into pgvec.function_history (name, version, origin, definition, file_sha256, fingerprint, package_version)
  values (function_name, coalesce(last.version, 0) + 1, 'file', text_of_file, hash, pg_temp.live_fingerprint(function_name), release);
end
$installer$;

create or replace function pg_temp.retire_functions(of_this_release text[]) returns void language plpgsql set search_path = pg_catalog, pg_temp as $installer$
declare
  gone record;
begin
  for gone in
    select p.oid::regprocedure as routine
      from pg_catalog.pg_proc as p
      join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
     cross join lateral (select h.fingerprint from pgvec.function_history as h where h.name = n.nspname || '.' || p.proname order by h.version desc limit 1) as last
     where n.nspname in ('pgvec', 'public')
       and n.nspname || '.' || p.proname <> all (of_this_release)
       and last.fingerprint = pg_temp.live_fingerprint(n.nspname || '.' || p.proname)
  loop
    execute format('drop routine %s', gone.routine);
  end loop;
end
$installer$;

set check_function_bodies = off;

select pg_temp.apply_migration('0001.engine', '7e5ed46183c6a92b01e28d807bd2df1d460f9b656b2a55504e50fa6e5ccad1ba', $pgvec_file$
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
$pgvec_file$);

select pg_temp.apply_migration('0002.loads', '5a987774f5dc18631920489cd8c2327924ca9e9d2a23f0b727a581f125d702fb', $pgvec_file$
-- depends: 0001.engine
-- Resume points of loads: how far into a file a load had come when its last batch was committed.

create table if not exists pgvec.loads (
  collection  text not null references pgvec.collections (name) on update cascade on delete cascade,
  source      text not null,
  fingerprint text not null,
  position    bigint not null check (position > 0),
  last_id     text not null,
  updated_at  timestamptz not null default now(),
  primary key (collection, source)
);

comment on table  pgvec.loads             is 'Loads that have not ended: a row a file, written together with each batch, removed with the last.';
comment on column pgvec.loads.collection  is 'The collection that is loaded.';
comment on column pgvec.loads.source      is 'The file, as it was named.';
comment on column pgvec.loads.fingerprint is 'Hash of the file''s size and time and of the options; a load with another one begins anew.';
comment on column pgvec.loads.position    is 'Documents of the file that are done.';
comment on column pgvec.loads.last_id     is 'Last row that was stored; where it is gone, the load begins anew.';
comment on column pgvec.loads.updated_at  is 'When the last batch was committed.';

revoke all on table pgvec.loads from public;

do $$
declare
  role_name name;
begin
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('service_role', 'pgvec_writer')
  loop
    execute format('grant select, insert, update, delete on table pgvec.loads to %I', role_name);
  end loop;
end
$$;
$pgvec_file$);

select pg_temp.apply_migration('0003.adoption', '800219c0799bb0fa48f5ff72a11dd267a2d57693ed9323c855ffc082cc67db5b', $pgvec_file$
-- depends: 0002.loads
-- Collections over tables that are there already: the table that holds the rows may be another relation than the one
-- that is searched, which is then a view over it.

alter table pgvec.collections add column if not exists base regclass;
alter table pgvec.collections add column if not exists embedding_column name not null default 'embedding';

update pgvec.collections set base = relation where base is null;

alter table pgvec.collections alter column base set not null;

comment on column pgvec.collections.relation         is 'What is searched: the table that holds the rows, or a view over an adopted one. Follows a rename.';
comment on column pgvec.collections.base             is 'The table that holds the rows and their indexes.';
comment on column pgvec.collections.embedding_column is 'The column of base that holds the vector.';

create table if not exists pgvec.adoptions (
  collection      text primary key references pgvec.collections (name) on update cascade on delete cascade,
  id_column       name not null,
  id_type         text not null,
  content_columns name[] not null check (cardinality(content_columns) > 0),
  metadata_column name,
  side            regclass,
  added_columns   name[] not null default '{}',
  created_at      timestamptz not null default now()
);

comment on table  pgvec.adoptions                 is 'Collections over tables that were there before, and what was added to them.';
comment on column pgvec.adoptions.collection      is 'The collection.';
comment on column pgvec.adoptions.id_column       is 'The column of the table whose text is the id.';
comment on column pgvec.adoptions.id_type         is 'Its type, as format_type gives it.';
comment on column pgvec.adoptions.content_columns is 'The columns that make up the content, in order.';
comment on column pgvec.adoptions.metadata_column is 'The jsonb column that is the metadata; null for the rest of the row.';
comment on column pgvec.adoptions.side            is 'The table of lexemes and hashes, keyed by the id; null where they were added to the table itself.';
comment on column pgvec.adoptions.added_columns   is 'Columns that adoption added to the table, and release removes.';
comment on column pgvec.adoptions.created_at      is 'When it was adopted.';

revoke all on table pgvec.adoptions from public;

do $$
declare
  role_name name;
begin
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('anon', 'authenticated', 'service_role', 'pgvec_reader', 'pgvec_writer')
  loop
    execute format('grant select on table pgvec.adoptions to %I', role_name);
  end loop;
end
$$;
$pgvec_file$);

select pg_temp.apply_migration('0004.search', '80b29b61af6e867f5d947485e959ce78e2373e1fd79b29cc64600839b651e6e0', $pgvec_file$
-- depends: 0003.adoption
-- What a search knows beforehand: the index that serves a collection, noted when it is built, and the steps it may take.

-- The name and the oid: a restored database has the name alone, an index made anew under the name another oid.
alter table pgvec.collections add column if not exists search_index text;
alter table pgvec.collections add column if not exists search_index_oid oid;
alter table pgvec.collections add column if not exists search_kind text check (search_kind in ('column', 'halfvec', 'binary'));
alter table pgvec.collections add column if not exists search_method text check (search_method in ('hnsw', 'ivfflat'));

comment on column pgvec.collections.search_index     is 'The vector index that searches use, as pgvec.note_index last saw it; where it is gone or null, each search looks for one.';
comment on column pgvec.collections.search_index_oid is 'The oid that search_index had then.';
comment on column pgvec.collections.search_kind      is 'What search_index holds: column (the embedding itself), halfvec or binary.';
comment on column pgvec.collections.search_method    is 'The method of search_index: hnsw or ivfflat.';

do $$
begin
  if to_regtype('pgvec.search_step') is null then
    create type pgvec.search_step as (
      kind           text,
      iterative_scan text,
      ef_search      int,
      scan_tuples    int,
      read_rows      int,
      enough         int,
      after_tie      boolean,
      deep           boolean,
      estimate       float8
    );
  end if;
  if to_regtype('pgvec.hit') is null then
    create type pgvec.hit as (id text, content text, metadata jsonb, distance float8);
  end if;
end
$$;

comment on type pgvec.search_step is
  'One thing to try in a search: kind of index (null for an exact scan), settings of hnsw (iterative_scan, ef_search, max_scan_tuples), rows to read, '
  'rows that are enough, whether it is only for a tie at the limit, whether it takes pgvec.deep_rows, and the estimated matches of the filter.';
comment on type pgvec.hit is 'A row that a search found, and how far it is.';

revoke all on type pgvec.search_step, pgvec.hit from public;
$pgvec_file$);

select pg_temp.apply_migration('0005.keywords', '5a8e289c211838210c372085a801c4423736648da4b77055abba778c35a4e2da', $pgvec_file$
-- depends: 0004.search
-- What BM25 has to know of all rows together: how many rows have each lexeme, how many rows there are, and how long they
-- are on average. Kept by trigger as rows to be summed, which writers only ever add, so that none waits for another.

alter table pgvec.collections add column if not exists text_table regclass;

update pgvec.collections as c
   set text_table = coalesce((select a.side from pgvec.adoptions as a where a.collection = c.name), c.base)
 where c.text_table is null;

comment on column pgvec.collections.text_table is 'The table with the lexemes and weights of each row (fts, bm25): base, or the side table of an adopted one.';

create table if not exists pgvec.lexemes (
  collection text not null,
  tenant     uuid not null,
  lexeme     text not null,
  documents  bigint not null
);

create index if not exists lexemes_idx on pgvec.lexemes (collection, tenant, lexeme) include (documents);

comment on table  pgvec.lexemes            is 'Document frequencies, to be summed. Without a foreign key, whose check would cost more than the row.';
comment on column pgvec.lexemes.collection is 'The collection.';
comment on column pgvec.lexemes.tenant     is 'Whose rows are counted; the nil uuid where rows belong to no tenant.';
comment on column pgvec.lexemes.lexeme     is 'A lexeme of fts.';
comment on column pgvec.lexemes.documents  is 'How many more rows have it (fewer, if negative).';

create table if not exists pgvec.text_totals (
  collection text not null references pgvec.collections (name) on update cascade on delete cascade,
  tenant     uuid not null,
  documents  bigint not null,
  positions  bigint not null,
  uncounted  bigint not null default 0,
  languages  text[] not null default '{}'
);

create index if not exists text_totals_idx on pgvec.text_totals (collection, tenant);

comment on table  pgvec.text_totals            is 'Rows and words of a collection, to be summed.';
comment on column pgvec.text_totals.collection is 'The collection.';
comment on column pgvec.text_totals.tenant     is 'Whose rows are counted; the nil uuid where rows belong to no tenant.';
comment on column pgvec.text_totals.documents  is 'Rows whose lexemes are counted in pgvec.lexemes.';
comment on column pgvec.text_totals.positions  is 'Sum of their lengths, in words that have a lexeme.';
comment on column pgvec.text_totals.uncounted  is 'Rows inserted, changed or deleted since, which the counts do not know.';
comment on column pgvec.text_totals.languages  is 'Text search configurations that rows have of their own.';

create table if not exists pgvec.bm25_parameters (
  collection     text not null references pgvec.collections (name) on update cascade on delete cascade,
  tenant         uuid not null,
  average_length float8,
  k1             float8 not null,
  b              float8 not null,
  documents      bigint not null default 0,
  renewed_at     timestamptz not null default now(),
  primary key (collection, tenant)
);

comment on table  pgvec.bm25_parameters                is 'What the weights in the bm25 columns were made with.';
comment on column pgvec.bm25_parameters.collection     is 'The collection.';
comment on column pgvec.bm25_parameters.tenant         is 'Whose rows; the nil uuid where rows belong to no tenant.';
comment on column pgvec.bm25_parameters.average_length is 'Average length of a row, in words that have a lexeme; null before the first row.';
comment on column pgvec.bm25_parameters.k1             is 'How soon repeating a word stops counting.';
comment on column pgvec.bm25_parameters.b              is 'How much a long row is held back, 0 to 1.';
comment on column pgvec.bm25_parameters.documents      is 'Rows there were then.';
comment on column pgvec.bm25_parameters.renewed_at     is 'When.';

-- frequencies tell what others have written: the functions read them, nobody else
revoke all on table pgvec.lexemes, pgvec.text_totals, pgvec.bm25_parameters from public;

do $$
begin
  if to_regtype('pgvec.keyword_query') is null then
    create type pgvec.keyword_query as (
      candidates tsquery,
      words      tsquery,
      weights    extensions.sparsevec,
      phrases    text,
      excluded   text
    );
  end if;
  if to_regtype('pgvec.scored') is null then
    create type pgvec.scored as (id text, score float8);
  end if;
  if to_regtype('pgvec.fused') is null then
    create type pgvec.fused as (
      id            text,
      score         float8,
      similarity    float8,
      keyword_score float8,
      semantic_rank bigint,
      keyword_rank  bigint
    );
  end if;
end
$$;

comment on type pgvec.keyword_query is
  'A text to search for: the tsquery that finds candidates, that of all its words, their BM25 weights by lexeme, what stands in quotes, and what has a minus.';
comment on type pgvec.scored is 'The id of a row, and its score.';
comment on type pgvec.fused is 'The id of a row, its score in a hybrid search, and where that comes from.';

revoke all on type pgvec.keyword_query, pgvec.scored, pgvec.fused from public;
$pgvec_file$);

select pg_temp.apply_migration('0006.tenants', '1d2c60a7bcd66a54391bc0d86f959d7cbffb7b927c7b8dd63a29e72672e15e10', $pgvec_file$
-- depends: 0005.keywords
-- Rows that belong to tenants: who is a member of which, and searches that are for some tenants only.

alter table pgvec.collections add column if not exists tenants uuid[] check (tenants is null);

comment on column pgvec.collections.tenants is 'Null here. A search carries the tenants whose rows it is for in its copy of the row (pgvec.scoped).';

create table if not exists pgvec.memberships (
  member    uuid not null,
  tenant_id uuid not null,
  added_at  timestamptz not null default now(),
  primary key (member, tenant_id)
);

comment on table  pgvec.memberships           is 'Users and their tenants, where their tokens do not say it; read by pgvec.allowed_tenants.';
comment on column pgvec.memberships.member    is 'The user: sub of the token.';
comment on column pgvec.memberships.tenant_id is 'A tenant whose rows the user may read and write.';
comment on column pgvec.memberships.added_at  is 'Since when.';

revoke all on table pgvec.memberships from public;

do $$
declare
  role_name name;
begin
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('service_role')
  loop
    execute format('grant select, insert, update, delete on table pgvec.memberships to %I', role_name);
  end loop;
end
$$;

-- parts of the statistics get a number, so that their rows have a key; the index of lexemes serves as that of the key
alter table pgvec.lexemes add column if not exists part bigint generated always as identity;
alter table pgvec.text_totals add column if not exists part bigint generated always as identity;

do $$
begin
  if not exists (select from pg_catalog.pg_constraint as c where c.conrelid = 'pgvec.lexemes'::regclass and c.contype = 'p') then
    alter table pgvec.lexemes add primary key (collection, tenant, lexeme, part) include (documents);
    alter table pgvec.text_totals add primary key (collection, tenant, part);
  end if;
end
$$;

drop index if exists pgvec.lexemes_idx, pgvec.text_totals_idx;

comment on column pgvec.lexemes.part     is 'Number of the row.';
comment on column pgvec.text_totals.part is 'Number of the row.';
$pgvec_file$);

select pg_temp.apply_migration('0007.noted_queries', '656c4bd30b66d446b833f7303d36d44b4ce7a69af43de5be2a004129d9b2813e', $pgvec_file$
-- depends: 0006.tenants
-- The queries of a search, noted with its index, so that small searches need not write them.

alter table pgvec.collections add column if not exists search_query text;
alter table pgvec.collections add column if not exists scan_query text;

comment on column pgvec.collections.search_query is 'What pgvec.query_template says for search_index, noted with it.';
comment on type pgvec.search_step is
  'One thing to try in a search: kind of index (null for an exact scan), settings of hnsw (iterative_scan, ef_search, max_scan_tuples), rows to read, '
  'rows that are enough, whether it is for a tie at the limit (null for with and without), whether it takes pgvec.deep_rows, and the estimated matches of the filter.';
comment on column pgvec.collections.scan_query   is 'What pgvec.query_template says for an exact scan, noted with search_index.';
$pgvec_file$);

select pg_temp.apply_migration('0008.changes', 'a4658d7040cd0c6e1bcd7e3420517946191e7b2ed21c5c6d4333cf7542a05abd', $pgvec_file$
-- depends: 0007.noted_queries
-- How often a collection has changed, for those who keep answers: see pgvec.collection_version.

alter table pgvec.text_totals add column if not exists changes bigint not null default 1;

comment on column pgvec.text_totals.changes is 'Statements that have changed rows, whether or not their texts.';
$pgvec_file$);

select pg_temp.apply_migration('0009.search_log', '9bd9b16f9c44b465577a708baa8bf2271c452749c03954114a082f42ace132c7', $pgvec_file$
-- depends: 0008.changes
-- What was searched for, how long it took and what it found: a sample, where the owner asks for it (pgvec.log_searches).

alter table pgvec.collections add column if not exists log_sample float8 check (log_sample > 0 and log_sample <= 1);
alter table pgvec.collections add column if not exists log_keep interval not null default '30 days' check (log_keep > interval '0');
alter table pgvec.collections add column if not exists log_texts boolean not null default false;
alter table pgvec.collections add column if not exists log_embeddings boolean not null default false;

comment on column pgvec.collections.log_sample     is 'The share of searches that pgvec.search_log gets, above 0 to 1; null for none.';
comment on column pgvec.collections.log_keep       is 'How long they stay there; pgvec.prune_search_log removes them then.';
comment on column pgvec.collections.log_texts      is 'Whether the text and the filter of a search are logged.';
comment on column pgvec.collections.log_embeddings is 'Whether the vector of a search is logged.';

-- Unlogged: a search must not wait for the disk to have its row, nor replicas for what is of no use to them. It is empty
-- after a crash. No foreign key: each row would lock, and so write, the collection's row in the registry.
create unlogged table if not exists pgvec.search_log (
  collection      text not null,
  searched_at     timestamptz not null,
  id              bigint generated always as identity,
  function        text not null,
  route           text not null,
  requested       int not null,
  returned        int not null,
  ms              float8 not null,
  top_score       float8,
  tenants         uuid[],
  filtered        boolean not null,
  sample          float8 not null,
  query_text      text,
  query_filter    jsonb,
  query_embedding extensions.vector,
  primary key (collection, searched_at, id)
);

comment on table  pgvec.search_log                 is 'A sample of the searches: see pgvec.log_searches. For the owner, and whom the owner grants it: it tells of all tenants.';
comment on column pgvec.search_log.collection      is 'The collection searched.';
comment on column pgvec.search_log.searched_at     is 'When the search began.';
comment on column pgvec.search_log.id              is 'Number of the row.';
comment on column pgvec.search_log.function        is 'The function: match_documents, keyword_search or hybrid_search, also where another one called it.';
comment on column pgvec.search_log.route           is 'How rows were found: as pgvec.explain_search says for vectors (index, exact and so on), else keyword or hybrid.';
comment on column pgvec.search_log.requested       is 'Rows asked for.';
comment on column pgvec.search_log.returned        is 'Rows found.';
comment on column pgvec.search_log.ms              is 'Milliseconds that it took in the server, without the logging.';
comment on column pgvec.search_log.top_score       is 'The best similarity, of keyword and hybrid searches the best score; null where nothing was found.';
comment on column pgvec.search_log.tenants         is 'The tenants whose rows were searched, where rows belong to tenants.';
comment on column pgvec.search_log.filtered        is 'Whether there was a filter.';
comment on column pgvec.search_log.sample          is 'The share of searches that was logged then: a row stands for 1 / sample of them.';
comment on column pgvec.search_log.query_text      is 'The text, where texts are logged: its first 10,000 characters.';
comment on column pgvec.search_log.query_filter    is 'The filter, where texts are logged.';
comment on column pgvec.search_log.query_embedding is 'The vector, where embeddings are logged.';

revoke all on table pgvec.search_log from public;

-- Anybody may listen to a channel whose name they know, so the name is a secret of the owner's.
create table if not exists pgvec.search_channel (
  name text primary key default 'pgvec_' || replace(gen_random_uuid()::text, '-', '')
);

comment on table  pgvec.search_channel      is 'Where searches in read-only transactions are announced, for pgvec-admin log collect: one row.';
comment on column pgvec.search_channel.name is 'Name of the channel. Whoever knows it can listen to what is logged.';

revoke all on table pgvec.search_channel from public;

insert into pgvec.search_channel
select where not exists (select from pgvec.search_channel);

create or replace view pgvec.stats with (security_invoker = true) as
select l.collection,
       l.function,
       l.route,
       count(*) as logged,
       round(sum(1 / l.sample))::bigint as searches,
       coalesce(round(sum(1 / l.sample) filter (where l.searched_at > now() - interval '1 day')), 0)::bigint as last_day,
       coalesce(round(sum(1 / l.sample) filter (where l.searched_at > now() - interval '1 hour')), 0)::bigint as last_hour,
       percentile_cont(0.5) within group (order by l.ms) as p50_ms,
       percentile_cont(0.95) within group (order by l.ms) as p95_ms,
       percentile_cont(0.99) within group (order by l.ms) as p99_ms,
       percentile_disc(0.5) within group (order by l.returned) as returned_p50,
       avg((l.returned < l.requested)::int)::float8 as short_share,
       percentile_cont(0.1) within group (order by l.top_score) as top_score_p10,
       percentile_cont(0.5) within group (order by l.top_score) as top_score_p50,
       max(l.searched_at) as last_searched_at
  from pgvec.search_log as l
 group by l.collection, l.function, l.route;

comment on view   pgvec.stats                  is 'The search log in figures, by collection, function and route. For whom pgvec.search_log is.';
comment on column pgvec.stats.collection       is 'The collection.';
comment on column pgvec.stats.function         is 'The function.';
comment on column pgvec.stats.route            is 'How rows were found.';
comment on column pgvec.stats.logged           is 'Searches in the log.';
comment on column pgvec.stats.searches         is 'Searches that these stand for.';
comment on column pgvec.stats.last_day         is 'Of these, in the last 24 hours.';
comment on column pgvec.stats.last_hour        is 'Of these, in the last hour.';
comment on column pgvec.stats.p50_ms           is 'Milliseconds that half of the searches stayed below.';
comment on column pgvec.stats.p95_ms           is 'Milliseconds that 95 % stayed below.';
comment on column pgvec.stats.p99_ms           is 'Milliseconds that 99 % stayed below.';
comment on column pgvec.stats.returned_p50     is 'Median of the rows found.';
comment on column pgvec.stats.short_share      is 'Share of the searches that found fewer rows than they asked for.';
comment on column pgvec.stats.top_score_p10    is 'The best score of a search: what a tenth stayed below.';
comment on column pgvec.stats.top_score_p50    is 'The best score of a search: the median.';
comment on column pgvec.stats.last_searched_at is 'The last search.';

revoke all on table pgvec.stats from public;
$pgvec_file$);

select pg_temp.apply_migration('0010.verdicts', 'e3d7dc5a9908f72a56cd75c25d971b1abe86c5b9fb673c4a8f60b7cf48808165', $pgvec_file$
-- depends: 0009.search_log
-- What a check says: the rows of pgvec.verify.

do $$
begin
  if to_regtype('pgvec.verdict') is null then
    create type pgvec.verdict as (
      area       text,
      check_name text,
      result     text,
      found      text,
      hint       text,
      fix        text
    );
  end if;
end
$$;

comment on type pgvec.verdict is
  'What a check says: what it looked at (a collection, or a part of the installation), its name, ok, warn or fail, what it found, '
  'what to do about it, and the SQL that repairs it where that is safe (null otherwise; statements end with semicolons, and some cannot run within a transaction).';

revoke all on type pgvec.verdict from public;
$pgvec_file$);

select pg_temp.apply_migration('0011.load_tenants', 'a0adfc9c505b032c8d1982d0d08773c5218f729f87819f884380de20751bf28e', $pgvec_file$
-- depends: 0010.verdicts
-- Resume points belong to tenants, as the rows do that they are for; and what a load has to note goes through functions
-- (pgvec.note_load), since a table that writers may read tells one tenant of the files of another.

alter table pgvec.loads add column if not exists tenant uuid not null default '00000000-0000-0000-0000-000000000000';

comment on column pgvec.loads.tenant is 'Whose rows the load stores; the nil uuid where rows belong to no tenant.';

do $$
declare
  role_name name;
begin
  if (select cardinality(c.conkey) from pg_catalog.pg_constraint as c where c.conrelid = 'pgvec.loads'::regclass and c.contype = 'p') = 2 then
    alter table pgvec.loads drop constraint loads_pkey;
    alter table pgvec.loads add primary key (collection, tenant, source);
  end if;
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('service_role', 'pgvec_writer')
  loop
    execute format('revoke all on table pgvec.loads from %I', role_name);
  end loop;
end
$$;
$pgvec_file$);

do $$ begin perform '[1]'::extensions.vector; end $$;

select pg_temp.apply_function('pgvec.roles', '55d7509916948cff2535da5182c66b2c6733d806824626c9d8031c712057d9dc', '0.2.1', $pgvec_file$
-- pgvec.roles -- which of the roles that this project grants to exist here.
-- Supabase has anon, authenticated and service_role; a plain server has pgvec_reader and pgvec_writer.
create or replace function pgvec.roles(audience text)
  returns setof name
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.rolname
    from pg_catalog.pg_roles as r
   where r.rolname = any (case audience
                            when 'reader' then '{anon,authenticated,service_role,pgvec_reader,pgvec_writer}'::name[]
                            when 'writer' then '{service_role,pgvec_writer}'::name[]
                            when 'member' then '{authenticated,service_role,pgvec_writer}'::name[]
                            when 'owner' then '{}'::name[]
                          end)
   order by r.rolname
$$;
comment on function pgvec.roles(text) is
  'The existing roles of an audience: ''reader'' (may search), ''writer'' (may search and write), '
  '''member'' (may write rows of their tenants), or ''owner'' (none: what only the owner may call).';
revoke all on function pgvec.roles(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.grant_execute', '8a6bc1c296ed58e427c680c0bc7614b52a608707ad49c0e5a665db265a890864', '0.2.1', $pgvec_file$
-- pgvec.grant_execute -- lets exactly one audience call a function.
-- Old Supabase projects grant every new function in public to anon by name, so it revokes by name as well.
create or replace function pgvec.grant_execute(routine regprocedure, audience text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  role_name name;
begin
  execute format('revoke all on function %s from public', routine);
  for role_name in select r from pgvec.roles('reader') as r loop
    execute format('revoke all on function %s from %I', routine, role_name);
  end loop;
  for role_name in select r from pgvec.roles(audience) as r loop
    execute format('grant execute on function %s to %I', routine, role_name);
  end loop;
end
$$;
comment on function pgvec.grant_execute(regprocedure, text) is
  'Grants a function to the roles of one audience (''reader'', ''writer'', or ''owner'' for nobody) and to no other of ours, nor to PUBLIC.';
revoke all on function pgvec.grant_execute(regprocedure, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.a_vector', '4b4de1a0aa6dfa60307b07e42c79c3cf6b65e587c58737a20855b12c3fe0e3d0', '0.2.1', $pgvec_file$
-- pgvec.a_vector -- a vector, so that a dump can be restored by who is no superuser.
-- Settings such as hnsw.ef_search can be given to a function by others than superusers only once pgvector's library is
-- loaded. pg_dump writes functions in the order of their names: the default here loads it, before the first that has one.
create or replace function pgvec.a_vector(given extensions.vector default '[1]')
  returns extensions.vector
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select given
$$;
comment on function pgvec.a_vector(extensions.vector) is
  'The vector given. Its default is what loads pgvector''s library while a dump is restored, before the functions that have settings of pgvector.';
revoke all on function pgvec.a_vector(extensions.vector) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.adopt_collection', '72cd251d6b74f346887892ae0f97f4313e678d5b16a7d97bdbfa9863aa979de3', '0.2.1', $pgvec_file$
-- pgvec.adopt_collection -- makes a table that is there already searchable as a collection.
-- The searches read a view over it, which names its columns as they expect. The table keeps its columns: lexemes and
-- hashes lie in a side table, kept by trigger, unless add_columns asks for them in the table itself. Filters whose keys
-- are columns become comparisons with these, which their own indexes serve. The caller's rights and row level security
-- on the table decide what is seen.
create or replace function pgvec.adopt_collection(
    name text,
    relation regclass,
    embedding_column text default 'embedding',
    content_columns text[] default '{content}',
    id_column text default null,
    metadata_column text default null,
    dimensions int default null,
    distance text default 'cosine',
    language text default 'english',
    model text default null,
    add_columns boolean default false)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  configuration text;
  key      record;
  vector   record;
  added    name[] := '{}'::name[];
  adopted  pgvec.adoptions;
begin
  perform pgvec.check_new_collection(name);
  perform pgvec.check_choice('distance', distance, '{cosine,l2,inner_product,l1}');
  configuration := pgvec.text_search_configuration(language);
  if model is not null then
    perform pgvec.check_model(model);
  end if;
  perform pgvec.check_adoption(relation, embedding_column, content_columns, metadata_column, add_columns);
  key := pgvec.adopted_key(relation, id_column);
  vector := pgvec.adopted_vector(relation, embedding_column, dimensions);

  if vector.is_new then
    execute format('alter table %s add column %I extensions.vector(%s)', relation, embedding_column, vector.dimensions);
    added := array[embedding_column];
  end if;
  if add_columns then
    execute format('alter table %s add column fts tsvector, add column bm25 extensions.sparsevec(268435456), '
                   'add column content_hash text, add column embedded_hash text', relation);
    added := added || '{fts,bm25,content_hash,embedded_hash}'::name[];
  end if;

  insert into pgvec.collections (name, relation, base, embedding_column, dimensions, distance, access, storage, language, model)
  values (adopt_collection.name, adopt_collection.relation, adopt_collection.relation, adopt_collection.embedding_column,
          vector.dimensions, adopt_collection.distance, 'policy', vector.storage, configuration, adopt_collection.model);
  insert into pgvec.adoptions (collection, id_column, id_type, content_columns, metadata_column, added_columns)
  values (adopt_collection.name, key.column_name, key.column_type, adopt_collection.content_columns, adopt_collection.metadata_column, added)
  returning * into adopted;

  perform pgvec.build_adoption(adopted, add_columns);
  perform pg_notify('pgrst', 'reload schema');
  return relation;
end
$$;
comment on function pgvec.adopt_collection(text, regclass, text, text[], text, text, int, text, text, text, boolean) is
  'Makes an existing table a collection, searched by the same functions. embedding_column: a vector or halfvec column, or a new one (then dimensions). '
  'content_columns: put together, in order. id_column: default the primary key; bigint, int, uuid or text. metadata_column: a jsonb column; default the rest of the row. '
  'add_columns: keep lexemes and hashes in the table instead of a side table. Access is by the table''s own grants and policies. '
  'pgvec.release_collection undoes it. Returns the table. Raises PV004.';
revoke all on function pgvec.adopt_collection(text, regclass, text, text[], text, text, int, text, text, text, boolean) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.adopted_content', '86d4dc751c7e99ffc7a48b356556bb7af9fa3e5c62f646b0a93e47502549f5fb', '0.2.1', $pgvec_file$
-- pgvec.adopted_content -- the SQL expression for the content of a row of an adopted table: its text columns, a line each.
create or replace function pgvec.adopted_content(adopted pgvec.adoptions, row_name text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select format('concat_ws(e''\n'', %s)', string_agg(format('%s.%I', row_name, c), ', ' order by place))
    from unnest(adopted.content_columns) with ordinality as t (c, place)
$$;
comment on function pgvec.adopted_content(pgvec.adoptions, text) is
  'The expression that puts the content of an adopted row together: its content columns, a line each, nulls left out.';
revoke all on function pgvec.adopted_content(pgvec.adoptions, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.adopted_key', '551b00da3cb54310c8998690a4cec50c855e949732be519e3c5a3a407fb8e247', '0.2.1', $pgvec_file$
-- pgvec.adopted_key -- the column that identifies the rows of a table to adopt, or PV004.
create or replace function pgvec.adopted_key(relation regclass, id_column text, out column_name name, out column_type text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  primary_key name[] := array(
    select a.attname
      from pg_catalog.pg_index as x
      join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = any (x.indkey)
     where x.indrelid = relation
       and x.indisprimary
     order by array_position(x.indkey::int2[], a.attnum));
begin
  column_name := coalesce(id_column, case when cardinality(primary_key) = 1 then primary_key[1] end);
  if column_name is null then
    raise exception using
      errcode = 'PV004',
      message = case cardinality(primary_key)
                  when 0 then format('table %s has no primary key', relation)
                  else format('the primary key of %s has %s columns: %s', relation, cardinality(primary_key), array_to_string(primary_key, ', '))
                end,
      hint    = format('rows are identified by one column: alter table %s add column search_id bigint generated always as identity unique; '
                       'then pass id_column => ''search_id''', relation);
  end if;
  perform pgvec.check_columns(relation, array[column_name::text]);

  select format_type(a.atttypid, a.atttypmod) into column_type
    from pg_catalog.pg_attribute as a
   where a.attrelid = relation
     and a.attname = column_name;
  if column_type !~ '^(smallint|integer|bigint|uuid|text|character varying(\(\d+\))?)$' then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is of type %s, which cannot be an id', column_name, relation, column_type),
      hint    = 'a column of type smallint, integer, bigint, uuid, text or varchar';
  end if;
  if not exists (select
                   from pg_catalog.pg_index as x
                   join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[0]
                  where x.indrelid = relation
                    and x.indisunique
                    and x.indpred is null
                    and x.indnkeyatts = 1
                    and a.attname = column_name) then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is not unique', column_name, relation),
      hint    = format('alter table %s add unique (%I)', relation, column_name);
  end if;
end
$$;
comment on function pgvec.adopted_key(regclass, text) is
  'Name and type of the column that identifies the rows of a table: the one given, or its primary key. Raises PV004 for a composite, missing, non-unique or unsuitable one.';
revoke all on function pgvec.adopted_key(regclass, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.adopted_vector', 'ba4db623ee8f2240b7b84874dde99f22394783c45a3abce33568feea4666cc97', '0.2.1', $pgvec_file$
-- pgvec.adopted_vector -- dimensions and storage of the embedding column of a table to adopt, or PV004.
create or replace function pgvec.adopted_vector(
    relation regclass, embedding_column text, wanted int, out is_new boolean, out storage text, out dimensions int)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  select case when a.atttypid in ('extensions.vector'::regtype, 'extensions.halfvec'::regtype) then t.typname else format_type(a.atttypid, null) end,
         nullif(a.atttypmod, -1)
    into storage, dimensions
    from pg_catalog.pg_attribute as a
    join pg_catalog.pg_type as t on t.oid = a.atttypid
   where a.attrelid = relation
     and a.attname = embedding_column
     and not a.attisdropped;
  is_new := storage is null;
  if is_new then
    storage := 'vector';
  elsif storage not in ('vector', 'halfvec') then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is of type %s, not vector or halfvec', embedding_column, relation, storage),
      hint    = 'name a column that holds vectors, or one that does not exist yet, with dimensions';
  end if;

  if dimensions is not null and wanted <> dimensions then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s has %s dimensions, not %s', embedding_column, relation, dimensions, wanted),
      hint    = 'leave dimensions out: the column has its own';
  end if;
  dimensions := coalesce(dimensions, wanted);
  if dimensions is null or dimensions not between 1 and 16000 then
    raise exception using
      errcode = 'PV004',
      message = case when is_new
                  then format('table %s has no column %I', relation, embedding_column)
                  else format('column %I of %s is declared without dimensions', embedding_column, relation)
                end,
      hint    = 'pass dimensions, those of the embedding model (1 to 16000), or name another embedding_column';
  end if;
  if not is_new then
    execute format('select true from %s as b where extensions.vector_dims(b.%I) <> $1 limit 1', relation, embedding_column)
      into is_new
      using dimensions;
    if is_new then
      raise exception using
        errcode = 'PV004',
        message = format('column %I of %s holds vectors of other dimensions than %s', embedding_column, relation, dimensions),
        hint    = 'a collection holds vectors of one model';
    end if;
    is_new := false;
  end if;
end
$$;
comment on function pgvec.adopted_vector(regclass, text, int) is
  'Whether the embedding column of a table has to be made, its storage (vector, halfvec) and dimensions. Raises PV004 for a column that cannot be searched.';
revoke all on function pgvec.adopted_vector(regclass, text, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.adopted_view', '55ad2cfdc6003b43e2902233fa5b28b3c2d3ac98325a1cdced585c2da226f1a1', '0.2.1', $pgvec_file$
-- pgvec.adopted_view -- the statement that makes the view over an adopted table, with the columns of a collection.
-- The columns of the table come along as c1, c2, ... by their number, for filters to compare. Metadata is built from the
-- named columns and not from the whole row, which would turn every vector into text. Of a type of somebody's own goes its text:
-- for its JSON the server would look for a cast that the type's owner may make at any time, to be run by whoever reads.
create or replace function pgvec.adopted_view(target pgvec.collections, adopted pgvec.adoptions, view text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  metadata text := 'coalesce(b.' || quote_ident(adopted.metadata_column) || ', ''{}'')';
  columns  text := (select string_agg(format('b.%I as c%s', a.attname, a.attnum), ', ' order by a.attnum)
                      from pg_catalog.pg_attribute as a
                     where a.attrelid = target.base
                       and a.attnum > 0
                       and not a.attisdropped);
begin
  if adopted.metadata_column is null then
    -- a call takes a hundred arguments at most
    metadata := format('jsonb_strip_nulls(%s)', (
      select coalesce(string_agg(part.call, ' || '), '''{}''::jsonb')
        from (select format('jsonb_build_object(%s)', string_agg(format('%L, %s', m.attname, m.value), ', ' order by m.place)) as call
                from (select a.attname, pgvec.json_value('b', a.attrelid, a.attnum) as value, row_number() over (order by a.attnum) as place
                        from pg_catalog.pg_attribute as a
                       where a.attrelid = target.base
                         and a.attnum > 0
                         and not a.attisdropped
                         and a.attname <> all (adopted.content_columns || adopted.added_columns || adopted.id_column || target.embedding_column)) as m
               group by m.place / 50) as part));
  end if;

  return format(
    $ddl$
    create or replace view %1$s with (security_invoker = true) as
    select b.%2$I::text as id, null::text as source, null::int as chunk_index, %3$s as content, %4$s as metadata, null::text as language,
           b.%5$I as embedding, %6$s.embedded_hash, %6$s.content_hash, %6$s.fts, %6$s.bm25, %7$s
      from %8$s as b %9$s
    $ddl$,
    view,
    adopted.id_column,
    pgvec.adopted_content(adopted, 'b'),
    metadata,
    target.embedding_column,
    case when adopted.side is null then 'b' else 's' end,
    columns,
    target.base,
    case when adopted.side is not null then format('left join %s as s on s.id = b.%I', adopted.side, adopted.id_column) end);
end
$$;
comment on function pgvec.adopted_view(pgvec.collections, pgvec.adoptions, text) is
  'CREATE VIEW of an adopted table with the columns of a collection (id, content, metadata, embedding, fts, hashes) and its own as c1, c2, ... '
  'It reads as the caller, under the policies of the table.';
revoke all on function pgvec.adopted_view(pgvec.collections, pgvec.adoptions, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.allowed_tenants', '1910643398f32a50b5dfb7be422368ada03f32c1a07abe25f10eb079c2b9a611', '0.2.1', $pgvec_file$
-- pgvec.allowed_tenants -- the tenants whose rows the caller may read and write.
-- With a token (a request to the REST API) they are those in its app_metadata, which users cannot change, and those of
-- pgvec.memberships; the setting app.tenant_id counts only without one, on a connection of the application's own.
-- What is no uuid is no tenant. Definer, since memberships are nobody's to read.
-- Replace this function to take tenants from elsewhere: everything about tenants asks it, policies included.
create or replace function pgvec.allowed_tenants()
  returns setof uuid
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  rows 2
as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
begin
  if claims is null then
    return query
      select nullif(current_setting('app.tenant_id', true), '')::uuid
       where nullif(current_setting('app.tenant_id', true), '') is not null;
  else
    return query
      select g.tenant::uuid
        from (select claims #>> '{app_metadata,tenant_id}' as tenant
              union
              select e.tenant
                from jsonb_array_elements_text(
                       case jsonb_typeof(claims #> '{app_metadata,tenant_ids}') when 'array' then claims #> '{app_metadata,tenant_ids}' else '[]' end) as e (tenant)
              union
              select m.tenant_id::text from pgvec.memberships as m where m.member::text = claims ->> 'sub') as g
       where g.tenant ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
       order by 1;
  end if;
end
$$;
comment on function pgvec.allowed_tenants() is
  'The tenants of the caller: app_metadata.tenant_id and tenant_ids of the token and pgvec.memberships of its sub; without a token, the setting app.tenant_id.';
revoke all on function pgvec.allowed_tenants() from public;
select pgvec.grant_execute('pgvec.allowed_tenants()', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.announce_search', '4380d0a89f5c81a6de4f5ab34162606dea09064448248bfb02b19d5d65af9dc4', '0.2.1', $pgvec_file$
-- pgvec.announce_search -- tells whoever collects searches of one that could not be logged, since its transaction only reads.
-- NOTIFY writes nothing, but its transactions commit one by one: so only where somebody listens, and not when the queue of
-- notifications is half full, since a full one fails the commit. One takes 8,000 bytes: pieces, numbered, of at most four
-- bytes a character.
create or replace function pgvec.announce_search(entry jsonb)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  piece  constant int := 1900;
  told   constant text := entry::text;
  pieces constant int := ceil(length(told)::float8 / piece);
  key    constant text := gen_random_uuid();
begin
  if pg_is_in_recovery() or not pgvec.collector_listens() or pg_notification_queue_usage() > 0.5 then
    return;
  end if;
  perform pg_notify(c.name, format('%s %s %s %s', key, n, pieces, substr(told, (n - 1) * piece + 1, piece)))
     from pgvec.search_channel as c, generate_series(1, pieces) as n
    order by n;
end
$$;
comment on function pgvec.announce_search(jsonb) is
  'Notifies the channel of pgvec.search_channel of a row for pgvec.search_log, where a collector listens: in pieces "key number of-how-many text". '
  'Does nothing on a standby.';
revoke all on function pgvec.announce_search(jsonb) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.any_lexeme', '3c9db5d905df68ba2647f0f39e6453aadf29667c5c071c5fcbeb9feb9fba85e5', '0.2.1', $pgvec_file$
-- pgvec.any_lexeme -- a text query that matches rows with any of the query's lexemes.
-- websearch_to_tsquery joins words by AND, so a question of ten words matches nothing.
create or replace function pgvec.any_lexeme(configuration text, query_text text)
  returns tsquery
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(string_agg(quote_literal(l.lexeme), ' | '), '')::tsquery
    from unnest(to_tsvector(configuration::regconfig, query_text)) as l
$$;
comment on function pgvec.any_lexeme(text, text) is
  'The lexemes of a text joined by OR, as a tsquery; empty where the text has none (stop words only).';
revoke all on function pgvec.any_lexeme(text, text) from public;
select pgvec.grant_execute('pgvec.any_lexeme(text, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.as_timestamp', '8d1978a73cccecbf3e822b336b9201b83abc595d7a564acdd6eb9b3dadd1c099', '0.2.1', $pgvec_file$
-- pgvec.as_timestamp -- a value of metadata as a time, null where it is none: one odd row must not fail a search.
create or replace function pgvec.as_timestamp(value jsonb)
  returns timestamptz
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if jsonb_typeof(value) = 'number' then
    return to_timestamp((value #>> '{}')::float8);
  elsif jsonb_typeof(value) = 'string' and value #>> '{}' ~ '^\d{4}-\d' then
    return (value #>> '{}')::timestamptz;
  end if;
  return null;
exception when datetime_field_overflow or invalid_datetime_format or invalid_parameter_value or numeric_value_out_of_range then
  return null;
end
$$;
comment on function pgvec.as_timestamp(jsonb) is
  'A date or time in ISO 8601 ("2026-01-31", "2026-01-31T12:00:00Z"), or a number of seconds since 1970, as a timestamp; null for anything else.';
revoke all on function pgvec.as_timestamp(jsonb) from public;
select pgvec.grant_execute('pgvec.as_timestamp(jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.attach_triggers', 'b33a3f4f68cab48588a0b7f896b6cb40965a5dc7c0f4696c07a0affd61b5a96e', '0.2.1', $pgvec_file$
-- pgvec.attach_triggers -- the triggers that keep lexemes, hashes, weights and statistics of a collection, made anew where they are there.
create or replace function pgvec.attach_triggers(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(attach_triggers.collection);
  adopted pgvec.adoptions;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute format(
    'create or replace trigger %I %s insert or update on %s for each row execute function %s',
    target.name || '_maintain',
    case when adopted.side is null then 'before' else 'after' end,
    target.base,
    case
      when adopted.collection is null then format('pgvec.maintain_document(%L, %L, %L)', target.language, target.name, target.access)
      else format('pgvec.maintain_adopted(%L)', target.name)
    end);
  execute format('alter table %s enable trigger %I', target.base, target.name || '_maintain');
  perform pgvec.keep_lexemes(target.name);
end
$$;
comment on function pgvec.attach_triggers(text) is
  'Puts the triggers on a collection''s table that keep what searches need beside each row, and the statistics of BM25, and enables them. '
  'What was written without them pgvec.repair_rows and pgvec.refresh_statistics make up for. Raises PV001.';
revoke all on function pgvec.attach_triggers(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.autocut', 'ea61fa92ba45be4308cf68995370aa34acc838b50e5278f0576eada480ef3e64', '0.2.1', $pgvec_file$
-- pgvec.autocut -- the hits before the largest drop of the score; all of them where the score never drops.
create or replace function pgvec.autocut(hits pgvec.fused[])
  returns pgvec.fused[]
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    select coalesce(hits[:d.place], hits)
      from (select s.place::int, s.score - lead(s.score) over (order by s.place) as drop
              from unnest(hits) with ordinality as s (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)
             order by drop desc nulls last, s.place
             limit 1) as d
     where d.drop > 0
     union all
    select hits
     limit 1);
end
$$;
comment on function pgvec.autocut(pgvec.fused[]) is 'The hits, sorted by score, up to the largest difference between one score and the next.';
revoke all on function pgvec.autocut(pgvec.fused[]) from public;
select pgvec.grant_execute('pgvec.autocut(pgvec.fused[])', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.begin_staging', 'cb03e53891d9df02bae7bac5741aa3bba509a7b94849f71c73f2056dba92ce74', '0.2.1', $pgvec_file$
-- pgvec.begin_staging -- a place for rows on their way into a collection: a temporary table to COPY into.
-- Rows are numbered as they come.
drop function if exists pgvec.begin_staging();
drop function if exists pgvec.begin_staging(text);

create or replace function pgvec.begin_staging(collection text, for_tenant uuid default null)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgvec.writable(begin_staging.collection, for_tenant);
  if to_regclass('pg_temp.staged_documents') is null then
    create temporary table staged_documents (
      position    bigint generated always as identity,
      id          text not null,
      source      text,
      chunk_index int,
      content     text not null,
      metadata    jsonb not null,
      embedding   extensions.vector
    ) on commit delete rows;
  end if;
end
$$;
comment on function pgvec.begin_staging(text, uuid) is
  'Makes the temporary table staged_documents (position, id, source, chunk_index, content, metadata, embedding) for this session, if it is not there. '
  'In one transaction: COPY into it, then call pgvec.merge_staged. Raises PV001, PV004 for an adopted table.';
revoke all on function pgvec.begin_staging(text, uuid) from public;
select pgvec.grant_execute('pgvec.begin_staging(text, uuid)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.bench_index', 'b08abfc8581cf46e6ccb9f628934d78812dedb2fa040f395dddc63e8b6412737', '0.2.1', $pgvec_file$
-- pgvec.bench_index -- recall and latency of one kind of vector index, over the rows of pgvec.prepare_bench.
-- The query is that of match_documents. Each setting is measured in a second round; the first warms the cache.
create or replace function pgvec.bench_index(
    collection text,
    method text,
    storage text default null,
    values_to_try int[] default null,
    m int default 16,
    ef_construction int default 64)
  returns table (parameter text, value int, recall float8, p50_ms float8, p95_ms float8, index_bytes bigint, build_seconds float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
  set enable_seqscan = on
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.collection(bench_index.collection);
  row_count bigint;
  lists     int;
  kind      text;
  statement text;
  query     record;
  wanted    int;
  started   timestamptz;
  found     text[];
  times     float8[];
  hits      int;
begin
  if to_regclass('pg_temp.pgvec_bench_rows') is null then
    raise exception using
      errcode = 'PV004',
      message = 'there are no rows to measure on',
      hint    = format('select * from pgvec.prepare_bench(%L) first, in the same session', target.name);
  end if;
  row_count := (select count(*) from pg_temp.pgvec_bench_rows);
  lists := pgvec.default_lists(row_count);
  wanted := (select max(cardinality(q.expected)) from pg_temp.pgvec_bench_queries as q);
  target.relation := 'pg_temp.pgvec_bench_rows'::regclass;
  if method is distinct from 'exact' then
    parameter := case method when 'hnsw' then 'ef_search' else 'probes' end;
    kind := case when pgvec.index_storage(target, storage) = target.storage then 'column' else storage end;
    started := clock_timestamp();
    execute 'create index pgvec_bench_idx on pg_temp.pgvec_bench_rows '
      || pgvec.index_clause(target, 'embedding', method, storage, m, ef_construction, lists);
    build_seconds := extract(epoch from clock_timestamp() - started);
    -- with a great ef_search the planner would rather read the whole table
    perform set_config('enable_seqscan', 'off', true);
    index_bytes := pg_relation_size('pg_temp.pgvec_bench_idx'::regclass);
  end if;

  statement := format('select array(select q.id from (%s) as q order by q.distance + 0, q.id limit $4)', pgvec.vector_query(target, target.distance, '', kind));
  for value in
    select v
      from unnest(case method
                    when 'exact' then '{null}'::int[]
                    when 'hnsw' then coalesce(values_to_try, '{10,20,40,80,160,320,640,1000}')
                    else coalesce(values_to_try, '{1,2,4,8,16,32,64,128}')
                  end) as v
     where method <> 'ivfflat' or v <= greatest(lists, 1)
  loop
    if method = 'hnsw' then
      perform set_config('hnsw.ef_search', value::text, true);
    elsif method = 'ivfflat' then
      perform set_config('ivfflat.probes', value::text, true);
    end if;
    for round in 1 .. 2 loop
      times := '{}';
      hits := 0;
      for query in
        select q.embedding, q.expected from pg_temp.pgvec_bench_queries as q
      loop
        started := clock_timestamp();
        execute statement
          into found
          using query.embedding, null::jsonb, ((pgvec.search_steps(target, kind, 'hnsw', wanted, '', null)).steps)[1].read_rows, wanted;
        times := times || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
        hits := hits + (select count(*) from unnest(query.expected) as e where e = any (found));
      end loop;
    end loop;
    recall := hits / nullif((select sum(cardinality(q.expected)) from pg_temp.pgvec_bench_queries as q), 0)::float8;
    select percentile_cont(0.5) within group (order by t), percentile_cont(0.95) within group (order by t) into p50_ms, p95_ms
      from unnest(times) as t;
    return next;
  end loop;

  if method <> 'exact' then
    drop index pg_temp.pgvec_bench_idx;
  end if;
end
$$;
comment on function pgvec.bench_index(text, text, text, int[], int, int) is
  'Builds a vector index (hnsw or ivfflat over vector, halfvec or binary; exact for none) over the rows of pgvec.prepare_bench and measures recall and latency in ms '
  'on the server for each ef_search or probes. Returns also the size of the index and the seconds that one process took to build it.';
revoke all on function pgvec.bench_index(text, text, text, int[], int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.best_of_groups', '22418db986f2f6264e9528b6846ac2dc444c8ac8ecc6486bb726948ba924b2c5', '0.2.1', $pgvec_file$
-- pgvec.best_of_groups -- of the hits of each group only the best: one chunk of each document, for example.
-- A row that belongs to no group stands for itself.
create or replace function pgvec.best_of_groups(collection pgvec.collections, hits pgvec.fused[], group_by text)
  returns pgvec.fused[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  best pgvec.fused[];
begin
  execute format(
    $query$
    select array_agg((g.id, g.score, g.similarity, g.keyword_score, g.semantic_rank, g.keyword_rank)::pgvec.fused order by g.place)
      from (select distinct on (coalesce('group ' || %1$s, 'row ' || d.id)) h.*
              from unnest($1) with ordinality as h (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)
              join %2$s as d on d.id = h.id
             order by coalesce('group ' || %1$s, 'row ' || d.id), h.place) as g
    $query$,
    case group_by when 'source' then 'd.source' else '(d.metadata ->> $2)' end, pgvec.rows_of(collection, by_key => 'h.id'))
    into best
    using hits, group_by;
  return coalesce(best, '{}');
end
$$;
comment on function pgvec.best_of_groups(pgvec.collections, pgvec.fused[], text) is
  'The first hit of each source (group_by source) or of each value at a key of metadata, in the order of the hits.';
revoke all on function pgvec.best_of_groups(pgvec.collections, pgvec.fused[], text) from public;
select pgvec.grant_execute('pgvec.best_of_groups(pgvec.collections, pgvec.fused[], text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.bind_model', 'c8d2069d7664619f8b0c47810905caaf010af086bb1dffb9e74a96a4e5b3e866', '0.2.1', $pgvec_file$
-- pgvec.bind_model -- says which model embeds a collection, after checking that its vectors fit.
-- The check belongs here, before the first text is paid for, and not at the first insert.
create or replace function pgvec.bind_model(collection text, model text, dimensions int)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.collection(collection);
begin
  perform pgvec.check_model(bind_model.model);
  if bind_model.dimensions is distinct from found_row.dimensions then
    raise exception using
      errcode = 'PV002',
      message = format('model %s has %s dimensions, collection %L has %s',
                       bind_model.model, coalesce(bind_model.dimensions::text, 'no'), found_row.name, found_row.dimensions),
      hint    = format('choose a model of %s dimensions, or make a collection of %s', found_row.dimensions,
                       coalesce(bind_model.dimensions::text, 'the model''s'));
  end if;

  update pgvec.collections as c
     set model = bind_model.model
   where c.name = found_row.name;
end
$$;
comment on function pgvec.bind_model(text, text, int) is
  'Sets the embedding model of a collection (provider:name); vectors that are there are taken to be that model''s. '
  'Raises PV001 for an unknown collection, PV002 where the model''s dimensions are not the collection''s, PV004 for a malformed model.';
revoke all on function pgvec.bind_model(text, text, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.bm25_settings', 'baf3df1be3efec24706dbe1594c769bbed6b2afa61646583db35412ceea64276', '0.2.1', $pgvec_file$
-- pgvec.bm25_settings -- the parameters of BM25 that a collection's weights are to be made with.
-- Robertson's usual values, which Lucene and Elasticsearch have too, unless its settings say otherwise.
create or replace function pgvec.bm25_settings(collection pgvec.collections, out k1 float8, out b float8)
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(collection.settings ->> 'k1', '1.2')::float8, coalesce(collection.settings ->> 'b', '0.75')::float8
$$;
comment on function pgvec.bm25_settings(pgvec.collections) is
  'k1 (default 1.2), how soon repeating a word stops counting, and b (default 0.75), how much a long row is held back, of the settings of a collection.';
revoke all on function pgvec.bm25_settings(pgvec.collections) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.bm25_vector', '1d347157be8e0ee78b8a7e60aef835b4db8ec97d6f27e4799dc717866a9c31dd', '0.2.1', $pgvec_file$
-- pgvec.bm25_vector -- what each lexeme of a text weighs in it by BM25: the document's side of the score.
-- A lexeme's dimension is 28 bits of its md5, so that no dictionary has to be kept: 268,435,456 dimensions, of which two
-- lexemes of one text share one in a text of ten thousand. They are added then. The query's side holds the idf, which
-- changes with every row, so that these weights do not. tsvector itself counts no more than 255 places of a lexeme.
-- Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), without the constant factor
-- k1 + 1, as Lucene has it.
-- Every row that is written goes through here: the lexemes are listed once, each with a mark for how often it occurs,
-- which is replaced by its weight when the length of the text is known; those that occur once, as most do, in a list of
-- their own. That takes two thirds of the plain way.
create or replace function pgvec.bm25_vector(fts tsvector, average_length float8, k1 float8, b float8)
  returns extensions.sparsevec
  language plpgsql immutable parallel restricted
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_lexemes constant int := 16000;  -- pgvector's limit; a longer text keeps those that weigh most
  once            text;
  often           text;
  document_length float8;
  most_often      int;
  norm            float8;
begin
  select string_agg(w.dimension || ':t', ',') filter (where w.times = 1),
         string_agg(concat(w.dimension, ':t', w.times, ';'), ',') filter (where w.times > 1),
         sum(w.times),
         max(w.times)
    into once, often, document_length, most_often
    from (select ('x' || left(md5(l.lexeme), 7))::bit(28)::int + 1 as dimension, coalesce(cardinality(l.positions), 1) as times
            from unnest(fts) as l
          offset 0) as w;
  norm := k1 * (1 - b + b * coalesce(document_length / nullif(average_length, 0), 1));

  if length(fts) <= most_lexemes then
    once := replace(once, 't', (1 / (1 + norm))::float4::text);
    for times in 2 .. coalesce(most_often, 0) loop
      often := replace(often, 't' || times || ';', (1 / (1 + norm / times))::float4::text);
    end loop;
    begin
      return format('{%s}/268435456', concat_ws(',', once, often))::extensions.sparsevec;
    exception when data_exception then
      null;  -- two lexemes of one dimension
    end;
  end if;

  return (
    select format('{%s}/268435456', string_agg(w.dimension || ':' || w.weight, ','))::extensions.sparsevec
      from (select ('x' || left(md5(l.lexeme), 7))::bit(28)::int + 1 as dimension,
                   sum(1 / (1 + norm / coalesce(cardinality(l.positions), 1)))::float4 as weight
              from unnest(fts) as l
             group by dimension
             order by weight desc
             limit most_lexemes) as w);
end
$$;
comment on function pgvec.bm25_vector(tsvector, float8, float8, float8) is
  'tf / (tf + k1 (1 - b + b length / average_length)) for each lexeme, at the dimension of its md5; length and tf count the places in the tsvector. '
  'A null average_length counts as the length of the text itself.';
revoke all on function pgvec.bm25_vector(tsvector, float8, float8, float8) from public;
select pgvec.grant_execute('pgvec.bm25_vector(tsvector, float8, float8, float8)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.build_adoption', 'f314f9e0aaf456601b71fc4f6bee60a265a42d3ad2544bc73f0ed81ad6b77549', '0.2.1', $pgvec_file$
-- pgvec.build_adoption -- what an adopted table needs to be searched: lexemes and hashes, the trigger that keeps them,
-- and the view that the searches read.
-- Vectors that are there already count as made from the present text.
create or replace function pgvec.build_adoption(adopted pgvec.adoptions, in_table boolean)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target     pgvec.collections := pgvec.collection(adopted.collection);
  content    text := pgvec.adopted_content(adopted, 'b');
  side_table text := format('pgvec.%I', 'side_' || adopted.collection);
  view_name  text := format('pgvec.%I', 'adopted_' || adopted.collection);
  readers    text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
begin
  if in_table then
    execute format('update %s as b set fts = to_tsvector(%L::regconfig, %s), content_hash = md5(%s), embedded_hash = case when b.%I is not null then md5(%s) end',
                   target.base, target.language, content, content, target.embedding_column, content);
    execute format('create index %I on %s using gin (fts)', adopted.collection || '_fts_idx', target.base);
  else
    execute format('create table %s (id %s primary key references %s (%I) on update cascade on delete cascade, '
                   'fts tsvector, bm25 extensions.sparsevec(268435456), content_hash text not null, embedded_hash text)',
                   side_table, adopted.id_type, target.base, adopted.id_column);
    execute format('comment on table %s is %L', side_table, format('Lexemes and hashes of the adopted table %s, kept by trigger.', target.base));
    execute format('insert into %s (id, fts, content_hash, embedded_hash) '
                   'select b.%I, to_tsvector(%L::regconfig, %s), md5(%s), case when b.%I is not null then md5(%s) end from %s as b',
                   side_table, adopted.id_column, target.language, content, content, target.embedding_column, content, target.base);
    execute format('create index %I on %s using gin (fts)', adopted.collection || '_fts_idx', side_table);
    update pgvec.adoptions as a set side = side_table::regclass where a.collection = adopted.collection returning a.* into adopted;

    perform pgvec.protect_side(adopted.collection);
  end if;

  execute pgvec.adopted_view(target, adopted, view_name);
  update pgvec.collections as c
     set relation = view_name::regclass, text_table = coalesce(adopted.side, c.base)
   where c.name = adopted.collection;
  perform pgvec.attach_triggers(adopted.collection);
  perform pgvec.refresh_statistics(adopted.collection);
  if not in_table then
    perform pgvec.hide_statistics(adopted.collection);
  end if;
  if readers is not null then
    execute format('grant select on %s to %s', view_name, readers);
    if not in_table then
      execute format('grant select on %s to %s', side_table, readers);
    end if;
  end if;
end
$$;
comment on function pgvec.build_adoption(pgvec.adoptions, boolean) is
  'Makes the side table (or fills the columns of the table itself), the trigger and the view of an adoption, and points the collection at the view.';
revoke all on function pgvec.build_adoption(pgvec.adoptions, boolean) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.build_seconds', 'e4a913711596edefe7a56ee29a94d73d256ed0cf535ea963488fb59d3768f488', '0.2.1', $pgvec_file$
-- pgvec.build_seconds -- how long a vector index would take to build, from building it over a sample of the rows.
-- The sample lies in a temporary table: nobody else sees it, nothing of it remains, and one process builds it. Building
-- HNSW takes n log n, since each row walks a graph whose depth grows with its logarithm; from 4,000 rows of 384
-- dimensions, 100,000 are foretold at 27 seconds and take 34.
create or replace function pgvec.build_seconds(
    collection text, method text, storage text, row_count float8, m int default 16, ef_construction int default 64, sample int default 4000)
  returns float8
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set maintenance_work_mem = '256MB'
as $$
declare
  target  pgvec.collections := pgvec.collection(build_seconds.collection);
  taken   float8;
  started timestamptz;
  seconds float8;
begin
  execute format('create temporary table pgvec_build_sample as select d.embedding from %s as d where d.embedding is not null limit %s', target.relation, sample);
  get diagnostics taken = row_count;
  started := clock_timestamp();
  execute 'create index on pg_temp.pgvec_build_sample '
    || pgvec.index_clause(target, 'embedding', method, storage, m, ef_construction, pgvec.default_lists(taken));
  seconds := extract(epoch from clock_timestamp() - started);
  drop table pg_temp.pgvec_build_sample;

  return seconds * greatest(row_count / greatest(taken, 1), 1)
         * case method when 'hnsw' then ln(greatest(row_count, taken, 2)) / ln(greatest(taken, 2)) else 1 end;
end
$$;
comment on function pgvec.build_seconds(text, text, text, float8, int, int, int) is
  'Seconds that one process would take to build a vector index over so many rows, extrapolated from building it over a sample of them.';
revoke all on function pgvec.build_seconds(text, text, text, float8, int, int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.caller', 'a6629aa49163da2c0b26a40878487f8ac692508b8c96469aa1d5fb3d122b03c4', '0.2.1', $pgvec_file$
-- pgvec.caller -- the role that called from outside, also within a definer function, where current_user is its owner.
-- SET ROLE is what PostgREST and poolers give a request its role with; it is not theirs to set to one they are no member of.
create or replace function pgvec.caller()
  returns name
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case current_setting('role') when 'none' then session_user else current_setting('role')::name end
$$;
comment on function pgvec.caller() is 'The role of the session or request: that of SET ROLE, else the one that logged in.';
revoke all on function pgvec.caller() from public;
select pgvec.grant_execute('pgvec.caller()', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_adoption', '79e21286a867d9b7816fe47318aa25c444f7acf0cf0fd564479694c27dc98bda', '0.2.1', $pgvec_file$
-- pgvec.check_adoption -- PV004 for a table, or columns of it, that cannot become a collection.
drop function if exists pgvec.check_adoption(regclass, text, text[], text);

create or replace function pgvec.check_adoption(relation regclass, embedding_column text, content_columns text[], metadata_column text, add_columns boolean)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  owner text := (select c.name from pgvec.collections as c where c.relation = check_adoption.relation or c.base = check_adoption.relation and c.base = c.relation);
begin
  if owner is not null then
    raise exception using
      errcode = 'PV004',
      message = format('%s is the table of collection %L already', relation, owner),
      hint    = format('search it as it is: collection => %L', owner);
  end if;
  if not exists (select
                   from pg_catalog.pg_class as r
                  where r.oid = relation
                    and r.relkind in ('r', 'p')
                    and r.relnamespace not in ('pgvec'::regnamespace, 'pg_catalog'::regnamespace)) then
    raise exception using
      errcode = 'PV004',
      message = format('%s is no table that can be adopted', coalesce(relation::text, 'null')),
      hint    = 'name a table of your own; of a view, the table that it reads';
  end if;
  if add_columns and not pgvec.is_trusted(relation, to_write => true) then
    raise exception using
      errcode = 'PV004',
      message = format('to fill columns of %s would run its triggers as %s', relation, current_user),
      hint    = format('leave add_columns out: lexemes are kept in a table of the engine''s own then; or adopt it as a role no stronger than %s',
                       (select pg_get_userbyid(r.relowner) from pg_catalog.pg_class as r where r.oid = relation));
  end if;
  if coalesce(embedding_column, '') = '' or octet_length(embedding_column) > 63 then
    raise exception using
      errcode = 'PV004',
      message = format('embedding_column cannot be %s', pgvec.shown(embedding_column)),
      hint    = 'the name of a column of vectors, or of a new one, of at most 63 bytes';
  end if;
  if coalesce(cardinality(content_columns), 0) = 0 or exists (select from unnest(content_columns) as c where c is null) then
    raise exception using
      errcode = 'PV004',
      message = format('content_columns cannot be %s', coalesce(left(content_columns::text, 80), 'null')),
      hint    = 'the columns that make up the text, at least one: content_columns => ''{title,description}''';
  end if;
  perform pgvec.check_columns(relation, content_columns || metadata_column);
  if metadata_column is not null and not exists (
       select from pg_catalog.pg_attribute as a where a.attrelid = relation and a.attname = metadata_column and a.atttypid = 'jsonb'::regtype) then
    raise exception using
      errcode = 'PV004',
      message = format('column %I of %s is not of type jsonb', metadata_column, relation),
      hint    = 'name a column of type jsonb, or leave metadata_column out: then the other columns are the metadata';
  end if;
end
$$;
comment on function pgvec.check_adoption(regclass, text, text[], text, boolean) is
  'Raises PV004 for what is no table of the user''s own or a collection already, '
  'for columns to add to a weaker role''s table, for a name that no column can have, for no content columns, and for metadata that are not jsonb.';
revoke all on function pgvec.check_adoption(regclass, text, text[], text, boolean) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_choice', 'c3d6d86af699db2219930b650ff6c0c6a808aecff34f4922a7c03ca559c0f767', '0.2.1', $pgvec_file$
-- pgvec.check_choice -- PV004 unless an argument is one of the values there are.
create or replace function pgvec.check_choice(argument text, value text, choices text[])
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if value is null or value <> all (choices) then
    raise exception using
      errcode = 'PV004',
      message = format('%s cannot be %s', argument, pgvec.shown(value)),
      hint    = format('one of: %s', array_to_string(choices, ', '));
  end if;
end
$$;
comment on function pgvec.check_choice(text, text, text[]) is
  'Raises PV004, listing the choices, unless the value of an argument is one of them.';
revoke all on function pgvec.check_choice(text, text, text[]) from public;
select pgvec.grant_execute('pgvec.check_choice(text, text, text[])', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_columns', '18fb740982839a948ec9c4d09bf1ee45e8251f2d65b461d5bc2347cc603d06d9', '0.2.1', $pgvec_file$
-- pgvec.check_columns -- PV004 unless a table has these columns; nulls are passed over.
create or replace function pgvec.check_columns(relation regclass, columns text[])
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  present text[] := array(
    select a.attname::text
      from pg_catalog.pg_attribute as a
     where a.attrelid = relation
       and a.attnum > 0
       and not a.attisdropped
     order by a.attnum);
  missing text := (select c from unnest(columns) as c where c <> all (present) limit 1);
begin
  if missing is not null then
    raise exception using
      errcode = 'PV004',
      message = format('table %s has no column %s', relation, pgvec.shown(missing)),
      hint    = format('its columns: %s', array_to_string(present, ', '));
  end if;
end
$$;
comment on function pgvec.check_columns(regclass, text[]) is 'Raises PV004, listing the columns there are, for the first that a table lacks.';
revoke all on function pgvec.check_columns(regclass, text[]) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_conditions', 'f529f481e8e299bc580c4ad3569195f5da4c95883d6b4729005cc2548f8550c6', '0.2.1', $pgvec_file$
-- pgvec.check_conditions -- PV003 unless the operand of $and, $or or $not holds what it has to.
create or replace function pgvec.check_conditions(operator text, operand jsonb)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if operator = '$not' then
    if jsonb_typeof(operand) <> 'object' or operand = '{}' then
      raise exception using
        errcode = 'PV003',
        message = format('filter operator $not takes an object with a condition, not %s', left(operand::text, 80)),
        hint    = 'for example {"$not": {"lang": "en"}} or {"year": {"$not": {"$gt": 2020}}}';
    end if;
  elsif jsonb_typeof(operand) <> 'array' or operand = '[]' or jsonb_path_exists(operand, 'strict $[*] ? (@.type() != "object")')
     or '{}' in (select e.value from jsonb_array_elements(operand) as e) then  -- {"$or": [{}]} would delete all there is
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s takes a list of objects, at least one and none empty, not %s', operator, left(operand::text, 80)),
      hint    = format('for example {%s: [{"lang": "en"}, {"year": {"$gte": 2020}}]}', to_json(operator));
  end if;
end
$$;
comment on function pgvec.check_conditions(text, jsonb) is
  'Raises PV003 unless the operand of $and and $or is a list of objects with conditions and that of $not such an object.';
revoke all on function pgvec.check_conditions(text, jsonb) from public;
select pgvec.grant_execute('pgvec.check_conditions(text, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_count', 'dc24833f2eff2bfbb32c71138ceb84626d0f47daf4ef362c3df94982f4ed59ee', '0.2.1', $pgvec_file$
-- pgvec.check_count -- PV004 unless a number is within its range.
create or replace function pgvec.check_count(argument text, value bigint, lowest bigint, highest bigint)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if value is null or value not between lowest and highest then
    raise exception using
      errcode = 'PV004',
      message = format('%s cannot be %s', argument, coalesce(value::text, 'null')),
      hint    = format('a number from %s to %s', lowest, highest);
  end if;
end
$$;
comment on function pgvec.check_count(text, bigint, bigint, bigint) is 'Raises PV004, telling the range, for a number outside it and for null.';
revoke all on function pgvec.check_count(text, bigint, bigint, bigint) from public;
select pgvec.grant_execute('pgvec.check_count(text, bigint, bigint, bigint)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_index', '76b7712801d8ad3553fc6710c14798be055d7f37db976b27189b7b32f99ee04f', '0.2.1', $pgvec_file$
-- pgvec.check_index -- PV004 for a vector index that pgvector would not build: the method, and the numbers it takes.
-- Said before a build begins, which may be after hours of waiting.
create or replace function pgvec.check_index(method text, m int, ef_construction int, lists int)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgvec.check_choice('method', method, '{hnsw,ivfflat}');
  if method = 'ivfflat' then
    perform pgvec.check_count('lists', lists, 1, 32768);
    return;
  end if;
  perform pgvec.check_count('m', m, 2, 100);
  perform pgvec.check_count('ef_construction', ef_construction, 4, 1000);
  if ef_construction < 2 * m then
    raise exception using
      errcode = 'PV004',
      message = format('ef_construction cannot be %s with m %s', ef_construction, m),
      hint    = format('at least twice m, which is %s', 2 * m);
  end if;
end
$$;
comment on function pgvec.check_index(text, int, int, int) is
  'Raises PV004 for an unknown method, for m (2 to 100) and ef_construction (4 to 1000, at least twice m) of hnsw and lists (1 to 32768) of ivfflat.';
revoke all on function pgvec.check_index(text, int, int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_model', '7bdb630a5c43139b32e6a545339010212e8c964d6cf4674f1580b5e0b8c06e34', '0.2.1', $pgvec_file$
-- pgvec.check_model -- PV004 unless a text names an embedding model.
create or replace function pgvec.check_model(model text)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(model, '') !~ '^[a-z]+:.' or length(model) > 500 then
    raise exception using
      errcode = 'PV004',
      message = format('%s is no model', pgvec.shown(model)),
      hint    = 'provider:name, for example local:all-MiniLM-L6-v2 or openai:text-embedding-3-small';
  end if;
end
$$;
comment on function pgvec.check_model(text) is 'Raises PV004 for anything but provider:name, and for more than 500 characters.';
revoke all on function pgvec.check_model(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_new_collection', 'ca5eb373eaf0db3d1ec80b3f0f7d52e55417494e887940ef964418dbbce21009', '0.2.1', $pgvec_file$
-- pgvec.check_new_collection -- PV004 unless a collection of that name can be made.
create or replace function pgvec.check_new_collection(name text)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if name is null or name !~ '^[a-z_][a-z0-9_]{0,47}$' then
    raise exception using
      errcode = 'PV004',
      message = format('%s cannot be the name of a collection', pgvec.shown(name)),
      hint    = 'lower-case letters, digits and _, not beginning with a digit, at most 48 characters';
  end if;
  if exists (select from pgvec.collections as c where c.name = check_new_collection.name) then
    raise exception using
      errcode = 'PV004',
      message = format('there is a collection %L already', name),
      hint    = format('choose another name, or select pgvec.drop_collection(%L)', name);
  end if;
end
$$;
comment on function pgvec.check_new_collection(text) is 'Raises PV004 for a name that no collection can have, or that one has already.';
revoke all on function pgvec.check_new_collection(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_operand', '020a29922bc933ac3fc5e73adb3c9a6a68602a4648e4c5e502815e17c67d2f9b', '0.2.1', $pgvec_file$
-- pgvec.check_operand -- PV003 unless there is such a filter operator, and it can take what it is given.
create or replace function pgvec.check_operand(accessor text, operator text, operand jsonb)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  max_values constant int := 1000;
  wanted text := case
                   when operator in ('$eq', '$ne', '$contains') then 'a string, number, boolean or null'
                   when operator in ('$gt', '$gte', '$lt', '$lte') then 'a number or a string'
                   when operator in ('$in', '$nin', '$containsAny', '$containsAll') then 'a list of strings, numbers, booleans or nulls'
                   when operator = '$between' then 'a list of two numbers or two strings, the lower first'
                   when operator = '$exists' then 'true or false'
                   when operator in ('$like', '$ilike') then 'a pattern with % and _'
                 end;
  kind text := jsonb_typeof(operand);
  kinds text[] := case kind when 'array' then array(select jsonb_typeof(e.value) from jsonb_array_elements(operand) as e) end;
  fits  boolean;
begin
  if operator = '$text' then
    raise exception using
      errcode = 'PV003',
      message = 'filter operator $text stands below the top',
      hint    = 'it holds for the whole row: {"$text": "connection pool", "$or": [...]}';
  end if;
  if wanted is null then
    raise exception using
      errcode = 'PV003',
      message = format('unknown filter operator %s', left(operator, 80)),
      hint    = 'operators: $eq $ne $gt $gte $lt $lte $in $nin $between $exists $like $ilike $contains $containsAny $containsAll $and $or $not';
  end if;
  if accessor = '@' then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s stands without a key', operator),
      hint    = format('say which key it is for: {"year": {%s: ...}}', to_json(operator));
  end if;

  fits := case
         when operator in ('$eq', '$ne', '$contains') then kind not in ('object', 'array')
         when operator in ('$gt', '$gte', '$lt', '$lte') then kind in ('number', 'string')
         when operator in ('$in', '$nin', '$containsAny', '$containsAll') then kinds is not null and not kinds && '{object,array}'
         when operator = '$between' then coalesce(kinds in ('{number,number}', '{string,string}'), false)
         when operator = '$exists' then kind = 'boolean'
         else kind = 'string' and (operand #>> '{}') !~ '(^|[^\\])(\\\\)*\\$'
       end;
  if not fits then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s takes %s, not %s', operator, wanted, left(operand::text, 80)),
      hint    = case
                  when operator in ('$eq', '$ne') then 'an object or a list is matched by containment: {"author": {"name": "Ann"}, "tags": ["sql"]}'
                  when operator in ('$like', '$ilike') then 'a backslash makes the next character plain, so it cannot be the last'
                  else format('for example {"key": {%s: %s}}', to_json(operator),
                              case
                                when operator in ('$in', '$nin', '$containsAny', '$containsAll') then '["a", "b"]'
                                when operator = '$between' then '[2000, 2020]'
                                when operator = '$exists' then 'true'
                                when operator = '$contains' then '"a"'
                                else '2020'
                              end)
                end;
  end if;
  if cardinality(kinds) > max_values then
    raise exception using
      errcode = 'PV003',
      message = format('filter operator %s has %s values, more than %s', operator, cardinality(kinds), max_values),
      hint    = 'mark the rows you mean in their metadata, and filter by that';
  end if;
end
$$;
comment on function pgvec.check_operand(text, text, jsonb) is
  'Raises PV003 for an unknown filter operator, for one without a key, for an operand of the wrong type, '
  'and a list of more than 1,000 values. How many patterns there may be: pgvec.check_patterns.';
revoke all on function pgvec.check_operand(text, text, jsonb) from public;
select pgvec.grant_execute('pgvec.check_operand(text, text, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_patterns', '57b5a66d394025176530b3521aa465cb542a716fff571a2b2a3bdaaa9c42b848', '0.2.1', $pgvec_file$
-- pgvec.check_patterns -- PV003 for more patterns in a filter than a search can take with each row.
-- Of a long text a pattern with many wildcards takes as many steps as both are long together: 2,000 rows of 1,000 characters and one
-- of 1,000 characters a second.
create or replace function pgvec.check_patterns(filter jsonb)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_patterns   constant int := 50;
  most_characters constant int := 1000;
  patterns        text[];
begin
  if filter::text !~ '"\$i?like"' then
    return;
  end if;
  patterns := array(
    select p #>> '{}' from jsonb_path_query(filter, 'strict $.** ? (exists (@."$like"))."$like"') as p
     union all
    select p #>> '{}' from jsonb_path_query(filter, 'strict $.** ? (exists (@."$ilike"))."$ilike"') as p);
  if cardinality(patterns) > most_patterns or length(array_to_string(patterns, '')) > most_characters then
    raise exception using
      errcode = 'PV003',
      message = format('the filter has %s patterns of %s characters together', cardinality(patterns), length(array_to_string(patterns, ''))),
      hint    = format('at most %s patterns of %s characters together; words of the text are found by {"$text": "..."}, and sooner', most_patterns, most_characters);
  end if;
end
$$;
comment on function pgvec.check_patterns(jsonb) is
  'Raises PV003 for a filter with more than 50 operators $like and $ilike, or with patterns of more than 1,000 characters together.';
revoke all on function pgvec.check_patterns(jsonb) from public;
select pgvec.grant_execute('pgvec.check_patterns(jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_query_embedding', '350f66168e0675e0a8dc3e453ac64a727cd356c7de3360599642aedfcb5f296d', '0.2.1', $pgvec_file$
-- pgvec.check_query_embedding -- PV002 or PV005 unless a query vector fits its collection.
-- NaN and infinity never get here: pgvector's input functions refuse them.
create or replace function pgvec.check_query_embedding(collection pgvec.collections, query_embedding extensions.vector)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if query_embedding is null then
    raise exception using
      errcode = 'PV004',
      message = 'query_embedding is null',
      hint    = 'embed the query text first; a failed call to an embedding service often arrives as null';
  elsif extensions.vector_dims(query_embedding) <> collection.dimensions then
    raise exception using
      errcode = 'PV002',
      message = format('the query has %s dimensions, collection %L has %s',
                       extensions.vector_dims(query_embedding), collection.name, collection.dimensions),
      hint    = case
                  when collection.model is null then 'embed queries with the model that embedded the rows'
                  else format('embed queries with the model that embedded the rows: %s', collection.model)
                end;
  elsif query_embedding operator(extensions.<#>) query_embedding = 0 then
    raise exception using
      errcode = 'PV005',
      message = 'the query is a zero vector',
      hint    = 'a zero vector has no direction and nothing is near it; embed a text that is not empty';
  elsif query_embedding operator(extensions.<#>) query_embedding = '-infinity' then
    raise exception using
      errcode = 'PV005',
      message = 'the query is too long a vector to compare',
      hint    = 'single precision holds lengths to 1.8e19; embeddings have lengths near 1';
  end if;
end
$$;
comment on function pgvec.check_query_embedding(pgvec.collections, extensions.vector) is
  'Raises PV002 where the query''s dimensions are not the collection''s, PV005 for a zero vector and one beyond single precision, PV004 for null.';
revoke all on function pgvec.check_query_embedding(pgvec.collections, extensions.vector) from public;
select pgvec.grant_execute('pgvec.check_query_embedding(pgvec.collections, extensions.vector)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_threshold', 'd261007b83982bb8e9aeda35640c605d8a277eb065a1017b5904c637b53f6532', '0.2.1', $pgvec_file$
-- pgvec.check_threshold -- PV004 for a threshold that no row could be compared with; distance null is for scores without a bound.
-- The usual mistake is a percentage (78 for 0.78), which would silently return nothing.
create or replace function pgvec.check_threshold(distance text, match_threshold float8)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  highest float8 := case when distance is null or distance = 'inner_product' then 'infinity'::float8 else 1 end;
begin
  if match_threshold > highest then  -- NaN sorts above all
    raise exception using
      errcode = 'PV004',
      message = format('match_threshold cannot be %s', match_threshold),
      hint    = case highest
                  when 1 then format('a similarity by %s is at most 1; 0.78 means 78 %%', distance)
                  else 'no score compares with it; null asks for all'
                end;
  end if;
end
$$;
comment on function pgvec.check_threshold(text, float8) is 'Raises PV004 for a match_threshold above the highest similarity that a distance can give.';
revoke all on function pgvec.check_threshold(text, float8) from public;
select pgvec.grant_execute('pgvec.check_threshold(text, float8)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.check_weights', 'e0e5fa699f68a3f0c524e61f69eccc33326ffd5b408a6b010ad6773a26103720', '0.2.1', $pgvec_file$
-- pgvec.check_weights -- PV004 for numbers that a hybrid search cannot work with.
create or replace function pgvec.check_weights(
    semantic_weight float8, full_text_weight float8, rrf_k int, diversity float8, recency_field text, half_life interval)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  -- NaN sorts above all
  if semantic_weight not between 0 and 1e9 or full_text_weight not between 0 and 1e9 or semantic_weight + full_text_weight = 0 then
    raise exception using
      errcode = 'PV004',
      message = format('the weights cannot be %s (semantic) and %s (full text)', semantic_weight, full_text_weight),
      hint    = 'neither below 0, and not both 0; a weight of 0 leaves that side out';
  end if;
  if rrf_k < 0 then
    raise exception using
      errcode = 'PV004',
      message = format('rrf_k cannot be %s', rrf_k),
      hint    = '60 is usual; less favours the first ranks';
  end if;
  if diversity not between 0 and 1 then
    raise exception using
      errcode = 'PV004',
      message = format('diversity cannot be %s', diversity),
      hint    = 'from 0 (none) to 1 (as unlike each other as can be)';
  end if;
  if (recency_field is null) <> (half_life is null) or half_life <= interval '0'
     or extract(epoch from half_life) <= 0 then  -- '-4 years 1461 days' is more than nothing, and lasts no second
    raise exception using
      errcode = 'PV004',
      message = format('recency_field %s and half_life %s do not go together', pgvec.shown(recency_field), coalesce(half_life::text, 'null')),
      hint    = 'name a date in metadata and the age at which half the score is left: recency_field => ''published'', half_life => ''30 days''';
  end if;
end
$$;
comment on function pgvec.check_weights(float8, float8, int, float8, text, interval) is
  'Raises PV004 for weights, rrf_k, diversity or recency that a hybrid search cannot work with.';
revoke all on function pgvec.check_weights(float8, float8, int, float8, text, interval) from public;
select pgvec.grant_execute('pgvec.check_weights(float8, float8, int, float8, text, interval)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.clamp_count', 'fb5adc549c0b28bb7a38031fe5e88b16bbeff3962943429a96cf4a623c39b47e', '0.2.1', $pgvec_file$
-- pgvec.clamp_count -- match_count within 1 to 1000; null means the function's default.
-- A null would otherwise be LIMIT NULL: all rows. 1000 is what a hosted REST API returns at the most anyway.
create or replace function pgvec.clamp_count(match_count int, default_count int)
  returns int
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return least(greatest(coalesce(match_count, default_count), 1), 1000);
end
$$;
comment on function pgvec.clamp_count(int, int) is 'match_count within 1 to 1000; null gives default_count.';
revoke all on function pgvec.clamp_count(int, int) from public;
select pgvec.grant_execute('pgvec.clamp_count(int, int)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.collection', 'ab319a37d51637e6f96e3f4495be8b22820abe6a116230e45097966c9afe02fd', '0.2.1', $pgvec_file$
-- pgvec.collection -- the registry row of a collection, or PV001.
-- Every engine function begins here, so the error for a mistyped name is the same everywhere.
create or replace function pgvec.collection(name text)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections;
begin
  select c.* into found_row
    from pgvec.collections as c
   where c.name = collection.name;

  if found_row.name is null then
    raise exception using
      errcode = 'PV001',
      message = format('there is no collection %s', pgvec.shown(collection.name)),
      hint    = format('collections: %s', (select coalesce(string_agg(c.name, ', ' order by c.name), 'none yet; select pgvec.create_collection(name, dimensions) makes one') from pgvec.collections as c));
  end if;

  -- null where there is no such table, and quicker than a query
  if has_table_privilege(found_row.relation, 'select') is null then
    raise exception using
      errcode = 'PV001',
      message = format('the table of collection %L was dropped', collection.name),
      hint    = format('select pgvec.drop_collection(%L); then create it anew', collection.name);
  end if;
  return found_row;
end
$$;
comment on function pgvec.collection(text) is
  'The registry row of a collection. Raises PV001 for an unknown name, and where its table was dropped behind our back.';
revoke all on function pgvec.collection(text) from public;
select pgvec.grant_execute('pgvec.collection(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.collection_checks', '61d492d55082d08c249417f23cc421fa9fb8934fb1a403e6a8328ad1a0be03e9', '0.2.1', $pgvec_file$
-- pgvec.collection_checks -- the functions that check a collection, in order; of one whose table is gone, the one that says so.
-- Those that read rows are left out where that could run code of a weaker role's: pgvec.reads_safely.
create or replace function pgvec.collection_checks(collection text)
  returns text[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when exists (select from pgvec.present_collections() as p where p.name = c.name and not pgvec.reads_safely(p))
             then array['pgvec.verify_table', 'pgvec.verify_protection', 'pgvec.verify_writers', 'pgvec.verify_views', 'pgvec.verify_leaks', 'pgvec.verify_ownership']
           when exists (select from pgvec.present_collections() as p where p.name = c.name)
             then array['pgvec.verify_table', 'pgvec.verify_protection', 'pgvec.verify_writers', 'pgvec.verify_views', 'pgvec.verify_leaks', 'pgvec.verify_ownership',
                        'pgvec.verify_rows', 'pgvec.verify_indexes', 'pgvec.verify_statistics', 'pgvec.verify_access', 'pgvec.verify_search']
           else array['pgvec.verify_table']
         end
    from pgvec.collections as c
   where c.name = collection_checks.collection
$$;
comment on function pgvec.collection_checks(text) is 'The names of the functions that check a collection, each of its name. '
  'pgvec.verify_search, the last where it is among them, takes more arguments. Null for an unknown one.';
revoke all on function pgvec.collection_checks(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.collection_stats', '35763648f632154bf60668b619bf96faf2162d6b45826297bd963d829318c25b', '0.2.1', $pgvec_file$
-- pgvec.collection_stats -- how large collections are, and which of their indexes are used.
-- From the catalog and the statistics of the server, but for the rows to embed, which have an index of their own.
create or replace function pgvec.collection_stats()
  returns table (
    collection text, estimated_rows bigint, to_embed bigint, table_bytes bigint, index_bytes bigint,
    vector_scans bigint, keyword_scans bigint, filter_scans bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c join pg_catalog.pg_class as r on r.oid = c.base order by c.name
  loop
    collection := item.name;
    to_embed := pgvec.count_stale(item.name);
    estimated_rows := round(pgvec.estimate_rows(item));
    select sum(pg_table_size(p)), sum(pg_indexes_size(p)) into table_bytes, index_bytes
      from pgvec.partitions(item.base) as p;
    select coalesce(sum(s.idx_scan) filter (where m.amname in ('hnsw', 'ivfflat')), 0),
           coalesce(sum(s.idx_scan) filter (where m.amname = 'gin' and a.attname = 'fts'), 0),
           coalesce(sum(s.idx_scan) filter (where m.amname = 'gin' and a.attname = 'metadata'), 0)
      into vector_scans, keyword_scans, filter_scans
      from (select p from pgvec.partitions(item.base) as p union select t from pgvec.partitions(item.text_table) as t) as held (part)
      join pg_catalog.pg_stat_user_indexes as s on s.relid = held.part
      join pg_catalog.pg_class as i on i.oid = s.indexrelid
      join pg_catalog.pg_am as m on m.oid = i.relam
      left join pg_catalog.pg_index as x on x.indexrelid = i.oid
      left join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attnum = x.indkey[0];
    return next;
  end loop;
end
$$;
comment on function pgvec.collection_stats() is
  'Of every collection: rows (estimated; null before the first vacuum or analyze), rows to embed, bytes of its table and of its indexes, '
  'and how often its indexes for vectors, words and filters were scanned since the statistics were reset.';
revoke all on function pgvec.collection_stats() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.collection_version', '92b8c40864f42bd93c78fd43556c877405a284d630ef04f2a909e1ffcf530d93', '0.2.1', $pgvec_file$
-- pgvec.collection_version -- what tells whether an answer that was kept is still good.
-- Two calls that return the same text saw the same rows and settings: every statement that changes rows adds to the
-- statistics (pgvec.count_lexemes), whose sum only grows, or which are emptied together with the table, and then begin at a
-- higher number (pgvec.first_change). A tenant's changes are told to nobody else: no number in it is shared with others.
-- Null where that is not known, and nothing should be kept: for an adopted table, whose columns change without a word, and
-- where policies not of our making decide, since these may read anything.
-- Definer, since the statistics are nobody's to read.
create or replace function pgvec.collection_version(collection text, for_tenant uuid default null)
  returns text
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target  pgvec.collections := pgvec.scoped(collection_version.collection, for_tenant);
  version text;
begin
  if target.access = 'policy'
     or target.base <> target.relation
     or not has_table_privilege(pgvec.caller(), target.relation, 'select')
     or exists (select from pg_policy as p where p.polrelid = target.relation and p.polname not in ('read_all', 'insert_all', 'update_all', 'delete_all'))
  then
    return null;
  end if;

  version := (
    select sum(t.changes)
      from pgvec.text_totals as t
     where t.collection = target.name
       and t.tenant = any (coalesce(target.tenants, array[pgvec.no_tenant()])));
  return md5(format('%s/%s', target, version));
end
$$;
comment on function pgvec.collection_version(text, uuid) is
  'A text that changes whenever the rows of a collection that the caller may read do (those of for_tenant, or of all tenants of the caller), or its settings. '
  'Null where that cannot be told: for adopted tables, access policy, and tables with policies of their own. Raises PV001 and PV006.';
revoke all on function pgvec.collection_version(text, uuid) from public;
select pgvec.grant_execute('pgvec.collection_version(text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.collector_listens', '347f9009826f35f01ba186eb8b3cae52b2c57344fbd8139bbfa85a53fff9409a', '0.2.1', $pgvec_file$
-- pgvec.collector_listens -- whether somebody collects the searches of read-only transactions.
-- A collector (pgvec-admin log collect) holds this advisory lock for as long as it listens; one at a time.
create or replace function pgvec.collector_listens()
  returns boolean
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return not pg_try_advisory_lock_shared(pgvec.collector_lock()) or not pg_advisory_unlock_shared(pgvec.collector_lock());
end
$$;
comment on function pgvec.collector_listens() is 'Whether another session holds the advisory lock pgvec.collector_lock().';
revoke all on function pgvec.collector_listens() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.collector_lock', 'b0922528f2bb1bdb5c1c32dc1ba1e9385310dc80e6a771677f2bf0aff3198707', '0.2.1', $pgvec_file$
-- pgvec.collector_lock -- the key of the advisory lock that whoever collects searches holds.
create or replace function pgvec.collector_lock()
  returns bigint
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select 8097868352421
$$;
comment on function pgvec.collector_lock() is 'A number of this project''s own.';
revoke all on function pgvec.collector_lock() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.column_condition', 'a99ff6930ee9bfdb62cf4babee1e890311e21dbe56cf42a334df68cfd3517627', '0.2.1', $pgvec_file$
-- pgvec.column_condition -- a filter over an adopted table as an SQL condition on its columns.
-- Keys that are columns compare with them, and so reach their indexes; others look into the metadata. Values are appended
-- to bound and read from the parameter $2 by their place; names come from the catalog.
create or replace function pgvec.column_condition(collection pgvec.collections, filter jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  parts    text[] := '{}'::text[];
  branches text[];
  others   jsonb := '{}'::jsonb;
  item     record;
  branch   jsonb;
begin
  for item in
    select e.key, e.value, a.attnum, format_type(a.atttypid, null) as type, t.typcategory as category
      from jsonb_each(filter) as e
      left join pg_catalog.pg_attribute as a
        on a.attrelid = collection.base
       and a.attname = e.key
       and a.attnum > 0
       and not a.attisdropped
      left join pg_catalog.pg_type as t on t.oid = a.atttypid
  loop
    if item.key in ('$and', '$or') then
      perform pgvec.check_conditions(item.key, item.value);
      branches := '{}';
      for branch in
        select jsonb_array_elements(item.value)
      loop
        select c.bound, c.condition into bound, condition from pgvec.column_condition(collection, branch, bound) as c;
        branches := branches || coalesce(nullif(condition, ''), 'true');
      end loop;
      parts := parts || format('(%s)', array_to_string(branches, case item.key when '$and' then ' and ' else ' or ' end));
    elsif item.key = '$not' then
      perform pgvec.check_conditions(item.key, item.value);
      select c.bound, c.condition into bound, condition from pgvec.column_condition(collection, item.value, bound) as c;
      parts := parts || format('(%s) is not true', condition);
    elsif item.attnum is null then
      others := others || jsonb_build_object(item.key, item.value);
    else
      select c.bound, c.condition into bound, condition
        from pgvec.compare_column(item.key, 'd.c' || item.attnum, item.type, item.category::text, item.value, bound) as c;
      parts := parts || condition;
    end if;
  end loop;

  if others <> '{}' then
    select m.bound, m.condition into bound, condition from pgvec.metadata_condition('d.metadata', others, bound) as m;
    parts := parts || condition;
  end if;
  condition := array_to_string(parts, ' and ');
end
$$;
comment on function pgvec.column_condition(pgvec.collections, jsonb, jsonb) is
  'The condition on rows d of an adopted table''s view for a filter, and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.column_condition(pgvec.collections, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.column_condition(pgvec.collections, jsonb, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.column_operand', '686ac38e6e40d3ec9fc999a862dcc821337f627acbdcefe69a120171d29dde7c', '0.2.1', $pgvec_file$
-- pgvec.column_operand -- a value of a filter as an SQL expression of a column's type; null where it can equal none.
-- The value itself stays in the parameter $2. A fraction beside an integer column is compared as numeric.
create or replace function pgvec.column_operand(type text, category text, value jsonb, place int)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target_type text := type;
begin
  if jsonb_typeof(value) is distinct from (case category when 'N' then 'number' when 'B' then 'boolean' else 'string' end) then
    return null;
  end if;
  begin
    if category = 'N' and type in ('smallint', 'integer', 'bigint') and (value #>> '{}')::numeric % 1 <> 0 then
      target_type := 'numeric';
    end if;
    execute format('select ($1 #>> ''{}'')::%s', target_type) using value;
  exception when data_exception or check_violation then
    -- no date, no uuid, nothing of the domain, or a number out of range of its type: a number is still greater or less
    if category <> 'N' or type ~ '^(money|oid|reg.*)$' then
      return null;
    elsif type in ('real', 'double precision') then
      return format('%L::float8', case when abs((value #>> '{}')::numeric) < 1 then '5e-324' else 'infinity' end::float8 * sign((value #>> '{}')::numeric));
    end if;
    target_type := 'numeric';
  end;
  return format('($2 ->> %s)::%s', place, target_type);
end
$$;
comment on function pgvec.column_operand(text, text, jsonb, int) is
  'The expression that reads a value of a filter from place of $2 as a column''s type, or null for a value of another type, which matches no row.';
revoke all on function pgvec.column_operand(text, text, jsonb, int) from public;
select pgvec.grant_execute('pgvec.column_operand(text, text, jsonb, int)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.compare_column', '693bcf077aa3564f96f58d7a09617997bde2bce020e5b5adad1443692738e761', '0.2.1', $pgvec_file$
-- pgvec.compare_column -- what a filter says of one column, as an SQL condition.
-- As in metadata, a value of another type than the column's never matches and never raises. What no plain comparison
-- expresses (lists, objects, arrays) is asked of the column as jsonb.
create or replace function pgvec.compare_column(
    key text, column_name text, type text, category text, value jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  conditions jsonb := value;
  operators  constant jsonb := '{"$eq": "=", "$ne": "=", "$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}'::jsonb;
  parts      text[] := '{}'::text[];
  part       text;
  operands   text[];
  operand    text;
  item       record;
  one        jsonb;
begin
  if jsonb_typeof(value) in ('string', 'number', 'boolean', 'null') then
    conditions := jsonb_build_object('$eq', value);
  end if;

  if category not in ('N', 'S', 'B', 'D', 'E') and type <> 'uuid' or jsonb_typeof(conditions) <> 'object'
     or exists (select from jsonb_object_keys(conditions) as k
                 where k not in ('$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$in', '$nin', '$between', '$exists', '$like', '$ilike')) then
    part := format('jsonb_strip_nulls(jsonb_build_object(%L, %s))', key, column_name);
    select p.bound, p.condition into bound, condition from pgvec.pattern_condition(part, part, '@', jsonb_build_object(key, value), bound) as p;
    return;
  end if;

  for item in
    select e.key, e.value from jsonb_each(conditions) as e
  loop
    perform pgvec.check_operand('', item.key, item.value);
    operands := '{}';
    for one in
      select o from jsonb_array_elements(case when jsonb_typeof(item.value) = 'array' then item.value else jsonb_build_array(item.value) end) as o
    loop
      operand := pgvec.column_operand(type, category, one, jsonb_array_length(bound));
      if item.key in ('$eq', '$ne', '$in', '$nin') and right(operand, length(type) + 2) <> '::' || type then
        operand := null;  -- a number that no value of the column equals
      end if;
      operands := operands || operand;
      if operand is not null then
        bound := bound || jsonb_build_array(one);
      end if;
    end loop;

    part := case
              when item.key = '$exists' then format('%s is %s null', column_name, case when item.value = 'true' then 'not' else '' end)
              when item.key in ('$like', '$ilike') then
                case when category = 'S' then format('%s::text %s %s', column_name, substr(item.key, 2), operands[1]) else 'false' end
              when item.key in ('$in', '$nin') then
                format('(%s = any (array[%s]::%s[])%s)', column_name, array_to_string(operands, ', '), type,
                       case when item.value @> 'null' then format(' or %s is null', column_name) end)
              when item.key = '$between' then
                case when array_position(operands, null) is null
                  then format('(%1$s >= %2$s and %1$s <= %3$s)', column_name, operands[1], operands[2])
                  else 'false'
                end
              when item.value = 'null' then format('%s is null', column_name)
              when operands[1] is null then 'false'
              else format('%s %s %s', column_name, operators ->> item.key, operands[1])
            end;
    parts := parts || case when item.key in ('$ne', '$nin') then format('(%s) is not true', part) else part end;
  end loop;
  condition := format('(%s)', coalesce(nullif(array_to_string(parts, ' and '), ''), 'true'));
end
$$;
comment on function pgvec.compare_column(text, text, text, text, jsonb, jsonb) is
  'The condition of a filter''s value (plain, or operators) for a column of a type and pg_type.typcategory, and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.compare_column(text, text, text, text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.compare_column(text, text, text, text, jsonb, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.compare_distances', '465e12a533c53de197bad813ba5a58abfe4fbf92d9eedd9fc17aa523b260658d', '0.2.1', $pgvec_file$
-- pgvec.compare_distances -- how far the rankings by two distances agree on the same rows.
create or replace function pgvec.compare_distances(collection text, queries int default 50, match_count int default 10)
  returns table (distance text, other text, overlap float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_indexscan = off
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.collection(compare_distances.collection);
  distances constant text[] := '{cosine,l2,inner_product,l1}'::text[];
  agreed    float8[] := array_fill(0::float8, array[4, 4]);
  asked     int := 0;
  drawn     text;
  embedding extensions.vector;
  found     jsonb[];
  ids       text[];
begin
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 1000);
  for drawn, embedding in execute
    format('select d.id, d.embedding::extensions.vector from %s as d where d.embedding is not null order by md5(d.id) limit $1', target.relation)
    using queries
  loop
    found := '{}';
    for place in 1 .. 4 loop
      execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, distances[place], '', null))
        into ids
        using embedding, null::jsonb, match_count + 1, drawn;
      found := found || to_jsonb(ids[:match_count]);
    end loop;
    asked := asked + coalesce(jsonb_array_length(found[1]), 0);
    for a in 1 .. 4 loop
      for b in a + 1 .. 4 loop
        agreed[a][b] := agreed[a][b] + (select count(*) from jsonb_array_elements_text(found[a]) as e where found[b] ? e.value);
      end loop;
    end loop;
  end loop;

  for a in 1 .. 4 loop
    for b in a + 1 .. 4 loop
      distance := distances[a];
      other := distances[b];
      overlap := agreed[a][b] / nullif(asked, 0);
      return next;
    end loop;
  end loop;
end
$$;
comment on function pgvec.compare_distances(text, int, int) is
  'For each pair of distances the share (0 to 1) of the match_count nearest rows that both find, by exact scans, over rows drawn as queries. '
  'Cosine, l2 and inner product agree where all vectors have one length (see pgvec.vector_lengths).';
revoke all on function pgvec.compare_distances(text, int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.compile_filter', 'a6f9b512d8d9e4977e1d53266d031a0e4da7d9ee2fd587e10d61d513b839f6fa', '0.2.1', $pgvec_file$
-- pgvec.compile_filter -- a filter as one containment and one jsonpath.
-- What is plain, or $eq, and holds for the whole row goes into the containment; the rest becomes a jsonpath predicate.
-- Both are data: they reach a query as parameters, and a GIN index with jsonb_path_ops serves them.
create or replace function pgvec.compile_filter(filter jsonb, out containment jsonb, out path jsonpath)
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted     jsonb := pgvec.parse_filter(filter);
  parts      jsonb[];
  part       jsonb;
  item       record;
  predicates text[];
begin
  if position('"$' in wanted::text) = 0 then
    containment := wanted;
    return;
  end if;

  containment := '{}';
  parts := array[wanted];
  while cardinality(parts) > 0 loop
    part := parts[1];
    parts := parts[2:];
    for item in
      select e.key, e.value, e.value -> '$eq' as equal
        from jsonb_each(part) as e
    loop
      if item.key = '$and' then
        perform pgvec.check_conditions('$and', item.value);
        parts := parts || array(select jsonb_array_elements(item.value));
      elsif item.key like '$%' or containment ? item.key then
        predicates := predicates || pgvec.filter_predicate('@', jsonb_build_object(item.key, item.value));
      elsif position('"$' in item.value::text) = 0 then
        containment := containment || jsonb_build_object(item.key, item.value);
      elsif item.value = jsonb_build_object('$eq', item.equal) and jsonb_typeof(item.equal) not in ('object', 'array') then
        containment := containment || jsonb_build_object(item.key, item.equal);
      else
        predicates := predicates || pgvec.filter_predicate('@', jsonb_build_object(item.key, item.value));
      end if;
    end loop;
  end loop;

  if predicates is not null then
    path := format('strict $ ? (%s)', array_to_string(predicates, ' && '))::jsonpath;
  end if;
end
$$;
comment on function pgvec.compile_filter(jsonb) is
  'The filter of a search as a containment (metadata @> containment; {} for none) and a jsonpath (metadata @? path; null for none), both to hold. '
  'A plain object is containment; keys that begin with $ are operators: $eq $ne $gt $gte $lt $lte $in $nin $between $exists '
  '$contains $containsAny $containsAll $and $or $not, and beside these, in searches, $like $ilike (pgvec.metadata_condition). '
  'Comparisons are by JSON type and false between types; $ne, $nin and $not hold for rows without the key. '
  'Raises PV003 for a filter that has no meaning.';
revoke all on function pgvec.compile_filter(jsonb) from public;
select pgvec.grant_execute('pgvec.compile_filter(jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.contained_predicate', 'e5d189e9e8273ca4db143b276ba52ca3317c6ec5946d73106b8126a55c71985f', '0.2.1', $pgvec_file$
-- pgvec.contained_predicate -- jsonb containment (@>) of a value as a jsonpath predicate.
-- For plain conditions that cannot be part of the one containment of a filter, because they stand under $or or $not.
create or replace function pgvec.contained_predicate(accessor text, value jsonb)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  parts text[];
begin
  case jsonb_typeof(value)
    when 'object' then
      if exists (select from jsonb_object_keys(value) as k where k like '$%') then
        raise exception using
          errcode = 'PV003',
          message = format('a filter operator stands within a list: %s', left(value::text, 80)),
          hint    = 'operators stand behind a key, as in {"tags": {"$containsAny": ["sql", "search"]}}; a list is matched by containment';
      end if;
      parts := array(select pgvec.contained_predicate(accessor || '.' || to_json(e.key), e.value) from jsonb_each(value) as e);
      return format('(%s)', array_to_string(format('%s.type() == "object"', accessor) || parts, ' && '));
    when 'array' then
      parts := array(select format('exists(%s[*] ? (%s))', accessor, pgvec.contained_predicate('@', e.value)) from jsonb_array_elements(value) as e);
      return format('(%s)', array_to_string(format('%s.type() == "array"', accessor) || parts, ' && '));
    else
      return format('(%s == %s)', accessor, value);
  end case;
end
$$;
comment on function pgvec.contained_predicate(text, jsonb) is
  'The jsonpath predicate, in parentheses, that holds where what accessor names contains value as @> has it. Raises PV003 for an operator.';
revoke all on function pgvec.contained_predicate(text, jsonb) from public;
select pgvec.grant_execute('pgvec.contained_predicate(text, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.count_ids', '962cbf933128a13dbdc8ab645be92a2b106d9ff0fcbfaa705318cbec5c19dc69', '0.2.1', $pgvec_file$
-- pgvec.count_ids -- how many of some ids are rows of a collection.
-- A load asks before it copies a batch straight into the table. Always by primary key: where many are expected, the
-- planner would rather read the whole table.
create or replace function pgvec.count_ids(collection text, ids text[])
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
as $$
declare
  target  pgvec.collections := pgvec.scoped(count_ids.collection, null);
  counted bigint;
begin
  execute format('select count(*) from (select distinct u.id from unnest($1) as u (id)) as i join %s as d on d.id = i.id', pgvec.rows_of(target, by_key => 'i.id'))
    into counted
    using ids;
  return counted;
end
$$;
comment on function pgvec.count_ids(text, text[]) is 'How many rows of a collection have one of these ids. Raises PV001.';
revoke all on function pgvec.count_ids(text, text[]) from public;
select pgvec.grant_execute('pgvec.count_ids(text, text[])', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.count_lexemes', '2d953d82ac7135e99c227e644f29c39147fbfc03028d633edbcd83ae0c3a761f', '0.2.1', $pgvec_file$
-- pgvec.count_lexemes -- keeps the statistics of BM25 up with a collection's table, after every statement.
-- Each statement adds what it changed as rows of its own, so that writers do not wait for each other, and readers sum
-- them; pgvec.settle_statistics keeps these sums short. A collection of more than live_statistics rows (a setting) only
-- notes how many rows changed, for pgvec.refresh_statistics: counting its words would cost every writer more than it
-- gives, since a few rows among many hardly change how rare a word is.
-- Definer, since nobody else may see or write the statistics: so it works on the collection's table alone, and not on columns to
-- which a weaker owner has given types of its own. The arguments are the collection and the key of its table.
create or replace function pgvec.count_lexemes()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections;
  key       text := quote_ident(tg_argv[1]);
  tenant_of text;
  languages text := '''{}''::text[]';
  changes   text;
  tenant    uuid;
begin
  select c.* into target from pgvec.collections as c where c.name = tg_argv[0] and c.text_table = tg_relid;
  if not found then
    perform pgvec.refuse_trigger(tg_argv[0], tg_relid);
  elsif target.text_table = target.base and pgvec.foreign_columns(target) <> '{}' then
    return null;
  end if;
  if tg_op = 'TRUNCATE' then
    perform pgvec.forget_lexemes(target.name);
    return null;
  end if;
  if target.access = 'tenant' then
    key := 'tenant_id, ' || key;
    tenant_of := '%s.tenant_id';
  else
    tenant_of := quote_literal(pgvec.no_tenant()) || '::uuid';
  end if;

  changes := case tg_op
               when 'INSERT' then format('select %s as tenant, n.fts, 1 as sign from new_rows as n', format(tenant_of, 'n'))
               when 'DELETE' then format('select %s as tenant, o.fts, -1 as sign from old_rows as o', format(tenant_of, 'o'))
               else format('select coalesce(%s, %s) as tenant, c.fts, s.sign
                       from new_rows as n
                       full join old_rows as o using (%s)
                      cross join (values (1), (-1)) as s (sign)
                      cross join lateral (select case s.sign when 1 then n.fts else o.fts end) as c (fts)
                      where n.fts is distinct from o.fts
                        and c.fts is not null
                      union all
                     select %s, null, 0 from new_rows as n group by 1', format(tenant_of, 'n'), format(tenant_of, 'o'), key, format(tenant_of, 'n'))
             end;
  -- the table of an adopted collection has one language
  if tg_op <> 'DELETE' and target.text_table = target.relation then
    languages := format('array(select distinct n.language from new_rows as n where n.language is not null and %s = p.tenant)', format(tenant_of, 'n'));
  end if;

  for tenant in execute format(
    $query$
    with changes as materialized (%1$s),
         parts as materialized (
           select c.tenant, count(c.fts) as rows, sum(c.sign) as documents, pgvec.counts_live($1, c.tenant) as live,
                  exists (select from pgvec.text_totals as t where t.collection = ($1).name and t.tenant = c.tenant) as known
             from changes as c
            group by c.tenant),
         counted as materialized (
           select c.tenant, l.lexeme, sum(c.sign) as documents, sum(c.sign * coalesce(cardinality(l.positions), 1)) as positions
             from changes as c
             join parts as p on p.tenant = c.tenant and p.live
            cross join lateral unnest(c.fts) as l
            group by c.tenant, l.lexeme),
         lengths as (
           select c.tenant, sum(c.positions) as positions from counted as c group by c.tenant),
         frequencies as (
           insert into pgvec.lexemes (collection, tenant, lexeme, documents)
           select ($1).name, c.tenant, c.lexeme, c.documents from counted as c where c.documents <> 0)
    insert into pgvec.text_totals as w (collection, tenant, documents, positions, uncounted, changes, languages)
    select ($1).name, p.tenant,
           case when p.live then p.documents else 0 end,
           coalesce(l.positions, 0),
           case when p.live then 0 else p.rows end,
           case when p.known then 1 else pgvec.first_change() end,
           %2$s
      from parts as p
      left join lengths as l on l.tenant = p.tenant
    returning w.tenant
    $query$, changes, languages)
    using target
  loop
    perform pgvec.settle_statistics(target, tenant);
  end loop;
  return null;
end
$$;
comment on function pgvec.count_lexemes() is
  'Trigger of every table with lexemes, after each statement: adds to pgvec.lexemes and pgvec.text_totals what INSERT, UPDATE and DELETE changed, and empties them with TRUNCATE. '
  'Arguments: the collection, and the column that identifies its rows.';
revoke all on function pgvec.count_lexemes() from public;
select pgvec.grant_execute('pgvec.count_lexemes()', 'owner');
$pgvec_file$);

select pg_temp.apply_function('pgvec.count_stale', '3eb6d72039d7c4ad34ef78921f019db543d54d14fc0bec3d514b1a0dd742ce0e', '0.2.1', $pgvec_file$
-- pgvec.count_stale -- how many rows there are to embed; the total of a progress bar.
-- Exact, from the partial index that holds just these rows.
create or replace function pgvec.count_stale(collection text)
  returns bigint
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.collection(collection);
  stale bigint;
begin
  execute format('select count(*) from %s as d where d.embedded_hash is distinct from d.content_hash', found_row.relation)
    into stale;
  return stale;
end
$$;
comment on function pgvec.count_stale(text) is
  'Number of rows of a collection whose embedding is missing or older than the text. Raises PV001 for an unknown collection.';
revoke all on function pgvec.count_stale(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.count_statistics', 'a4ed3b34c563ac76875fea1139d824dc55fd3ed69b78af7e55f9c0fd4fcb1f21', '0.2.1', $pgvec_file$
-- pgvec.count_statistics -- counts the words of a collection again, tenant by tenant: what pgvec.refresh_statistics does in the
-- owner's name.
-- Counting and replacing is one statement with one snapshot: what others write meanwhile is in neither, and stays as they
-- noted it. Definer, since the statistics are nobody's to write. So it counts only the tenants of the caller, unless the
-- caller sees all rows; refuses a table that would run something of a weaker owner's, or hides rows from it; and renews the
-- weights of trusted tables only (pgvec.is_trusted). Those of others are due for the caller to write, if the caller is no
-- stronger than who could have something run by that; else they stay as they are.
create or replace function pgvec.count_statistics(collection text, tolerance float8)
  returns table (tenant uuid, documents bigint, lexemes bigint, positions bigint, renewed bigint, due boolean, average_length float8, k1 float8, b float8)
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
#variable_conflict use_column
declare
  target   pgvec.collections := pgvec.collection(count_statistics.collection);
  settings record := pgvec.bm25_settings(target);
  counted  uuid[] := case when target.access = 'tenant' and not pgvec.sees_all(target) then array(select t from pgvec.allowed_tenants() as t) end;
  is_ours    constant boolean := pgvec.is_trusted(target.text_table, to_write => true);
  is_callers constant boolean := pgvec.is_trusted(target.text_table, true, pgvec.caller());
  average  float8;
  made_with pgvec.bm25_parameters;
begin
  if row_security_active(target.text_table) or pgvec.foreign_columns(target) <> '{}' then
    raise exception using
      errcode = 'PV004',
      message = format('the words of %s cannot be counted', target.text_table),
      detail  = array_to_string(pgvec.foreign_columns(target), '; '),
      hint    = format('row level security may not be forced on %s, the owner of the engine, and columns keep the types they were made with', current_user);
  end if;
  perform from pgvec.collections as c where c.name = target.name for no key update;  -- one counts at a time

  for tenant, documents, lexemes, positions in execute format(
    $query$
    with counted as materialized (%1$s),
         totals as materialized (%2$s),
         lengths as (
           select c.tenant, sum(c.nentry) as positions, count(*) as lexemes from counted as c group by c.tenant),
         forgotten as (
           delete from pgvec.lexemes as l where l.collection = $1 and ($2 is null or l.tenant = any ($2))),
         forgotten_totals as (
           delete from pgvec.text_totals as t where t.collection = $1 and ($2 is null or t.tenant = any ($2))),
         frequencies as (
           insert into pgvec.lexemes (collection, tenant, lexeme, documents)
           select $1, c.tenant, c.word, c.ndoc from counted as c order by c.tenant, c.word),
         written as (
           insert into pgvec.text_totals (collection, tenant, documents, positions, changes, languages)
           select $1, t.tenant, t.documents, coalesce(l.positions, 0),
                  coalesce((select 1 + sum(x.changes) from pgvec.text_totals as x where x.collection = $1 and x.tenant = t.tenant), pgvec.first_change()),
                  t.languages
             from totals as t
             left join lengths as l on l.tenant = t.tenant)
    select t.tenant, t.documents, coalesce(l.lexemes, 0), coalesce(l.positions, 0)::bigint
      from totals as t
      left join lengths as l on l.tenant = t.tenant
    $query$,
    case target.access
      when 'tenant' then format(
        'select d.tenant_id as tenant, l.lexeme as word, count(*) as ndoc, sum(coalesce(cardinality(l.positions), 1)) as nentry'
        ' from %s as d cross join lateral unnest(d.fts) as l where $2 is null or d.tenant_id = any ($2) group by d.tenant_id, l.lexeme', target.text_table)
      else format('select %L::uuid as tenant, s.word, s.ndoc, s.nentry from ts_stat(%L) as s', pgvec.no_tenant(), format('select d.fts from %s as d', target.text_table))
    end,
    case target.access
      when 'tenant' then format(
        'select d.tenant_id as tenant, count(*) as documents, coalesce(array_agg(distinct d.language) filter (where d.language is not null), ''{}'') as languages'
        ' from %s as d where $2 is null or d.tenant_id = any ($2) group by d.tenant_id', target.text_table)
      else format(
        'select %L::uuid as tenant, (select count(*) from %s as d) as documents, %s as languages', pgvec.no_tenant(), target.text_table,
        case when target.base = target.relation then format('array(select distinct d.language from %s as d where d.language is not null)', target.base) else '''{}''::text[]' end)
    end)
    using target.name, counted
  loop
    insert into pgvec.bm25_parameters (collection, tenant, k1, b)
    values (target.name, count_statistics.tenant, settings.k1, settings.b)
        on conflict do nothing;
    select p.* into made_with from pgvec.bm25_parameters as p where p.collection = target.name and p.tenant = count_statistics.tenant;
    average := count_statistics.positions::float8 / nullif(count_statistics.documents, 0);
    renewed := 0;
    due := (abs(average / made_with.average_length - 1) <= tolerance and (made_with.k1, made_with.b) = (settings.k1, settings.b)) is not true;
    if due and (is_ours or is_callers or made_with.average_length is null) then
      made_with := pgvec.note_parameters(target, count_statistics.tenant, average, count_statistics.documents);
    end if;
    if due and is_ours then
      renewed := pgvec.write_weights(target, made_with, false);
    end if;
    due := due and not is_ours and is_callers;
    average_length := made_with.average_length;
    k1 := made_with.k1;
    b := made_with.b;
    return next;
  end loop;
end
$$;
comment on function pgvec.count_statistics(text, float8) is
  'Counts rows, words and document frequencies again: of each tenant of the caller, or of all for who sees all rows. Of each the rows, the lexemes, the words, '
  'the rows whose weights were made again, and whether and with what (average_length, k1, b) the caller has to write them. Raises PV001, PV004.';
revoke all on function pgvec.count_statistics(text, float8) from public;
select pgvec.grant_execute('pgvec.count_statistics(text, float8)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.counts_live', '845ed15159c8b1d7d2c61f8a8c0c181dc712c9af877ef3937c1b17dc9dd2f9a6', '0.2.1', $pgvec_file$
-- pgvec.counts_live -- whether a collection is small enough for its words to be counted with every statement.
create or replace function pgvec.counts_live(collection pgvec.collections, tenant uuid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(sum(t.documents), 0) <= coalesce((counts_live.collection).settings ->> 'live_statistics', '10000')::bigint
    from pgvec.text_totals as t
   where t.collection = (counts_live.collection).name
     and t.tenant = counts_live.tenant
$$;
comment on function pgvec.counts_live(pgvec.collections, uuid) is
  'Whether the collection, or a tenant''s part, has no more rows than its setting live_statistics (default 10,000).';
revoke all on function pgvec.counts_live(pgvec.collections, uuid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.create_collection', '76a97b626f4b01605f41ffec628c6766b380577897ec974aa9c55574369c47b7', '0.2.1', $pgvec_file$
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
$pgvec_file$);

select pg_temp.apply_function('pgvec.create_collection_api', '87a5439ea534f4cbf4b3d0bab41198b9e8f1a6076f4a7cf8a49194c496d7a79b', '0.2.1', $pgvec_file$
-- pgvec.create_collection_api -- search functions with a collection's name, for clients that can choose no more than one.
-- match_jobs, kw_match_jobs and hybrid_search_jobs are match_documents, kw_match_documents and hybrid_search with their
-- arguments but collection, made from these, so that calling it again after an upgrade brings them up to date; grants stay.
-- They pass all arguments by place and with their types: another function of the name would otherwise make the call ambiguous, or
-- be called in its stead.
create or replace function pgvec.create_collection_api(name text)
  returns setof regprocedure
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(create_collection_api.name);
  granted jsonb;  -- who may execute which of them, as it was
  role_name name;
  item    record;
begin
  granted := (
    select jsonb_object_agg(p.proname, (select jsonb_agg(r.rolname) from aclexplode(p.proacl) as a join pg_catalog.pg_roles as r on r.oid = a.grantee))
      from pg_catalog.pg_proc as p
     where p.pronamespace = 'public'::regnamespace
       and pgvec.is_api_of(target.name, p.oid));
  perform pgvec.drop_collection_api(target.name);
  for item in
    select format('public.%I', a.prefix || target.name) as made, p.oid, p.proname, a.arguments, a.passed, pg_get_function_result(p.oid) as result
      from (values ('match_', 'match_documents'), ('kw_match_', 'kw_match_documents'), ('hybrid_search_', 'hybrid_search')) as f (prefix, source)
      join pg_catalog.pg_proc as p on p.pronamespace = 'public'::regnamespace and p.proname = f.source
      join pg_catalog.pg_namespace as n on n.nspname = 'pgvec' and n.nspowner = p.proowner  -- not one of somebody else's
     cross join lateral (
           select f.prefix,
                  string_agg(format('%I %s', x.name, x.type) || coalesce(' default ' || x.given, ''), ', ' order by x.place) filter (where not x.is_fixed) as arguments,
                  string_agg(case when x.is_fixed then format('%L::text', target.name) else '$' || x.number end, ', ' order by x.place) as passed
             from (select y.name, format_type(y.type, null) as type, pg_get_function_arg_default(p.oid, y.place::int) as given, y.place, y.name = 'collection' as is_fixed,
                          count(*) filter (where y.name <> 'collection') over (order by y.place) as number
                     from unnest(p.proargnames[:p.pronargs], p.proargtypes::oid[]) with ordinality as y (name, type, place)) as x) as a
     order by f.prefix
  loop
    if to_regproc(item.made) is not null then
      raise exception using
        errcode = 'PV004',
        message = format('there is a function %s already', item.made),
        hint    = 'rename it, or call the collection by another name';
    end if;
    execute format('create function %s(%s) returns %s language sql stable parallel unsafe security invoker set search_path = pg_catalog, pg_temp as %L',
                   item.made, item.arguments, item.result,
                   format('select * from public.%I(%s)', item.proname, item.passed));
    execute format('comment on function %s is %L', item.made, format('%s of collection %s.', item.proname, target.name));
    perform pgvec.grant_execute(to_regproc(item.made)::regprocedure, 'reader');
    for role_name in
      select g from jsonb_array_elements_text(granted -> (parse_ident(item.made))[2]) as g
    loop
      execute format('grant execute on function %s to %I', to_regproc(item.made)::regprocedure, role_name);
    end loop;
    return next to_regproc(item.made)::regprocedure;
  end loop;
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function pgvec.create_collection_api(text) is
  'Makes public.match_NAME, kw_match_NAME and hybrid_search_NAME: the search functions without the argument collection. '
  'Returns them. Raises PV001, and PV004 where there is another function of that name.';
revoke all on function pgvec.create_collection_api(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.decay', '647a3e5491531bb7214ccb39c7a6d2f79ba99b9dad961136f02b709c65019e2a', '0.2.1', $pgvec_file$
-- pgvec.decay -- scores that grow less with age: half of a score is left at half_life, a quarter at twice that.
-- A row without a date keeps its score, and so does one from the future. After 500 half-lives nothing is left to halve.
create or replace function pgvec.decay(collection pgvec.collections, hits pgvec.fused[], recency_field text, half_life interval)
  returns pgvec.fused[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  decayed pgvec.fused[];
begin
  execute format(
    $query$
    select array_agg((h.id, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank)::pgvec.fused order by h.score desc, h.id)
      from (select h.id, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank,
                   greatest(h.score, 0)
                   * 0.5 ^ coalesce(least(greatest(extract(epoch from now() - a.born) / extract(epoch from $3), 0), 500)::float8, 0) as score
              from unnest($1) as h
              join %s as d on d.id = h.id
             cross join lateral pgvec.as_timestamp(d.metadata -> $2) as a (born)) as h
    $query$, pgvec.rows_of(collection, by_key => 'h.id'))
    into decayed
    using hits, recency_field, half_life;
  return coalesce(decayed, '{}');
end
$$;
comment on function pgvec.decay(pgvec.collections, pgvec.fused[], text, interval) is
  'The hits with score * 0.5 ^ (age / half_life), best first; the age is that of the date at recency_field in metadata (pgvec.as_timestamp).';
revoke all on function pgvec.decay(pgvec.collections, pgvec.fused[], text, interval) from public;
select pgvec.grant_execute('pgvec.decay(pgvec.collections, pgvec.fused[], text, interval)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.deep_rows', '7ca3cc2fabfba4e9b07dec3047503f5db3245856439697a2ab1c1cae4d183aaa', '0.2.1', $pgvec_file$
-- pgvec.deep_rows -- the rows of a step of a search that takes its time: an exact scan of many rows, a long walk through an
-- hnsw index, any through an ivfflat one.
-- Each setting of a function costs each of its calls 15 microseconds, so those that only such steps need are here. The
-- SET clauses are there so that what is set inside ends with the function.
drop function if exists pgvec.deep_rows(pgvec.collections, text, text, jsonb, extensions.vector, pgvec.search_step);

create or replace function pgvec.deep_rows(
    collection pgvec.collections, distance text, condition text, bound jsonb, query_embedding extensions.vector, step pgvec.search_step, searched text)
  returns setof pgvec.hit
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.ef_search = 40
  set hnsw.iterative_scan = relaxed_order
  set hnsw.max_scan_tuples = 20000
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
  set jit = off
as $$
begin
  if step.kind is not null then
    perform set_config('hnsw.ef_search', step.ef_search::text, true);
    perform set_config('hnsw.iterative_scan', step.iterative_scan, true);
    perform set_config('hnsw.max_scan_tuples', step.scan_tuples::text, true);
    perform set_config('ivfflat.iterative_scan', step.iterative_scan, true);
    perform set_config('ivfflat.probes', coalesce(collection.settings ->> 'probes', '10'), true);
  end if;
  return query execute pgvec.vector_query(collection, distance, condition, step.kind, searched)
    using query_embedding, bound, step.read_rows;
end
$$;
comment on function pgvec.deep_rows(pgvec.collections, text, text, jsonb, extensions.vector, pgvec.search_step, text) is
  'The rows that a step of pgvec.search_steps reads, with the settings of hnsw and ivfflat that it wants, and without jit. searched: the FROM item to read. '
  'Setting of the collection: probes (default 10).';
revoke all on function pgvec.deep_rows(pgvec.collections, text, text, jsonb, extensions.vector, pgvec.search_step, text) from public;
select pgvec.grant_execute('pgvec.deep_rows(pgvec.collections, text, text, jsonb, extensions.vector, pgvec.search_step, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.default_lists', '4d337d19c2b831df1ab8b663b2dba9738fbd32cd2c345037b526752534660b30', '0.2.1', $pgvec_file$
-- pgvec.default_lists -- how many lists an IVFFlat index should have: rows / 1000 up to a million rows, their root above.
-- pgvector's own advice.
create or replace function pgvec.default_lists(row_count float8)
  returns int
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select greatest(1, least(32768, case when row_count > 1e6 then sqrt(row_count) else row_count / 1000 end)::int)
$$;
comment on function pgvec.default_lists(float8) is 'The lists of an IVFFlat index over so many rows: rows / 1000, above a million their square root; 1 to 32768.';
revoke all on function pgvec.default_lists(float8) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.default_tenant', 'ec72a82ceb7d12e66a6ffebedd38e7e1c2584f8bd0952700e5c65e9188a3c753', '0.2.1', $pgvec_file$
-- pgvec.default_tenant -- the tenant of a row that is inserted without one.
create or replace function pgvec.default_tenant()
  returns uuid
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  tenants uuid[] := array(select t from pgvec.allowed_tenants() as t);
begin
  if cardinality(tenants) <> 1 then
    raise exception using
      errcode = 'PV006',
      message = format('the row names no tenant, and the caller has %s', case cardinality(tenants) when 0 then 'none' else cardinality(tenants)::text end),
      hint    = 'give tenant_id, or sign in as a user with one app_metadata.tenant_id; on a connection of your own: set app.tenant_id';
  end if;
  return tenants[1];
end
$$;
comment on function pgvec.default_tenant() is
  'The only tenant of the caller (pgvec.allowed_tenants), for rows that are inserted without tenant_id. Raises PV006 where there are none or several.';
revoke all on function pgvec.default_tenant() from public;
select pgvec.grant_execute('pgvec.default_tenant()', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.describe_table', '1f56c3ce8b8a36f553fed15361e5a5b9a929ae881ce817b32d6ce76cbf7ecc30', '0.2.1', $pgvec_file$
-- pgvec.describe_table -- the comments of a collection's table and columns, for psql's \d+ and for generated API pages.
create or replace function pgvec.describe_table(relation regclass)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item record;
begin
  execute format('comment on table %s is %L', relation, 'A collection of pgvec-admin: searched by match_documents and its siblings.');
  for item in
    select *
      from (values ('id', 'Any text that identifies the row; a random uuid where none is given.'),
                   ('tenant_id', 'Whose row it is; the only tenant of whoever inserts it, where none is given.'),
                   ('source', 'Where the text comes from: a file, a URL, the id of a whole document.'),
                   ('chunk_index', 'Place of this chunk within its source, from 0.'),
                   ('content', 'The text that is searched and embedded.'),
                   ('metadata', 'What filters look at.'),
                   ('language', 'Text search configuration of this row; null means the collection''s.'),
                   ('embedding', 'The vector of the content; null until embedded.'),
                   ('embedded_hash', 'content_hash of the text that the embedding was made from.'),
                   ('content_hash', 'md5 of the content; the embedding is stale exactly when embedded_hash differs.'),
                   ('fts', 'Lexemes of the content, kept by trigger.'),
                   ('bm25', 'BM25 weights of the lexemes.'),
                   ('created_at', 'When the row was inserted.'),
                   ('updated_at', 'When the row was last changed.')) as described (column_name, description)
     where exists (select from pg_catalog.pg_attribute as a where a.attrelid = relation and a.attname = described.column_name and not a.attisdropped)
  loop
    execute format('comment on column %s.%I is %L', relation, item.column_name, item.description);
  end loop;
end
$$;
comment on function pgvec.describe_table(regclass) is 'Writes the comments of a collection''s table and of its columns.';
revoke all on function pgvec.describe_table(regclass) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.detach_collection', '9f63502c1013a16c93794fb330544afba8317a38b5c524abba7bffb5d9a7ebd7', '0.2.1', $pgvec_file$
-- pgvec.detach_collection -- lets go of a collection and leaves its table as a table: rows, columns and indexes stay.
-- What refers to this engine goes: triggers, the policies of tenants, the default of tenant_id, functions with its name.
-- Row level security stays on, so that a table of tenants is not open to all of a sudden.
create or replace function pgvec.detach_collection(name text)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(detach_collection.name);
  item   record;
begin
  if target.base <> target.relation then
    return pgvec.release_collection(target.name);
  end if;
  perform pgvec.drop_collection_api(target.name);
  for item in
    select t.tgname
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as p on p.oid = t.tgfoid
     where t.tgrelid = target.base
       and p.pronamespace = 'pgvec'::regnamespace
       and t.tgparentid = 0
  loop
    execute format('drop trigger %I on %s', item.tgname, target.base);
  end loop;
  -- nobody fills it any more
  execute format('alter table %s alter column content_hash drop not null', target.base);
  if target.access = 'tenant' then
    execute format('alter table %s alter column tenant_id drop default', target.base);
    for item in
      select p.polname
        from pg_catalog.pg_policy as p
       where p.polrelid = target.base
         and concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) like '%pgvec.allowed_tenants()%'
    loop
      execute format('drop policy %I on %s', item.polname, target.base);
    end loop;
  end if;
  for item in
    select p as part from pgvec.partitions(target.base) as p where p <> target.base
  loop
    execute format('alter table %s enable row level security', item.part);
    execute format('alter table %s set schema public', item.part);
  end loop;
  execute format('comment on table %s is null', target.base);
  perform pgvec.forget_lexemes(target.name);
  delete from pgvec.search_log as l where l.collection = target.name;
  delete from pgvec.collections as c where c.name = target.name;
  perform pg_notify('pgrst', 'reload schema');
  return target.base;
end
$$;
comment on function pgvec.detach_collection(text) is
  'Makes a collection a plain table again, with its rows, columns and indexes but without the triggers that kept them; an adopted one is released. '
  'Policies of tenants go, and row level security stays on; partitions move into schema public. Returns the table. Raises PV001.';
revoke all on function pgvec.detach_collection(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.distance_operator', '59b5208ff53c15cf711f94b0d865c346e3149c8e54d06bff5322d02319395e0e', '0.2.1', $pgvec_file$
-- pgvec.distance_operator -- pgvector's operator of a distance, without its schema.
create or replace function pgvec.distance_operator(distance text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return case
           when distance = 'cosine' then '<=>'
           when distance = 'l2' then '<->'
           when distance = 'inner_product' then '<#>'
           when distance = 'l1' then '<+>'
         end;
end
$$;
comment on function pgvec.distance_operator(text) is
  'The operator of pgvector for cosine, l2, inner_product or l1: negative for the inner product, so that less is nearer for all.';
revoke all on function pgvec.distance_operator(text) from public;
select pgvec.grant_execute('pgvec.distance_operator(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.diversify', 'f52d5535c6030f84c725f27af7b63de6591a6c501f76196e9baf598e7f120c1b', '0.2.1', $pgvec_file$
-- pgvec.diversify -- the hits in an order that repeats itself less: maximal marginal relevance.
-- The next is always the hit with the greatest (1 - diversity) * score - diversity * its greatest cosine similarity to
-- those before it; scores count from 0 (the least) to 1 (the greatest). Carbonell and Goldstein (1998).
create or replace function pgvec.diversify(collection pgvec.collections, hits pgvec.fused[], diversity float8, wanted int)
  returns pgvec.fused[]
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  embeddings extensions.vector[];
  relevance  float8[];    -- (1 - diversity) * score; -infinity where the hit was chosen
  worth      float8[];    -- the same less diversity * the greatest similarity to those chosen
  taken      extensions.vector;
  places     int[] := '{}'::int[];
  best       int;
begin
  execute format(
    $query$
    select array_agg(d.embedding::extensions.vector order by h.place),
           array_agg((1 - $2) * coalesce((h.score - h.least) / nullif(h.most - h.least, 0), 1) order by h.place)
      from (select x.id, x.score, x.place, min(x.score) over () as least, max(x.score) over () as most
              from unnest($1) with ordinality as x (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)) as h
      left join %s as d on d.id = h.id
    $query$, pgvec.rows_of(collection, by_key => 'h.id'))
    into embeddings, relevance
    using hits, diversity;
  worth := relevance;

  -- each step is one pass over the arrays; to take an element out of one of vectors is another, hence once a step
  for step in 1 .. least(wanted, cardinality(hits)) loop
    best := array_position(worth, (select max(w.worth) from (select unnest(worth) as worth) as w));
    places := places || best;
    relevance[best] := '-infinity';
    taken := embeddings[best];
    worth := array(select case
                            when s.relevance = '-infinity' then s.relevance
                            when step = 1 then coalesce(s.relevance - diversity * (1 - (s.embedding operator(extensions.<=>) taken)), s.relevance)
                            else least(s.worth, s.relevance - diversity * (1 - (s.embedding operator(extensions.<=>) taken)))
                          end
                     from (select unnest(worth) as worth, unnest(relevance) as relevance, unnest(embeddings) as embedding) as s);
  end loop;
  return array(select hits[p.place] from unnest(places) with ordinality as p (place, number) order by p.number);
end
$$;
comment on function pgvec.diversify(pgvec.collections, pgvec.fused[], float8, int) is
  'The first wanted hits by maximal marginal relevance: diversity 0 keeps the order of the scores, 1 looks only at how unlike each other they are.';
revoke all on function pgvec.diversify(pgvec.collections, pgvec.fused[], float8, int) from public;
select pgvec.grant_execute('pgvec.diversify(pgvec.collections, pgvec.fused[], float8, int)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.drop_collection', 'c07a7608b6aa672941da9eb0c19093ae74ad3b3ec598d5cdc2e4674c65b26a7b', '0.2.1', $pgvec_file$
-- pgvec.drop_collection -- removes a collection with its table and all its rows.
create or replace function pgvec.drop_collection(name text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  dropped regclass;
begin
  if exists (select from pgvec.adoptions as a where a.collection = drop_collection.name) then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is an adopted table, which is not dropped', name),
      hint    = format('select pgvec.release_collection(%L); or pgvec-admin collection release %s', name, name);
  end if;

  perform pgvec.forget_lexemes(drop_collection.name);
  delete from pgvec.search_log as l where l.collection = drop_collection.name;
  delete from pgvec.collections as c
   where c.name = drop_collection.name
  returning c.relation into dropped;

  if dropped is null then
    perform pgvec.collection(drop_collection.name);  -- raises PV001 with the names there are
  end if;
  if exists (select from pg_catalog.pg_class as r where r.oid = dropped) then
    execute format('drop table %s', dropped);
  end if;
  perform pgvec.drop_collection_api(drop_collection.name);
  perform pg_notify('pgrst', 'reload schema');
end
$$;
comment on function pgvec.drop_collection(text) is
  'Drops a collection: its table with all rows and indexes, and its registry row. Raises PV001 for an unknown name, PV004 for an adopted table.';
revoke all on function pgvec.drop_collection(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.drop_collection_api', 'c3984e797cb224a834634c8811ccbfe077ba54b6e4c50f5a18525691ed1d0c5f', '0.2.1', $pgvec_file$
-- pgvec.drop_collection_api -- drops the search functions that pgvec.create_collection_api made for a collection.
create or replace function pgvec.drop_collection_api(name text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item record;
begin
  for item in
    select p.oid::regprocedure as routine
      from pg_catalog.pg_proc as p
     where p.pronamespace = 'public'::regnamespace
       and pgvec.is_api_of(drop_collection_api.name, p.oid)
  loop
    execute format('drop function %s', item.routine);
  end loop;
end
$$;
comment on function pgvec.drop_collection_api(text) is 'Drops match_NAME, kw_match_NAME and hybrid_search_NAME, where pgvec.create_collection_api made them.';
revoke all on function pgvec.drop_collection_api(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.estimate_rows', 'cb9ff820c5c7076a090bf55e1206f6be2438e3f13142e4d29bd601b6f3a70f79', '0.2.1', $pgvec_file$
-- pgvec.estimate_rows -- how many rows a collection has, as the planner sees it: rows a page when they were last counted,
-- times the pages there are now. Of a collection in partitions those count in which the tenants of the search have rows.
create or replace function pgvec.estimate_rows(collection pgvec.collections)
  returns float8
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  estimated float8;
begin
  select r.reltuples / r.relpages * (pg_relation_size(r.oid) / current_setting('block_size')::int) into estimated
    from pg_catalog.pg_class as r
   where r.oid = collection.base
     and r.relpages > 0;
  if found then
    return estimated;
  end if;

  return (
    select sum(r.reltuples / r.relpages * (pg_relation_size(r.oid) / current_setting('block_size')::int))
      from (select p.oid,
                   count(*) over () as modulus,
                   substring(pg_get_expr(p.relpartbound, p.oid) from 'remainder (\d+)')::int as remainder
              from pg_catalog.pg_inherits as i
              join pg_catalog.pg_class as p on p.oid = i.inhrelid
             where i.inhparent = collection.base) as part
      join pg_catalog.pg_class as r on r.oid = part.oid
     where r.relpages > 0
       and (collection.tenants is null
            or exists (select from unnest(collection.tenants) as t where satisfies_hash_partition(collection.base, part.modulus::int, part.remainder, t))));
end
$$;
comment on function pgvec.estimate_rows(pgvec.collections) is 'The estimated rows of a collection; null for a table that was never vacuumed or analyzed.';
revoke all on function pgvec.estimate_rows(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.estimate_rows(pgvec.collections)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.explain_search', '586f660577fffb7b98032b772d27fc954a0fbd0636ef2efc6def0c484e5cb02d', '0.2.1', $pgvec_file$
-- pgvec.explain_search -- how match_documents answers a search: its route, its estimate, its index, its cost.
-- For people who wonder why a search is slow, and for tests. It takes the same decisions by the same functions, and then
-- times the real call.
drop function if exists pgvec.explain_search(text, extensions.vector, int, jsonb, text);

create or replace function pgvec.explain_search(
    collection text,
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    distance text default null,
    for_tenant uuid default null)
  returns table (route text, estimate bigint, index text, ef_search int, rows bigint, ms float8, plan text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.iterative_scan = relaxed_order
  set hnsw.ef_search = 100
  set hnsw.max_scan_tuples = 20000
  set ivfflat.iterative_scan = relaxed_order
  set ivfflat.probes = 10
  set jit = off
as $$
declare
  target  pgvec.collections := pgvec.query_target(explain_search.collection, for_tenant, query_embedding, explain_search.distance, null);
  measure text := coalesce(explain_search.distance, target.distance);
  wanted  int := pgvec.clamp_count(match_count, 100);
  within  record := pgvec.filter_condition(target, filter);
  serving record;
  planned record;
  step    pgvec.search_step;
  line    text;
  started timestamptz;
  logging text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  if target.tenants is not null and (cardinality(target.tenants) > 1 or row_security_active(target.relation)) then
    raise exception using
      errcode = 'PV006',
      message = format('a plan tells of rows of all tenants of collection %L', target.name),
      hint    = 'ask as the owner of the table or as service_role, for one tenant: for_tenant => ...';
  end if;
  within.condition := coalesce(nullif(within.condition, ''), case when target.tenants is null then '' else 'true' end);

  perform set_config('pgvec.search_log', 'off', true);  -- this is no search of anybody's
  perform set_config('ivfflat.probes', coalesce(target.settings ->> 'probes', '10'), true);
  serving := pgvec.index_kind(target, measure);
  planned := pgvec.search_steps(target, serving.kind, serving.method, wanted, within.condition, within.bound);
  foreach step in array planned.steps loop
    continue when step.after_tie;
    if step.kind is not null then
      perform set_config('hnsw.iterative_scan', step.iterative_scan, true);
      perform set_config('ivfflat.iterative_scan', step.iterative_scan, true);
      perform set_config('hnsw.ef_search', step.ef_search::text, true);
      perform set_config('hnsw.max_scan_tuples', step.scan_tuples::text, true);
      ef_search := step.ef_search;
    end if;
    route := concat_ws(', then ', route, pgvec.route_name(step.kind));
    estimate := round(step.estimate);

    plan := null;
    for line in execute
      'explain (analyze, costs off, timing off, buffers off, summary off) ' || pgvec.vector_query(target, measure, within.condition, step.kind,
                                                                                              case when step.kind is null then planned.scanned else planned.walked end)
      using query_embedding, within.bound, step.read_rows
    loop
      -- a vector of some thousand characters hides the rest
      plan := concat_ws(e'\n', plan, regexp_replace(line, '''\[[^'']{20,}''', '''[...]''', 'g'));
    end loop;
    index := substring(plan from 'Index Scan (?:using|on) (\S+)');
    exit when substring(plan from 'actual rows=(\d+)')::int >= step.enough;
  end loop;

  started := clock_timestamp();
  select count(*) into rows
    from public.match_documents(query_embedding, match_count, filter, null::float8, explain_search.collection, for_tenant, explain_search.distance);
  ms := round(1000 * extract(epoch from clock_timestamp() - started), 3);
  perform set_config('pgvec.search_log', logging, true);
  return next;
end
$$;
comment on function pgvec.explain_search(text, extensions.vector, int, jsonb, text, uuid) is
  'How match_documents answers: its route (index, halfvec index, binary index or exact, and what followed where that found too few), '
  'the estimated matches of the filter, the index used last, hnsw.ef_search, the rows returned, milliseconds, and EXPLAIN ANALYZE of its last query. '
  'Where rows belong to tenants: for one, and who sees all rows; others get PV006. Errors else as match_documents.';
revoke all on function pgvec.explain_search(text, extensions.vector, int, jsonb, text, uuid) from public;
select pgvec.grant_execute('pgvec.explain_search(text, extensions.vector, int, jsonb, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.export_tenant', '453d788ebd0245ff7b5f1097b94b0b3fd81b648486b45fb8bb72e83e3e5a3dd8', '0.2.1', $pgvec_file$
-- pgvec.export_tenant -- all rows of a tenant, as upsert_documents takes them.
create or replace function pgvec.export_tenant(tenant uuid)
  returns table (collection text, document jsonb)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c where c.access = 'tenant' and has_table_privilege(c.relation, 'select') is not null order by c.name
  loop
    return query execute format(
      $query$
      select $1, jsonb_strip_nulls(jsonb_build_object('id', d.id, 'source', d.source, 'chunk_index', d.chunk_index, 'language', d.language))
                 || jsonb_build_object('content', d.content, 'metadata', d.metadata, 'embedding', d.embedding::extensions.vector::text::jsonb)
        from %s as d
       where d.tenant_id = $2
       order by d.id
      $query$, item.relation)
      using item.name, tenant;
  end loop;
end
$$;
comment on function pgvec.export_tenant(uuid) is
  'The rows of a tenant in all collections, each as a JSON object with id, source, chunk_index, language, content, metadata and embedding.';
revoke all on function pgvec.export_tenant(uuid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.exposed_schemas', '293e7f81efd1710925a0c4af82ea6f5bf78f049a8820c13677a483deda1bcf64', '0.2.1', $pgvec_file$
-- pgvec.exposed_schemas -- the schemas that the REST API shows, as far as the database can tell.
-- PostgREST takes them from its settings in the database (pgrst.db_schemas), or from a file that is not to be seen here.
create or replace function pgvec.exposed_schemas()
  returns table (schema_name name, told_by text)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select 'public'::name, null::text
   union
  select btrim(e.entry, ' "')::name, s.holder
    from (select g.holder, g.value from pgvec.given_settings() as g where g.setting = 'pgrst.db_schemas'
           union all
          select 'this session', current_setting('pgrst.db_schemas', true)) as s
   cross join lateral regexp_split_to_table(s.value, ',') as e (entry)
   where btrim(e.entry) <> ''
   order by 1
$$;
comment on function pgvec.exposed_schemas() is
  'public, and the schemas of every pgrst.db_schemas that a role or the database is given, with whom that is.';
revoke all on function pgvec.exposed_schemas() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.filter_condition', 'f4fbd04643fdb88ebe66461fc7e893e0fb0ca3d1efe871e6bc76396e706de849', '0.2.1', $pgvec_file$
-- pgvec.filter_condition -- the filter of a search as an SQL condition over a collection's rows.
-- The text is one of a few, whatever the filter says: all that came from the caller is in bound, which the search
-- passes as its parameter $2. Over an adopted table it compares columns (pgvec.column_condition), by their catalog names.
drop function if exists pgvec.is_containment(jsonb);

create or replace function pgvec.filter_condition(collection pgvec.collections, filter jsonb, out condition text, out bound jsonb)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb;
  words  tsquery;
begin
  -- most filters are plain objects within the limits of pgvec.parse_filter, and need no compiling
  if collection.base = collection.relation
     and filter <> '{}'
     and jsonb_typeof(filter) = 'object'
     and strpos(filter::text, '"$') = 0
     and length(filter::text) <= 65536
     and not filter @? 'strict $.**{13}'
  then
    condition := 'd.metadata @> ($2 -> 0)';
    bound := jsonb_build_array(filter);
    return;
  end if;

  wanted := pgvec.parse_filter(filter);
  perform pgvec.check_patterns(wanted);
  if wanted ? '$text' then
    words := pgvec.filter_text(collection, wanted -> '$text');
    wanted := wanted - '$text';
  end if;

  if collection.base <> collection.relation then
    select c.condition, c.bound into condition, bound
      from pgvec.column_condition(collection, wanted, '[]') as c;
  else
    select m.condition, m.bound into condition, bound
      from pgvec.metadata_condition('d.metadata', wanted, '[]') as m;
  end if;

  if words is not null then
    condition := concat_ws(' and ', nullif(condition, ''), format('d.fts @@ ($2 ->> %s)::tsquery', jsonb_array_length(bound)));
    bound := bound || jsonb_build_array(words::text);
  end if;
end
$$;
comment on function pgvec.filter_condition(pgvec.collections, jsonb) is
  'The condition that rows d of a collection have to meet for a filter, empty for none, and the values that it reads as $2. '
  '{"$text": ...}, beside other keys, is for words, "quoted phrases" and -excluded words that the text must and must not have. Raises PV003.';
revoke all on function pgvec.filter_condition(pgvec.collections, jsonb) from public;
select pgvec.grant_execute('pgvec.filter_condition(pgvec.collections, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.filter_predicate', '95ee5330783244ff759043c041878c7ccd44edf50467739bcc3a4e172b9507b5', '0.2.1', $pgvec_file$
-- pgvec.filter_predicate -- a condition of a filter as a jsonpath predicate over what accessor names.
-- In strict mode a missing key, or a comparison between types, makes a predicate unknown, which an enclosing filter
-- takes for false. Negation must not: it asks whether the row passes such a filter of its own.
create or replace function pgvec.filter_predicate(accessor text, condition jsonb)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item  record;
  parts text[] := '{}'::text[];
begin
  for item in
    select e.key, e.value, jsonb_typeof(e.value) as kind
      from jsonb_each(condition) as e
  loop
    if item.key in ('$and', '$or') then
      perform pgvec.check_conditions(item.key, item.value);
      parts := parts || format(
        '(%s)',
        (select string_agg(pgvec.filter_predicate(accessor, c.value), case item.key when '$and' then ' && ' else ' || ' end)
           from jsonb_array_elements(item.value) as c));
    elsif item.key = '$not' then
      perform pgvec.check_conditions(item.key, item.value);
      parts := parts || format('!exists($ ? (%s))', pgvec.filter_predicate(accessor, item.value));
    elsif item.key like '$%' then
      parts := parts || pgvec.operator_predicate(accessor, item.key, item.value);
    elsif item.kind = 'object' and position('"$' in item.value::text) > 0 then
      parts := parts || pgvec.filter_predicate(accessor || '.' || to_json(item.key), item.value);
    else
      parts := parts || pgvec.contained_predicate(accessor || '.' || to_json(item.key), item.value);
    end if;
  end loop;

  if cardinality(parts) = 0 then
    return '(1 == 1)';
  end if;
  return format('(%s)', array_to_string(parts, ' && '));
end
$$;
comment on function pgvec.filter_predicate(text, jsonb) is
  'The jsonpath predicate, in parentheses, of a condition such as {"$gte": 2020} or {"lang": "en"} over accessor, which is @ or a path below it. '
  'Keys and values become quoted jsonpath literals. Raises PV003.';
revoke all on function pgvec.filter_predicate(text, jsonb) from public;
select pgvec.grant_execute('pgvec.filter_predicate(text, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.filter_text', '5f6d9ae7bebb3817458a711c6d412daa2f87c8d5f8a0819a60570561c10ba740', '0.2.1', $pgvec_file$
-- pgvec.filter_text -- the operator $text of a filter as a tsquery: all words, "quoted phrases" and no -excluded word.
create or replace function pgvec.filter_text(collection pgvec.collections, operand jsonb)
  returns tsquery
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_words constant int := 100;  -- all of which rows must have; the time grows with their square
  parsed record := pgvec.parse_words(operand #>> '{}');
  words  text[] := parsed.phrases || regexp_split_to_array(parsed.words, '\s+');
begin
  if jsonb_typeof(operand) <> 'string' then
    raise exception using
      errcode = 'PV003',
      message = format('$text cannot be %s', left(operand::text, 80)),
      hint    = 'a string such as "connection pool" or "\"connection pool\" -mysql"';
  end if;
  if cardinality(words || parsed.excluded) > most_words then
    raise exception using
      errcode = 'PV003',
      message = format('$text has %s words, more than %s', cardinality(words || parsed.excluded), most_words),
      hint    = 'rows must have all of them; keyword_search takes a text of any length and wants some';
  end if;
  return pgvec.text_condition(
    pgvec.text_configurations(collection.name, case cardinality(collection.tenants) when 1 then collection.tenants[1] end),
    words,
    parsed.excluded);
end
$$;
comment on function pgvec.filter_text(pgvec.collections, jsonb) is
  'The tsquery for rows that have all words and "quoted phrases" of a text and none with a minus; null where it has no words. '
  'Raises PV003 for anything but a string, and for more than 100 words.';
revoke all on function pgvec.filter_text(pgvec.collections, jsonb) from public;
select pgvec.grant_execute('pgvec.filter_text(pgvec.collections, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.finds_alone', '44ed6506fcf0123dc0df144577efc71d32e9d39234c88e74c67ae1f2fdf486b6', '0.2.1', $pgvec_file$
-- pgvec.finds_alone -- whether the current user searches the rows of tenants directly: as an owner of the table, whom no policy holds.
-- Everybody else asks the functions that run as the owner (pgvec.tenant_target), since policies keep indexes from being used, and
-- partitions are for nobody else to read.
create or replace function pgvec.finds_alone(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select not row_security_active((finds_alone.collection).base)
         and (select pg_has_role(r.relowner, 'usage') from pg_catalog.pg_class as r where r.oid = (finds_alone.collection).base)
$$;
comment on function pgvec.finds_alone(pgvec.collections) is
  'Whether the current user has the rights of the owner of a collection''s table, and row level security does not hold for that role.';
revoke all on function pgvec.finds_alone(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.finds_alone(pgvec.collections)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.first_change', '0c6df7c1ee018a919b912ce8513d603ad7cfbc260d4d98fa9e673e834ba8b7f2', '0.2.1', $pgvec_file$
-- pgvec.first_change -- what the count of changes of a collection, or of a tenant's part, begins with.
-- Of the clock, so that a count that was forgotten with the rows, and begins again, never comes back to what it was.
create or replace function pgvec.first_change()
  returns bigint
  language sql volatile parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select (1e6 * extract(epoch from clock_timestamp()))::bigint
$$;
comment on function pgvec.first_change() is 'Microseconds since 1970: more than any count of changes can have grown by since it began.';
revoke all on function pgvec.first_change() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.fold_statistics', 'b05f8a1995b54827968c0de583a2ce77b1292e569b5e0ba161fd958fa135687a', '0.2.1', $pgvec_file$
-- pgvec.fold_statistics -- adds up the parts that the statistics of a collection are kept in.
-- A large collection has parts of its totals only: its words are counted all at once.
create or replace function pgvec.fold_statistics(collection pgvec.collections, tenant uuid)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  -- of a collection that has just begun the planner knows nothing, and would compare every word with every other
  set enable_nestloop = off
as $$
declare
  most_parts constant int := 16;
begin
  if pgvec.counts_live(collection, tenant) then
    with many as (
           select l.lexeme
             from pgvec.lexemes as l
            where l.collection = fold_statistics.collection.name
              and l.tenant = fold_statistics.tenant
            group by l.lexeme
           having count(*) > most_parts or sum(l.documents) = 0),
         gone as (
           delete from pgvec.lexemes as l
            using many as m
            where l.collection = fold_statistics.collection.name
              and l.tenant = fold_statistics.tenant
              and l.lexeme = m.lexeme
           returning l.lexeme, l.documents)
    insert into pgvec.lexemes (collection, tenant, lexeme, documents)
    select fold_statistics.collection.name, fold_statistics.tenant, g.lexeme, sum(g.documents)
      from gone as g
     group by g.lexeme
    having sum(g.documents) <> 0;
  end if;

  with gone as (
         delete from pgvec.text_totals as t
          where t.collection = fold_statistics.collection.name
            and t.tenant = fold_statistics.tenant
         returning t.*)
  insert into pgvec.text_totals (collection, tenant, documents, positions, uncounted, changes, languages)
  select g.collection, g.tenant, sum(g.documents), sum(g.positions), sum(g.uncounted), sum(g.changes),
         array(select distinct u from gone as x, unnest(x.languages) as u)
    from gone as g
   group by g.collection, g.tenant;
end
$$;
comment on function pgvec.fold_statistics(pgvec.collections, uuid) is
  'Replaces the rows of pgvec.text_totals, and those of lexemes with many, by their sums. One caller at a time: they hold the row of the collection in the registry.';
revoke all on function pgvec.fold_statistics(pgvec.collections, uuid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.foreign_code', 'b0d089ddaae7f7ab33fe2734cf3bfe7c91ccf1b3e8edecb48f71d8fae8c0574c', '0.2.1', $pgvec_file$
-- pgvec.foreign_code -- functions of weaker roles that run when a table is written, read or analyzed.
-- Who owns a table may let it call somebody else's functions, and who may make triggers on it, or once might, has made them with
-- functions of their own: all of it runs as whoever touches the table.
create or replace function pgvec.foreign_code(relations regclass[])
  returns table (used_by text, routine regprocedure, owner name)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select distinct pg_describe_object(d.classid, d.objid, d.objsubid), p.oid::regprocedure, pg_get_userbyid(p.proowner)
    from pg_catalog.pg_class as r
   cross join lateral (
          select 'pg_trigger'::regclass::oid as classid, t.oid as objid from pg_catalog.pg_trigger as t where t.tgrelid = r.oid and not t.tgisinternal
           union all
          select 'pg_policy'::regclass, y.oid from pg_catalog.pg_policy as y where y.polrelid = r.oid
           union all
          select 'pg_attrdef'::regclass, f.oid from pg_catalog.pg_attrdef as f where f.adrelid = r.oid
           union all
          select 'pg_constraint'::regclass, c.oid from pg_catalog.pg_constraint as c where c.conrelid = r.oid
           union all
          select 'pg_class'::regclass, x.indexrelid from pg_catalog.pg_index as x where x.indrelid = r.oid
           union all
          select 'pg_statistic_ext'::regclass, e.oid from pg_catalog.pg_statistic_ext as e where e.stxrelid = r.oid
           union all
          select 'pg_rewrite'::regclass, w.oid from pg_catalog.pg_rewrite as w where w.ev_class = r.oid) as o
    join pg_catalog.pg_depend as d on d.classid = o.classid and d.objid = o.objid and d.refclassid = 'pg_proc'::regclass
    join pg_catalog.pg_proc as p on p.oid = d.refobjid
   where r.oid = any (foreign_code.relations)
     and not pg_has_role(p.proowner, r.relowner, 'member')
$$;
comment on function pgvec.foreign_code(regclass[]) is
  'Of triggers, policies, defaults, constraints, indexes, statistics and rules of these tables: '
  'the functions they call that belong to a role that is weaker than the table''s owner.';
revoke all on function pgvec.foreign_code(regclass[]) from public;
select pgvec.grant_execute('pgvec.foreign_code(regclass[])', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.foreign_columns', '27ae809ba086a87df85b524fd19599574b4855fd1c9d1d3da7e450aa33803468', '0.2.1', $pgvec_file$
-- pgvec.foreign_columns -- the columns of a collection's table that are not of the type the engine gave them.
-- A column's owner may give it a type with casts of the owner's own, which run as whoever reads or assigns the column.
create or replace function pgvec.foreign_columns(collection pgvec.collections)
  returns text[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array(
           select format('column %I is of type %s', a.attname, format_type(a.atttypid, a.atttypmod))
             from pg_catalog.pg_attribute as a
             left join pgvec.adoptions as x on x.collection = (foreign_columns.collection).name
            cross join lateral (
                  select case
                           when a.attname = (foreign_columns.collection).embedding_column
                             then array['extensions.vector'::regtype, 'extensions.halfvec'::regtype]
                           when x.collection is not null and a.attname = x.id_column
                             then '{smallint,integer,bigint,uuid,text,varchar}'::regtype[]
                           when x.side is not null then null
                           when a.attname in ('fts') then '{tsvector}'::regtype[]
                           when a.attname in ('bm25') then array['extensions.sparsevec'::regtype]
                           when a.attname in ('content_hash', 'embedded_hash') then '{text}'::regtype[]
                           when x.collection is not null then null
                           when a.attname in ('id', 'source', 'content', 'language') then '{text}'::regtype[]
                           when a.attname in ('tenant_id') then '{uuid}'::regtype[]
                           when a.attname in ('chunk_index') then '{integer}'::regtype[]
                           when a.attname in ('metadata') then '{jsonb}'::regtype[]
                           when a.attname in ('created_at', 'updated_at') then '{timestamptz}'::regtype[]
                         end as types) as expected
            where a.attrelid = (foreign_columns.collection).base
              and a.attnum > 0
              and not a.attisdropped
              and a.atttypid::regtype <> all (expected.types)
            order by a.attnum)
$$;
comment on function pgvec.foreign_columns(pgvec.collections) is
  'The columns that the engine reads or writes by itself and whose type is not the one it made them with, each as a phrase; of an adopted table its key, '
  'its embedding and the columns that adoption added. Empty where all are.';
revoke all on function pgvec.foreign_columns(pgvec.collections) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.forget_lexemes', '54c2231c8c545162f02e27490425d9aec77b48843020cfcaebafac0929b56868', '0.2.1', $pgvec_file$
-- pgvec.forget_lexemes -- a collection's statistics as they are for no rows.
create or replace function pgvec.forget_lexemes(collection text)
  returns void
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  delete from pgvec.lexemes as l where l.collection = forget_lexemes.collection;
  delete from pgvec.text_totals as t where t.collection = forget_lexemes.collection;
  update pgvec.bm25_parameters as p set average_length = null, documents = 0 where p.collection = forget_lexemes.collection;
$$;
comment on function pgvec.forget_lexemes(text) is 'Empties the keyword statistics of a collection.';
revoke all on function pgvec.forget_lexemes(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.fuse', 'e5f3dfe190650c70fe72dc6721539db3b0b1f337c99815654cc20e7daf84a33a', '0.2.1', $pgvec_file$
-- pgvec.fuse -- one score of two, for the candidates of a hybrid search.
--   rrf       w / (rrf_k + rank) of either side, added: reciprocal rank fusion, Cormack, Clarke and Buettcher (2009)
--   dbsf      either score where it lies between three standard deviations below the mean of the candidates and three
--             above, 0 to 1 (distribution-based score fusion, as Qdrant named it), weighted and added; one that lies
--             farther out goes beyond
--   minmax    either score between the least (0) and the greatest (1) of the candidates, weighted and added
--   weighted  the similarity itself, and the keyword score: of ts_rank and ts_rank_cd itself, of bm25 over the greatest
-- A score that a row does not have adds nothing, and so does a side that found nothing.
create or replace function pgvec.fuse(
    candidates pgvec.fused[], fusion text, semantic_weight float8, full_text_weight float8, rrf_k int, ranking text)
  returns pgvec.fused[]
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return (
    with given as (
           select c.id, c.similarity, c.keyword_score, c.place,
                  avg(c.similarity) over () - 3 * nullif(stddev_pop(c.similarity) over (), 0) as semantic_low,
                  6 * nullif(stddev_pop(c.similarity) over (), 0) as semantic_spread,
                  avg(c.keyword_score) over () - 3 * nullif(stddev_pop(c.keyword_score) over (), 0) as keyword_low,
                  6 * nullif(stddev_pop(c.keyword_score) over (), 0) as keyword_spread,
                  min(c.similarity) over () as semantic_least,
                  max(c.similarity) over () as semantic_most,
                  min(c.keyword_score) over () as keyword_least,
                  max(c.keyword_score) over () as keyword_most,
                  case when c.similarity is not null then row_number() over (order by c.similarity desc nulls last, c.id) end as semantic_rank,
                  case when c.keyword_score > 0 then row_number() over (order by c.keyword_score desc nulls last, c.id) end as keyword_rank
             from unnest(candidates) with ordinality as c (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)),
         sides as (
           select g.*,
                  case fusion
                    when 'rrf' then 1.0 / (rrf_k + g.semantic_rank)
                    when 'dbsf' then coalesce((g.similarity - g.semantic_low) / g.semantic_spread, 0.5)
                    when 'minmax' then coalesce((g.similarity - g.semantic_least) / nullif(g.semantic_most - g.semantic_least, 0), 1)
                    when 'weighted' then g.similarity
                  end as semantic_part,
                  case
                    when fusion = 'rrf' then 1.0 / (rrf_k + g.keyword_rank)
                    when g.keyword_most = 0 then 0
                    when fusion = 'dbsf' then coalesce((g.keyword_score - g.keyword_low) / g.keyword_spread, 0.5)
                    when fusion = 'minmax' then coalesce((g.keyword_score - g.keyword_least) / nullif(g.keyword_most - g.keyword_least, 0), 1)
                    when ranking = 'bm25' then g.keyword_score / g.keyword_most
                    else g.keyword_score
                  end as keyword_part
             from given as g),
         scored as (
           select s.*,
                  semantic_weight * case when s.similarity is null then 0 else coalesce(s.semantic_part, 0) end
                  + full_text_weight * case when s.keyword_score is null then 0 else coalesce(s.keyword_part, 0) end as score
             from sides as s)
    select coalesce(
             array_agg((s.id, s.score, s.similarity, s.keyword_score, s.semantic_rank, s.keyword_rank)::pgvec.fused
                       order by s.score desc, s.id),
             '{}')
      from scored as s);
end
$$;
comment on function pgvec.fuse(pgvec.fused[], text, float8, float8, int, text) is
  'The candidates of a hybrid search with score and ranks, best first, ties by id. fusion: rrf, dbsf, minmax or weighted. Ranks count from 1 among all candidates; '
  'a row without an embedding has no semantic_rank, one without any of the words no keyword_rank.';
revoke all on function pgvec.fuse(pgvec.fused[], text, float8, float8, int, text) from public;
select pgvec.grant_execute('pgvec.fuse(pgvec.fused[], text, float8, float8, int, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.given_settings', '0785ce17f4cd6fa33976cb9085532a322329f4b8171984feb0bf13f62a92f27d', '0.2.1', $pgvec_file$
-- pgvec.given_settings -- the settings that roles and this database are given: by ALTER ROLE and ALTER DATABASE.
create or replace function pgvec.given_settings()
  returns table (role_name name, holder text, setting text, value text)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.rolname,
         case when r.rolname is not null then format('role %I', r.rolname)
              when s.setdatabase <> 0 then format('database %I', current_database())
              else 'role all' end,
         split_part(c.item, '=', 1),
         substr(c.item, strpos(c.item, '=') + 1)
    from pg_catalog.pg_db_role_setting as s
   cross join lateral unnest(s.setconfig) as c (item)
    left join pg_catalog.pg_roles as r on r.oid = s.setrole
   where s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
   order by 2, 3
$$;
comment on function pgvec.given_settings() is
  'Settings by role and database: the role (null for all), whom ALTER names (role NAME, database NAME, role all), setting and value.';
revoke all on function pgvec.given_settings() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.headline', '02b7199009a77a48fa80f8604c762ea6bf8e492945497523bb3870948f2902b1', '0.2.1', $pgvec_file$
-- pgvec.headline -- the part of a text that answers a query, with the query's words between <mark> and </mark>.
-- A short text stays whole: of one that is shorter than a fragment, ts_headline would return the bare word.
create or replace function pgvec.headline(configuration text, content text, query tsquery)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select ts_headline(
           configuration::regconfig, content, query,
           'StartSel=<mark>, StopSel=</mark>, '
           || case
                when length(content) <= 200 then 'HighlightAll=true'
                else 'MaxFragments=2, MaxWords=25, MinWords=10, FragmentDelimiter=" ... "'
              end)
$$;
comment on function pgvec.headline(text, text, tsquery) is
  'Up to two fragments of a text around the words of a query, which stand between <mark> and </mark>; a short text whole, and of one without these words the beginning. '
  'The text itself is not escaped.';
revoke all on function pgvec.headline(text, text, tsquery) from public;
select pgvec.grant_execute('pgvec.headline(text, text, tsquery)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.held_roles', 'b1bf320a595c0ac82f97cd5778863c996bdf7491d7440132e41298ba79efeac1', '0.2.1', $pgvec_file$
-- pgvec.held_roles -- the roles of callers that row level security has to hold: all that search, but for service_role.
-- That one is Supabase's key for a backend, and is meant to see all rows.
create or replace function pgvec.held_roles()
  returns setof name
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r from pgvec.roles('reader') as r where r <> 'service_role' order by r
$$;
comment on function pgvec.held_roles() is 'The existing roles of readers that row level security has to hold, which are all but service_role.';
revoke all on function pgvec.held_roles() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.hide_statistics', 'aadaf1a75488431c5398c564b1b1f48fc41cd34fd8c926fb2015ae7451a89d94', '0.2.1', $pgvec_file$
-- pgvec.hide_statistics -- keeps the planner from knowing what is in the rows of a collection whose rows are not everybody's.
-- Row level security does not hold the planner's statistics where the operator is leakproof, as = and < of text, uuid, numbers
-- and dates are: EXPLAIN, and through the REST API Prefer: count=planned, tell how many rows of others have a value, letter by
-- letter; @@ is not even asked whether it is. What routes need of metadata stays. How many rows a tenant has: pgvec.tenant_size.
-- Statistics that are there already are removed by the server's function for it, which came with 18; before, by a superuser's
-- hand, or by giving the column its own type again, which no policy of ours may refer to meanwhile.
create or replace function pgvec.hide_statistics(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(hide_statistics.collection);
  item   record;
begin
  for item in
    select h.relation, h.attnum, h.attname, h.type, h.is_index from pgvec.telling_columns(target.name) as h where h.is_ours and h.attstattarget is distinct from 0
  loop
    execute format(case when item.is_index then 'alter index %s alter column %s set statistics 0' else 'alter table only %s alter column %3$I set statistics 0' end,
                   item.relation, item.attnum, item.attname);
  end loop;
  if not exists (select from pgvec.telling_columns(target.name) as h where h.is_ours and h.known) then
    return;
  end if;

  if to_regprocedure('pg_catalog.pg_clear_attribute_stats(text, text, text, boolean)') is not null then
    for item in
      select n.nspname, r.relname, h.attname
        from pgvec.telling_columns(target.name) as h
        join pg_catalog.pg_class as r on r.oid = h.relation
        join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
       where h.is_ours and h.known
    loop
      execute format('select pg_clear_attribute_stats(%1$L, %2$L, %3$L, false), pg_clear_attribute_stats(%1$L, %2$L, %3$L, true)', item.nspname, item.relname, item.attname);
    end loop;
  elsif (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = current_user) then
    delete from pg_catalog.pg_statistic as s using pgvec.telling_columns(target.name) as h where h.is_ours and s.starelid = h.relation and s.staattnum = h.attnum;
  else
    for item in
      select p.polname from pg_catalog.pg_policy as p where p.polrelid = target.text_table and target.base = target.relation and p.polname in ('read_all', 'insert_all', 'update_all', 'delete_all')
    loop
      execute format('drop policy %I on %s', item.polname, target.base);
    end loop;
    execute format('alter table %s %s', target.text_table, (
      select string_agg(format('alter column %I type %s', h.attname, h.type), ', ') from pgvec.telling_columns(target.name) as h where h.is_ours and h.relation = target.text_table and not h.is_index));
    if target.base = target.relation then
      perform pgvec.make_policies(target.name);
    end if;
  end if;
end
$$;
comment on function pgvec.hide_statistics(text) is
  'Turns the planner''s statistics off for the columns of pgvec.telling_columns of a collection, and removes those there are. '
  'For access tenant and policy, side tables of adopted ones included. Raises PV001.';
revoke all on function pgvec.hide_statistics(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.hybrid_candidates', '9879ac86181894e3cd1e73762ceeaf847bfb08cc7357e449c534b2211f04d583', '0.2.1', $pgvec_file$
-- pgvec.hybrid_candidates -- the best rows by vector and by keyword, each with both scores.
-- What one side found is scored by the other too: a row that only one side knows would otherwise count as worthless to
-- the other, which costs more in the order of results than anything else in fusing them.
-- A side with weight zero is not asked, and its scores are null. -excluded words bind both sides; "quoted phrases" bind what
-- is found by keyword, since texts that say the same in other words are what vectors are for.
create or replace function pgvec.hybrid_candidates(
    collection pgvec.collections,
    query pgvec.keyword_query,
    query_embedding extensions.vector,
    ranking text,
    filter jsonb,
    match_threshold float8,
    depth int,
    by_vector boolean,
    by_keyword boolean)
  returns pgvec.fused[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb := pgvec.with_text(filter, query.excluded);
  ids    text[] := '{}'::text[];
  candidates pgvec.fused[];
begin
  if collection.tenants is not null and not pgvec.finds_alone(collection) then
    return pgvec.tenant_candidates(collection.name, query, query_embedding, ranking, filter, match_threshold, depth, by_vector, by_keyword, collection.tenants[1]);
  end if;
  if by_vector then
    ids := array(select m.id from public.match_documents(query_embedding, depth, wanted, match_threshold, collection.name, collection.tenants[1], null::text) as m);
  end if;
  if by_keyword then
    ids := ids || array(select k.id from unnest(pgvec.keyword_hits(collection, query, ranking, depth, pgvec.with_text(wanted, query.phrases))) as k);
  end if;

  execute format(
    $query$
    select array_agg((
             d.id,
             null,
             case when $1 then case $2 when 'cosine' then 1 - d.distance when 'inner_product' then - d.distance else 1 / (1 + d.distance) end end,
             case when $6 then d.keyword_score end,
             null,
             null)::pgvec.fused order by d.id)
      from (select d.id, d.embedding operator(extensions.%s) $3::extensions.%s as distance, %s as keyword_score
              from (select distinct u.id from unnest($7) as u (id)) as i
              join %s as d on d.id = i.id) as d
    $query$,
    pgvec.distance_operator(collection.distance), collection.storage, pgvec.keyword_score(ranking), pgvec.rows_of(collection, by_key => 'i.id'))
    into candidates
    using by_vector,
          collection.distance,
          query_embedding,
          query.weights,
          query.words,
          by_keyword,
          ids;
  return coalesce(candidates, '{}');
end
$$;
comment on function pgvec.hybrid_candidates(pgvec.collections, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean) is
  'The depth best rows by vector (of match_documents) and the depth best by keyword (of pgvec.keyword_hits), in the order of their ids, each with similarity and keyword_score. '
  'similarity is null where a row has no embedding; keyword_score is 0 where it has none of the words.';
revoke all on function pgvec.hybrid_candidates(pgvec.collections, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean) from public;
select pgvec.grant_execute('pgvec.hybrid_candidates(pgvec.collections, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_clause', '8baa8865729bb527f65707acd7bbc494ccdfa5f95fe370013b72d8cf59e964b0', '0.2.1', $pgvec_file$
-- pgvec.index_clause -- the part of CREATE INDEX that says what a vector index holds and how.
-- Apart from the name and the table, since plans and benchmarks build the same index over a sample.
create or replace function pgvec.index_clause(
    collection pgvec.collections, embedding_column name, method text, storage text, m int, ef_construction int, lists int)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  held      text := pgvec.index_storage(collection, storage);
  operators text := case collection.distance when 'inner_product' then 'ip' else collection.distance end;
begin
  perform pgvec.check_index(method, m, ef_construction, lists);
  if method = 'ivfflat' and collection.distance = 'l1' and held <> 'binary' then
    raise exception using
      errcode = 'PV004',
      message = 'ivfflat does not support the distance l1',
      hint    = 'use method => ''hnsw''';
  end if;

  return format(
    'using %s (%s) with (%s)',
    method,
    case
      when held = 'binary' then format('(extensions.binary_quantize(%I)::bit(%s)) extensions.bit_hamming_ops', embedding_column, collection.dimensions)
      when held = collection.storage then format('%I extensions.%I', embedding_column, format('%s_%s_ops', held, operators))
      else format('(%I::extensions.halfvec(%s)) extensions.%I', embedding_column, collection.dimensions, format('%s_%s_ops', held, operators))
    end,
    case method
      when 'hnsw' then format('m = %s, ef_construction = %s', m, ef_construction)
      else format('lists = %s', lists)
    end);
end
$$;
comment on function pgvec.index_clause(pgvec.collections, name, text, text, int, int, int) is
  'USING ... WITH ... of a vector index over a column for a collection''s distance: method hnsw (m, ef_construction) or ivfflat (lists), '
  'storage as in pgvec.index_storage. Raises PV004 where pgvector cannot index it.';
revoke all on function pgvec.index_clause(pgvec.collections, name, text, text, int, int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_definition', '44eebece76a5f884a6707faa220d86d4b0f7aa5c0cb7e8c67fc0df89662b6cde', '0.2.1', $pgvec_file$
-- pgvec.index_definition -- the statements that build a vector index on a collection.
-- Texts and not actions, because CREATE INDEX CONCURRENTLY cannot run inside a function. There is no such for a table in
-- partitions: an index of the whole is declared, which counts as invalid until each partition's own has been attached.
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
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(index_definition.collection);
  held     text := pgvec.index_storage(target, storage);
  kind     text := case target.distance when 'inner_product' then 'ip' else target.distance end;
  suffix   text;
  clause   text;
  part     record;
  rows_now float8;
begin
  if method = 'ivfflat' and lists is null then
    execute format('select count(*) from %s as d where d.embedding is not null', target.relation) into rows_now;
    lists := pgvec.default_lists(rows_now / (select count(*) from pgvec.partitions(target.base)));
  end if;
  if held = 'binary' then
    kind := held;
  elsif held <> target.storage then
    kind := held || '_' || kind;
  end if;

  suffix := format('_%s_%s_%s_idx', target.embedding_column, method, kind);
  clause := pgvec.index_clause(target, target.embedding_column, method, held, m, ef_construction, lists);
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
comment on function pgvec.index_definition(text, text, text, int, int, int) is
  'Name and statement of a vector index for a collection''s distance. method: hnsw (m, ef_construction) or ivfflat '
  '(lists; see pgvec.default_lists). storage: vector, halfvec or binary; by default the most exact that pgvector indexes at these dimensions. '
  'For a table in partitions several statements, to run in this order. Raises PV004 where pgvector cannot index it.';
revoke all on function pgvec.index_definition(text, text, text, int, int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_kind', '94289a3ee48861cada3f26fcb42435a9d075f468ccf6854b5b7432aa9477aefe', '0.2.1', $pgvec_file$
-- pgvec.index_kind -- which form of a collection's embedding the best index for a distance holds; null without an index.
-- Asked by every search whose index is not noted, so that the query orders by just the expression that is indexed: another would scan the table.
-- A plan of nested index lookups takes 10 microseconds, the scans and hashes that the planner prefers 45.
drop function if exists pgvec.index_kind(pgvec.collections, text);

create or replace function pgvec.index_kind(collection pgvec.collections, distance text, out kind text, out method text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set enable_hashjoin = off
  set enable_bitmapscan = off
as $$
declare
  operators     text := case distance when 'inner_product' then 'ip' else distance end;
  column_class  name := format('%s_%s_ops', collection.storage, operators);
  halfvec_class name := format('halfvec_%s_ops', operators);
begin
  select case
           when o.opcname = 'bit_hamming_ops' then 'binary'
           when x.indkey[0] = 0 then 'halfvec'
           else 'column'
         end,
         m.amname
    into kind, method
    from pg_catalog.pg_index as x
    join pg_catalog.pg_opclass as o on o.oid = x.indclass[0]
    join pg_catalog.pg_am as m on m.oid = o.opcmethod
   where x.indrelid = collection.base
     and x.indisvalid
     and x.indpred is null
     and (o.opcname = column_class and x.indkey[0] <> 0 or o.opcname in (halfvec_class, 'bit_hamming_ops') and x.indkey[0] = 0)
     and exists (select
                   from pg_catalog.pg_attribute as a
                   join pg_catalog.pg_depend as p on p.refobjid = a.attrelid and p.refobjsubid = a.attnum
                  where a.attrelid = collection.base
                    and a.attname = collection.embedding_column
                    and p.refclassid = 'pg_catalog.pg_class'::regclass
                    and p.classid = 'pg_catalog.pg_class'::regclass
                    and p.objid = x.indexrelid)
   order by x.indkey[0] = 0, o.opcname = 'bit_hamming_ops', m.amname
   limit 1;
end
$$;
comment on function pgvec.index_kind(pgvec.collections, text) is
  'The vector index that serves a distance: what it holds, column (the embedding itself), halfvec (its 2-byte form) or binary (its signs), '
  'and its method, hnsw or ivfflat; nulls where there is none. '
  'The most exact goes first; partial indexes do not count.';
revoke all on function pgvec.index_kind(pgvec.collections, text) from public;
select pgvec.grant_execute('pgvec.index_kind(pgvec.collections, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_memory', '15b2c825ef52b57666c53206854b75ebae8a4c8316045b71e7169c50a05efe36', '0.2.1', $pgvec_file$
-- pgvec.index_memory -- the memory that building a vector index takes, and the disk that it fills.
-- From pgvector's own structures (hnsw.h, hnswbuild.c, ivfbuild.c, ivfkmeans.c of 0.8), on a 64-bit server:
--   value     8 + 4d bytes for vector, 8 + 2d for halfvec, 8 + d/8 for bit, each rounded up to 8
--   hnsw      an element in memory: 128 + 8, its neighbours at level 0 (8 + 16 * 2m), those of the higher levels that one
--             in m has, and its value; one process building alone adds 32 of allocation headers, several share 4 MB more
--   hnsw      on disk: element (72 + value) and neighbours (4 + 12m) with a line pointer each, whole on a page of 8160
--   ivfflat   k-means has room for samples (50 a list, 10,000 at least), and holds bounds of each for each list, and
--             lists squared
create or replace function pgvec.index_memory(
    method text, storage text, dimensions int, row_count float8, m int default 16, lists int default null, workers int default 0,
    out build_bytes float8, out index_bytes float8)
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  page      constant float8 := 8192;
  usable    constant float8 := 8160;
  megabyte  constant float8 := 1048576;
  datum     float8 := 8 + case storage when 'vector' then 4 * dimensions when 'halfvec' then 2 * dimensions else ceil(dimensions / 8.0) end;
  value     float8 := 8 * ceil(datum / 8);
  list_count float8;
  room      float8;
  samples   float8;
  element   float8;
  neighbours float8;
  entry     float8;
begin
  if method = 'hnsw' then
    build_bytes := row_count * (128 + 8 + (8 + 32 * m) + (16 + 16 * m) / (m - 1.0) + value + case when workers = 0 then 32 else 0 end)
                   + case when workers = 0 then 0 else 4 * megabyte end;
    element := 8 * ceil((72 + datum) / 8);
    neighbours := 8 * ceil((4 + 12 * m) / 8.0);
    index_bytes := page + case
                            -- where the two do not fit on one page, each takes one
                            when element + neighbours + 8 > usable then 2 * page * row_count
                            else page * ceil(row_count / floor(usable / (element + neighbours + 8)))
                          end;
  else
    list_count := coalesce(lists, pgvec.default_lists(row_count));
    room := greatest(10000, 50 * list_count);
    samples := least(row_count, room);
    build_bytes := room * value + 2 * list_count * value + list_count * dimensions * 4
                   + samples * list_count * 4 + samples * 8 + list_count * list_count * 4 + list_count * 12;
    entry := 8 * ceil((8 + datum) / 8) + 4;
    -- the last page of a list is half empty on average
    index_bytes := page * (1 + ceil(list_count / floor(usable / (value + 16))) + ceil(row_count / floor(usable / entry)) + list_count / 2);
  end if;
end
$$;
comment on function pgvec.index_memory(text, text, int, float8, int, int, int) is
  'Bytes of memory to build a vector index (hnsw: what maintenance_work_mem has to hold for the whole graph) and bytes on disk, for so many rows and parallel workers. '
  'Within a hundredth of what pgvector 0.8 uses for hnsw; rows with equal vectors take less.';
revoke all on function pgvec.index_memory(text, text, int, float8, int, int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_name', '1672e5618a8f55274cc516969ad73524b69259225757af3185675953f7801717', '0.2.1', $pgvec_file$
-- pgvec.index_name -- the name of an index: that of its table, what it is on, and how.
-- A name of more than 63 characters would be cut off, and two become one.
create or replace function pgvec.index_name(table_name text, suffix text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  whole text := table_name || suffix;
  tail  text := right(suffix, 40);
begin
  return case when length(whole) <= 63 then whole else format('%s_%s%s', left(table_name, 63 - 9 - length(tail)), left(md5(whole), 8), tail) end;
end
$$;
comment on function pgvec.index_name(text, text) is 'table_name and suffix, or a part of them with a hash of the whole where they are longer than 63 characters.';
revoke all on function pgvec.index_name(text, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_plan', '2ebab7bfe4e78721ccefffb086d489b0709bd71e0f30910e7828a3584a2b3389', '0.2.1', $pgvec_file$
-- pgvec.index_plan -- which vector indexes a collection could have, what each needs, and which one to build.
-- The first that fits wins, in the order of how exact they are: hnsw over vector, halfvec, binary. Binary is only ever
-- recommended by a recall that was measured on these very rows. Where no graph fits, ivfflat needs little.
create or replace function pgvec.index_plan(
    collection text,
    m int default 16,
    ef_construction int default 64,
    measure boolean default true,
    memory bigint default null)
  returns table (
    method text, storage text, index_bytes float8, build_bytes float8, fits text, seconds float8, recall float8,
    recommended boolean, maintenance_work_mem text, workers int, note text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted_recall constant float8 := 0.95;  -- of a binary index
  target     pgvec.collections := pgvec.collection(index_plan.collection);
  helpers    int := least(current_setting('max_parallel_maintenance_workers')::int, current_setting('max_parallel_workers')::int);
  budget     float8 := coalesce(memory, (pgvec.server_memory()).bytes / 2);
  setting    float8 := pg_size_bytes(current_setting('maintenance_work_mem'));
  smallest   text := case when target.dimensions <= 2000 then target.storage when target.dimensions <= 4000 then 'halfvec' else 'binary' end;
  chosen     boolean := false;
  row_count  float8;
begin
  perform pgvec.check_index('hnsw', m, ef_construction, null);
  if memory is not null then
    perform pgvec.check_count('memory', memory, 1, 9223372036854775807);
  end if;
  execute format('select count(*) from %s as d where d.embedding is not null', target.relation) into row_count;
  for method, storage in
    select *
      from (values ('hnsw', 'vector'), ('hnsw', 'halfvec'), ('hnsw', 'binary'), ('ivfflat', smallest)) as o (method, storage)
     where not (o.storage = 'vector' and (target.storage = 'halfvec' or target.dimensions > 2000))
       and not (o.storage = 'halfvec' and target.dimensions > 4000)
       and not (o.method = 'ivfflat' and target.distance = 'l1' and o.storage <> 'binary')
  loop
    select n.build_bytes, n.index_bytes into build_bytes, index_bytes
      from pgvec.index_memory(method, storage, target.dimensions, row_count, m) as n;
    -- the server gives a worker to each 32 MB but the first
    workers := case when method = 'hnsw' then greatest(0, least(helpers, floor(greatest(least(build_bytes, budget), setting) / 33554432) - 1)) else 0 end;
    if workers > 0 then
      build_bytes := (pgvec.index_memory(method, storage, target.dimensions, row_count, m, workers => workers)).build_bytes;
    end if;
    fits := case when build_bytes <= setting then 'yes' when build_bytes <= budget then 'with settings' else 'no' end;
    seconds := null;
    recall := null;
    if measure and row_count > 1 then
      seconds := pgvec.build_seconds(target.name, method, storage, row_count, m, ef_construction)
                 / (1 + workers);
      recall := pgvec.quantization_recall(target.name, storage, greatest(5, least(20, 2e7 / row_count))::int);
    end if;

    recommended := not chosen and fits <> 'no' and (storage <> 'binary' or recall >= wanted_recall);
    chosen := chosen or recommended;
    maintenance_work_mem := ceil(greatest(least(1.05 * build_bytes, budget), setting) / 1048576) || 'MB';
    note := case
              when method = 'ivfflat' then format('build after loading; %s lists', pgvec.default_lists(row_count))
              when fits = 'no' then 'the graph outgrows memory: building goes on, many times slower'
              when storage = 'binary' and recall is null then 'measure its recall before you choose it'
              when storage = 'binary' and recall < wanted_recall then format('recall below %s', wanted_recall)
              when row_count < 10000 then 'an exact scan of so few rows takes some milliseconds'
              else ''
            end;
    return next;
  end loop;
end
$$;
comment on function pgvec.index_plan(text, int, int, boolean, bigint) is
  'The vector indexes that a collection could have: bytes on disk, bytes to build, whether these fit (yes: in maintenance_work_mem as it is; with settings: in memory, '
  'by default half of pgvec.server_memory), seconds to build from a sample, recall@10 that the storage itself allows, which one is recommended, and the settings to build it with. '
  'measure => false leaves out what takes time; binary is then never recommended. Raises PV001.';
revoke all on function pgvec.index_plan(text, int, int, boolean, bigint) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_removal', 'df14a2177dd5d488b20eabd5ea2cf4c52bde81acf693d3a6e1dfe3f9ee2520ab', '0.2.1', $pgvec_file$
-- pgvec.index_removal -- the statements that drop a vector index of a collection, whole or half built.
-- Texts, as DROP INDEX CONCURRENTLY cannot run inside a function. An index of partitions goes at once with all that are
-- attached to it, so what is left on partitions is of builds that were cut off.
create or replace function pgvec.index_removal(collection text, index_name text)
  returns setof text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(index_removal.collection);
  names  text := (select string_agg(quote_literal(i.name), ', ') from pgvec.vector_indexes(target.name) as i);
  item   record;
begin
  if not exists (select from pgvec.vector_indexes(target.name) as i where i.name = index_name) then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L has no vector index %s', target.name, pgvec.shown(index_name)),
      hint    = coalesce('its vector indexes: ' || names, 'it has none');
  end if;

  for item in
    select n.nspname, i.relname, i.relkind = 'I' as partitioned
      from pg_catalog.pg_index as x
      join pg_catalog.pg_class as i on i.oid = x.indexrelid
      join pg_catalog.pg_namespace as n on n.oid = i.relnamespace
      join pg_catalog.pg_am as m on m.oid = i.relam
     where x.indrelid = target.base and i.relname = index_name
        or m.amname in ('hnsw', 'ivfflat')
           and x.indrelid in (select p from pgvec.partitions(target.base) as p where p <> target.base)
           and not i.relispartition
     order by x.indrelid = target.base desc, i.relname
  loop
    return next format('drop index %s %I.%I', case when not item.partitioned then 'concurrently' end, item.nspname, item.relname);
  end loop;
end
$$;
comment on function pgvec.index_removal(text, text) is
  'DROP INDEX statements for a vector index of a collection, concurrently but for one over partitions. Raises PV001, and PV004 where there is no such index.';
revoke all on function pgvec.index_removal(text, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_sources', '8bf93bd95637904babcb03a82a1aa0e158724dfe4353d483f11b8ca7bef16041', '0.2.1', $pgvec_file$
-- pgvec.index_sources -- the index by which chunks of a source are found.
-- Where rows belong to tenants, the source comes first all the same: of two indexes that begin with the tenant the planner, which
-- knows of no tenant how many rows it has (pgvec.hide_statistics), took this one, the smaller, to look up a row by its key.
create or replace function pgvec.index_sources(collection text, relation regclass, access text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  execute format('create index %I on %s (source, %s chunk_index)', index_sources.collection || '_source_idx', relation,
                 case access when 'tenant' then 'tenant_id,' end);
end
$$;
comment on function pgvec.index_sources(text, regclass, text) is
  'Makes the index NAME_source_idx on the table of a collection: of source and chunk_index, between them the tenant for access tenant.';
revoke all on function pgvec.index_sources(text, regclass, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.index_storage', 'f4b9439c238bed411f93ea5bec548cc4767174671bfe911b480f11751d3bf85a', '0.2.1', $pgvec_file$
-- pgvec.index_storage -- what a vector index over a collection holds: as asked for, or the most exact that pgvector indexes.
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
$pgvec_file$);

select pg_temp.apply_function('pgvec.insert_search', 'b8721ba7e0aaddc8c84821d7e3b421708efcdac5f231a4c044b31f5ae7f202c5', '0.2.1', $pgvec_file$
-- pgvec.insert_search -- a row of the log of searches: straight from a search, or as it was announced.
create or replace function pgvec.insert_search(entry jsonb)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  insert into pgvec.search_log
         (collection, searched_at, function, route, requested, returned, ms, top_score, tenants, filtered, sample, query_text, query_filter, query_embedding)
  select l.collection, l.searched_at, l.function, l.route, l.requested, l.returned, l.ms, l.top_score, l.tenants, l.filtered, l.sample,
         l.query_text, l.query_filter, l.query_embedding
    from jsonb_populate_record(null::pgvec.search_log, jsonb_strip_nulls(entry)) as l;
end
$$;
comment on function pgvec.insert_search(jsonb) is 'Adds a row to pgvec.search_log, given as an object with its columns, with an id of its own.';
revoke all on function pgvec.insert_search(jsonb) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.installation_checks', '691ae3926c5f165cbbec54f43b5af57df0ea21e0cf867361d5303946ef3b55f0', '0.2.1', $pgvec_file$
-- pgvec.installation_checks -- the functions that check the installation as a whole, in order; for a collection: pgvec.collection_checks.
create or replace function pgvec.installation_checks()
  returns text[]
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select array['pgvec.verify_server', 'pgvec.verify_installation', 'pgvec.verify_grants', 'pgvec.verify_privileges',
               'pgvec.verify_roles', 'pgvec.verify_settings', 'pgvec.verify_foreign', 'pgvec.verify_reach']
$$;
comment on function pgvec.installation_checks() is 'The names of the functions that check server, functions, extension and privileges, each without arguments.';
revoke all on function pgvec.installation_checks() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.is_api_of', 'cfe9f78170f7a8ebcb4dac7c74837fd84402869321dae1f0b3b7562d45cb3505', '0.2.1', $pgvec_file$
-- pgvec.is_api_of -- whether pgvec.create_collection_api made a function for a collection, which its name, owner and comment tell.
-- So that a function of somebody else's with such a name is neither altered nor dropped.
create or replace function pgvec.is_api_of(collection text, routine oid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select exists (
           select
             from pg_catalog.pg_proc as p
            where p.oid = routine
              and p.pronamespace = 'public'::regnamespace
              and pg_has_role(p.proowner, (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'), 'member')
              and (p.proname, obj_description(p.oid, 'pg_proc')) in (
                    ('match_' || collection, format('match_documents of collection %s.', collection)),
                    ('kw_match_' || collection, format('kw_match_documents of collection %s.', collection)),
                    ('hybrid_search_' || collection, format('hybrid_search of collection %s.', collection))))
$$;
comment on function pgvec.is_api_of(text, oid) is
  'Whether a function of schema public is match_NAME, kw_match_NAME or hybrid_search_NAME of a collection.';
revoke all on function pgvec.is_api_of(text, oid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.is_ours', '8b1b75ce7d9127ccfd63c8c739845d30ca435c1af050891848561487bbc673f9', '0.2.1', $pgvec_file$
-- pgvec.is_ours -- whether a function was made by this engine beyond doubt, so that it may be altered without asking.
-- Not so one of another's in schema pgvec, nor any of several that share a name.
create or replace function pgvec.is_ours(routine oid)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select exists (
           select
             from pg_catalog.pg_proc as p
             join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
            where p.oid = routine
              and (exists (select from pgvec.function_history as h where h.name = format('%s.%s', n.nspname, p.proname))
                     and not exists (select from pg_catalog.pg_proc as o where o.pronamespace = p.pronamespace and o.proname = p.proname and o.oid <> p.oid)
                   or n.nspname = 'public' and exists (select from pgvec.collections as c where pgvec.is_api_of(c.name, p.oid))))
$$;
comment on function pgvec.is_ours(oid) is 'Whether a function is one that this engine''s ledger or pgvec.create_collection_api made, and the only one of its name.';
revoke all on function pgvec.is_ours(oid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.is_trusted', 'd032277f3c27b71da1655392eebb7f736d672592adcb3e404966cef482442715', '0.2.1', $pgvec_file$
-- pgvec.is_trusted -- whether a role may work on a table without having something of a weaker role's run by that.
-- Whoever owns a table decides what runs when it is touched: triggers, policies, casts of its columns' types. So a function
-- that runs as its owner touches only tables whose owner (and that of each partition or child) is no weaker; and it writes
-- only those on which no weaker role may make triggers, or has made some.
create or replace function pgvec.is_trusted(relation regclass, to_write boolean default false, acting name default current_user)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with recursive parts (part) as (
         select is_trusted.relation::oid
          union
         select i.inhrelid from pg_catalog.pg_inherits as i join parts as p on p.part = i.inhparent)
  select not exists (
           select
             from parts as p
             join pg_catalog.pg_class as r on r.oid = p.part
            where not pg_has_role(r.relowner, is_trusted.acting, 'member')
               or is_trusted.to_write
                  and (exists (select
                                 from aclexplode(r.relacl) as a
                                where a.privilege_type = 'TRIGGER'
                                  and (a.grantee = 0 or not pg_has_role(a.grantee, is_trusted.acting, 'member')))
                       or exists (select from pgvec.foreign_code(array[r.oid::regclass]))))
$$;
comment on function pgvec.is_trusted(regclass, boolean, name) is
  'Whether the owner of a table and of its partitions is a role (by default the current user), a superuser or another member of that role. '
  'to_write: and no weaker role may make triggers on it, nor is one''s code called by its triggers, policies, defaults, constraints, indexes or rules.';
revoke all on function pgvec.is_trusted(regclass, boolean, name) from public;
select pgvec.grant_execute('pgvec.is_trusted(regclass, boolean, name)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.json_value', 'bf03a62deb4d99b99c8faea3649ad2bd8586928ebb78dd14eca6cb44e91c68c8', '0.2.1', $pgvec_file$
-- pgvec.json_value -- the SQL expression for a column of an adopted table as a value of its metadata.
-- Types of the server and of pgvector as they are, and domains over them; an enumeration and a list of them as text, by the way in
-- which the type itself prints, and anything else of somebody's own as one text.
create or replace function pgvec.json_value(row_name text, relation regclass, attnum int2)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with recursive bases (oid, typtype, typbasetype, typelem, typnamespace, depth) as (
         select t.oid, t.typtype, t.typbasetype, t.typelem, t.typnamespace, 0
           from pg_catalog.pg_attribute as a
           join pg_catalog.pg_type as t on t.oid = a.atttypid
          where a.attrelid = json_value.relation and a.attnum = json_value.attnum
          union all
         select t.oid, t.typtype, t.typbasetype, t.typelem, t.typnamespace, b.depth + 1
           from bases as b
           join pg_catalog.pg_type as t on t.oid = case when b.typtype = 'd' then b.typbasetype when b.typelem <> 0 and b.typtype = 'b' then b.typelem end),
       made_of as (
         select b.oid, b.typtype,
                b.typnamespace = 'pg_catalog'::regnamespace
                  or b.typnamespace = (select e.extnamespace from pg_catalog.pg_extension as e where e.extname = 'vector')
                     and exists (select from pg_catalog.pg_depend as d where d.objid = b.oid and d.deptype = 'e') as is_servers
           from bases as b
          order by b.depth desc
          limit 1),
       columns as (
         select format('%s.%I', row_name, a.attname) as value, a.atttypid in (select t.typarray from pg_catalog.pg_type as t where t.oid = m.oid) as is_list, m.*
           from pg_catalog.pg_attribute as a, made_of as m
          where a.attrelid = json_value.relation and a.attnum = json_value.attnum)
  select case
           when c.is_servers then c.value
           when c.typtype = 'e' and c.is_list and not exists (select from pg_catalog.pg_cast as k where k.castsource = c.oid and k.castfunc <> 0) then c.value || '::text[]'
           else format('case when %1$s is not null then format(''%%s'', %1$s) end', c.value)
         end
    from columns as c
$$;
comment on function pgvec.json_value(text, regclass, int2) is
  'The expression for a column of row_name, a row of a table, that jsonb_build_object can take without running a cast of anybody''s.';
revoke all on function pgvec.json_value(text, regclass, int2) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.keep_lexemes', 'db4573cc14ddf32262bc2b1fd39e0ad76cf75a0e62f181a087f209e022dedea7', '0.2.1', $pgvec_file$
-- pgvec.keep_lexemes -- has the keyword statistics of a collection kept from here on; pgvec.refresh_statistics counts what is there.
-- The weights stay beside the id, where a search reads thousands of them; it is the other columns that give way when a
-- row is too long for its page: the lexemes first, and as they are, since compression does not make them
-- shorter.
create or replace function pgvec.keep_lexemes(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(keep_lexemes.collection);
  key    name := coalesce((select a.id_column from pgvec.adoptions as a where a.collection = target.name and a.side is null), 'id');
  item   record;
begin
  if exists (select
               from pg_catalog.pg_attribute as a
              where a.attrelid = target.text_table
                and (a.attname = 'bm25' and a.attstorage <> 'm' or a.attname = 'fts' and a.attstorage <> 'e')) then  -- searches wait for it
    execute format('alter table %s alter column bm25 set storage main, alter column fts set storage external', target.text_table);
  end if;
  for item in
    select *
      from (values ('insert', 'referencing new table as new_rows'),
                   ('update', 'referencing new table as new_rows old table as old_rows'),
                   ('delete', 'referencing old table as old_rows'),
                   ('truncate', '')) as e (event, rows)
  loop
    execute format('create or replace trigger %I after %s on %s %s for each statement execute function pgvec.count_lexemes(%L, %L)',
                   target.name || '_count_' || item.event, item.event, target.text_table, item.rows, target.name, key);
    execute format('alter table %s enable trigger %I', target.text_table, target.name || '_count_' || item.event);
  end loop;

  insert into pgvec.bm25_parameters (collection, tenant, k1, b)
  select target.name, pgvec.no_tenant(), s.k1, s.b
    from pgvec.bm25_settings(target) as s
   where target.access <> 'tenant'
      on conflict do nothing;
end
$$;
comment on function pgvec.keep_lexemes(text) is
  'Puts the triggers on a collection''s table that keep the statistics of BM25. Raises PV001.';
revoke all on function pgvec.keep_lexemes(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.keyword_hits', '514f74f9b24a8aa4367ed44c2b1e25778b11703d03018de4fba2a1da8f7d6ca6', '0.2.1', $pgvec_file$
-- pgvec.keyword_hits -- the ids of the rows that score highest for a keyword query.
-- Candidates come from the GIN index of fts: a scan of the table would have to unpack the lexemes of every row, which the
-- planner does not see the cost of. Where the rarest words have found too few, all words are tried.
drop function if exists pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, text, jsonb);

create or replace function pgvec.keyword_hits(
    collection pgvec.collections, query pgvec.keyword_query, ranking text, match_count int, filter jsonb)
  returns pgvec.scored[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_seqscan = off
  set jit = off
as $$
declare
  within     record := pgvec.filter_condition(collection, filter);
  candidates tsquery;
  searched   text := collection.relation;
  hits       pgvec.scored[] := '{}'::pgvec.scored[];
begin
  if query.candidates is null then
    return hits;
  end if;
  if collection.tenants is not null and not pgvec.finds_alone(collection) then
    return pgvec.tenant_keyword_hits(collection.name, query, ranking, match_count, filter, collection.tenants[1]);
  end if;
  foreach candidates in array array[query.candidates, query.words] loop
    if collection.tenants is not null then
      searched := (pgvec.tenant_rows(collection, concat_ws(' and ', 'd.fts @@ $1', nullif(within.condition, '')), candidates, within.bound)).scanned;
    end if;
    execute format(
      $query$
      select array_agg((h.id, h.score)::pgvec.scored order by h.score desc, h.id)
        from (select d.id, %s as score
                from %s as d
               where d.fts @@ $1 %s
               order by score desc, d.id
               limit $3) as h
      $query$,
      pgvec.keyword_score(ranking), searched, 'and ' || nullif(within.condition, ''))
      into hits
      using candidates, within.bound, match_count, query.weights, query.words;
    exit when cardinality(hits) >= match_count or candidates = query.words;
  end loop;
  return coalesce(hits, '{}');
end
$$;
comment on function pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, jsonb) is
  'The match_count rows that score highest for a keyword query (pgvec.keyword_query) by a ranking (bm25, ts_rank, ts_rank_cd) '
  'and pass the filter: best first, ties by id. Under row level security those of a tenant are found by pgvec.tenant_keyword_hits. Raises PV003.';
revoke all on function pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, jsonb) from public;
select pgvec.grant_execute('pgvec.keyword_hits(pgvec.collections, pgvec.keyword_query, text, int, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.keyword_query', 'b8d4451892004351f9522cf073ef60ebb45585b9287a31c9d2deb4c368dc5628', '0.2.1', $pgvec_file$
-- pgvec.keyword_query -- a text to search for, ready to find rows and to score them.
-- Any of its words will do, since a question in plain language has words that no answer contains. Every word scores, by
-- how rare it is (idf); candidates come from the rarest, as many of them as stay within candidate_budget rows together (a
-- setting), and at least one: common words hardly change the order, and to read every row that has one takes long.
-- Quotes and minus signs mean something in what people type. A text of more words than they type is prose, a passage or a
-- prompt, and there they are punctuation.
-- Definer, since the statistics are nobody's to read. Planned once a session: for each call anew, as the planner would have
-- it, takes 0.6 ms of 0.9.
-- idf as Lucene has it, never negative: ln(1 + (N - n + 0.5) / (n + 0.5)).
drop function if exists pgvec.keyword_query(text, text);

create or replace function pgvec.keyword_query(collection text, query_text text, for_tenant uuid default null)
  returns pgvec.keyword_query
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  set plan_cache_mode = force_generic_plan
as $$
declare
  most_characters constant int := 100000;  -- to_tsvector takes 9 ms for them, and has a limit of its own
  most_words      constant int := 500;
  most_typed      constant int := 32;
  target   pgvec.collections := pgvec.scoped(keyword_query.collection, for_tenant);
  counted  uuid[] := coalesce(target.tenants, array[pgvec.no_tenant()]);
  budget   bigint := coalesce((target.settings ->> 'candidate_budget')::bigint, 20000);
  prose    text := left(coalesce(query_text, ''), most_characters);
  parsed   record;
  total    bigint := (select sum(t.documents) from pgvec.text_totals as t where t.collection = target.name and t.tenant = any (counted));
  given    bigint;
  kept     bigint;
  result   pgvec.keyword_query;
begin
  if regexp_count(prose, '\s+') < most_typed and regexp_count(prose, '"') <= most_typed then
    parsed := pgvec.parse_words(prose);
    prose := parsed.words;
    result.phrases := (select string_agg(format('"%s"', p), ' ') from unnest(parsed.phrases) as p);
    result.excluded := (select string_agg(format('-%s', x), ' ') from unnest(parsed.excluded) as x);
  end if;

  with lexemes as (
         select l.lexeme, max(coalesce(cardinality(l.positions), 1)) as times
           from unnest(pgvec.text_configurations(target.name, for_tenant)) as c (configuration)
          cross join lateral unnest(to_tsvector(c.configuration::regconfig, prose)) as l
          group by l.lexeme),
       frequencies as (
         select l.lexeme, f.documents,
                l.times * ln(1 + (greatest(total, f.documents) - f.documents + 0.5) / (f.documents + 0.5)) as weight,
                count(*) over () as given
           from lexemes as l
          cross join lateral (select coalesce(sum(x.documents), 0)::float8 as documents
                                from pgvec.lexemes as x
                               where x.collection = target.name
                                 and x.tenant = any (counted)
                                 and x.lexeme = l.lexeme) as f
          order by f.documents = 0, weight desc, l.lexeme
          limit most_words),
       words as (
         select format('''%s''', replace(replace(c.lexeme, e'\\', e'\\\\'), '''', '''''')) as word,
                ('x' || left(md5(c.lexeme), 7))::bit(28)::int + 1 as dimension,
                c.weight,
                c.documents,
                sum(c.documents) over (order by c.documents, c.lexeme) as documents_so_far,
                c.given
           from frequencies as c)
  select (string_agg(w.word, ' | ') filter (where w.documents_so_far <= greatest(budget, w.documents)))::tsquery,
         string_agg(w.word, ' | ')::tsquery,
         (select format('{%s}/268435456', string_agg(d.dimension || ':' || d.weight::float4, ','))::extensions.sparsevec
            from (select x.dimension, sum(x.weight) as weight from words as x group by x.dimension) as d),
         max(w.given),
         count(*)
    into result.candidates, result.words, result.weights, given, kept
    from words as w;

  if given > kept or length(query_text) > most_characters then
    raise notice using
      message = format('the query is too long: it is searched by %s of its words', kept),
      hint    = format('the first %s characters count, and of them the %s words that weigh most', most_characters, most_words);
  end if;
  return result;
end
$$;
comment on function pgvec.keyword_query(text, text, uuid) is
  'What to search a collection for: words (any of them), candidates (the rarest of them, that fewer rows have), '
  'weights (idf times occurrences, by dimension of pgvec.bm25_vector), phrases (in quotes) and excluded (each with a minus) of a text of at most 32 words. '
  'All null for a text without words. How rare a word is counts among the rows of for_tenant, or of all tenants of the caller. '
  'A text of more than 100,000 characters or 500 different words is cut, with a notice. Raises PV001 and PV006.';
revoke all on function pgvec.keyword_query(text, text, uuid) from public;
select pgvec.grant_execute('pgvec.keyword_query(text, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.keyword_score', '25d53adaf13de32e9845dd2d64e909a545e2b4a3b3ffe6cd4938072db61e7dcf', '0.2.1', $pgvec_file$
-- pgvec.keyword_score -- the SQL expression for what a row d scores.
-- $4 the weights of the query, $5 all its words.
create or replace function pgvec.keyword_score(ranking text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case ranking
           when 'bm25' then '-(d.bm25 operator(extensions.<#>) $4)'
           when 'ts_rank' then 'ts_rank(d.fts, $5)::float8'
           when 'ts_rank_cd' then 'ts_rank_cd(d.fts, $5)::float8'
         end
$$;
comment on function pgvec.keyword_score(text) is
  'The expression for the score of a row d by a ranking: bm25, ts_rank or ts_rank_cd. It reads the weights as $4 and the words as $5.';
revoke all on function pgvec.keyword_score(text) from public;
select pgvec.grant_execute('pgvec.keyword_score(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.keyword_statistics', 'c59f40e14d0fc7865693dbeb453b24410f3077a7906b3b4cb5bf8d365b9adb02', '0.2.1', $pgvec_file$
-- pgvec.keyword_statistics -- how far the statistics of BM25 are behind the rows, and whether it is time to refresh them.
-- Definer, since the statistics are nobody's to read; of the words themselves it tells nothing, and of tenants only the caller's,
-- unless the caller sees all rows anyway.
create or replace function pgvec.keyword_statistics(collection text)
  returns table (documents bigint, uncounted bigint, average_length float8, weights_made_for float8, refreshed_at timestamptz, due boolean)
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  tolerance constant float8 := 0.1;  -- of all rows, and of the average length
  target pgvec.collections := pgvec.collection(keyword_statistics.collection);
  told   uuid[] := case when target.access = 'tenant' and not pgvec.sees_all(target) then array(select t from pgvec.allowed_tenants() as t) end;
begin
  return query
    select coalesce(sum(t.documents), 0)::bigint,
           coalesce(sum(t.uncounted), 0)::bigint,
           sum(t.positions)::float8 / nullif(sum(t.documents), 0)::float8,
           sum(p.average_length * t.documents) / nullif(sum(t.documents), 0)::float8,
           min(p.renewed_at),
           coalesce(sum(t.uncounted) > tolerance * sum(t.documents + t.uncounted)
                    or bool_or(p.average_length is null and t.positions > 0)
                    or bool_or(abs(t.positions::float8 / nullif(t.documents, 0) / p.average_length - 1) > tolerance)
                    or bool_or((p.k1, p.b) <> (s.k1, s.b)), false)
      from (select x.tenant, sum(x.documents)::bigint as documents, sum(x.positions)::bigint as positions, sum(x.uncounted)::bigint as uncounted
              from pgvec.text_totals as x
             where x.collection = target.name
               and (told is null or x.tenant = any (told))
             group by x.tenant) as t
      left join pgvec.bm25_parameters as p on p.collection = target.name and p.tenant = t.tenant
     cross join pgvec.bm25_settings(target) as s;
end
$$;
comment on function pgvec.keyword_statistics(text) is
  'Rows whose words are counted, rows changed since (uncounted), the average length in words now and when the BM25 weights were made, when that was, '
  'and whether pgvec.refresh_statistics is due: '
  'where a tenth of the rows is uncounted, the average, of a tenant at least, has moved by a tenth or is not known yet, or the settings k1 or b have changed. '
  'Where rows belong to tenants: of the caller''s, or of all for who sees all rows. Raises PV001.';
revoke all on function pgvec.keyword_statistics(text) from public;
select pgvec.grant_execute('pgvec.keyword_statistics(text)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.list_collections', 'cf8852b21e10169c3236f6920d2f8f6633ee43a9d8bcac39be786ad87059071e', '0.2.1', $pgvec_file$
-- pgvec.list_collections -- every collection with what it holds, for people and for pgvec-admin collection list.
create or replace function pgvec.list_collections()
  returns table (
    name text, relation text, rows bigint, embedded bigint, stale bigint, dimensions int, distance text,
    storage text, access text, language text, model text, indexes text[], size_bytes bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c order by c.name
  loop
    -- a table that was dropped behind our back is listed too, without counts
    select null::bigint, null::bigint, null::bigint, null::bigint into rows, embedded, stale, size_bytes;
    if exists (select from pg_catalog.pg_class as r where r.oid = item.base) then
      execute format('select count(*), count(d.embedding), count(*) filter (where d.embedded_hash is distinct from d.content_hash) from %s as d', item.relation)
        into rows, embedded, stale;
      size_bytes := (select sum(pg_total_relation_size(p)) from pgvec.partitions(item.base) as p);
      indexes := array(select i.name from pgvec.vector_indexes(item.name) as i where i.valid);
      relation := (select format('%I.%I', n.nspname, r.relname)
                     from pg_catalog.pg_class as r
                     join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
                    where r.oid = item.base);
    else
      indexes := '{}';
      relation := null;
    end if;
    name := item.name;
    dimensions := item.dimensions;
    distance := item.distance;
    storage := item.storage;
    access := item.access;
    language := item.language;
    model := item.model;
    return next;
  end loop;
end
$$;
comment on function pgvec.list_collections() is
  'Every collection: its table (null where it was dropped), exact counts of rows, embedded rows and rows whose embedding is missing or stale, '
  'its definition, its valid vector indexes, and its size with indexes in bytes. Counts by scanning.';
revoke all on function pgvec.list_collections() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.list_tenants', '32c21f705c86177972923eb83d3ab8f6171be09d9f71eb73fc77720c4fca5257', '0.2.1', $pgvec_file$
-- pgvec.list_tenants -- whose rows there are: for operators, who see all.
create or replace function pgvec.list_tenants(tenant uuid default null)
  returns table (collection text, tenant_id uuid, documents bigint, embedded bigint, members bigint, updated_at timestamptz)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c where c.access = 'tenant' and has_table_privilege(c.relation, 'select') is not null order by c.name
  loop
    return query execute format(
      $query$
      select $1, d.tenant_id, count(*), count(d.embedding),
             (select count(*) from pgvec.memberships as m where m.tenant_id = d.tenant_id), max(d.updated_at)
        from %s as d
       where $2 is null
          or d.tenant_id = $2
       group by d.tenant_id
       order by d.tenant_id
      $query$, item.relation)
      using item.name, tenant;
  end loop;
end
$$;
comment on function pgvec.list_tenants(uuid) is
  'For each collection with tenants and each tenant, or one: rows, rows with an embedding, members (pgvec.memberships), and when a row was last changed.';
revoke all on function pgvec.list_tenants(uuid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.log_search', '8e32f90944d2a0389efcbdd4bd5c8ea71b45554021190ecd818531a0d3909fcb', '0.2.1', $pgvec_file$
-- pgvec.log_search -- a search's row in the log, without ever failing the search or making it wait.
-- The search functions call it, for any who may search; definer, since the log is not theirs to write. Whoever calls it
-- directly can log searches that never were: it is no audit log.
-- The lock that an insert needs is taken only where it is free: TRUNCATE, ALTER and the like make rows fail to appear, not
-- searches wait. What can go wrong besides is listed, by classes of errors; being cancelled is not among them.
-- In a read-only transaction, as PostgREST gives to stable functions, there is no insert. There the row is announced, if
-- somebody listens: pgvec-admin log collect holds the advisory lock that tells, and inserts it. A standby can do neither.
-- A line in the server's log would always be possible, but the server adds the statement to it, and with it the text.
create or replace function pgvec.log_search(
    collection text,
    function text,
    route text,
    requested int,
    returned int,
    started timestamptz,
    ms float8,
    top_score float8,
    for_tenant uuid,
    filter jsonb,
    query_text text,
    query_embedding extensions.vector)
  returns void
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections;
  entry  jsonb;
begin
  target := pgvec.scoped(log_search.collection, for_tenant);
  if target.log_sample is null or function not in ('match_documents', 'keyword_search', 'hybrid_search') then
    return;
  end if;
  entry := jsonb_build_object(
    'collection', target.name,
    'searched_at', least(started, clock_timestamp()),
    'function', function,
    'route', left(route, 100),
    'requested', requested,
    'returned', returned,
    'ms', ms,
    'top_score', top_score,
    'tenants', target.tenants,
    'filtered', coalesce(filter, '{}') <> '{}',
    'sample', target.log_sample,
    'query_text', case when target.log_texts then left(query_text, 10000) end,
    'query_filter', case when target.log_texts and filter <> '{}' then filter end,
    'query_embedding', case when target.log_embeddings then query_embedding::text end);

  if current_setting('transaction_read_only')::boolean then
    perform pgvec.announce_search(entry);
  else
    lock table pgvec.search_log in row exclusive mode nowait;
    perform pgvec.insert_search(entry);
  end if;
exception
  when object_not_in_prerequisite_state           -- locked
    or syntax_error_or_access_rule_violation      -- gone, altered, not ours
    or integrity_constraint_violation
    or data_exception
    or plpgsql_error                              -- a trigger of somebody's
    or invalid_transaction_state                  -- read only
    or feature_not_supported
    or insufficient_resources                     -- no space
    or program_limit_exceeded
    or system_error
    or internal_error
    or sqlstate 'PV001' or sqlstate 'PV006' then  -- the collection was dropped meanwhile, the tenant taken away
    null;
end
$$;
comment on function pgvec.log_search(text, text, text, int, int, timestamptz, float8, float8, uuid, jsonb, text, extensions.vector) is
  'Logs a search of a collection whose searches are logged (pgvec.log_searches), if that can be done without waiting.';
revoke all on function pgvec.log_search(text, text, text, int, int, timestamptz, float8, float8, uuid, jsonb, text, extensions.vector) from public;
select pgvec.grant_execute('pgvec.log_search(text, text, text, int, int, timestamptz, float8, float8, uuid, jsonb, text, extensions.vector)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.log_searches', '90f4d8123e4f398f6115185efd9725ef013c9aaf94d490a099aade1025d45816', '0.2.1', $pgvec_file$
-- pgvec.log_searches -- turns the log of searches on or off for a collection, and says what goes into it.
-- It answers what an operator asks: are searches slow, which, since when, and do people find what they look for. Texts and
-- vectors are people's own words, so they are logged only when asked for.
create or replace function pgvec.log_searches(
    collection text,
    sample float8 default 0.1,
    keep interval default '30 days',
    texts boolean default false,
    embeddings boolean default false)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(log_searches.collection);
begin
  if coalesce(sample, 0) not between 0 and 1 or (keep > interval '0') is not true then
    raise exception using
      errcode = 'PV004',
      message = format('sample cannot be %s, or keep %s', sample, coalesce(keep::text, 'null')),
      hint    = 'sample: a share between 0 (off) and 1 (all searches); keep: an interval, for example ''30 days''';
  end if;

  update pgvec.collections as c
     set log_sample = nullif(log_searches.sample, 0),
         log_keep = keep,
         log_texts = coalesce(texts, false),
         log_embeddings = coalesce(embeddings, false)
   where c.name = target.name;
end
$$;
comment on function pgvec.log_searches(text, float8, interval, boolean, boolean) is
  'From now on logs a share of the searches of a collection in pgvec.search_log: sample 0.1 is a tenth, 0 or null none. keep: rows older than that are removed by '
  'pgvec.prune_search_log. texts: with the text and the filter. embeddings: with the vector. Raises PV001, PV004.';
revoke all on function pgvec.log_searches(text, float8, interval, boolean, boolean) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.logged_embeddings', '7cc3c9effb1fe1f7fe43f5da1443470b738a308fd2a99065e7706add43cc3d8f', '0.2.1', $pgvec_file$
-- pgvec.logged_embeddings -- match_documents_embeddings of several tenants, whose searches are logged: see pgvec.logged_match_documents.
-- For one tenant, or none, it makes one call, which is logged as any.
create or replace function pgvec.logged_embeddings(
    collection pgvec.collections, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, for_tenant uuid)
  returns table (id text, content text, metadata jsonb, similarity float8, embedding extensions.vector)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started timestamptz := clock_timestamp();
  ended   timestamptz;
  found   int := 0;
  top     float8;
begin
  perform set_config('pgvec.search_log', 'nothing', true);
  for id, content, metadata, similarity, embedding in
    select m.id, m.content, m.metadata, m.similarity, m.embedding
      from public.match_documents_embeddings(query_embedding, match_count, filter, match_threshold, collection.name, for_tenant) as m
  loop
    found := found + 1;
    top := greatest(top, similarity);
    return next;
  end loop;
  ended := clock_timestamp();
  if random() < collection.log_sample then
    perform pgvec.log_search(
      collection.name, 'match_documents', current_setting('pgvec.search_log'), pgvec.clamp_count(match_count, 100), found,
      started, extract(epoch from 1000 * (ended - started))::float8, top, for_tenant, filter, null, query_embedding);
  end if;
  perform set_config('pgvec.search_log', '', true);
end
$$;
comment on function pgvec.logged_embeddings(pgvec.collections, extensions.vector, int, jsonb, float8, uuid) is
  'match_documents_embeddings, and the row of pgvec.search_log where the sample wants it. Errors as match_documents_embeddings.';
revoke all on function pgvec.logged_embeddings(pgvec.collections, extensions.vector, int, jsonb, float8, uuid) from public;
select pgvec.grant_execute('pgvec.logged_embeddings(pgvec.collections, extensions.vector, int, jsonb, float8, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.logged_hybrid_search', 'ed7d3e9b9014b648a1b55864518f45a9537cf14edf06ed679f136ffff54474ca', '0.2.1', $pgvec_file$
-- pgvec.logged_hybrid_search -- hybrid_search of a collection whose searches are logged: see pgvec.logged_match_documents.
create or replace function pgvec.logged_hybrid_search(
    collection pgvec.collections,
    query_text text,
    query_embedding extensions.vector,
    match_count int,
    full_text_weight float8,
    semantic_weight float8,
    rrf_k int,
    fusion text,
    filter jsonb,
    match_threshold float8,
    ranking text,
    for_tenant uuid,
    candidates int,
    group_by text,
    diversity float8,
    recency_field text,
    half_life interval,
    autocut boolean)
  returns table (
    id text, content text, metadata jsonb, score float8, similarity float8, keyword_score float8, semantic_rank bigint, keyword_rank bigint)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started timestamptz := clock_timestamp();
  ended   timestamptz;
  found   int := 0;
  top     float8;
begin
  perform set_config('pgvec.search_log', 'nothing', true);
  for id, content, metadata, score, similarity, keyword_score, semantic_rank, keyword_rank in
    select h.id, h.content, h.metadata, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
      from public.hybrid_search(
             query_text, query_embedding, match_count, full_text_weight, semantic_weight, rrf_k, fusion, filter, match_threshold, ranking,
             collection.name, for_tenant, candidates, group_by, diversity, recency_field, half_life, autocut) as h
  loop
    found := found + 1;
    top := greatest(top, score);
    return next;
  end loop;
  ended := clock_timestamp();
  if random() < collection.log_sample then
    perform pgvec.log_search(
      collection.name, 'hybrid_search', 'hybrid', pgvec.clamp_count(match_count, 10), found,
      started, extract(epoch from 1000 * (ended - started))::float8, top, for_tenant, filter, query_text, query_embedding);
  end if;
  perform set_config('pgvec.search_log', '', true);
end
$$;
comment on function pgvec.logged_hybrid_search(
    pgvec.collections, text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, uuid, int, text, float8, text, interval, boolean) is
  'hybrid_search, and the row of pgvec.search_log where the sample wants it. Errors as hybrid_search.';
revoke all on function pgvec.logged_hybrid_search(
    pgvec.collections, text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, uuid, int, text, float8, text, interval, boolean) from public;
select pgvec.grant_execute(
  'pgvec.logged_hybrid_search(
     pgvec.collections, text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, uuid, int, text, float8, text, interval, boolean)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.logged_keyword_search', 'eef2fe2e090deb19dde78636732376dc601313698119bd58e142a976619c3ee4', '0.2.1', $pgvec_file$
-- pgvec.logged_keyword_search -- keyword_search of a collection whose searches are logged: see pgvec.logged_match_documents.
create or replace function pgvec.logged_keyword_search(
    collection pgvec.collections,
    query_text text,
    match_count int,
    filter jsonb,
    ranking text,
    for_tenant uuid,
    highlight boolean,
    match_threshold float8)
  returns table (id text, content text, metadata jsonb, score float8, headline text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started timestamptz := clock_timestamp();
  ended   timestamptz;
  found   int := 0;
  top     float8;
begin
  perform set_config('pgvec.search_log', 'nothing', true);
  for id, content, metadata, score, headline in
    select k.id, k.content, k.metadata, k.score, k.headline
      from public.keyword_search(query_text, match_count, filter, ranking, collection.name, for_tenant, highlight, match_threshold) as k
  loop
    found := found + 1;
    top := greatest(top, score);
    return next;
  end loop;
  ended := clock_timestamp();
  if random() < collection.log_sample then
    perform pgvec.log_search(
      collection.name, 'keyword_search', 'keyword', pgvec.clamp_count(match_count, 10), found,
      started, extract(epoch from 1000 * (ended - started))::float8, top, for_tenant, filter, query_text, null);
  end if;
  perform set_config('pgvec.search_log', '', true);
end
$$;
comment on function pgvec.logged_keyword_search(pgvec.collections, text, int, jsonb, text, uuid, boolean, float8) is
  'keyword_search, and the row of pgvec.search_log where the sample wants it. Errors as keyword_search.';
revoke all on function pgvec.logged_keyword_search(pgvec.collections, text, int, jsonb, text, uuid, boolean, float8) from public;
select pgvec.grant_execute('pgvec.logged_keyword_search(pgvec.collections, text, int, jsonb, text, uuid, boolean, float8)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.logged_match_documents', '9eb2f67b6507588f458921e1cac0be8d87558410eb10c6345a6bbc6fb04450da', '0.2.1', $pgvec_file$
-- pgvec.logged_match_documents -- match_documents of a collection whose searches are logged.
-- It calls match_documents again, with the setting pgvec.search_log saying that this one is within another, and so are all
-- that it calls: a search is logged once, as its caller made it. The setting comes back with the route. After an error it is
-- what it was, as settings are.
create or replace function pgvec.logged_match_documents(
    collection pgvec.collections, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, for_tenant uuid, distance text)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  started timestamptz := clock_timestamp();
  ended   timestamptz;
  found   int := 0;
  top     float8;
begin
  perform set_config('pgvec.search_log', 'nothing', true);
  for id, content, metadata, similarity in
    select m.id, m.content, m.metadata, m.similarity
      from public.match_documents(query_embedding, match_count, filter, match_threshold, collection.name, for_tenant, distance) as m
  loop
    found := found + 1;
    top := greatest(top, similarity);
    return next;
  end loop;
  ended := clock_timestamp();
  if random() < collection.log_sample then
    perform pgvec.log_search(
      collection.name, 'match_documents', current_setting('pgvec.search_log'), pgvec.clamp_count(match_count, 100), found,
      started, extract(epoch from 1000 * (ended - started))::float8, top, for_tenant, filter, null, query_embedding);
  end if;
  perform set_config('pgvec.search_log', '', true);
end
$$;
comment on function pgvec.logged_match_documents(pgvec.collections, extensions.vector, int, jsonb, float8, uuid, text) is
  'match_documents, and the row of pgvec.search_log where the sample wants it. Errors as match_documents.';
revoke all on function pgvec.logged_match_documents(pgvec.collections, extensions.vector, int, jsonb, float8, uuid, text) from public;
select pgvec.grant_execute('pgvec.logged_match_documents(pgvec.collections, extensions.vector, int, jsonb, float8, uuid, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.maintain_adopted', '56a9f207b42ea50d2f53c9f4d9d63981b1c77fcdbde6ccbda07d8d5b74e447a6', '0.2.1', $pgvec_file$
-- pgvec.maintain_adopted -- what an adopted table keeps beside itself, or in its added columns, on insert and update.
-- As pgvec.maintain_document does for collections of our own: a new vector counts as made from the row's present content.
-- Definer, since who may write the table has no business in the side table; it writes only of the row in hand. Where the table's
-- owner has changed the type of a column that it uses, it leaves the row alone rather than running casts of that owner's, or
-- stopping the application's write: verify tells.
create or replace function pgvec.maintain_adopted()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections;
  adopted pgvec.adoptions;
  text_now text;
  fresh   boolean;  -- a vector that was not there before; null where there is none
  product float8;
  id      text;
  lexemes tsvector;
  made_with pgvec.bm25_parameters;
begin
  select c.* into target
    from pgvec.collections as c
   where c.name = tg_argv[0]
     and (c.base = tg_relid or c.base = pg_partition_root(tg_relid));
  if not found then
    perform pgvec.refuse_trigger(tg_argv[0], tg_relid);
  elsif pgvec.foreign_columns(target) <> '{}' then
    return new;
  end if;
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute format(
    $query$
    select %1$s, ($1).%2$I::text,
           case when ($1).%3$I is not null then coalesce(($1).%3$I operator(extensions.<>) ($2).%3$I, true) end
    $query$, pgvec.adopted_content(adopted, '($1)'), adopted.id_column, target.embedding_column)
    into text_now, id, fresh
    using new, case when tg_op = 'UPDATE' then old end;

  if fresh then
    execute format('select ($1).%1$I operator(extensions.<#>) ($1).%1$I', target.embedding_column)
      into product
      using new;
    if product in (0, '-infinity') then
      raise exception using
        errcode = 'PV005',
        message = format('the embedding of row %s of %I.%I is %s', pgvec.shown(id), tg_table_schema, tg_table_name,
                         case product when 0 then 'a zero vector' else 'too long a vector to compare' end),
        hint    = 'a zero vector has no direction, and lengths beyond 1.8e19 overflow; store null until there is an embedding';
    end if;
  end if;

  lexemes := to_tsvector(target.language::regconfig, text_now);
  select p.* into made_with
    from pgvec.bm25_parameters as p
   where p.collection = target.name
     and p.tenant = pgvec.no_tenant();
  if adopted.side is null then
    if new.bm25 is null or tg_op = 'INSERT' or new.content_hash is distinct from md5(text_now) then
      new.bm25 := pgvec.bm25_vector(lexemes, made_with.average_length, made_with.k1, made_with.b);
    end if;
    new.fts := lexemes;
    new.content_hash := md5(text_now);
    if fresh is null then
      new.embedded_hash := null;
    elsif fresh and (tg_op = 'INSERT' or new.embedded_hash is not distinct from old.embedded_hash) then
      new.embedded_hash := new.content_hash;
    end if;
    return new;
  end if;

  execute format(
    $query$
    insert into %1$s as s (id, fts, bm25, content_hash, embedded_hash)
    values ($1::%2$s, $2, $5, md5($3), case when $4 then md5($3) end)
    on conflict (id) do update
       set fts = excluded.fts,
           bm25 = excluded.bm25,
           content_hash = excluded.content_hash,
           embedded_hash = case when $4 then excluded.embedded_hash when not $4 then s.embedded_hash end
    $query$, adopted.side, adopted.id_type)
    using id, lexemes, text_now, fresh, pgvec.bm25_vector(lexemes, made_with.average_length, made_with.k1, made_with.b);
  return null;
end
$$;
comment on function pgvec.maintain_adopted() is
  'Trigger of an adopted table: keeps fts, bm25, content_hash and embedded_hash in its side table or its added columns, '
  'and raises PV005 for a zero vector and one beyond single precision. '
  'PV004 on a table that is not the collection''s. Argument: the collection.';
revoke all on function pgvec.maintain_adopted() from public;
select pgvec.grant_execute('pgvec.maintain_adopted()', 'owner');
$pgvec_file$);

select pg_temp.apply_function('pgvec.maintain_document', '9cf25779da390f4428d79175ba94918b810b8edba9e5c765ad2f0ebdce0a4f36', '0.2.1', $pgvec_file$
-- pgvec.maintain_document -- what a collection's table keeps by itself, on every insert and update.
-- content_hash follows the content; embedded_hash is the hash of the content that the embedding was made from, so an
-- embedding is stale exactly when the two differ. A new vector counts as made from the row's present content unless
-- the writer says otherwise by setting embedded_hash. bm25 is made anew where the text changes, and where it is null.
-- Definer, since the parameters of the weights are nobody's to read. So nobody but the owner may attach it; it works on the
-- table of the collection alone; and where a weaker role owns that, only while its columns have the types they were made with,
-- since assigning to another one could run code of that role's.
-- The arguments are the collection's text search configuration and its name, and `tenant` where rows belong to tenants.
-- Lengths of texts are compared within a tenant: else scores would tell of the others' texts.
create or replace function pgvec.maintain_document()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  is_new        constant boolean := tg_op = 'INSERT';
  new_text      boolean;
  new_embedding boolean := false;
  new_weights   boolean := false;
  belongs_to    uuid := '00000000-0000-0000-0000-000000000000'::uuid;  -- pgvec.no_tenant
  parameters    pgvec.bm25_parameters;
begin
  perform
    from pgvec.collections as c
    join pg_catalog.pg_class as r on r.oid = tg_relid
   where c.name = tg_argv[1]
     and (c.base = r.oid or r.relispartition and c.base = pg_partition_root(r.oid))
     and (pg_get_userbyid(r.relowner) = current_user or pgvec.foreign_columns(c) = '{}');
  if not found then
    perform pgvec.refuse_trigger(tg_argv[1], tg_relid);
  end if;

  new_text := is_new or new.content is distinct from old.content or new.language is distinct from old.language;
  if new_text then
    new.content_hash := md5(new.content);
    if new.language !~ '^[a-z_]+$' then  -- an oid, which may be that of nothing, or a name in a schema
      perform pgvec.text_search_configuration(new.language);
    end if;
    new.fts := to_tsvector(coalesce(new.language, tg_argv[0])::regconfig, new.content);
  else
    new.content_hash := old.content_hash;
    new.fts := old.fts;
    new_weights := new.bm25 is null or new.bm25 operator(extensions.<>) old.bm25;
  end if;
  if tg_argv[2] = 'tenant' then
    belongs_to := new.tenant_id;
    new_text := new_text or new.tenant_id <> old.tenant_id;
  end if;
  if new_text or new.bm25 is null then
    select p.* into parameters
      from pgvec.bm25_parameters as p
     where p.collection = tg_argv[1]
       and p.tenant = belongs_to;
    if not found then
      select s.k1, s.b into parameters.k1, parameters.b from pgvec.bm25_settings(pgvec.collection(tg_argv[1])) as s;
    end if;
    new.bm25 := pgvec.bm25_vector(
      new.fts, coalesce(parameters.average_length, pgvec.running_length(tg_argv[1], belongs_to, new.fts)), parameters.k1, parameters.b);
  end if;

  if new.embedding is null then
    new.embedded_hash := null;
  else
    -- nested, since the record old is not assigned on insert
    if is_new then
      new_embedding := true;
    elsif old.embedding is null or new.embedding operator(extensions.<>) old.embedding then
      new_embedding := true;
    end if;

    if new_embedding and new.embedding operator(extensions.<#>) new.embedding in (0, '-infinity') then
      raise exception using
        errcode = 'PV005',
        message = format('the embedding of row %s of %I.%I is %s', pgvec.shown(new.id), tg_table_schema, tg_table_name,
                         case new.embedding operator(extensions.<#>) new.embedding when 0 then 'a zero vector' else 'too long a vector to compare' end),
        hint    = 'a zero vector has no direction, and lengths beyond 1.8e19 overflow; store null until there is an embedding';
    end if;

    if is_new then
      new.embedded_hash := coalesce(new.embedded_hash, new.content_hash);
    elsif new_embedding and new.embedded_hash is not distinct from old.embedded_hash then
      new.embedded_hash := new.content_hash;
    end if;
  end if;

  -- new weights of the same text are no change
  if not (is_new or new_weights) then
    new.updated_at := now();
  end if;
  return new;
end
$$;
comment on function pgvec.maintain_document() is
  'Trigger of every collection''s table: keeps content_hash, embedded_hash, fts, bm25 and updated_at, and raises PV005 for a zero vector and one beyond single precision. '
  'PV004 on a table that is not the collection''s. '
  'Arguments: the collection''s text search configuration, used where a row has no language of its own, its name, and tenant where rows have tenant_id.';
revoke all on function pgvec.maintain_document() from public;
select pgvec.grant_execute('pgvec.maintain_document()', 'owner');
$pgvec_file$);

select pg_temp.apply_function('pgvec.make_policies', 'eb348a34ea6e07c9ba3d9b5da3bb857252bd20d263e336ec43e16886c788c8eb', '0.2.1', $pgvec_file$
-- pgvec.make_policies -- the policies of a collection's table that its access says, made anew where they are there.
-- The subquery around the tenants is evaluated once a query, and leaves the condition one that the primary key serves.
create or replace function pgvec.make_policies(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(make_policies.collection);
  readers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
  writers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles(case target.access when 'tenant' then 'member' else 'writer' end) as r);
  visible text := case target.access
                    when 'open' then 'true'
                    when 'tenant' then 'tenant_id = any (array(select pgvec.allowed_tenants()))'
                  end;
  policy  name;
begin
  if visible is null then
    return;
  end if;

  for policy in
    select p.polname
      from pg_catalog.pg_policy as p
     where p.polrelid = target.relation
       and p.polname in ('read_all', 'insert_all', 'update_all', 'delete_all')
  loop
    execute format('drop policy %I on %s', policy, target.relation);
  end loop;
  if readers is not null then
    execute format('create policy read_all on %s for select to %s using (%s)', target.relation, readers, visible);
  end if;
  if writers is not null then
    execute format('create policy insert_all on %s for insert to %s with check (%s)', target.relation, writers, visible);
    execute format('create policy update_all on %s for update to %s using (%s) with check (%s)', target.relation, writers, visible, visible);
    execute format('create policy delete_all on %s for delete to %s using (%s)', target.relation, writers, visible);
  end if;
end
$$;
comment on function pgvec.make_policies(text) is
  'Makes the policies of a collection''s table anew: for access open (all rows) and tenant (those of pgvec.allowed_tenants, which users may write as well), '
  'for the reading and writing roles there are. Policies of other names, and grants, stay as they are. Raises PV001.';
revoke all on function pgvec.make_policies(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.merge_staged', 'b8b947de4aad4036522b6664d72e8e89c7810d5d13b6bcc5b383f0662eca2aec', '0.2.1', $pgvec_file$
-- pgvec.merge_staged -- brings the staged rows into a collection, so that loading the same again changes nothing.
-- Rows that are the same are left alone. Changed ones are updated, keeping their embedding until there is a new one
-- (it is stale then, exactly where the text changed). A chunk that only moved within its source takes its embedding
-- along. Rows are met in the order of their ids, so that two loads of the same rows wait for each other instead of
-- deadlocking.
drop function if exists pgvec.merge_staged(text, text[], int[], boolean);

create or replace function pgvec.merge_staged(
    collection text,
    complete_sources text[] default '{}',
    chunk_counts int[] default '{}',
    reuse_embeddings boolean default false,
    for_tenant uuid default null)
  returns table (inserted bigint, updated bigint, unchanged bigint, removed bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  -- a batch is sorted in memory
  set work_mem = '64MB'
as $$
declare
  target pgvec.collections := pgvec.writable(merge_staged.collection, for_tenant);
  own    text := pgvec.of_tenant(target, 'r');
  tenant text := quote_literal(target.tenants[1]) || ', ';
begin
  if to_regclass('pg_temp.staged_documents') is null then
    raise exception using
      errcode = 'PV004',
      message = 'nothing is staged',
      hint    = format('select pgvec.begin_staging(%L), then fill pg_temp.staged_documents in the same transaction', target.name);
  end if;
  unchanged := pgvec.skip_unchanged(target);

  -- rows are looked up one by one, by their keys: the planner knows nothing of a table that was just filled, nor of a tenant
  execute format(
    $query$
    select
      from (select s.id from pg_temp.staged_documents as s order by s.id) as s
     cross join lateral (select from %1$s as r where r.id = s.id %2$s for update) as d
    $query$, target.relation, own);
  get diagnostics updated = row_count;

  if reuse_embeddings then
    execute format(
      $query$
      update pg_temp.staged_documents as s
         set embedding = f.embedding
        from (select x.position, d.embedding
                from pg_temp.staged_documents as x
               cross join lateral (
                     select r.embedding
                       from %1$s as r
                      where r.source = x.source %2$s
                        and r.content_hash = md5(x.content)
                        and r.embedded_hash = r.content_hash
                      limit 1) as d
               where x.embedding is null) as f
       where s.position = f.position
      $query$, target.relation, own);
  end if;

  -- a row that is there conflicts, and is updated: found by the index of the key, whatever the planner thinks
  execute format(
    $query$
    insert into %1$s as d (%3$s id, source, chunk_index, content, metadata, embedding)
    select %4$s s.id, s.source, s.chunk_index, s.content, s.metadata, s.embedding::extensions.%2$I
      from pg_temp.staged_documents as s
     order by s.id
        on conflict (%3$s id) do update
       set source = excluded.source,
           chunk_index = excluded.chunk_index,
           content = excluded.content,
           metadata = excluded.metadata,
           embedding = coalesce(excluded.embedding, d.embedding),
           embedded_hash = case when excluded.embedding is null then d.embedded_hash else md5(excluded.content) end
    $query$, target.relation, target.storage, case when tenant is not null then 'tenant_id,' end, tenant);
  get diagnostics inserted = row_count;
  inserted := inserted - updated;

  -- only what a load has numbered: a row with an id of its own is nobody's chunk
  execute format(
    $query$
    delete from %1$s as d
     using unnest($1, $2) as c (source, chunks)
     cross join lateral (
           select r.* from %1$s as r
            where r.source = c.source
              and r.chunk_index >= c.chunks
              and r.id = r.source || '#' || r.chunk_index %2$s
           offset 0) as f
     where d.id = f.id %3$s
    $query$, target.relation, own, case when tenant is not null then 'and d.tenant_id = f.tenant_id' end)
    using complete_sources, chunk_counts;
  get diagnostics removed = row_count;

  truncate pg_temp.staged_documents;
  return next;
end
$$;
comment on function pgvec.merge_staged(text, text[], int[], boolean, uuid) is
  'Upserts the rows of the temporary table staged_documents (pgvec.begin_staging) into a collection by id, empties it, and counts: inserted, updated, unchanged, removed. '
  'complete_sources with chunk_counts: sources that end here and how many chunks each has; chunks numbered beyond are removed. '
  'reuse_embeddings: a row without an embedding takes that of a row of the same source with the same content. '
  'for_tenant: whose rows they are, where rows belong to tenants. '
  'Raises PV001 for an unknown collection, PV006 for a tenant that is not the caller''s, PV005 for a zero vector, 22000 for other dimensions.';
revoke all on function pgvec.merge_staged(text, text[], int[], boolean, uuid) from public;
select pgvec.grant_execute('pgvec.merge_staged(text, text[], int[], boolean, uuid)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.metadata_condition', '13711964fad509d833d8717f51932726463323c0f43183a02a1615dc60183f63', '0.2.1', $pgvec_file$
-- pgvec.metadata_condition -- a filter over a jsonb expression as an SQL condition: its containment and its jsonpath, which a
-- GIN index serves, and patterns (pgvec.pattern_condition).
create or replace function pgvec.metadata_condition(root text, filter jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  plain    jsonb := filter;
  parts    text[] := '{}'::text[];
  part     text;
  compiled record;
  item     record;
begin
  if filter::text ~ '"\$i?like"' then
    for item in
      select e.key, e.value from jsonb_each(filter) as e where jsonb_build_object(e.key, e.value)::text ~ '"\$i?like"'
    loop
      plain := plain - item.key;
      select p.bound, p.condition into bound, part
        from pgvec.pattern_condition(root, root, '@', jsonb_build_object(item.key, item.value), bound) as p;
      parts := parts || part;
    end loop;
  end if;

  compiled := pgvec.compile_filter(plain);
  -- an empty containment is left out: the planner takes it for one row in ten thousand and goes astray
  if compiled.path is not null then
    parts := format('%s @? ($2 ->> %s)::jsonpath', root, jsonb_array_length(bound)) || parts;
    bound := bound || jsonb_build_array(compiled.path::text);
  end if;
  if compiled.containment <> '{}' then
    parts := format('%s @> ($2 -> %s)', root, jsonb_array_length(bound)) || parts;
    bound := bound || jsonb_build_array(compiled.containment);
  end if;
  condition := array_to_string(parts, ' and ');
end
$$;
comment on function pgvec.metadata_condition(text, jsonb, jsonb) is
  'The condition for a filter on root, an SQL expression of type jsonb, empty for none, and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.metadata_condition(text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.metadata_condition(text, jsonb, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.nearest_lexemes', '2c83b2d050179ea3a0ee07c22ae65b11398d0ef4c6ec212344e3d599b89d06d4', '0.2.1', $pgvec_file$
-- pgvec.nearest_lexemes -- for each word of a text that no row has, the most similar lexeme that rows have.
-- Similarity is that of pg_trgm (trigrams in common over trigrams in all), which is not needed for it. Typing errors seldom
-- concern the first letter or change the length by more than two, so only such lexemes are compared. Of several the one
-- that more rows have is meant more likely.
-- Definer, since the statistics are nobody's to read. Where policies decide who sees which rows it tells nothing.
drop function if exists pgvec.nearest_lexemes(text, text);

create or replace function pgvec.nearest_lexemes(collection text, query_text text, for_tenant uuid default null)
  returns table (word text, lexeme tsquery)
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
  with target as (
         select s.name, s.language, coalesce(s.tenants, array[pgvec.no_tenant()]) as tenants
           from pgvec.scoped(nearest_lexemes.collection, for_tenant) as s
          where s.access <> 'policy'),
       unknown as (
         select t.name, t.tenants, p.token, l.lexeme
           from target as t
          cross join lateral (select distinct p.token from ts_parse('default', left(query_text, 1000)) as p where p.token ~ '^\w{3,}$') as p
          cross join lateral unnest(to_tsvector(t.language::regconfig, p.token)) as l
          where coalesce((select sum(x.documents) from pgvec.lexemes as x where x.collection = t.name and x.tenant = any (t.tenants) and x.lexeme = l.lexeme), 0) = 0),
       alike as (
         select distinct u.token, k.lexeme, k.documents, s.similarity
           from unknown as u
          cross join lateral (
                select x.lexeme, sum(x.documents) as documents
                  from pgvec.lexemes as x
                 where x.collection = u.name
                   and x.tenant = any (u.tenants)
                   and left(x.lexeme, 1) = left(u.lexeme, 1)
                   and abs(length(x.lexeme) - length(u.lexeme)) <= 2
                 group by x.lexeme
                having sum(x.documents) > 0) as k
          cross join lateral (
                select count(*) filter (where g.sides = 2)::float8 / count(*) as similarity
                  from (select count(*) as sides
                          from (select distinct w.word, substr('  ' || w.word || ' ', i, 3) as trigram
                                  from (values (u.lexeme), (k.lexeme)) as w (word), generate_series(1, length(w.word) + 1) as i) as t
                         group by t.trigram) as g) as s
          where s.similarity >= 0.3)
  select distinct on (s.token) s.token, format('''%s''', replace(replace(s.lexeme, e'\\', e'\\\\'), '''', ''''''))::tsquery
    from alike as s
   order by s.token, s.similarity ^ 3 * ln(1 + s.documents) desc, s.lexeme
$$;
comment on function pgvec.nearest_lexemes(text, text, uuid) is
  'For each word of a text whose lexeme no row has, the most similar lexeme that some have, as a query for it. '
  'Similarity is that of pg_trgm, at least 0.3, and frequent ones are preferred. '
  'The rows are those of for_tenant, or of all tenants of the caller; none for a collection whose access is policy.';
revoke all on function pgvec.nearest_lexemes(text, text, uuid) from public;
select pgvec.grant_execute('pgvec.nearest_lexemes(text, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.no_tenant', '0734157864a5d2a4607136b485d17113737b7f615a770931814dbf2890fa553d', '0.2.1', $pgvec_file$
-- pgvec.no_tenant -- whom the statistics of a collection without tenants are kept under.
create or replace function pgvec.no_tenant()
  returns uuid
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return '00000000-0000-0000-0000-000000000000'::uuid;
end
$$;
comment on function pgvec.no_tenant() is 'The nil uuid, which stands for all rows of a collection without tenants.';
revoke all on function pgvec.no_tenant() from public;
select pgvec.grant_execute('pgvec.no_tenant()', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.note_index', '30ef4ec0bd8610e8919218df967b814d301bc5f56ce3d4811042dc112a7f21db', '0.2.1', $pgvec_file$
-- pgvec.note_index -- remembers which vector index serves a collection, and by which queries, so that searches need not look.
-- The search for it would take a tenth of a small search's time. Where nobody notes, or the index is gone, they do look.
create or replace function pgvec.note_index(collection text)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(note_index.collection);
  best   record := pgvec.index_kind(target, target.distance);
  found  regclass;
  search text := pgvec.query_template(target, target.distance, best.kind);
  scan   text := pgvec.query_template(target, target.distance, null);
begin
  select to_regclass(format('%I.%I', n.nspname, i.name)) into found
    from pgvec.vector_indexes(target.name) as i
    join pg_catalog.pg_class as b on b.oid = target.base
    join pg_catalog.pg_namespace as n on n.oid = b.relnamespace
   where i.valid
     and i.distance = target.distance
     and i.method = best.method
     and i.storage = case best.kind when 'column' then target.storage else best.kind end
   limit 1;
  if target.access <> 'open' and (target.base = target.relation or target.text_table <> target.base) then
    perform pgvec.hide_statistics(target.name);  -- of an index over an expression
  end if;
  update pgvec.collections as c
     set search_index = found,
         search_index_oid = found,
         search_kind = best.kind,
         search_method = best.method,
         search_query = search,
         scan_query = scan
   where c.name = target.name
     and (c.search_index, c.search_index_oid, c.search_kind, c.search_method, c.search_query, c.scan_query)
         is distinct from (found::text, found::oid, best.kind, best.method, search, scan);
  return found;
end
$$;
comment on function pgvec.note_index(text) is
  'Notes the vector index that searches of a collection use, and their queries, after one was built or dropped (pgvec-admin index does it), and returns it; null for none. '
  'Searches are right without it, and a little slower. Raises PV001.';
revoke all on function pgvec.note_index(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.note_load', '02c444fd7c3f518e46e9c8a554308d54c104d39c99d0297dcba9c5e478f16d85', '0.2.1', $pgvec_file$
-- pgvec.note_load -- notes how far a load has come, together with the batch that brought it there; or that it has ended.
-- Definer, since resume points tell of files: a caller notes, and sees, those of its own tenant.
create or replace function pgvec.note_load(
    collection text, source text, fingerprint text default null, "position" bigint default null, last_id text default null)
  returns void
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.writable(note_load.collection, null);
  owner_of constant uuid := coalesce(target.tenants[1], pgvec.no_tenant());
begin
  if note_load."position" is null then
    delete from pgvec.loads as l where l.collection = target.name and l.tenant = owner_of and l.source = note_load.source;
    return;
  end if;
  insert into pgvec.loads as l (collection, tenant, source, fingerprint, position, last_id)
  values (target.name, owner_of, note_load.source, note_load.fingerprint, note_load."position", note_load.last_id)
      on conflict on constraint loads_pkey do update
     set fingerprint = excluded.fingerprint,
         position = excluded.position,
         last_id = excluded.last_id,
         updated_at = now();
end
$$;
comment on function pgvec.note_load(text, text, text, bigint, text) is
  'Notes the resume point of a load into a collection, for the caller''s tenant where rows belong to tenants: the file, a hash of the file and of the load''s options, '
  'how many of its documents are stored and the last id; a null position removes it. Raises PV001, PV004 for an adopted table, PV006.';
revoke all on function pgvec.note_load(text, text, text, bigint, text) from public;
select pgvec.grant_execute('pgvec.note_load(text, text, text, bigint, text)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.note_parameters', '77fc16c5d6d4a10a569e7a3a635f5388ac3e6d658373bfaedc3d3ead7eed2b00', '0.2.1', $pgvec_file$
-- pgvec.note_parameters -- what the weights of a collection, or of a tenant's rows, are made with from now on.
create or replace function pgvec.note_parameters(collection pgvec.collections, tenant uuid, average_length float8, documents bigint)
  returns pgvec.bm25_parameters
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  update pgvec.bm25_parameters as p
     set average_length = note_parameters.average_length,
         documents      = note_parameters.documents,
         k1             = s.k1,
         b              = s.b,
         renewed_at     = now()
    from pgvec.bm25_settings(note_parameters.collection) as s
   where p.collection = (note_parameters.collection).name
     and p.tenant = note_parameters.tenant
  returning p.*
$$;
comment on function pgvec.note_parameters(pgvec.collections, uuid, float8, bigint) is
  'Sets the average length and the settings k1 and b of the collection (pgvec.bm25_settings) in pgvec.bm25_parameters, and returns the row.';
revoke all on function pgvec.note_parameters(pgvec.collections, uuid, float8, bigint) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.note_route', 'b12bfc7092be3d49aa667515181bd1cd3d6d77a9193bbe3a97f68024050b25b6', '0.2.1', $pgvec_file$
-- pgvec.note_route -- leaves a search's route to the log: in the setting that says that this search is within a logged one.
create or replace function pgvec.note_route(steps pgvec.search_step[], step pgvec.search_step)
  returns void
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform set_config(
    'pgvec.search_log',
    case when steps[1].kind <> coalesce(step.kind, '') then pgvec.route_name(steps[1].kind) || ', then ' else '' end || pgvec.route_name(step.kind),
    true);
end
$$;
comment on function pgvec.note_route(pgvec.search_step[], pgvec.search_step) is
  'Sets pgvec.search_log to the route of a search: of its first step, and of the one that found enough. steps: null where there was but one.';
revoke all on function pgvec.note_route(pgvec.search_step[], pgvec.search_step) from public;
select pgvec.grant_execute('pgvec.note_route(pgvec.search_step[], pgvec.search_step)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.noted_loads', '9e821fdd5472543e514b2c5fa54978eeda61ed238ba552d9fc693306a9914a07', '0.2.1', $pgvec_file$
-- pgvec.noted_loads -- the resume points of a collection that are the caller's to see: those of its tenant.
-- Definer, since resume points of others tell of their files.
create or replace function pgvec.noted_loads(collection text)
  returns table (source text, fingerprint text, "position" bigint, last_id text)
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  target pgvec.collections := pgvec.scoped(noted_loads.collection, null);
begin
  return query
    select l.source, l.fingerprint, l.position, l.last_id
      from pgvec.loads as l
     where l.collection = target.name
       and l.tenant = any (coalesce(target.tenants, array[pgvec.no_tenant()]))
     order by l.source;
end
$$;
comment on function pgvec.noted_loads(text) is
  'The resume points of loads into a collection, of the caller''s tenants where rows belong to tenants. Raises PV001 and PV006.';
revoke all on function pgvec.noted_loads(text) from public;
select pgvec.grant_execute('pgvec.noted_loads(text)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.of_tenant', 'e933c59df320bbeda46925eeedfeb8bb141da2249b9e38260001d4c436bfff2b', '0.2.1', $pgvec_file$
-- pgvec.of_tenant -- the condition that a row (d, unless it is named) belongs to the tenant of a collection (pgvec.writable).
drop function if exists pgvec.of_tenant(pgvec.collections);

create or replace function pgvec.of_tenant(collection pgvec.collections, row_name text default 'd')
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return format('and %s.tenant_id = ', row_name) || quote_literal(collection.tenants[1]);
end
$$;
comment on function pgvec.of_tenant(pgvec.collections, text) is 'and row_name.tenant_id = ... for the one tenant of a collection; null where it has none.';
revoke all on function pgvec.of_tenant(pgvec.collections, text) from public;
select pgvec.grant_execute('pgvec.of_tenant(pgvec.collections, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.oldest_client', 'ed4cf67324c0d6e557a1ba59707f61c18894afeb60285549e3552231c1a73752', '0.2.1', $pgvec_file$
-- pgvec.oldest_client -- the oldest release of the command that may work with these functions.
-- Raised by the release whose changes an older command would get wrong. The command reads the text between the quotes
-- from the catalog, so that it needs no right to call and finds nothing, rather than an error, where there is no engine.
create or replace function pgvec.oldest_client()
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select '0.2.1'
$$;
comment on function pgvec.oldest_client() is
  'The oldest release (as pgvec.version has it) of pgvec-admin that may work with this installation. Older ones refuse, and say so.';
revoke all on function pgvec.oldest_client() from public;
select pgvec.grant_execute('pgvec.oldest_client()', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.operator_predicate', '1d95e47ebaabf5636c07a036c181d288a8f1bb458def07e633fff44f9d1162ad', '0.2.1', $pgvec_file$
-- pgvec.operator_predicate -- one operator of a filter as a jsonpath predicate.
create or replace function pgvec.operator_predicate(accessor text, operator text, operand jsonb)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  perform pgvec.check_operand(accessor, operator, operand);
  case operator
    when '$eq' then
      return format('(%s == %s)', accessor, operand);
    when '$ne' then
      return format('!exists($ ? (%s == %s))', accessor, operand);
    when '$gt', '$gte', '$lt', '$lte' then
      return format('(%s %s %s)', accessor,
                    case operator when '$gt' then '>' when '$gte' then '>=' when '$lt' then '<' else '<=' end,
                    operand);
    when '$between' then
      return format('(%1$s >= %2$s && %1$s <= %3$s)', accessor, operand -> 0, operand -> 1);
    when '$in', '$nin' then
      return format(
        '%s(%s))',
        case operator when '$in' then '(' else '!exists($ ? ' end,
        coalesce((select string_agg(format('%s == %s', accessor, e.value), ' || ') from jsonb_array_elements(operand) as e), '1 == 0'));
    when '$exists' then
      return format('%sexists($ ? (exists(%s)))', case when operand = 'true' then '' else '!' end, accessor);
    when '$like', '$ilike' then
      raise exception using
        errcode = 'PV003',
        message = format('filter operator %s is no jsonpath', operator),
        hint    = 'searches compile it to LIKE: pgvec.metadata_condition';
    when '$contains' then
      return pgvec.contained_predicate(accessor, jsonb_build_array(operand));
    when '$containsAll' then
      return pgvec.contained_predicate(accessor, operand);
    when '$containsAny' then
      return format(
        'exists(%s[*] ? (%s))', accessor,
        coalesce((select string_agg(format('@ == %s', e.value), ' || ') from jsonb_array_elements(operand) as e), '1 == 0'));
  end case;
end
$$;
comment on function pgvec.operator_predicate(text, text, jsonb) is
  'The jsonpath predicate of an operator such as $gte with its operand, over what accessor names. '
  'Raises PV003 for an unknown operator, an operand that it cannot take, and patterns.';
revoke all on function pgvec.operator_predicate(text, text, jsonb) from public;
select pgvec.grant_execute('pgvec.operator_predicate(text, text, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.our_functions', '3c8a85517657df57325d7c0a690c6fd746d5d4d9f5667999e9b33e1720319718', '0.2.1', $pgvec_file$
-- pgvec.our_functions -- the functions of this engine: all of schema pgvec, and those in public that the ledger or a collection has made.
create or replace function pgvec.our_functions()
  returns setof pg_catalog.pg_proc
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select p.*
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
   where n.nspname = 'pgvec'
      or n.nspname = 'public'
         and (exists (select from pgvec.function_history as h where h.name = 'public.' || p.proname)
              or exists (select
                           from pgvec.collections as c
                          where p.proname in ('match_' || c.name, 'kw_match_' || c.name, 'hybrid_search_' || c.name)
                            and pgvec.is_api_of(c.name, p.oid)))
$$;
comment on function pgvec.our_functions() is 'The rows of pg_proc of this engine''s functions, those of pgvec.create_collection_api included.';
revoke all on function pgvec.our_functions() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.parse_documents', 'a8be99ab6055b8b9a707d09e84104f06ce2169a15526acf4a5a9ea06abaf9277', '0.2.1', $pgvec_file$
-- pgvec.parse_documents -- the rows that a caller of upsert_documents sent, checked: an array of objects.
create or replace function pgvec.parse_documents(collection pgvec.collections, documents jsonb)
  returns jsonb
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  known constant text[] := '{id,content,metadata,embedding,source,chunk_index,language}'::text[];
  given jsonb := case jsonb_typeof(documents) when 'array' then documents else jsonb_build_array(documents) end;
  wrong record;
begin
  select d.place, d.fault into wrong
    from (select e.place,
                 case
                   when jsonb_typeof(e.doc) is distinct from 'object' then 'is no object'
                   when e.doc - known <> '{}' then
                     format('has an unknown key %s', (select pgvec.shown(k) from jsonb_object_keys(e.doc - known) as k order by k limit 1))
                   when jsonb_typeof(e.doc -> 'content') is distinct from 'string' and (e.doc ? 'content' or not e.doc ? 'id') then 'has no text as content'
                   when jsonb_typeof(e.doc -> 'id') not in ('string', 'number') then 'has an id that is neither text nor a number'
                   when e.doc ->> 'id' = '' then 'has an empty id'
                   when jsonb_typeof(e.doc -> 'source') not in ('string', 'number', 'null') then 'has a source that is no text'
                   when jsonb_typeof(e.doc -> 'language') not in ('string', 'null') then 'has a language that is no text'
                   when e.doc ->> 'chunk_index' !~ '^-?\d{1,10}$' then 'has a chunk_index that is no integer'
                   when (e.doc ->> 'chunk_index')::bigint not between -2147483648 and 2147483647 then 'has a chunk_index beyond 2147483647'
                   when jsonb_typeof(e.doc -> 'metadata') not in ('object', 'null') then 'has metadata that is no object'
                   when jsonb_typeof(e.doc -> 'embedding') not in ('array', 'string', 'null') or e.doc -> 'embedding' @? 'strict $[*] ? (@.type() != "number")' then 'has an embedding that is no array of numbers'
                 end as fault
            from jsonb_array_elements(given) with ordinality as e (doc, place)) as d
   where d.fault is not null
   order by d.place
   limit 1;
  if found then
    raise exception using
      errcode = 'PV004',
      message = format('document %s of %s %s', wrong.place, jsonb_array_length(given), wrong.fault),
      hint    = format('an array of objects with the keys %s', array_to_string(known, ', '));
  end if;

  perform pgvec.text_search_configuration(l.language)
     from (select distinct e.doc ->> 'language' as language from jsonb_array_elements(given) as e (doc)) as l
    where l.language is not null;

  select e.place, extensions.vector_dims((e.doc ->> 'embedding')::extensions.vector) as dimensions into wrong
    from jsonb_array_elements(given) with ordinality as e (doc, place)
   where extensions.vector_dims((e.doc ->> 'embedding')::extensions.vector) <> collection.dimensions
   limit 1;
  if found then
    raise exception using
      errcode = 'PV002',
      message = format('the embedding of document %s has %s dimensions, collection %L has %s', wrong.place, wrong.dimensions, collection.name, collection.dimensions),
      hint    = case
                  when collection.model is null then 'one collection holds vectors of one model; make another for this one'
                  else format('the collection''s model is %s', collection.model)
                end;
  end if;
  return given;
end
$$;
comment on function pgvec.parse_documents(pgvec.collections, jsonb) is
  'The documents of upsert_documents as an array of objects. '
  'Raises PV004 for what is none, or has unknown keys, values of another type or an unknown language, and PV002 for other dimensions.';
revoke all on function pgvec.parse_documents(pgvec.collections, jsonb) from public;
select pgvec.grant_execute('pgvec.parse_documents(pgvec.collections, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.parse_filter', '618c6c4fb33602dc1e80b0e4dcda6d40d086c05eed2fd47b2ad1b0e4e57cc25a', '0.2.1', $pgvec_file$
-- pgvec.parse_filter -- the filter argument of a search as an object.
-- Clients send null for "no filter", and some send the object as a JSON string, which would silently match nothing.
-- The limits keep a hostile filter from costing more than a search: a jsonpath is walked by recursion.
create or replace function pgvec.parse_filter(filter jsonb)
  returns jsonb
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb := coalesce(filter, '{}');
begin
  if jsonb_typeof(wanted) = 'string' then
    begin
      wanted := (wanted #>> '{}')::jsonb;
    exception when data_exception or statement_too_complex then
      raise exception using
        errcode = 'PV003',
        message = format('the filter is a string that is not JSON: %s', left(filter::text, 80)),
        hint    = 'pass an object such as {"lang": "en"}, not its text';
    end;
  end if;

  if jsonb_typeof(wanted) = 'null' then
    return '{}'::jsonb;
  end if;
  if jsonb_typeof(wanted) <> 'object' then
    raise exception using
      errcode = 'PV003',
      message = format('the filter is of type %s, not an object', jsonb_typeof(wanted)),
      hint    = 'pass an object such as {"lang": "en"}: rows whose metadata contains it';
  end if;

  if length(wanted::text) > 65536 then
    raise exception using
      errcode = 'PV003',
      message = format('the filter has %s characters, more than 65536', length(wanted::text)),
      hint    = 'mark the rows you mean in their metadata, and filter by that';
  end if;
  if wanted @? 'strict $.**{13}' then
    raise exception using
      errcode = 'PV003',
      message = 'the filter is nested deeper than 12 levels',
      hint    = 'flatten it: {"$and": [{"$and": [a, b]}, c]} is {"$and": [a, b, c]}';
  end if;
  return wanted;
end
$$;
comment on function pgvec.parse_filter(jsonb) is
  'The filter argument of a search as an object: null is {}, a JSON string is parsed. '
  'Raises PV003 for anything else, for more than 65,536 characters and for more than 12 levels.';
revoke all on function pgvec.parse_filter(jsonb) from public;
select pgvec.grant_execute('pgvec.parse_filter(jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.parse_words', 'a984e788de683e0d6b77bb8a0a7ae5532ab5215cb920c413edf5dc38a93f39e6', '0.2.1', $pgvec_file$
-- pgvec.parse_words -- the parts of a text to search for: words, "quoted phrases" and words or phrases with a minus.
-- A minus counts at the beginning of a word only, so state-of-the-art is three words. A lone quote is ignored.
create or replace function pgvec.parse_words(query_text text, out words text, out phrases text[], out excluded text[])
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with wanted as (
         select regexp_replace(parse_words.query_text, '(^|\s)-("[^"]*"|[^\s"]+)', ' ', 'g') as kept)
  select replace(w.kept, '"', ' '),
         array(select m[1] from regexp_matches(w.kept, '"([^"]+)"', 'g') as m),
         array(select m[1] from regexp_matches(parse_words.query_text, '(?:^|\s)-("[^"]*"|[^\s"]+)', 'g') as m)
    from wanted as w
$$;
comment on function pgvec.parse_words(text) is
  'Splits a text to search for: words (those of quoted phrases too), phrases (what is quoted), excluded (what has a minus before it).';
revoke all on function pgvec.parse_words(text) from public;
select pgvec.grant_execute('pgvec.parse_words(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.partitions', '95645766b459c942d39ddcdf5ffbeffad8909eaf445d6188a8ffbfe1f5eee8fd', '0.2.1', $pgvec_file$
-- pgvec.partitions -- the tables that hold a table's rows: its partitions, or itself.
create or replace function pgvec.partitions(relation regclass)
  returns setof regclass
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select i.inhrelid::regclass
      from pg_catalog.pg_inherits as i
     where i.inhparent = partitions.relation
     order by i.inhrelid;
  if not found then
    return next relation;
  end if;
end
$$;
comment on function pgvec.partitions(regclass) is 'The partitions of a table or of an index, in the order of their making; of one that has none, itself.';
revoke all on function pgvec.partitions(regclass) from public;
select pgvec.grant_execute('pgvec.partitions(regclass)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.pattern_condition', '9ea078a72f1cb6c41ec7860f3f997fa33ed52a2e1a81ffa7e8d02a6e34b07f57', '0.2.1', $pgvec_file$
-- pgvec.pattern_condition -- a part of a filter that has $like or $ilike in it, as an SQL condition.
-- jsonpath knows only regular expressions, of which the server keeps 32: a filter with one more compiles every pattern again for
-- every row (33 long ones over 2,000 rows took 163 seconds). LIKE compiles nothing. So what stands around a pattern, $and, $or,
-- $not and keys, becomes SQL as well; what has no pattern stays jsonpath.
create or replace function pgvec.pattern_condition(
    root text, value_of text, accessor text, conditions jsonb, inout bound jsonb, out condition text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  parts  text[] := '{}'::text[];
  nested text[];
  part   text;
  item   record;
  branch jsonb;
begin
  for item in
    select e.key, e.value, jsonb_typeof(e.value) as kind, jsonb_build_object(e.key, e.value)::text ~ '"\$i?like"' as has_pattern from jsonb_each(conditions) as e
  loop
    if item.key in ('$and', '$or') then
      perform pgvec.check_conditions(item.key, item.value);
      nested := '{}';
      for branch in
        select jsonb_array_elements(item.value)
      loop
        select p.bound, p.condition into bound, part from pgvec.pattern_condition(root, value_of, accessor, branch, bound) as p;
        nested := nested || part;
      end loop;
      part := array_to_string(nested, case item.key when '$and' then ' and ' else ' or ' end);
    elsif item.key = '$not' then
      perform pgvec.check_conditions(item.key, item.value);
      select p.bound, format('(%s) is not true', p.condition) into bound, part from pgvec.pattern_condition(root, value_of, accessor, item.value, bound) as p;
    elsif item.key in ('$like', '$ilike') then
      perform pgvec.check_operand(accessor, item.key, item.value);
      part := format('jsonb_typeof(%1$s) = ''string'' and (%1$s #>> ''{}'') %2$s ($2 ->> %3$s)', value_of, substr(item.key, 2), jsonb_array_length(bound));
      bound := bound || jsonb_build_array(item.value);
    elsif item.has_pattern and item.kind = 'object' and item.key not like '$%' then
      part := format('%s -> ($2 ->> %s)', value_of, jsonb_array_length(bound));
      bound := bound || jsonb_build_array(item.key);
      select p.bound, p.condition into bound, part from pgvec.pattern_condition(root, part, accessor || '.' || to_json(item.key), item.value, bound) as p;
    else
      part := format('%s @? ($2 ->> %s)::jsonpath', root, jsonb_array_length(bound));
      bound := bound || jsonb_build_array(format('strict $ ? (%s)', pgvec.filter_predicate(accessor, jsonb_build_object(item.key, item.value))));
    end if;
    parts := parts || format('(%s)', part);
  end loop;
  condition := coalesce(nullif(array_to_string(parts, ' and '), ''), 'true');
end
$$;
comment on function pgvec.pattern_condition(text, text, text, jsonb, jsonb) is
  'The condition for a part of a filter about value_of, which stands at accessor (a jsonpath) of root, both SQL expressions of type jsonb, '
  'and the values, appended to bound, that it reads as $2. Raises PV003.';
revoke all on function pgvec.pattern_condition(text, text, text, jsonb, jsonb) from public;
select pgvec.grant_execute('pgvec.pattern_condition(text, text, text, jsonb, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.prepare_bench', 'd5ebb74fb2aa60686f7b03ec7771f1a2cc62ba9676383daec46ba023d44ad1c2', '0.2.1', $pgvec_file$
-- pgvec.prepare_bench -- copies rows of a collection into temporary tables, to try indexes on.
-- Queries are rows that are left out of the copy, or given ones. Their true neighbours are found by exact scans. Nobody
-- else sees the tables, and they end with the session, however it ends.
create or replace function pgvec.prepare_bench(
    collection text,
    row_limit int default 100000,
    queries int default 100,
    match_count int default 10,
    query_embeddings extensions.vector[] default null)
  returns table (rows bigint, of_rows bigint, queries_used bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target     pgvec.collections := pgvec.collection(prepare_bench.collection);
  copy       pgvec.collections := target;
  query      record;
  neighbours text[];
begin
  perform pgvec.check_count('row_limit', row_limit, 1, 2147483647);
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 1000);
  drop table if exists pg_temp.pgvec_bench_rows, pg_temp.pgvec_bench_queries;
  execute format('select count(*) from %s as d where d.embedding is not null', target.relation) into of_rows;
  create temporary table pgvec_bench_queries (id text, embedding extensions.vector, expected text[]);
  if query_embeddings is null then
    execute format(
      $query$
      insert into pg_temp.pgvec_bench_queries (id, embedding)
      select d.id, d.embedding
        from %s as d
       where d.embedding is not null
       order by md5(d.id)
       limit least($1, $2 / 2)
      $query$, target.relation)
      using queries, of_rows;
  else
    insert into pg_temp.pgvec_bench_queries (embedding)
    select e from unnest(query_embeddings) as e;
    perform pgvec.check_query_embedding(target, e) from unnest(query_embeddings) as e;
  end if;

  execute format(
    $query$
    create temporary table pgvec_bench_rows as
    select d.id, ''::text as content, '{}'::jsonb as metadata, d.embedding
      from %s as d
     where d.embedding is not null
       and d.id not in (select q.id from pg_temp.pgvec_bench_queries as q where q.id is not null)
     order by md5(d.id) desc
     limit %s
    $query$, target.relation, row_limit);
  get diagnostics rows = row_count;
  analyze pg_temp.pgvec_bench_rows;

  copy.relation := 'pg_temp.pgvec_bench_rows'::regclass;
  for query in
    select q.ctid as place, q.embedding from pg_temp.pgvec_bench_queries as q
  loop
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q', pgvec.vector_query(copy, target.distance, '', null))
      into neighbours
      using query.embedding, null::jsonb, match_count;
    update pg_temp.pgvec_bench_queries as q set expected = neighbours where q.ctid = query.place;
  end loop;
  queries_used := (select count(*) from pg_temp.pgvec_bench_queries);
  return next;
end
$$;
comment on function pgvec.prepare_bench(text, int, int, int, extensions.vector[]) is
  'Copies at most row_limit embedded rows of a collection into a temporary table, with queries (rows left out of it, or those given) and their true match_count neighbours, '
  'for pgvec.bench_index. Returns rows copied, rows there are, and queries. Raises PV001, PV002, PV005.';
revoke all on function pgvec.prepare_bench(text, int, int, int, extensions.vector[]) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.present_collections', '3843cb1faa72a9ee6fa3f57eb94cb54b0cf7de6ddd9128a8a043b2eb7b6c78ad', '0.2.1', $pgvec_file$
-- pgvec.present_collections -- the collections whose tables are there; of the others nothing more can be asked.
create or replace function pgvec.present_collections()
  returns setof pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select c.*
      from pgvec.collections as c
     where exists (select from pg_catalog.pg_class as r where r.oid = c.base)
       and exists (select from pg_catalog.pg_class as r where r.oid = c.relation)
     order by c.name;
end
$$;
comment on function pgvec.present_collections() is 'The rows of the registry whose table, and view if there is one, was not dropped behind its back.';
revoke all on function pgvec.present_collections() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.protect_side', '06fe90a858968f570ccfe57296bd23f5838c5146bf1f3da6670f18e6f680c782', '0.2.1', $pgvec_file$
-- pgvec.protect_side -- the policy of an adopted table's side table: who may not see a row of the table sees none of its lexemes.
-- Who may not read a column of the text is refused (42501), as by the table itself: pgvec.reads_text.
create or replace function pgvec.protect_side(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(protect_side.collection);
  adopted pgvec.adoptions;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute format('alter table %s enable row level security', adopted.side);
  execute format('drop policy if exists follow_the_table on %s', adopted.side);
  execute format(
    'create policy follow_the_table on %1$s for select'
    ' using ((select pgvec.reads_text(%2$L)) and exists (select from %3$s as b where b.%4$I = %1$s.id))',
    adopted.side, target.name, target.base, adopted.id_column);
end
$$;
comment on function pgvec.protect_side(text) is
  'Turns row level security on for the side table of an adopted collection, and makes its policy again: its rows are for who sees the row of the table; '
  'who may not read each column of the text gets 42501.';
revoke all on function pgvec.protect_side(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.protect_table', 'bf0e86046291ce88ae6bee05ab9a38fd63cef203db665c5933c51c7bc5924df4', '0.2.1', $pgvec_file$
-- pgvec.protect_table -- row level security and grants of a collection's table, by the collection's access.
-- RLS is on even where everybody may read, so that a role which was never granted a policy sees nothing. Grants and policies
-- are made anew: a grant that somebody took away comes back, so this is for new tables.
create or replace function pgvec.protect_table(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(protect_table.collection);
  readers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
  writers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles(case target.access when 'tenant' then 'member' else 'writer' end) as r);
begin
  execute format('alter table %s enable row level security', target.relation);
  execute format('revoke all on table %s from public', target.relation);

  if readers is not null then
    execute format('revoke all on table %s from %s', target.relation, readers);
    execute format('grant select on table %s to %s', target.relation, readers);
  end if;
  if writers is not null then
    execute format('grant insert, update, delete on table %s to %s', target.relation, writers);
  end if;
  perform pgvec.make_policies(target.name);
end
$$;
comment on function pgvec.protect_table(text) is
  'Turns row level security on for a collection''s table and grants it to the reading and writing roles there are, with policies for access open (all rows) and tenant '
  '(those of pgvec.allowed_tenants, which users may write as well). Nothing goes to PUBLIC.';
revoke all on function pgvec.protect_table(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.prune_search_log', '8ad5e93b8e323c63b7af807dffb02b093030a158d1326f4f04ef35a522170e24', '0.2.1', $pgvec_file$
-- pgvec.prune_search_log -- removes what is past its time from the log of searches.
-- For a scheduler (pg_cron, a systemd timer, pgvec-admin log prune): a call does little, and goes on where the last one ended.
-- Rows that another call is at are left to it.
create or replace function pgvec.prune_search_log(at_most int default 10000)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  removed bigint;
begin
  perform pgvec.check_count('at_most', at_most, 1, 1000000);
  delete from pgvec.search_log as l
   where l.ctid = any (array(
           select o.ctid
             from pgvec.collections as c
             join pgvec.search_log as o on o.collection = c.name and o.searched_at < now() - c.log_keep
            limit at_most
              for update of o skip locked));
  get diagnostics removed = row_count;
  return removed;
end
$$;
comment on function pgvec.prune_search_log(int) is
  'Removes at most so many rows of pgvec.search_log that are older than their collection keeps them, and returns how many. Fewer than at_most: none are left.';
revoke all on function pgvec.prune_search_log(int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.purge_tenant', '9cf95652edaee7ba912609c9c18e63a0d36586f9a256bb0dfb20f5b7e5878b3b', '0.2.1', $pgvec_file$
-- pgvec.purge_tenant -- removes all that there is of a tenant: rows, keyword statistics, logged searches, memberships.
create or replace function pgvec.purge_tenant(tenant uuid)
  returns table (collection text, deleted bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  if tenant is null then
    raise exception using
      errcode = 'PV004',
      message = 'tenant is null',
      hint    = 'name the tenant whose rows are to be deleted: pgvec.list_tenants() tells those that have some';
  end if;
  for item in
    select c.* from pgvec.collections as c where c.access = 'tenant' and has_table_privilege(c.relation, 'select') is not null order by c.name
  loop
    execute format('delete from %s as d where d.tenant_id = $1', item.relation) using purge_tenant.tenant;
    get diagnostics deleted = row_count;
    delete from pgvec.lexemes as l where l.collection = item.name and l.tenant = purge_tenant.tenant;
    delete from pgvec.text_totals as t where t.collection = item.name and t.tenant = purge_tenant.tenant;
    delete from pgvec.bm25_parameters as p where p.collection = item.name and p.tenant = purge_tenant.tenant;
    collection := item.name;
    return next;
  end loop;
  delete from pgvec.search_log as s where s.tenants @> array[purge_tenant.tenant];
  delete from pgvec.loads as l where l.tenant = purge_tenant.tenant;
  delete from pgvec.memberships as m where m.tenant_id = purge_tenant.tenant;
end
$$;
comment on function pgvec.purge_tenant(uuid) is
  'Deletes the rows of a tenant in all collections, with their statistics, the tenant''s logged searches and memberships; returns the rows deleted from each collection.';
revoke all on function pgvec.purge_tenant(uuid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.quantization_recall', 'e8b5365357194ae54acd84ecb777f3039d1295b5a8fe707e9df18aede2a5ef41', '0.2.1', $pgvec_file$
-- pgvec.quantization_recall -- what a quantized index would cost in recall, measured on the collection's own rows.
-- Each of some rows is a query for its neighbours: those that the quantized form ranks highest, ordered anew by their true
-- distance, against the true ones. No index takes part, so this is what the best index of that storage could reach.
create or replace function pgvec.quantization_recall(collection text, storage text, queries int default 20, match_count int default 10)
  returns float8
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set enable_indexscan = off
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.collection(quantization_recall.collection);
  kind      text := case when storage <> target.storage then storage end;
  drawn     text;
  embedding extensions.vector;
  expected  text[];
  found     text[];
  hits      int := 0;
  wanted    int := 0;
begin
  perform pgvec.check_choice('storage', storage, '{vector,halfvec,binary}');
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 1000);
  for drawn, embedding in execute
    format('select d.id, d.embedding::extensions.vector from %s as d where d.embedding is not null order by md5(d.id) limit $1', target.relation)
    using queries
  loop
    -- the row itself is left out: any index finds it
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, target.distance, '', null))
      into expected
      using embedding, null::jsonb, match_count + 1, drawn;
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, target.distance, '', kind))
      into found
      using embedding, null::jsonb, ((pgvec.search_steps(target, kind, 'hnsw', match_count, '', null)).steps)[1].read_rows + 1, drawn;
    hits := hits + (select count(*) from unnest(expected[:match_count]) as e where e = any (found[:match_count]));
    wanted := wanted + coalesce(cardinality(expected[:match_count]), 0);
  end loop;
  return hits / nullif(wanted, 0)::float8;
end
$$;
comment on function pgvec.quantization_recall(text, text, int, int) is
  'Recall@match_count (0 to 1) of ranking a collection''s rows by halfvec or binary and ordering the candidates by their true distance, over rows drawn as queries. '
  'Reads the table twice a query. Null where there are fewer than two embedded rows.';
revoke all on function pgvec.quantization_recall(text, text, int, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.query_target', '8f352efa9e63607323f54764ed1677a170d4d82b370ab4c2cc49885e98e1db06', '0.2.1', $pgvec_file$
-- pgvec.query_target -- a collection for a search by vector, once the search's arguments have been checked.
create or replace function pgvec.query_target(
    collection text, for_tenant uuid, query_embedding extensions.vector, distance text, match_threshold float8)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.scoped(query_target.collection, for_tenant);
  measure constant text := coalesce(query_target.distance, target.distance);
begin
  perform pgvec.check_query_embedding(target, query_embedding);
  perform pgvec.check_choice('distance', measure, '{cosine,l2,inner_product,l1}');
  perform pgvec.check_threshold(measure, match_threshold);
  return target;
end
$$;
comment on function pgvec.query_target(text, uuid, extensions.vector, text, float8) is
  'The registry row as of pgvec.scoped. distance: null for the collection''s own. '
  'Raises PV001, PV006, and PV002, PV004 or PV005 for a query vector, distance or threshold that no search can take.';
revoke all on function pgvec.query_target(text, uuid, extensions.vector, text, float8) from public;
select pgvec.grant_execute('pgvec.query_target(text, uuid, extensions.vector, text, float8)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.query_template', 'a6edacfa5e287833be844b46a687f7d0cfa946cb849d424b1824faf4474d1fb3', '0.2.1', $pgvec_file$
-- pgvec.query_template -- the query that finds the nearest rows of a collection, but for its rows and its condition.
-- $1 query vector, $2 values of the condition, $3 number of rows; %1$s stands for the rows, %2$s for the condition.
-- It orders by the bare distance operator over the indexed expression, ascending, with LIMIT: the only form that a vector
-- index serves (with the id behind it, PostgreSQL before 18 sorts the whole table). "+ 0" makes the order unusable for an
-- index, hence an exact scan. The distance returned is always that of the embedding itself; it is null, and last, where
-- there is none and the planner went without the index: to leave such rows out here would cost a fiftieth of a small search.
create or replace function pgvec.query_template(collection pgvec.collections, distance text, kind text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return format(
    $template$
    select d.id, d.content, d.metadata, d.embedding operator(extensions.%1$s) $1::extensions.%2$s as distance
      from %%1$s as d
     where %3$s
     order by %4$s
     limit $3
    $template$,
    pgvec.distance_operator(distance),
    collection.storage,
    case when kind is null then 'd.embedding is not null and %2$s' else '%2$s' end,
    format(
      case kind
        when 'column' then 'distance'
        when 'halfvec' then 'd.embedding::extensions.halfvec(%2$s) operator(extensions.%1$s) $1::extensions.halfvec(%2$s)'
        when 'binary' then 'extensions.binary_quantize(d.embedding)::bit(%2$s) operator(extensions.<~>) extensions.binary_quantize($1)::bit(%2$s)'
        else '(d.embedding operator(extensions.%1$s) $1::extensions.%3$s) + 0, d.id'
      end,
      pgvec.distance_operator(distance), collection.dimensions, collection.storage));
end
$$;
comment on function pgvec.query_template(pgvec.collections, text, text) is
  'A format of the SQL text that returns (id, content, metadata, distance) of the nearest rows: %1$s the rows, %2$s the condition; '
  '$1 vector, $2 jsonb values of the condition, $3 int limit. distance: cosine, l2, inner_product or l1, which the caller has checked. '
  'kind: of pgvec.index_kind; null for an exact scan, which breaks ties by id.';
revoke all on function pgvec.query_template(pgvec.collections, text, text) from public;
select pgvec.grant_execute('pgvec.query_template(pgvec.collections, text, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.reads_safely', 'af5159a6856a9ae78f4b61811ba5eb9048ff726e2be6e57b4485884dc9acbbc5', '0.2.1', $pgvec_file$
-- pgvec.reads_safely -- whether rows of a collection can be read without having something of a weaker role's run by that.
-- Policies of a weaker owner would, and columns of that owner's types, which bring casts.
create or replace function pgvec.reads_safely(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select pgvec.is_trusted((reads_safely.collection).base)
      or pgvec.foreign_columns(reads_safely.collection) = '{}' and not row_security_active((reads_safely.collection).base)
$$;
comment on function pgvec.reads_safely(pgvec.collections) is
  'Whether no weaker role than the current user''s owns a collection''s table, or its columns have the types they were made with and no policy holds the current user.';
revoke all on function pgvec.reads_safely(pgvec.collections) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.reads_text', '8d223b19292ba71172c132bb960d0a55e321f898a4396335e11d25749c8c7d15', '0.2.1', $pgvec_file$
-- pgvec.reads_text -- that the caller may read each column of an adopted table's text: true, or the server's own error, 42501.
-- Policies of side tables ask it, once a query. By name and in a query of its own, since a policy that refers to the columns
-- would keep the application from altering them.
create or replace function pgvec.reads_text(collection text)
  returns boolean
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  statement constant text := (
    select format('select %s from %s as b where false', string_agg(format('b.%I', t.name), ', '), c.base)
      from pgvec.collections as c
      join pgvec.adoptions as a on a.collection = c.name
     cross join lateral unnest(a.content_columns) as t (name)
      join pg_catalog.pg_attribute as p on p.attrelid = c.base and p.attname = t.name and not p.attisdropped
     where c.name = reads_text.collection
     group by c.base);
begin
  if statement is not null then
    execute statement;
  end if;
  return true;
end
$$;
comment on function pgvec.reads_text(text) is
  'True where the caller may read the columns that make up the text of an adopted collection; raises 42501 otherwise.';
revoke all on function pgvec.reads_text(text) from public;
select pgvec.grant_execute('pgvec.reads_text(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.recall_curve', '6843f52f2f9a81d510702c32c8955594f7988e4cb9d7b09801081ac7e57460b4', '0.2.1', $pgvec_file$
-- pgvec.recall_curve -- recall and latency of the index that searches of a collection use, for growing ef_search (hnsw) or probes (ivfflat).
-- The query is the one that match_documents runs, over rows drawn as queries, each its own nearest row, which does not count.
-- Reads only, unlike pgvec.tune. None of a collection with tenants: of a tenant's few rows an index may find any number.
create or replace function pgvec.recall_curve(collection text, queries int default 50, seconds float8 default 10, match_count int default 10)
  returns table (setting text, value int, recall float8, p50_ms float8, p95_ms float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.iterative_scan = off
  set hnsw.ef_search = 40
  set ivfflat.probes = 1
  set jit = off
as $$
declare
  target    pgvec.collections := pgvec.collection(recall_curve.collection);
  serving   record := pgvec.index_kind(target, target.distance);
  until     timestamptz := clock_timestamp() + make_interval(secs => seconds);
  statement text := format('select array(select q.id from (%s) as q order by q.distance + 0, q.id limit $4)',
                           pgvec.vector_query(target, target.distance, '', serving.kind));
  scan      text := format('select array(select q.id from (%s) as q)', pgvec.vector_query(target, target.distance, '', null));
  drawn     extensions.vector[] := array[]::extensions.vector[];
  expected  jsonb[] := array[]::jsonb[];
  one       extensions.vector;
  started   timestamptz;
  found     text[];
  times     float8[];
  hits      int;
begin
  if serving.kind is null or target.access = 'tenant' then
    return;
  end if;
  for one in execute format('select d.embedding::extensions.vector from %s as d where d.embedding is not null order by md5(d.id) limit %s',
                            pgvec.sample_of(target, 10 * queries), queries)
  loop
    execute scan into found using one, null::jsonb, match_count + 1;
    drawn := drawn || one;
    expected := expected || to_jsonb(found);
    exit when clock_timestamp() > until - make_interval(secs => seconds / 2);
  end loop;

  setting := case serving.method when 'hnsw' then 'ef_search' else 'probes' end;
  for value in
    select v from unnest(case serving.method when 'hnsw' then '{10,20,40,80,160,320,640}'::int[] else '{1,2,4,8,16,32,64}' end) as v
  loop
    exit when clock_timestamp() > until and p50_ms is not null;
    perform set_config(case serving.method when 'hnsw' then 'hnsw.ef_search' else 'ivfflat.probes' end, value::text, true);
    times := '{}';
    hits := 0;
    for i in 1 .. cardinality(drawn) loop
      started := clock_timestamp();
      execute statement
        into found
        using drawn[i], null::jsonb, match_count + case serving.kind when 'binary' then 20 * match_count else 1 end, match_count + 1;
      times := times || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
      hits := hits + greatest(0, (select count(*) from jsonb_array_elements_text(expected[i]) as e where e.value = any (found)) - 1);
    end loop;
    recall := hits / nullif((select sum(greatest(0, jsonb_array_length(e) - 1)) from unnest(expected) as e), 0)::float8;
    select percentile_cont(0.5) within group (order by t), percentile_cont(0.95) within group (order by t) into p50_ms, p95_ms
      from unnest(times) as t;
    return next;
  end loop;
end
$$;
comment on function pgvec.recall_curve(text, int, float8, int) is
  'Recall@match_count against exact scans, and latency in ms on the server, of the query that match_documents runs over its index, for growing ef_search or probes, '
  'over so many rows drawn as queries, until the seconds are over. No rows without an index, and for a collection with tenants. Raises PV001.';
revoke all on function pgvec.recall_curve(text, int, float8, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.refresh_statistics', '5f1f264d5a720da8526a04189848cd276c3e82e99ae2f2dc09239e967491a2f7', '0.2.1', $pgvec_file$
-- pgvec.refresh_statistics -- counts the words of a collection, tenant by tenant, again, and makes the BM25 weights again where they are off.
-- Weights are in rows of the table, whose triggers run with the rights of whoever writes them. Where pgvec.count_statistics left
-- them, since a weaker role owns the table, that owner writes them by calling this; a stronger caller does not, not even by SET ROLE:
-- code that runs then can take the role back.
create or replace function pgvec.refresh_statistics(collection text, tolerance float8 default 0.05)
  returns table (documents bigint, lexemes bigint, average_length float8, renewed bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(refresh_statistics.collection);
  item   record;
  made_with pgvec.bm25_parameters;
begin
  if tolerance < 0 or tolerance = 'nan' then
    raise exception using
      errcode = 'PV004',
      message = format('tolerance cannot be %s', tolerance),
      hint    = 'the share by which the average length may be off before weights are made again, for example 0.05';
  end if;
  documents := 0;
  lexemes := 0;
  renewed := 0;
  average_length := 0;  -- the words, for now
  for item in
    select c.* from pgvec.count_statistics(target.name, tolerance) as c
  loop
    if item.due and pgvec.is_trusted(target.text_table, to_write => true) then
      select target.name as collection, item.tenant, item.average_length, item.k1, item.b, item.documents, now() as renewed_at into made_with;
      renewed := renewed + pgvec.write_weights(target, made_with, false);
    end if;
    renewed := renewed + item.renewed;
    documents := documents + item.documents;
    lexemes := lexemes + item.lexemes;
    average_length := average_length + item.positions;
  end loop;
  average_length := average_length / nullif(documents, 0);
  if not pgvec.is_trusted(target.text_table, to_write => true) then
    raise notice using
      message = format('the weights in %s stay as they are', target.text_table),
      hint    = format('its triggers would run as %s; its owner (%s, granted pgvec_writer) writes them: select * from pgvec.refresh_statistics(%L)',
                       current_user, (select pg_get_userbyid(r.relowner) from pg_catalog.pg_class as r where r.oid = target.text_table), target.name);
  end if;
  return next;
end
$$;
comment on function pgvec.refresh_statistics(text, float8) is
  'Counts rows, words and document frequencies of a collection again, and makes its BM25 weights again '
  'where the average length has moved by more than tolerance (a share; null renews all) '
  'or the settings k1 or b have changed. Where rows belong to tenants: those of the caller''s tenants, or all for who sees all rows. '
  'Returns the rows, the lexemes (each counts in each tenant), the average length in words and the rows whose weights are new; weights in a table of a weaker '
  'role''s are left to that role, with a notice. Raises PV001, PV004 for a tolerance below 0 and a table that cannot be counted.';
revoke all on function pgvec.refresh_statistics(text, float8) from public;
select pgvec.grant_execute('pgvec.refresh_statistics(text, float8)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.refuse_trigger', '3d4a41c357b300bffb23ee1c31ef1b158dab0ea2534ee4ffa0cc64ce207c24c4', '0.2.1', $pgvec_file$
-- pgvec.refuse_trigger -- PV004 from a trigger of ours that is attached to a table it is not for.
create or replace function pgvec.refuse_trigger(collection text, relation regclass)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections;
begin
  select c.* into target from pgvec.collections as c where c.name = refuse_trigger.collection;
  raise exception using
    errcode = 'PV004',
    message = format('%s is not the table of collection %s as the engine made it', relation, pgvec.shown(collection)),
    detail  = array_to_string(pgvec.foreign_columns(target), '; '),
    hint    = 'drop the trigger, or give the columns their types back: pgvec-admin verify tells them';
end
$$;
comment on function pgvec.refuse_trigger(text, regclass) is
  'Raises PV004: for a trigger function of the engine on a table that the registry does not know under that collection, or whose columns have other types.';
revoke all on function pgvec.refuse_trigger(text, regclass) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.relations_of', '84d3a6ec5751ca7bbadf4dd0a0ab153642c3abd1af443b3160a393d4f0243d07', '0.2.1', $pgvec_file$
-- pgvec.relations_of -- every table with rows or words of a collection: its own, the side table, and all partitions and children.
create or replace function pgvec.relations_of(collection text)
  returns setof regclass
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with recursive parts (relation) as (
         select t.relation::oid
           from pgvec.collections as c
          cross join lateral unnest(array[c.base, c.text_table]) as t (relation)
          where c.name = relations_of.collection
          union
         select i.inhrelid from pg_catalog.pg_inherits as i join parts as p on p.relation = i.inhparent)
  select r.oid::regclass
    from parts as p
    join pg_catalog.pg_class as r on r.oid = p.relation
   order by r.oid
$$;
comment on function pgvec.relations_of(text) is
  'The tables of a collection: its own and its side table, and their partitions and children of any depth. None for an unknown one.';
revoke all on function pgvec.relations_of(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.release_collection', 'd306e0439bd37c9f96143b7b715e5599d49b3f4f1c5355a3c1ba573a589d1506', '0.2.1', $pgvec_file$
-- pgvec.release_collection -- undoes an adoption: the table stays, as it was before.
-- Vector indexes that bear the collection's name were built for it, and go too.
create or replace function pgvec.release_collection(name text)
  returns regclass
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections;
  adopted pgvec.adoptions;
  item    text;
begin
  select c.* into target from pgvec.collections as c where c.name = release_collection.name;
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  if target.name is null then
    perform pgvec.collection(release_collection.name);  -- raises PV001 with the names there are
  end if;
  if adopted.collection is null then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is no adopted table', target.name),
      hint    = format('its table is its own: select pgvec.drop_collection(%L)', target.name);
  end if;

  perform pgvec.forget_lexemes(target.name);
  delete from pgvec.search_log as l where l.collection = target.name;
  execute format('drop view if exists pgvec.%I', 'adopted_' || target.name);
  execute format('drop table if exists pgvec.%I', 'side_' || target.name);
  if not exists (select from pg_catalog.pg_class as r where r.oid = target.base) then
    -- dropped behind our back
    delete from pgvec.collections as c where c.name = target.name;
    return null;
  end if;

  for item in
    select t.tgname
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as p on p.oid = t.tgfoid
     where t.tgrelid = target.base
       and p.pronamespace = 'pgvec'::regnamespace
       and t.tgname = any (array[target.name || '_maintain'] || array(select target.name || '_count_' || e from unnest('{insert,update,delete,truncate}'::text[]) as e))
  loop
    execute format('drop trigger %I on %s', item, target.base);
  end loop;
  for item in
    select format('%I.%I', n.nspname, r.relname)
      from pg_catalog.pg_index as x
      join pg_catalog.pg_class as r on r.oid = x.indexrelid
      join pg_catalog.pg_am as m on m.oid = r.relam
      join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
     where x.indrelid = target.base
       and m.amname in ('hnsw', 'ivfflat')
       and starts_with(r.relname, target.name || '_' || target.embedding_column)
  loop
    execute format('drop index %s', item);
  end loop;
  for item in
    select c from unnest(adopted.added_columns) as c
  loop
    execute format('alter table %s drop column if exists %I', target.base, item);
  end loop;
  delete from pgvec.collections as c where c.name = target.name;
  perform pgvec.drop_collection_api(target.name);
  perform pg_notify('pgrst', 'reload schema');
  return target.base;
end
$$;
comment on function pgvec.release_collection(text) is
  'Undoes pgvec.adopt_collection: drops the view, the side table, the trigger, the columns that were added and the vector indexes that were built for the collection. '
  'Returns the table, which stays with its rows; null where it is gone. Raises PV001, PV004 for a collection that was not adopted.';
revoke all on function pgvec.release_collection(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.renew_view', 'e9eb5d4e9796367abdfbeacb925c1fd77abc92de84242a7e4245d1f7035e3873', '0.2.1', $pgvec_file$
-- pgvec.renew_view -- the view over an adopted table as this release makes it, where it can be had in place of the one that is there.
-- A table whose columns have changed since it was adopted keeps the view it has. One that is as it should be is left alone:
-- replacing it would wait for every search that is under way.
create or replace function pgvec.renew_view(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(renew_view.collection);
  adopted pgvec.adoptions;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute pgvec.adopted_view(target, adopted, 'pg_temp.pgvec_renewed_view');
  if pg_get_viewdef(to_regclass('pg_temp.pgvec_renewed_view')) <> pg_get_viewdef(target.relation)
     or (select 'security_invoker=true' = any (r.reloptions) from pg_catalog.pg_class as r where r.oid = target.relation) is not true
  then
    execute pgvec.adopted_view(target, adopted, target.relation::text);
  end if;
  drop view pg_temp.pgvec_renewed_view;
exception when invalid_table_definition or undefined_column then
  raise notice using
    message = format('the view over %s stays as it was', target.base),
    hint    = format('its columns have changed: select pgvec.release_collection(%L), and adopt it again', target.name);
end
$$;
comment on function pgvec.renew_view(text) is 'Replaces the view over the table of an adopted collection, unless the table''s columns have changed; then says so. Raises PV001.';
revoke all on function pgvec.renew_view(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.repair_rows', '1c270c80468a1d6975fc471881938bbdd84c77053893c29ebb5775df04abf6be', '0.2.1', $pgvec_file$
-- pgvec.repair_rows -- has the triggers of a collection's table make hashes, lexemes and weights anew, where they are not those of the text.
-- Such rows were written while the triggers were off. They are written twice, since the triggers look at texts that change;
-- an embedding that was made from another text is stale afterwards.
create or replace function pgvec.repair_rows(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  mark     constant text := e'\x01\x02\x01';  -- which no text ends with
  target   pgvec.collections := pgvec.collection(repair_rows.collection);
  repaired bigint;
begin
  if target.base <> target.relation then
    raise exception using
      errcode = 'PV004',
      message = format('the rows of collection %L are an adopted table''s', target.name),
      hint    = 'write their text columns again; or release the collection, and adopt the table anew';
  end if;
  execute format(
    $query$
    update %s as d
       set content = d.content || $2
     where d.content_hash <> md5(d.content)
        or d.fts is null
        or d.fts <> to_tsvector(coalesce(d.language, $1)::regconfig, d.content)
        or d.bm25 is null
    $query$, target.base)
    using target.language, mark;
  get diagnostics repaired = row_count;
  execute format('update %s as d set content = left(d.content, - length($1)) where d.content like ''%%'' || $1', target.base)
    using mark;
  return repaired;
end
$$;
comment on function pgvec.repair_rows(text) is
  'Makes content_hash, fts and bm25 anew for rows whose text they do not follow, and returns how many there were. Reads all rows. Raises PV001, PV004 for an adopted table.';
revoke all on function pgvec.repair_rows(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.resume_points', '63484ecf09c21411cb99f93b902d4d7288d7c1ee24b4d66343f0463dfdc36d59', '0.2.1', $pgvec_file$
-- pgvec.resume_points -- the files that loads into a collection did not end, and how far they came.
-- Where the last row that was stored is gone, the rows before it may be as well: such a load begins anew.
create or replace function pgvec.resume_points(collection text)
  returns table (source text, fingerprint text, "position" bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(resume_points.collection, null);
begin
  return query execute format(
    $query$
    select l.source, l.fingerprint, l.position
      from pgvec.noted_loads($1) as l
     where exists (select from %s as d where d.id = l.last_id)
    $query$, pgvec.rows_of(target, by_key => 'l.last_id'))
    using target.name;
end
$$;
comment on function pgvec.resume_points(text) is
  'Loads of a collection that were cut off: the file, a hash of the file and of the load''s options, and how many of its documents are stored. '
  'Where rows belong to tenants: of the caller''s. Raises PV001 for an unknown collection, and PV006.';
revoke all on function pgvec.resume_points(text) from public;
select pgvec.grant_execute('pgvec.resume_points(text)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.route_name', 'd46a8d99e580368a211df1d610bdd3ed6742a3544a9399c4b19552ecc9e40206', '0.2.1', $pgvec_file$
-- pgvec.route_name -- what people call a kind of step of a search.
create or replace function pgvec.route_name(kind text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case kind when 'column' then 'index' else coalesce(kind || ' index', 'exact') end
$$;
comment on function pgvec.route_name(text) is 'index, halfvec index, binary index, or exact for null: a kind of pgvec.search_step, for people.';
revoke all on function pgvec.route_name(text) from public;
select pgvec.grant_execute('pgvec.route_name(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.rows_of', 'ea50e51cdbffda2f37e340a881030a5de36b66b108aac3e58a069beb4caee6f7', '0.2.1', $pgvec_file$
-- pgvec.rows_of -- what is read of a collection: its table, or the part of it that belongs to the tenants a call is for.
-- The tenants are written into the query as uuids, so that the planner sees them, and leaves out other partitions.
-- Rows that are looked up by a key are fenced: the planner, which knows of no tenant how many rows it has
-- (pgvec.hide_statistics), might otherwise read all of them into a hash.
drop function if exists pgvec.rows_of(pgvec.collections, boolean);

create or replace function pgvec.rows_of(collection pgvec.collections, by_key text default null)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if collection.tenants is null then
    return collection.relation::text;
  end if;
  return format(
    '%s(select * from %s as r where r.tenant_id %s%s)',
    case when by_key is not null then 'lateral ' end,
    collection.relation,
    format(case cardinality(collection.tenants) when 1 then '= %L' else '= any (%L)' end,
           case cardinality(collection.tenants) when 1 then collection.tenants[1]::text else collection.tenants::text end),
    ' and r.id = ' || by_key || ' offset 0');
end
$$;
comment on function pgvec.rows_of(pgvec.collections, text) is
  'The rows of a collection, or of the tenants that a call is for (pgvec.scoped), as the FROM item of a query. '
  'by_key: the expression, such as h.id, that they are joined to by their id.';
revoke all on function pgvec.rows_of(pgvec.collections, text) from public;
select pgvec.grant_execute('pgvec.rows_of(pgvec.collections, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.running_length', 'd11d431f010b952b15b2f140369cf3b7e1571b875e16c8919a5f829b11ecc14b', '0.2.1', $pgvec_file$
-- pgvec.running_length -- the average length of the rows that the first statement of a collection, or of a tenant, has brought so far.
-- There is no average yet to make weights with, and to make all of them again at the end took a first load of 100,000
-- rows half as long again. With this, 99 of 100 weights are within 2 %.
-- Kept in a setting of the transaction; whoever tampers with it harms the weights of the rows in hand.
drop function if exists pgvec.running_length(text, tsvector);

create or replace function pgvec.running_length(collection text, tenant uuid, fts tsvector)
  returns float8
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  kept  text[] := string_to_array(current_setting('pgvec.running_length', true), ' ');
  rows  bigint := 1;
  words bigint := coalesce((select sum(coalesce(cardinality(l.positions), 1)) from unnest(fts) as l), 0);
begin
  if kept[1] = collection and kept[2] = tenant::text then
    rows := rows + kept[3]::bigint;
    words := words + kept[4]::bigint;
  end if;
  perform set_config('pgvec.running_length', format('%s %s %s %s', collection, tenant, rows, words), true);
  return words / rows::float8;
end
$$;
comment on function pgvec.running_length(text, uuid, tsvector) is
  'The average length, in words that have a lexeme, of this row and those before it in the transaction. '
  'For the rows of a collection, or of a tenant, that has no average length yet; starts anew with each other tenant.';
revoke all on function pgvec.running_length(text, uuid, tsvector) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.sample_of', '8e8ee4cca9d6d86432885b13a3b8495356f90600bd33b2a63539c8b8ccd51efb', '0.2.1', $pgvec_file$
-- pgvec.sample_of -- the rows of a collection, as the FROM item of a query, or so many of them where there are more.
-- Pages drawn at random, the same ones each time while the table stays the same. What is searched through a view is read whole.
create or replace function pgvec.sample_of(collection pgvec.collections, most_rows int)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  estimate float8 := pgvec.estimate_rows(collection);
begin
  if collection.base <> collection.relation or coalesce(estimate, 0) <= most_rows then
    return format('(select * from %s)', collection.relation);
  end if;
  return format('(select * from %s tablesample system (%s) repeatable (1) limit %s)', collection.base, least(100, round((100 * 1.2 * most_rows / estimate)::numeric, 6)), most_rows);
end
$$;
comment on function pgvec.sample_of(pgvec.collections, int) is
  'The FROM item with at most about most_rows rows of a collection (by the planner''s estimate of how many there are), with all columns of its table or view.';
revoke all on function pgvec.sample_of(pgvec.collections, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.sample_similarities', 'f1a9d58943ec6169f0ed794d4a7524b31c6bf943dda8ae9beb080a9530a155f8', '0.2.1', $pgvec_file$
-- pgvec.sample_similarities -- how similar rows of a collection are: to their nearest, and to any other.
-- Where the two lie apart, a match_threshold between them tells answers from the rest.
create or replace function pgvec.sample_similarities(collection text, queries int default 100)
  returns table (kind text, similarity float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(sample_similarities.collection);
  drawn  record;
  before extensions.vector;
  logging constant text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  perform set_config('pgvec.search_log', 'off', true);  -- these are no searches of anybody's
  for drawn in execute format(
    'select d.id, d.embedding::extensions.vector as embedding, %s as tenant from %s as d where d.embedding is not null order by md5(d.id) limit %s',
    case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, pgvec.sample_of(target, 10 * queries), queries)
  loop
    return query
      select 'nearest', m.similarity
        from public.match_documents(drawn.embedding, 11, null::jsonb, null::float8, target.name, drawn.tenant, null::text) as m
       where m.id <> drawn.id;
    if before is not null then
      execute format('select $1 operator(extensions.%s) $2', pgvec.distance_operator(target.distance))
        into similarity
        using before, drawn.embedding;
      kind := 'any';
      similarity := pgvec.similarity(target.distance, similarity);
      return next;
    end if;
    before := drawn.embedding;
  end loop;
  perform set_config('pgvec.search_log', logging, true);
end
$$;
comment on function pgvec.sample_similarities(text, int) is
  'Similarities of rows drawn from a collection: nearest, to the ten nearest others; any, to another row drawn. Raises PV001.';
revoke all on function pgvec.sample_similarities(text, int) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.scoped', '2e9474348754d12e5b910828d43fe9cb9d4475b99b670af923830483b4ea3089', '0.2.1', $pgvec_file$
-- pgvec.scoped -- a collection, for a search: with the tenants whose rows it is for, where rows belong to tenants.
-- Who sees all rows anyway (service_role, the owner) may name any tenant, and has to name one, since rows of several
-- customers in one result are hardly ever what was meant. Everybody else has pgvec.allowed_tenants.
create or replace function pgvec.scoped(collection text, for_tenant uuid)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(scoped.collection);
begin
  if target.access <> 'tenant' then
    if for_tenant is not null then
      raise exception using
        errcode = 'PV006',
        message = format('collection %L has no tenants', target.name),
        hint    = 'leave for_tenant out, or filter by a key of metadata';
    end if;
    return target;
  end if;

  target.tenants := array(select t from pgvec.allowed_tenants() as t);
  if for_tenant = any (target.tenants) or for_tenant is not null and pgvec.sees_all(target) then
    target.tenants := array[for_tenant];
  elsif for_tenant is not null then
    raise exception using
      errcode = 'PV006',
      message = format('tenant %s is not one of the caller''s', for_tenant),
      hint    = 'leave for_tenant out to search your own; service_role may name any';
  elsif cardinality(target.tenants) = 0 then
    raise exception using
      errcode = 'PV006',
      message = format('rows of collection %L belong to tenants, and the caller has none', target.name),
      hint    = 'sign in as a user with app_metadata.tenant_id or a row in pgvec.memberships; service_role passes for_tenant; on a connection of your own: set app.tenant_id';
  end if;
  return target;
end
$$;
comment on function pgvec.scoped(text, uuid) is
  'The registry row of a collection, with tenants where its access is tenant: for_tenant, or all of the caller. '
  'Raises PV001 for an unknown collection, PV006 for a tenant that is not the caller''s, for none where one is needed, and for one where there are none.';
revoke all on function pgvec.scoped(text, uuid) from public;
select pgvec.grant_execute('pgvec.scoped(text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.search_log_state', 'c095150cb0f88dae3935c0faa20707dbe8d4bb2d242893013360a92c09c97db3', '0.2.1', $pgvec_file$
-- pgvec.search_log_state -- what is logged of which collection, and whether searches in read-only transactions are.
create or replace function pgvec.search_log_state()
  returns table (
    collection text, sample float8, keep interval, texts boolean, embeddings boolean,
    logged bigint, overdue bigint, first_searched_at timestamptz, last_searched_at timestamptz, read_only text)
  language sql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select c.name, c.log_sample, c.log_keep, c.log_texts, c.log_embeddings,
         l.logged, l.overdue, l.first_searched_at, l.last_searched_at,
         case
           when c.log_sample is null then 'off'
           when s.listens then 'collected'
           else 'not logged: no pgvec-admin log collect is running'
         end
    from (select pgvec.collector_listens() as listens offset 0) as s
   cross join pgvec.collections as c
   cross join lateral (
           select count(*) as logged,
                  count(*) filter (where l.searched_at < now() - c.log_keep) as overdue,
                  min(l.searched_at) as first_searched_at,
                  max(l.searched_at) as last_searched_at
             from pgvec.search_log as l
            where l.collection = c.name) as l
   order by c.name
$$;
comment on function pgvec.search_log_state() is
  'The settings of pgvec.log_searches of every collection, its rows in pgvec.search_log, those overdue (pgvec.prune_search_log removes them), '
  'and what becomes of searches in read-only transactions, such as those of PostgREST (read_only): off, collected, or not logged and why. Those on a standby never are.';
revoke all on function pgvec.search_log_state() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.search_steps', '32df8894cff9edce51c6b34db877b08f1fde51ec67d7ae1894b2edf199e15625', '0.2.1', $pgvec_file$
-- pgvec.search_steps -- how a search goes about it: what to try, in which order, and when a step has found enough.
-- Without a filter one look at the index mostly does; where row level security hides much of what it finds, the index is
-- walked on. Without an index there is the exact scan, which is always the last step. At a tie at the limit reading tenfold
-- closes all but a flood of duplicates.
-- With a filter, so few matches that a look at the index would not pay are scanned (3000: look_costs of pgvec.wide_steps,
-- times the least ef_search of a look). For more see there. How many match is asked of the planner, by EXPLAIN, for 0.02 ms;
-- a bounded count would read a good part of the table for a filter that many rows pass.
-- One row more than wanted shows a tie at the limit. A quantized index misplaces rows a little: of more candidates, ordered
-- by their true distance, the best are right. pgvec-admin tune sets oversample from the collection's own rows.
-- An ef_search of 40 is the smallest with a recall of 0.98 on 100,000 rows of 384 dimensions in clusters of 100 (20: 0.946,
-- 40: 0.983, 60: 0.997). 1000 is pgvector's limit.
-- Volatile, since EXPLAIN is a utility statement, which stable functions may not run themselves.
drop function if exists pgvec.search_steps(pgvec.collections, text, int, text, jsonb);
drop function if exists pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb);
drop function if exists pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb, text);
drop function if exists pgvec.filtered_steps(pgvec.collections, text, text, int, text, jsonb);
drop function if exists pgvec.filtered_steps(pgvec.collections, text, text, int, int, int, text, jsonb);

create or replace function pgvec.search_steps(
    collection pgvec.collections, kind text, method text, wanted int, condition text, bound jsonb,
    out steps pgvec.search_step[], out scanned text, out walked text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  read_rows int := case kind
                     when 'binary' then wanted * coalesce((collection.settings ->> 'oversample')::int, 20)
                     when 'halfvec' then wanted + 10
                     else wanted + 1
                   end;
  ef_search int := least(1000, greatest(1, read_rows, coalesce((collection.settings ->> 'ef_search')::int, 40)));
  plan      text;
  matches   float8;
  to_scan   float8;
begin
  scanned := collection.relation;
  walked := scanned;
  if collection.tenants is not null then
    select t.* into scanned, walked, matches, to_scan from pgvec.tenant_rows(collection, condition, null, bound) as t;
  end if;
  if kind is null then
    steps := array[(null, null, null, null, wanted, 0, null, true, null)]::pgvec.search_step[];
    return;
  elsif condition = '' then
    steps := array[
      (kind, case method when 'hnsw' then 'off' else 'relaxed_order' end, ef_search, 20000, read_rows, wanted, false, method = 'ivfflat', null)::pgvec.search_step,
      (kind, 'relaxed_order', ef_search, 20000, read_rows, wanted, false, true, null)::pgvec.search_step,
      (kind, 'relaxed_order', ef_search, 20000, 10 * read_rows, wanted, true, true, null)::pgvec.search_step,
      (null, null, null, null, wanted, 0, null, true, null)::pgvec.search_step];
    return;
  end if;

  if matches is null then
    execute format('explain (format json) select from %s as d where d.embedding is not null and %s', scanned, condition)
      into plan
      using null::text, bound;
    -- those of the topmost node come first; reading it as JSON, or by a pattern, would take a good part of making it
    matches := split_part(split_part(plan, '"Plan Rows": ', 2), ',', 1)::float8;
    to_scan := case when position('"Index Name":' in plan) > 0 then matches end;
  end if;
  steps := case
             when to_scan <= 3000 then array[(null, null, null, null, wanted, 0, null, false, matches)]::pgvec.search_step[]
             else pgvec.wide_steps(collection, kind, method, wanted, read_rows, ef_search, matches, to_scan)
           end;
end
$$;
comment on function pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb) is
  'The steps of a search over an index of a kind and method (of pgvec.index_kind), each for when those before found too few rows, the last an exact scan '
  '(see type pgvec.search_step). condition and bound: of pgvec.filter_condition. '
  'scanned, walked: the FROM items that an exact scan and a walk through the index read: of tenants, those of pgvec.tenant_rows. '
  'Settings of the collection: ef_search, the least hnsw.ef_search (default 40); '
  'oversample, the candidates of a binary index for each row wanted (default 20); those of pgvec.wide_steps.';
revoke all on function pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb) from public;
select pgvec.grant_execute('pgvec.search_steps(pgvec.collections, text, text, int, text, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.sees_all', '7ead542621e09f1541abab3e2d7a6bf5468362f67d7d7d80b527d5b5c7ce7aa9', '0.2.1', $pgvec_file$
-- pgvec.sees_all -- whether the caller may read every row of a collection's table anyway, past its policies.
create or replace function pgvec.sees_all(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.rolsuper or r.rolbypassrls and has_table_privilege(r.oid, c.oid, 'select') or pg_has_role(r.oid, c.relowner, 'usage')
    from pg_catalog.pg_roles as r, pg_catalog.pg_class as c
   where r.rolname = pgvec.caller()
     and c.oid = (sees_all.collection).base
$$;
comment on function pgvec.sees_all(pgvec.collections) is
  'Whether row level security does not hold for the caller: a superuser, a role with bypassrls such as service_role, or the owner of the table.';
revoke all on function pgvec.sees_all(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.sees_all(pgvec.collections)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.server_memory', 'a7352200683eb9517423e3707aa092ab84fa977a22f9a2267bd951b8b692af13', '0.2.1', $pgvec_file$
-- pgvec.server_memory -- the memory that the server has to work with.
-- A hosted server does not say; effective_cache_size is then what its operator set for it.
create or replace function pgvec.server_memory(out bytes bigint, out source text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  confined bigint;
begin
  if pg_has_role('pg_read_server_files', 'usage') then
    bytes := 1024 * substring(pg_read_file('/proc/meminfo', 0, 4096, true) from 'MemAvailable:\s+(\d+)')::bigint;
    source := 'memory available';
    confined := substring(pg_read_file('/sys/fs/cgroup/memory.max', 0, 64, true) from '^\d+')::bigint;
    if confined < bytes then
      bytes := confined;
      source := 'memory of the container';
    end if;
  end if;
  if bytes is null then
    bytes := pg_size_bytes(current_setting('effective_cache_size'));
    source := 'effective_cache_size';
  end if;
end
$$;
comment on function pgvec.server_memory() is
  'Memory of the server in bytes, and where the figure is from: memory available (Linux, for roles that may read server files), '
  'memory of the container, or the setting effective_cache_size.';
revoke all on function pgvec.server_memory() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.settle_statistics', 'f0e50140d108c40fe016cc77f35bc4c97270db96a27a22080fea852734cf17ae', '0.2.1', $pgvec_file$
-- pgvec.settle_statistics -- what follows when a statement has added to the statistics of a collection.
-- Sums of many parts are folded, by one writer at a time and never waiting; in READ COMMITTED only, since elsewhere to
-- delete what another has folded is an error. Weights are made anew when the first rows give an average length, unless
-- they are so many that pgvec.running_length was near it all along, and while a collection is young and its average still
-- moves: at most each time that it has doubled, so ten times in all. To renew them is to write the table, which this, on its way
-- within a trigger that runs as its owner, does to trusted tables only (pgvec.is_trusted); of others pgvec.refresh_statistics
-- is due then.
create or replace function pgvec.settle_statistics(collection pgvec.collections, tenant uuid)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_parts constant int := 32;
  young      constant int := 1000;    -- rows; beyond, renewing is for pgvec.refresh_statistics
  few        constant int := 10000;   -- rows of a first load
  tolerance  constant float8 := 0.1;  -- moves the weight of a word by a twenty-fifth in a text of average length, by a tenth in the longest
  totals     record;
  parameters pgvec.bm25_parameters;
begin
  insert into pgvec.bm25_parameters (collection, tenant, k1, b)
  select settle_statistics.collection.name, settle_statistics.tenant, s.k1, s.b
    from pgvec.bm25_settings(settle_statistics.collection) as s
   where not exists (select from pgvec.bm25_parameters as x where x.collection = settle_statistics.collection.name and x.tenant = settle_statistics.tenant)
      on conflict do nothing;

  select count(*) as parts, sum(t.documents)::bigint as documents, sum(t.positions)::float8 / nullif(sum(t.documents), 0) as average_length into totals
    from pgvec.text_totals as t
   where t.collection = settle_statistics.collection.name
     and t.tenant = settle_statistics.tenant;

  if totals.parts > most_parts
     and current_setting('transaction_isolation') = 'read committed'
  then
    -- one folds at a time: who holds the row of the registry, which is nobody else's to lock
    perform from pgvec.collections as c where c.name = settle_statistics.collection.name for no key update skip locked;
    if found then
      perform pgvec.fold_statistics(collection, tenant);
    end if;
  end if;

  select p.* into parameters
    from pgvec.bm25_parameters as p
   where p.collection = settle_statistics.collection.name
     and p.tenant = settle_statistics.tenant;
  if parameters.average_length is null and totals.documents > few then
    update pgvec.bm25_parameters as p
       set average_length = totals.average_length, documents = totals.documents
     where p.collection = settle_statistics.collection.name
       and p.tenant = settle_statistics.tenant;
  elsif parameters.average_length is null and totals.average_length > 0
     or totals.documents between 2 * parameters.documents and young
        and abs(totals.average_length / parameters.average_length - 1) > tolerance
  then
    if not pgvec.is_trusted(collection.text_table, to_write => true) then
      return;
    end if;
    perform pgvec.write_weights(collection, pgvec.note_parameters(collection, tenant, totals.average_length, totals.documents), true);
  end if;
end
$$;
comment on function pgvec.settle_statistics(pgvec.collections, uuid) is
  'After a statement has added to the statistics: folds them where they have many parts, and renews the weights of a young collection whose average length has moved by a tenth.';
revoke all on function pgvec.settle_statistics(pgvec.collections, uuid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.shown', 'b4f8edc5c5c9359db95e0a08335bb27af9f85e8fc3ec4be769f68d0c9d28a2eb', '0.2.1', $pgvec_file$
-- pgvec.shown -- a value of the caller's, for a message: in quotes, and of a long one the beginning.
-- A message goes to logs and through APIs, which are no place for ten megabytes.
create or replace function pgvec.shown(value text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when value is null then 'null'
           when length(value) <= 80 then quote_literal(value)
           else quote_literal(left(value, 80)) || '...'
         end
$$;
comment on function pgvec.shown(text) is 'A value as messages show it: quoted, null as null, and of more than 80 characters the first 80.';
revoke all on function pgvec.shown(text) from public;
select pgvec.grant_execute('pgvec.shown(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.similarity', '10feaec3442a619272fba0acfc1a85319cc47003bcc034888da13b58e8a50536', '0.2.1', $pgvec_file$
-- pgvec.similarity -- a distance as a similarity, which grows as rows get nearer.
create or replace function pgvec.similarity(distance text, value float8)
  returns float8
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return case
           when distance = 'cosine' then 1::float8 - value
           when distance = 'inner_product' then - value
           else 1::float8 / (1::float8 + value)
         end;
end
$$;
comment on function pgvec.similarity(text, float8) is
  'The similarity of a distance value: cosine 1 - d (-1 to 1), inner_product the product itself, l2 and l1 1 / (1 + d) (0 to 1).';
revoke all on function pgvec.similarity(text, float8) from public;
select pgvec.grant_execute('pgvec.similarity(text, float8)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.skip_unchanged', 'd75593e8f75c6ebe68c67d18db086afaa8d28e57027d80b0c449d7a5cc4b52c3', '0.2.1', $pgvec_file$
-- pgvec.skip_unchanged -- takes out of the staged rows what a collection has already, just so.
create or replace function pgvec.skip_unchanged(collection pgvec.collections)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  unchanged bigint;
begin
  -- of two rows with one id the later counts
  delete from pg_temp.staged_documents as s
   using (select x.id, max(x.position) as last
            from pg_temp.staged_documents as x
           group by x.id
          having count(*) > 1) as twice
   where s.id = twice.id
     and s.position < twice.last;

  execute format(
    $query$
    delete from pg_temp.staged_documents as s
     using (select x.position
              from pg_temp.staged_documents as x
             cross join lateral (select r.* from %1$s as r where r.id = x.id %3$s offset 0) as d
             where d.content = x.content
               and d.metadata = x.metadata
               and d.source is not distinct from x.source
               and d.chunk_index is not distinct from x.chunk_index
               and (x.embedding is null
                    or d.embedding operator(extensions.=) x.embedding::extensions.%2$I and d.embedded_hash = d.content_hash)) as same
     where s.position = same.position
    $query$, collection.relation, collection.storage, pgvec.of_tenant(collection, 'r'));
  get diagnostics unchanged = row_count;
  return unchanged;
end
$$;
comment on function pgvec.skip_unchanged(pgvec.collections) is
  'Deletes from the temporary table staged_documents all but the last row of each id, and the rows that the collection has already; returns how many it has.';
revoke all on function pgvec.skip_unchanged(pgvec.collections) from public;
select pgvec.grant_execute('pgvec.skip_unchanged(pgvec.collections)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('pgvec.stale_documents', 'cfa0be394edf729242ecd73c2ac49d26f195d66b229b8f2c0af6d5904b0124c3', '0.2.1', $pgvec_file$
-- pgvec.stale_documents -- one batch of the rows whose embedding is missing or made from an older text.
-- For whoever embeds, in any language: pass the last id of a batch as after to get the next one. A row that could not be
-- embedded stays stale, and walking by id passes it once a round instead of meeting it for ever.
create or replace function pgvec.stale_documents(collection text, batch int default 256, after text default null)
  returns table (id text, content text, content_hash text)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.collection(collection);
begin
  if batch < 1 then
    raise exception using
      errcode = 'PV004',
      message = format('batch cannot be %s', batch),
      hint    = 'the number of rows to fetch, at least 1';
  end if;

  return query execute format(
    $query$
    select d.id, d.content, d.content_hash
      from %s as d
     where d.embedded_hash is distinct from d.content_hash
       and ($1 is null or d.id > $1)
     order by d.id
     fetch first $2 rows with ties
    $query$, found_row.relation)
  using after, coalesce(batch, 256);
end
$$;
comment on function pgvec.stale_documents(text, int, text) is
  'Rows of a collection whose embedding is missing or older than the text, ordered by id: at most batch of them, beginning behind id after. '
  'Embed content, then pass id and content_hash to pgvec.store_embeddings. Raises PV001 for an unknown collection, PV004 for a batch below 1.';
revoke all on function pgvec.stale_documents(text, int, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.store_adopted', 'f5f8ce30d7f77a24f990a9fa982c249da28b2f2ec0d997c99bcd483cc87f903b', '0.2.1', $pgvec_file$
-- pgvec.store_adopted -- pgvec.store_embeddings for an adopted table, which has hashes beside it and ids of its own type.
create or replace function pgvec.store_adopted(target pgvec.collections, ids text[], hashes text[], embeddings extensions.vector[])
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  adopted pgvec.adoptions;
  stored  bigint;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute format('select from %s as b where b.%I = any ($1::%s[]) order by b.%2$I for update', target.base, adopted.id_column, adopted.id_type)
    using ids;
  if adopted.side is null then
    execute format(
      $update$
      update %1$s as b
         set %2$I = e.embedding::extensions.%3$I,
             embedded_hash = e.hash
        from unnest($1::%4$s[], $2, $3) as e (id, hash, embedding)
       where b.%5$I = e.id
         and b.content_hash = e.hash
      $update$, target.base, target.embedding_column, target.storage, adopted.id_type, adopted.id_column)
      using ids, hashes, embeddings;
    get diagnostics stored = row_count;
  else
    execute format(
      $update$
      update %1$s as b
         set %2$I = e.embedding::extensions.%3$I
        from unnest($1::%4$s[], $2, $3) as e (id, hash, embedding)
        join %6$s as s on s.id = e.id and s.content_hash = e.hash
       where b.%5$I = e.id
      $update$, target.base, target.embedding_column, target.storage, adopted.id_type, adopted.id_column, adopted.side)
      using ids, hashes, embeddings;
    get diagnostics stored = row_count;
    -- the trigger sees no new vector where it is the same as before
    execute format(
      $update$
      update %1$s as s
         set embedded_hash = e.hash
        from unnest($1::%2$s[], $2) as e (id, hash)
       where s.id = e.id
         and s.content_hash = e.hash
         and s.embedded_hash is distinct from e.hash
      $update$, adopted.side, adopted.id_type)
      using ids, hashes;
  end if;
  return stored;
end
$$;
comment on function pgvec.store_adopted(pgvec.collections, text[], text[], extensions.vector[]) is
  'Stores embeddings of an adopted table by id, each only if its row still has the text of that hash; returns how many. pgvec.store_embeddings has checked them.';
revoke all on function pgvec.store_adopted(pgvec.collections, text[], text[], extensions.vector[]) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.store_embeddings', 'c670569fcca9639804f3abc4f1232f03cafa168521f09949c077364136f5b027', '0.2.1', $pgvec_file$
-- pgvec.store_embeddings -- stores the vectors of a batch, each only if its row still has the text it was made from.
-- A text may change while it is being embedded: its vector is then left out and the row stays stale, for the next round.
create or replace function pgvec.store_embeddings(collection text, ids text[], hashes text[], embeddings extensions.vector[])
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  found_row pgvec.collections := pgvec.collection(collection);
  bad record;
  stored bigint;
begin
  if cardinality(ids) is distinct from cardinality(hashes) or cardinality(ids) is distinct from cardinality(embeddings) then
    raise exception using
      errcode = 'PV004',
      message = format('%s ids, %s hashes and %s embeddings do not pair up',
                       coalesce(cardinality(ids), 0), coalesce(cardinality(hashes), 0), coalesce(cardinality(embeddings), 0)),
      hint    = 'pass three arrays of one length, as pgvec.stale_documents gave id and content_hash';
  end if;

  select e.id, extensions.vector_dims(e.embedding) as dimensions into bad
    from unnest(ids, embeddings) as e (id, embedding)
   where extensions.vector_dims(e.embedding) is distinct from found_row.dimensions
   limit 1;
  if found then
    raise exception using
      errcode = 'PV002',
      message = format('the embedding of row %s has %s dimensions, collection %L has %s',
                       pgvec.shown(bad.id), coalesce(bad.dimensions::text, 'no'), found_row.name, found_row.dimensions),
      hint    = case
                  when found_row.model is null then 'one collection holds vectors of one model; make another for this one'
                  else format('the collection''s model is %s', found_row.model)
                end;
  end if;

  if found_row.base <> found_row.relation then
    return pgvec.store_adopted(found_row, ids, hashes, embeddings);
  end if;

  -- locked in one order first, so that two embedders of the same rows wait for each other instead of deadlocking
  execute format('select from %s as d where d.id = any ($1) order by d.id for update', found_row.relation)
    using ids;
  execute format(
    $update$
    update %1$s as d
       set embedding = e.embedding::extensions.%2$I,
           embedded_hash = e.hash
      from unnest($1, $2, $3) as e (id, hash, embedding)
     where d.id = e.id
       and d.content_hash = e.hash
    $update$, found_row.relation, found_row.storage)
  using ids, hashes, embeddings;
  get diagnostics stored = row_count;
  return stored;
end
$$;
comment on function pgvec.store_embeddings(text, text[], text[], extensions.vector[]) is
  'Stores embeddings by id, each with the content_hash of the text it was made from; a row whose text has changed since, or that is gone, is left alone. '
  'Returns how many were stored. Raises PV001 for an unknown collection, PV002 for other dimensions, PV004 for arrays of unequal length, PV005 for a zero vector.';
revoke all on function pgvec.store_embeddings(text, text[], text[], extensions.vector[]) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.telling_columns', '7991ab9534efcfd3ea3d316dbcb4860c1b8f152407a080c5d2b0477895db94e8', '0.2.1', $pgvec_file$
-- pgvec.telling_columns -- the columns of a collection's table, and of its indexes over expressions, whose statistics tell of rows
-- that a caller may not see: all but metadata, which is never null, and whose operators estimate nothing for who is held by policies.
-- (@@ does, and tells of the words.) Of an adopted table, which is the application's, those of the side table.
-- Those of the engine; a column that was added has statistics for its own queries, and verify tells of them.
create or replace function pgvec.telling_columns(collection text)
  returns table (relation regclass, attnum int2, attname name, type text, attstattarget int, known boolean, is_index boolean, is_ours boolean)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with tables as (
         select c.text_table::oid as oid from pgvec.collection(telling_columns.collection) as c
          union
         select p from pgvec.collection(telling_columns.collection) as c cross join lateral pgvec.partitions(c.text_table) as p)
  select a.attrelid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attstattarget::int,
         exists (select
                   from pg_catalog.pg_stats as s
                   join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
                  where s.schemaname = n.nspname and s.tablename = r.relname and s.attname = a.attname),
         r.relkind in ('i', 'I'),
         r.relkind in ('i', 'I')
           or a.attname in ('tenant_id', 'id', 'source', 'chunk_index', 'content', 'language', 'embedding', 'embedded_hash', 'content_hash', 'fts', 'bm25', 'created_at', 'updated_at')
    from (select t.oid from tables as t
           union all
          select x.indexrelid from tables as t join pg_catalog.pg_index as x on x.indrelid = t.oid and x.indexprs is not null) as h
    join pg_catalog.pg_class as r on r.oid = h.oid
    join pg_catalog.pg_attribute as a on a.attrelid = r.oid
   where a.attnum > 0
     and not a.attisdropped
     and a.attname <> 'metadata'
$$;
comment on function pgvec.telling_columns(text) is
  'The columns whose statistics tell of rows: the table or index, number, name and type, the target of statistics as pg_attribute has it, whether there are some, '
  'whether it is a column of an index, and whether the column is of the engine''s own. Raises PV001.';
revoke all on function pgvec.telling_columns(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.tenant_candidates', '9b2f5b1bb3067e63ffa327e7174944807bc788a7d725067b6e9a35944fb0362d', '0.2.1', $pgvec_file$
-- pgvec.tenant_candidates -- what a hybrid search in one tenant chooses from: ids and scores.
-- As pgvec.tenant_matches, for both sides at once.
create or replace function pgvec.tenant_candidates(
    collection text,
    query pgvec.keyword_query,
    query_embedding extensions.vector,
    ranking text,
    filter jsonb,
    match_threshold float8,
    depth int,
    by_vector boolean,
    by_keyword boolean,
    for_tenant uuid)
  returns pgvec.fused[]
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
begin
  return pgvec.hybrid_candidates(
    pgvec.tenant_target(collection, for_tenant), query, query_embedding, ranking, filter, match_threshold, depth, by_vector, by_keyword);
end
$$;
comment on function pgvec.tenant_candidates(text, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean, uuid) is
  'pgvec.hybrid_candidates for a tenant of the caller''s, by the owner of the table. Raises PV006.';
revoke all on function pgvec.tenant_candidates(text, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean, uuid) from public;
select pgvec.grant_execute('pgvec.tenant_candidates(text, pgvec.keyword_query, extensions.vector, text, jsonb, float8, int, boolean, boolean, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.tenant_documents', '1f4d8023d9400d7e9ce1b0b063b9851a04f04707a1b2e068049ca7900f6d3f4f', '0.2.1', $pgvec_file$
-- pgvec.tenant_documents -- match_documents for callers under row level security, and for several tenants at once.
-- Each tenant is searched for itself, as if there were no other; what pgvec.tenant_matches found is read under the
-- caller's policies, by primary key.
create or replace function pgvec.tenant_documents(
    collection pgvec.collections, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, distance text)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  tenant uuid;
begin
  foreach tenant in array collection.tenants loop
    return query execute format(
      $query$
      select d.id, d.content, d.metadata, h.score
        from unnest($1) as h
       cross join lateral (select r.* from %s as r where r.tenant_id = $2 and r.id = h.id offset 0) as d
      $query$, collection.relation)  -- fenced, as in pgvec.rows_of
      using array(
              select (n.id, n.similarity)::pgvec.scored
                from pgvec.tenant_matches(collection.name, query_embedding, match_count, filter, match_threshold, tenant, distance) as n),
            tenant;
  end loop;
end
$$;
comment on function pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text) is
  'The match_count rows that match_documents finds for each tenant of a collection (pgvec.scoped), read as the caller.';
revoke all on function pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text) from public;
select pgvec.grant_execute('pgvec.tenant_documents(pgvec.collections, extensions.vector, int, jsonb, float8, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.tenant_keyword_hits', '93d4469c3c6c0ccb94d34737f0deb3ea70ce9d03cd2a6623915fae306bfafc89', '0.2.1', $pgvec_file$
-- pgvec.tenant_keyword_hits -- where the rows of a tenant are that score highest for a keyword query: ids and scores.
-- As pgvec.tenant_matches, for the words.
create or replace function pgvec.tenant_keyword_hits(
    collection text, query pgvec.keyword_query, ranking text, match_count int, filter jsonb, for_tenant uuid)
  returns pgvec.scored[]
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
begin
  return pgvec.keyword_hits(pgvec.tenant_target(collection, for_tenant), query, ranking, match_count, filter);
end
$$;
comment on function pgvec.tenant_keyword_hits(text, pgvec.keyword_query, text, int, jsonb, uuid) is
  'The ids and scores that pgvec.keyword_hits finds among the rows of a tenant of the caller. Raises PV001, PV003 and PV006.';
revoke all on function pgvec.tenant_keyword_hits(text, pgvec.keyword_query, text, int, jsonb, uuid) from public;
select pgvec.grant_execute('pgvec.tenant_keyword_hits(text, pgvec.keyword_query, text, int, jsonb, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.tenant_matches', 'afc6dcbf7bdadbbab2d93ff79ccdb4ea0915e5cc142ce71405eb161a789edf02', '0.2.1', $pgvec_file$
-- pgvec.tenant_matches -- where the nearest rows of a tenant are: ids, and how similar they are.
-- Policies keep indexes from being used, since the operators of a search are not leakproof. So the rows are found here,
-- by the owner of the table, and read by the caller, under the caller's policies (pgvec.tenant_documents): a fault here
-- could lose rows, but not show any. Whoever calls it directly gets what a search gives: pgvec.scoped decides.
create or replace function pgvec.tenant_matches(
    collection text, query_embedding extensions.vector, match_count int, filter jsonb, match_threshold float8, for_tenant uuid, distance text)
  returns table (id text, similarity float8)
  language plpgsql stable parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
  rows 50
as $$
declare
  target pgvec.collections := pgvec.tenant_target(tenant_matches.collection, for_tenant);
begin
  return query
    select m.id, m.similarity
      from public.match_documents(query_embedding, match_count, filter, match_threshold, target.name, target.tenants[1], distance) as m;
end
$$;
comment on function pgvec.tenant_matches(text, extensions.vector, int, jsonb, float8, uuid, text) is
  'The ids and similarities that match_documents finds among the rows of a tenant of the caller. Errors as match_documents.';
revoke all on function pgvec.tenant_matches(text, extensions.vector, int, jsonb, float8, uuid, text) from public;
select pgvec.grant_execute('pgvec.tenant_matches(text, extensions.vector, int, jsonb, float8, uuid, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.tenant_rows', 'eba39942923db97d00310239cace2a1c49e1d69d4bde303a99de9c986bb28336', '0.2.1', $pgvec_file$
-- pgvec.tenant_rows -- what a search in one tenant reads, and how many rows that will be.
-- Two ways to the rows that meet a condition: all of the tenant's by the primary key (1.6 microseconds a row), fenced by OFFSET 0
-- so that no index over the words or the metadata of all tenants is looked up for thousands of rows of others; or an index over
-- all tenants, with the tenant as a mere filter. The planner cannot choose, since it has no statistics of tenants (it would tell
-- of them): so the tenant's size and its estimate of the condition choose here. An index of vectors is always one over all.
-- coalesce keeps the planner from the primary key and counts as half of all rows, which is undone; the partition is named,
-- where who searches may read it, since it is not found from a coalesce.
-- Volatile, since EXPLAIN is a utility statement, which stable functions may not run themselves.
create or replace function pgvec.tenant_rows(
    collection pgvec.collections, condition text, words tsquery, bound jsonb,
    out scanned text, out walked text, out matches float8, out to_scan float8)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  few    constant int := 1000;  -- rows that are read sooner than asked about
  tenant constant uuid := collection.tenants[1];
  size   constant bigint := pgvec.tenant_size(collection.name, tenant);
  part   regclass;
  plan   text;
  total  float8;
begin
  if exists (select from pg_catalog.pg_inherits as i where i.inhparent = collection.base) then
    execute format('select d.tableoid::regclass from %s as d where d.tenant_id = %L limit 1', collection.relation, tenant) into part;
  end if;
  part := case when has_table_privilege(part, 'select') then part else collection.relation end;
  scanned := format('(select * from %s as r where r.tenant_id = %L offset 0)', collection.relation, tenant);
  walked := format('(select * from %s as r where coalesce(r.tenant_id = %L, false))', part, tenant);
  matches := size;
  to_scan := size;
  if size <= few or condition in ('', 'true') then
    return;
  end if;

  execute format('explain (format json) select from %s as d where d.embedding is not null and %s', walked, condition) into plan using words, bound;
  total := 2 * split_part(split_part(plan, '"Plan Rows": ', 2), ',', 1)::float8;
  matches := least(size, total * least(1, size / greatest(pgvec.estimate_rows(collection), 1)));
  if position('"Index Name":' in plan) > 0 and total < size then
    scanned := walked;
    to_scan := total;
  end if;
end
$$;
comment on function pgvec.tenant_rows(pgvec.collections, text, tsquery, jsonb) is
  'For a collection with the one tenant that a search is for (pgvec.scoped): the FROM items of a query that scans the rows meeting a condition and of one that '
  'walks an index of vectors, about how many rows meet it (matches), and how many are read to find them all (to_scan). condition: on rows d, with words as $1 and bound as $2.';
revoke all on function pgvec.tenant_rows(pgvec.collections, text, tsquery, jsonb) from public;
select pgvec.grant_execute('pgvec.tenant_rows(pgvec.collections, text, tsquery, jsonb)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.tenant_size', '609afc277ee24707d2606e4732abeeddd42bc37cc06f117bed14fb01788978ee', '0.2.1', $pgvec_file$
-- pgvec.tenant_size -- about how many rows of a collection belong to a tenant.
-- The planner knows it of no tenant (pgvec.hide_statistics), and routes need it. Definer, since the statistics of BM25, which
-- tell, are nobody's to read; told to who may read these rows.
create or replace function pgvec.tenant_size(collection text, tenant uuid)
  returns bigint
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
begin
  if not exists (select from pgvec.allowed_tenants() as t where t = tenant_size.tenant)
     and not exists (select from pgvec.collections as c where c.name = tenant_size.collection and pgvec.sees_all(c))
  then
    return 0;
  end if;
  return (
    select coalesce(sum(t.documents + t.uncounted), 0)
      from pgvec.text_totals as t
     where t.collection = tenant_size.collection
       and t.tenant = tenant_size.tenant);
end
$$;
comment on function pgvec.tenant_size(text, uuid) is
  'The rows of a tenant that are counted, and those changed since, which may be counted twice. 0 for a tenant that is not the caller''s.';
revoke all on function pgvec.tenant_size(text, uuid) from public;
select pgvec.grant_execute('pgvec.tenant_size(text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.tenant_target', '08c41dadbda44a908860de54a8ee30a4995915185a94f5223b640008f604443d', '0.2.1', $pgvec_file$
-- pgvec.tenant_target -- a collection for a search in one tenant, by the owner of its table on the caller's behalf.
-- The owner has to see all rows: else the search would end up with its caller's policies, and call itself again. And the table
-- may not be a weaker role's, which could have code of its own run by the search: pgvec.is_trusted.
create or replace function pgvec.tenant_target(collection text, for_tenant uuid)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(tenant_target.collection, for_tenant);
begin
  if cardinality(target.tenants) is distinct from 1 or not pgvec.finds_alone(target) or not pgvec.is_trusted(target.base) then
    raise exception using
      errcode = 'PV006',
      message = format('collection %L is refused to tenants: its table or a partition of it is not of %s, or policies are forced on that role', target.name, current_user),
      hint    = format('the owner of the engine has to own the table and its partitions: alter table %s owner to %I; alter table ... no force row level security', target.base, current_user);
  end if;
  return target;
end
$$;
comment on function pgvec.tenant_target(text, uuid) is
  'The registry row of a collection with the one tenant that a search is for. '
  'Raises PV006 unless there is one, the current user sees its rows, and the table is no weaker role''s; and as pgvec.scoped.';
revoke all on function pgvec.tenant_target(text, uuid) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.text_condition', '4dcef95aee54cdc0c14b8750760537e8941ea65b108c388293325b42f164cc2d', '0.2.1', $pgvec_file$
-- pgvec.text_condition -- what rows have to meet for "quoted phrases" and -excluded words, as a tsquery; null for nothing.
-- A phrase may stand in any of the languages of a collection, an excluded word in none. What is all stop words says
-- nothing.
create or replace function pgvec.text_condition(configurations text[], phrases text[], excluded text[])
  returns tsquery
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  -- stop words alone are told as a notice
  set client_min_messages = warning
as $$
declare
  condition tsquery;
  part      tsquery;
  item      record;
begin
  for item in
    select p as words, false as negated from unnest(phrases) as p
     union all
    select x, true from unnest(excluded) as x
  loop
    part := null;
    select string_agg(format('(%s)', q.words), ' | ')::tsquery into part
      from unnest(configurations) as c
     cross join lateral phraseto_tsquery(c::regconfig, item.words) as q (words)
     where numnode(q.words) > 0;
    continue when part is null;
    part := case when item.negated then !!part else part end;
    condition := coalesce(condition && part, part);
  end loop;
  return condition;
end
$$;
comment on function pgvec.text_condition(text[], text[], text[]) is
  'The tsquery for rows that contain every phrase and nothing that is excluded, read by each of some text search configurations. Null where these hold no words.';
revoke all on function pgvec.text_condition(text[], text[], text[]) from public;
select pgvec.grant_execute('pgvec.text_condition(text[], text[], text[])', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.text_configurations', '3d840b8df8ff88d9ef4c3e3a534bbdfb09cec6d129a4592b52b974b29f6c3385', '0.2.1', $pgvec_file$
-- pgvec.text_configurations -- the text search configurations that a query has to be read by: the collection's, and those
-- that rows have of their own.
-- Definer, since the statistics are nobody's to read; which languages there are is all it tells.
drop function if exists pgvec.text_configurations(text);

create or replace function pgvec.text_configurations(collection text, for_tenant uuid)
  returns text[]
  language sql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
  select array(select s.language
                union
               select u
                 from pgvec.text_totals as t, unnest(t.languages) as u
                where t.collection = s.name
                  and t.tenant = any (coalesce(s.tenants, array[pgvec.no_tenant()]))
                order by 1)
    from pgvec.scoped(text_configurations.collection, for_tenant) as s
$$;
comment on function pgvec.text_configurations(text, uuid) is
  'The text search configurations in use in a collection: its own, and those of rows with a language, of one tenant or all of the caller. Raises PV001 and PV006.';
revoke all on function pgvec.text_configurations(text, uuid) from public;
select pgvec.grant_execute('pgvec.text_configurations(text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.text_search_configuration', '34323401c3bcb5c5c2d25dfe49c3da251ad070735e788156de032f15f7fa2563', '0.2.1', $pgvec_file$
-- pgvec.text_search_configuration -- the text search configuration of a language, or PV004.
create or replace function pgvec.text_search_configuration(language text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  configuration text;
begin
  begin
    -- by its oid, since any number passes for the name of one
    select t.oid::regconfig::text into configuration
      from pg_catalog.pg_ts_config as t
     where t.oid = language::regconfig
       and t.cfgnamespace <> pg_my_temp_schema()  -- which is nobody else's
       and not pg_is_other_temp_schema(t.cfgnamespace);
  exception when undefined_object or invalid_schema_name or invalid_name or syntax_error or feature_not_supported then
    configuration := null;
  end;
  if configuration is null then
    raise exception using
      errcode = 'PV004',
      message = format('there is no text search configuration %s', pgvec.shown(language)),
      hint    = format('one of: %s', (select string_agg(t.cfgname, ', ' order by t.cfgname) from pg_catalog.pg_ts_config as t));
  end if;
  return configuration;
end
$$;
comment on function pgvec.text_search_configuration(text) is 'The full name of a text search configuration. Raises PV004, listing those there are, for an unknown one.';
revoke all on function pgvec.text_search_configuration(text) from public;
select pgvec.grant_execute('pgvec.text_search_configuration(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.told_age', '05a83fc4a8b74643590ec14a6d95445f07151a148f126d8ebd2e8ca1159ce0f7', '0.2.1', $pgvec_file$
-- pgvec.told_age -- how long ago something was, for people: 3 hours ago.
create or replace function pgvec.told_age(moment timestamptz)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when s.seconds < 120 then 'just now'
           when s.seconds < 7200 then round(s.seconds / 60) || ' minutes ago'
           when s.seconds < 172800 then round(s.seconds / 3600) || ' hours ago'
           else round(s.seconds / 86400) || ' days ago'
         end
    from (select extract(epoch from clock_timestamp() - moment) as seconds) as s
   where moment is not null
$$;
comment on function pgvec.told_age(timestamptz) is 'How long ago a moment was, in words; null for null.';
revoke all on function pgvec.told_age(timestamptz) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.told_executable', '2579b254391564d455f050e441aa276133f8070fb5ee28abb2a3a862a5e34c79', '0.2.1', $pgvec_file$
-- pgvec.told_executable -- how many functions of the REST API each role may call, for people.
create or replace function pgvec.told_executable()
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(string_agg(format('%s may execute %s', e.name, e.times), ', ' order by e.name), 'there are no roles to grant to')
    from (select r.name, count(*) filter (where has_function_privilege(r.name, f.oid, 'execute')) as times
            from pgvec.roles('reader') as r (name)
           cross join pgvec.our_functions() as f
           where f.pronamespace = 'public'::regnamespace
           group by r.name) as e
$$;
comment on function pgvec.told_executable() is 'Of each role that is granted to, the number of functions in schema public that it may execute, as one text.';
revoke all on function pgvec.told_executable() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.tune', '8c295c1b632a2eabfaa0bb328a10f20ae5b061fce49312e3f309bb9f585dc35a', '0.2.1', $pgvec_file$
-- pgvec.tune -- the smallest ef_search, or probes, that reaches a recall on the collection's own rows, made its setting.
-- Rows drawn as queries go through match_documents itself, and the row is left out of its own answer. The registry row is
-- changed on the way; nobody else sees that before the end.
create or replace function pgvec.tune(
    collection text,
    wanted_recall float8 default 0.98,
    queries int default 100,
    match_count int default 10,
    filter jsonb default '{}')
  returns table (setting text, value int, recall float8, p50_ms float8, p95_ms float8, chosen boolean)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(tune.collection);
  within   record := pgvec.filter_condition(target, filter);
  drawn    record;
  expected jsonb[] := '{}'::jsonb[];
  found    text[];
  started  timestamptz;
  times    float8[];
  hits     int;
  wanted   int;
  logging  text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  setting := (select case i.method when 'hnsw' then 'ef_search' else 'probes' end from pgvec.index_kind(target, target.distance) as i where i.kind is not null);
  if setting is null then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L has no vector index to tune', target.name),
      hint    = 'build one first: pgvec-admin index create';
  end if;
  if wanted_recall is null or wanted_recall not between 0 and 1 then
    raise exception using
      errcode = 'PV004',
      message = format('wanted_recall cannot be %s', coalesce(wanted_recall::text, 'null')),
      hint    = 'a share between 0 and 1, for example 0.98';
  end if;
  perform pgvec.check_count('queries', queries, 1, 10000);
  perform pgvec.check_count('match_count', match_count, 1, 999);  -- the row itself is found as well
  perform pgvec.note_index(target.name);
  perform set_config('pgvec.search_log', 'off', true);  -- these are no searches of anybody's

  execute format('select array_agg(q.id) as ids, array_agg(q.embedding) as embeddings
                    from (select d.id, d.embedding::extensions.vector as embedding from %s as d where d.embedding is not null order by md5(d.id) limit $1) as q',
                 target.relation)
    into drawn
    using queries;
  for i in 1 .. coalesce(cardinality(drawn.ids), 0) loop
    execute format('select array_agg(q.id order by q.distance, q.id) from (%s) as q where q.id <> $4', pgvec.vector_query(target, target.distance, within.condition, null))
      into found
      using drawn.embeddings[i], within.bound, match_count + 1, drawn.ids[i];
    expected := expected || to_jsonb(found[:match_count]);
  end loop;

  for value in
    select v from unnest(case setting when 'ef_search' then '{10,20,30,40,60,80,100,150,200,300,400,600,800,1000}'::int[] else '{1,2,3,5,8,12,20,30,50,80,120,200,400,800,1600}' end) as v
  loop
    update pgvec.collections as c
       set settings = c.settings || jsonb_build_object(tune.setting, tune.value)
     where c.name = target.name;
    times := '{}';
    hits := 0;
    wanted := 0;
    for i in 1 .. cardinality(expected) loop
      started := clock_timestamp();
      found := array(select m.id from public.match_documents(drawn.embeddings[i], match_count + 1, filter, null::float8, target.name, null::uuid, null::text) as m);
      times := times || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
      found := array_remove(found, drawn.ids[i]);
      hits := hits + (select count(*) from jsonb_array_elements_text(expected[i]) as e where e.value = any (found[:match_count]));
      wanted := wanted + coalesce(jsonb_array_length(expected[i]), 0);
    end loop;
    recall := hits / nullif(wanted, 0)::float8;
    select percentile_cont(0.5) within group (order by t), percentile_cont(0.95) within group (order by t) into p50_ms, p95_ms
      from unnest(times) as t;
    chosen := coalesce(recall >= wanted_recall, true);
    return next;
    exit when chosen;
  end loop;
  perform set_config('pgvec.search_log', logging, true);
end
$$;
comment on function pgvec.tune(text, float8, int, int, jsonb) is
  'Tries growing ef_search (hnsw) or probes (ivfflat) until match_documents reaches wanted_recall@match_count against exact scans, over rows drawn as queries, '
  'and leaves the last one tried as the setting of the collection. Returns each with its recall and latency in ms on the server. '
  'Raises PV001, PV003, PV004 without an index.';
revoke all on function pgvec.tune(text, float8, int, int, jsonb) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.upgrade_collections', '5a1c97e179ff118321bfcab3b9a2836a11429295e534752b575f269941549df2', '0.2.1', $pgvec_file$
-- pgvec.upgrade_collections -- gives collections that an earlier release made what this one keeps beside their rows.
create or replace function pgvec.upgrade_collections()
  returns setof text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.*
      from pgvec.collections as c
      join pg_catalog.pg_class as r on r.oid = c.text_table
     where not exists (select
                         from pg_catalog.pg_trigger as t
                        where t.tgrelid = c.text_table
                          and t.tgfoid = 'pgvec.count_lexemes()'::regprocedure)
     order by c.name
  loop
    perform pgvec.attach_triggers(item.name);
    perform pgvec.refresh_statistics(item.name);
    return next item.name;
  end loop;

  -- Policies compared a row with itself, or with what could not be compared; statistics told of the rows of others.
  -- What is as it should be is not locked; a view comes before its side table, as in a search, so that neither waits for the other.
  perform pgvec.renew_view(p.name) from pgvec.present_collections() as p where p.base <> p.relation;
  perform pgvec.protect_side(a.collection)
     from pgvec.adoptions as a
     join pg_catalog.pg_class as r on r.oid = a.side
    where not r.relrowsecurity
       or not exists (select
                        from pg_catalog.pg_policy as p
                       where p.polrelid = a.side
                         and p.polname = 'follow_the_table'
                         and position('pgvec.reads_text(' in pg_get_expr(p.polqual, p.polrelid)) > 0);
  perform pgvec.hide_statistics(p.name) from pgvec.present_collections() as p where p.access <> 'open' and (p.base = p.relation or p.text_table <> p.base);
  for item in
    select p.*
      from pgvec.present_collections() as p
      join pg_catalog.pg_index as x on x.indexrelid = to_regclass(format('public.%I', p.name || '_source_idx')) and x.indrelid = p.base
      join pg_catalog.pg_attribute as a on a.attrelid = p.base and a.attnum = x.indkey[0] and a.attname = 'tenant_id'
  loop
    execute format('drop index public.%I', item.name || '_source_idx');
    perform pgvec.index_sources(item.name, item.base, item.access);
  end loop;
  perform pgvec.create_collection_api(p.name)
     from pgvec.present_collections() as p
    where exists (select from pg_catalog.pg_proc as f where f.pronamespace = 'public'::regnamespace and pgvec.is_api_of(p.name, f.oid));

  -- the queries noted are of the release that noted them
  perform pgvec.note_index(c.name)
     from pgvec.collections as c
    where c.search_index is not null
      and exists (select from pg_catalog.pg_class as r where r.oid = c.relation);
end
$$;
comment on function pgvec.upgrade_collections() is
  'Adds to collections of earlier releases what this one needs: the statistics and weights of BM25, the policies of side tables, '
  'the views over adopted tables, no statistics of the planner that tell of others, the index of sources of tenants, the queries noted. '
  'Returns the names of those that got statistics. pgvec-admin migrate calls it.';
revoke all on function pgvec.upgrade_collections() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.vector_indexes', '298288a21277620c8365587b71466d8b89f2ca8bb644c03416cfa55f1e2d01f2', '0.2.1', $pgvec_file$
-- pgvec.vector_indexes -- the HNSW and IVFFlat indexes on a collection's embedding.
drop function if exists pgvec.vector_indexes(text);

create or replace function pgvec.vector_indexes(collection text)
  returns table (name text, method text, storage text, distance text, valid boolean, size_bytes bigint, definition text)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select i.relname::text,
         m.amname::text,
         case split_part(o.opcname, '_', 1) when 'bit' then 'binary' else split_part(o.opcname, '_', 1) end,
         case
           when o.opcname like '%\_cosine\_ops' then 'cosine'
           when o.opcname like '%\_l2\_ops' then 'l2'
           when o.opcname like '%\_ip\_ops' then 'inner_product'
           when o.opcname like '%\_l1\_ops' then 'l1'
           else c.distance
         end,
         x.indisvalid and x.indisready,
         (select sum(pg_relation_size(p)) from pgvec.partitions(i.oid) as p)::bigint,
         pg_get_indexdef(i.oid)
    from pgvec.collection(vector_indexes.collection) as c
    join pg_catalog.pg_index as x on x.indrelid = c.base
    join pg_catalog.pg_class as i on i.oid = x.indexrelid
    join pg_catalog.pg_am as m on m.oid = i.relam
    join pg_catalog.pg_opclass as o on o.oid = x.indclass[0]
   where m.amname in ('hnsw', 'ivfflat')
     and exists (select
                   from pg_catalog.pg_attribute as a
                   join pg_catalog.pg_depend as p on p.refobjid = a.attrelid and p.refobjsubid = a.attnum
                  where a.attrelid = c.base
                    and a.attname = c.embedding_column
                    and p.refclassid = 'pg_catalog.pg_class'::regclass
                    and p.classid = 'pg_catalog.pg_class'::regclass
                    and p.objid = x.indexrelid)
   order by i.relname
$$;
comment on function pgvec.vector_indexes(text) is
  'The vector indexes of a collection: name, method (hnsw, ivfflat), storage (vector, halfvec, binary), the distance each serves, whether it is valid, '
  'size in bytes, definition. A binary index serves every distance, since the rows it finds are ordered anew.';
revoke all on function pgvec.vector_indexes(text) from public;
select pgvec.grant_execute('pgvec.vector_indexes(text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.vector_lengths', 'd444b459714b42c54fb259ea333dd4dc12d1e38c42340975511bd274ca943eb9', '0.2.1', $pgvec_file$
-- pgvec.vector_lengths -- how long a collection's vectors are, which decides whether distances rank alike.
create or replace function pgvec.vector_lengths(collection text, out shortest float8, out mean float8, out longest float8)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  execute format(
    'select min(n.l), avg(n.l), max(n.l) from (select extensions.vector_norm(d.embedding::extensions.vector) as l from %s as d where d.embedding is not null) as n',
    (pgvec.collection(vector_lengths.collection)).relation)
    into shortest, mean, longest;
end
$$;
comment on function pgvec.vector_lengths(text) is 'The shortest, mean and longest length (L2 norm) of a collection''s embeddings. Reads the whole table.';
revoke all on function pgvec.vector_lengths(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.vector_query', 'be450c5ee0d89ffceb61f7121f657d0df81f65881eed6d10d1330f4d409f8033', '0.2.1', $pgvec_file$
-- pgvec.vector_query -- the SQL that finds the nearest rows of a collection that meet a condition.
drop function if exists pgvec.vector_query(pgvec.collections, text, boolean, boolean);
drop function if exists pgvec.vector_query(pgvec.collections, text, text, text);

create or replace function pgvec.vector_query(collection pgvec.collections, distance text, condition text, kind text, searched text default null)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return format(pgvec.query_template(collection, distance, kind), coalesce(searched, pgvec.rows_of(collection)), coalesce(nullif(condition, ''), 'true'));
end
$$;
comment on function pgvec.vector_query(pgvec.collections, text, text, text, text) is
  'The SQL text that returns (id, content, metadata, distance) of the nearest rows: $1 vector, $2 jsonb values of the condition, $3 int limit. '
  'condition: of pgvec.filter_condition. distance, kind: of pgvec.query_template. searched: the FROM item, by default pgvec.rows_of.';
revoke all on function pgvec.vector_query(pgvec.collections, text, text, text, text) from public;
select pgvec.grant_execute('pgvec.vector_query(pgvec.collections, text, text, text, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.vector_schema', 'f5a262a5fd4821f34849e65b1948a05df4b42a45ec6a83a3998561b57d549c62', '0.2.1', $pgvec_file$
-- pgvec.vector_schema -- the schema of pgvector, quoted, for SQL that people are given.
create or replace function pgvec.vector_schema()
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select quote_ident(n.nspname)
    from pg_catalog.pg_extension as e
    join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
   where e.extname = 'vector'
$$;
comment on function pgvec.vector_schema() is 'The schema that pgvector is in, quoted.';
revoke all on function pgvec.vector_schema() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verdict', 'ddbac31056a76421b33437154d70f7a6606e252e50517bc4e9979dfe69cd806f', '0.2.1', $pgvec_file$
-- pgvec.verdict -- what a check says, of the problems that it has met.
-- The first three are told; a table without row level security needs no list of a thousand.
create or replace function pgvec.verdict(
    area text, check_name text, problems text[], fine text, hint text default null, fix text default null, severity text default 'fail')
  returns pgvec.verdict
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when cardinality(problems) > 0 then
             row (area, check_name, severity,
                  array_to_string(problems[:3], '; ') || case when cardinality(problems) > 3 then format('; and %s more', cardinality(problems) - 3) else '' end,
                  hint, nullif(fix, ''))::pgvec.verdict
           else row (area, check_name, 'ok', fine, null, null)::pgvec.verdict
         end
$$;
comment on function pgvec.verdict(text, text, text[], text, text, text, text) is
  'The verdict of a check: ok and what is fine where there are no problems; else severity (warn or fail), the problems, a hint, and the SQL that repairs them.';
revoke all on function pgvec.verdict(text, text, text[], text, text, text, text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify', '1f7a917b16dbabfe0bdd7886cf8a45e056092e8a8c6109481069d2811b0557b5', '0.2.1', $pgvec_file$
-- pgvec.verify -- every check that can be made from within the database, for psql.
-- pgvec-admin verify makes them one by one, each within its time, and compares functions and migrations with its own files besides.
-- PostgreSQL cannot choose between a function and one of its name with the same arguments and further optional ones, however it is
-- called. Then what cannot be checked is told, and the rest goes on.
create or replace function pgvec.verify(collection text default null, seconds float8 default 10)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item     text;
  checks   text[] := pgvec.installation_checks();
  check_of text;
  reason   text;
begin
  if verify.collection is not null and pgvec.collection_checks(verify.collection) is null then
    perform pgvec.collection(verify.collection);  -- which says so
  end if;
  for item in
    select i.name
      from (select null::text as name where verify.collection is null
             union all
            (select c.name from pgvec.collections as c where verify.collection is null or c.name = verify.collection order by c.name)) as i
  loop
    if item is not null then
      checks := coalesce(pgvec.collection_checks(item), '{}');  -- dropped meanwhile
    end if;
    foreach check_of in array checks loop
      begin
        if item is null then
          return query execute format('select * from %s()', check_of);
        elsif check_of = 'pgvec.verify_search' then
          return query select * from pgvec.verify_search(item, seconds);
        else
          return query execute format('select * from %s($1)', check_of) using item;
        end if;
      exception when ambiguous_function then  -- somebody's function has the name of one of ours, with more arguments
        get stacked diagnostics reason = message_text;
        return next pgvec.verdict(coalesce(item, 'installation'), substr(check_of, 7), array['cannot be checked: ' || reason], null, 'look at the check overloads');
      end;
    end loop;
  end loop;
end
$$;
comment on function pgvec.verify(text, float8) is
  'What pgvec-admin verify checks, but for what it compares with its own files: the server, the engine''s functions and tables, '
  'and each collection, or only the one that is named; seconds bounds the searches of each. Reads only. Raises PV001.';
revoke all on function pgvec.verify(text, float8) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_access', '3deda58f73cfbae08f507caa0f58e4a979c4b70d4a5e158eb9773f8387e268e3', '0.2.1', $pgvec_file$
-- pgvec.verify_access -- whether those who may search a collection find its rows, and strangers find none.
-- Each attempt is a query as a role, with the token of a tenant whose row was drawn, or of one that was made up. Calls are by
-- exact signature, so that no other function of the name is meant. Nothing is written; pgvec.verify_tenants tries to write as well,
-- in a collection of its own. A role that was never granted the table, or is no more, is told of: whether it should be is the owner's to say.
create or replace function pgvec.verify_access(collection text)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections := pgvec.collection(verify_access.collection);
  attempts constant text[] := array[
    'select from %1$s limit 1',
    'select from public.match_documents(%2$L::extensions.vector, 1, ''{}''::jsonb, null::float8, %3$L::text, null::uuid, null::text)',
    'select from public.match_documents(%2$L::extensions.vector, 1, ''{}''::jsonb, null::float8, %3$L::text, %6$L::uuid, null::text)',
    'select from public.keyword_search(%5$L::text, 1, ''{}''::jsonb, ''bm25''::text, %3$L::text, null::uuid, false, null::float8)',
    'select from public.keyword_search(%5$L::text, 1, ''{}''::jsonb, ''bm25''::text, %3$L::text, %6$L::uuid, false, null::float8)',
    'select from public.hybrid_search(%5$L::text, %2$L::extensions.vector, 1, 1::float8, 1::float8, null::int, null::text, ''{}''::jsonb, null::float8, '
      '''bm25''::text, %3$L::text, null::uuid, 100, null::text, null::float8, null::text, null::interval, false)',
    'select from public.document_context(%4$L::text, 1, 1, %3$L::text, null::uuid)',
    'select from public.recommend_documents(array[%4$L::text], ''{}''::text[], 1, ''{}''::jsonb, null::float8, %3$L::text, null::uuid)',
    'select from public.document_facets(%8$L::text, null::text, ''{}''::jsonb, 10, %3$L::text, null::uuid)',
    'select from public.suggest_query(%5$L::text, %3$L::text, null::uuid) as s (text) where s.text is not null',
    'select from pgvec.tenant_matches(%3$L::text, %2$L::extensions.vector, 1, ''{}''::jsonb, null::float8, %6$L::uuid, %7$L::text) as m where m.id is not null',
    'select pgvec.keyword_query(%3$L::text, %5$L::text, %6$L::uuid)',
    'select from pgvec.lexemes limit 1',
    'select from pgvec.memberships limit 1'];
  row_id   text;  -- of a row drawn
  embedding extensions.vector;
  words    text;
  facet    text;
  tenant   uuid;
  trial    record;
  met      bigint;
  tried    int := 0;
  shut_out text[] := array[]::text[];
  seen     text[] := array[]::text[];
  ungranted text[];
  stranger constant uuid := gen_random_uuid();
  may_set  constant text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
  acting   name[] := array(select r from pgvec.roles('reader') as r where pg_has_role(session_user, r, may_set) order by r);
  role     constant text := current_setting('role');
  claims   constant text := coalesce(current_setting('request.jwt.claims', true), '');
  logging  constant text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  if target.access = 'policy' or target.base <> target.relation then
    return next pgvec.verdict(target.name, 'readers', '{}', 'who reads is for its own policies to say');
    return;
  elsif not pgvec.is_trusted(target.base) or exists (select from pgvec.foreign_code(array(select t from pgvec.relations_of(target.name) as t)) as f) then
    return next pgvec.verdict(
      target.name, 'readers', array[format('not tried: code of a weaker role''s would run with the rights of %s', session_user)], null,
      'whose it is, and what calls it: the checks table owner, code of others, triggers of others', severity => 'warn');
    return;
  end if;
  execute format('select d.id, d.embedding::extensions.vector, left(d.content, 60), (select k.key from jsonb_object_keys(d.metadata) as k (key) limit 1), %s'
                 ' from %s as d where d.embedding is not null limit 1',
                 case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, target.relation)
    into row_id, embedding, words, facet, tenant;
  if row_id is null or acting = '{}' then
    return next pgvec.verdict(
      target.name, 'readers', '{}',
      case when row_id is null then 'there is nothing to find' else format('%s may act as no other role to try', current_user) end);
    return;
  end if;

  ungranted := array(select a from unnest(acting) as a where not has_table_privilege(a, target.relation, 'select'));
  perform set_config('pgvec.search_log', 'off', true);  -- these are no searches of anybody's
  -- as one who has the row, by the plain ways to find it; as a stranger, who is no administrator, by all ways
  for trial in
    select r.rolname as reader, a.query, s.is_stranger
      from unnest(acting) as x (name)
      join pg_catalog.pg_roles as r on r.rolname = x.name
     cross join unnest(attempts) with ordinality as a (query, place)
     cross join (values (false), (true)) as s (is_stranger)
     where case when s.is_stranger then target.access = 'tenant' and r.rolname <> 'service_role'
                else a.place <= 2 and r.rolname <> all (ungranted) and not (target.access = 'tenant' and r.rolbypassrls) end
     order by r.rolname, a.place
  loop
    begin
      perform set_config('request.jwt.claims', jsonb_build_object('role', trial.reader, 'app_metadata', jsonb_build_object(
                'tenant_id', case when trial.is_stranger then stranger else tenant end))::text, true);
      perform set_config('role', trial.reader, true);
      execute format(trial.query, target.relation, embedding, target.name, row_id, words, tenant, target.distance, facet);
      get diagnostics met = row_count;
    exception when sqlstate 'PV006' or sqlstate 'PV004' or insufficient_privilege then
      met := 0;  -- PV004: an id, or a key, that is not there for the caller
    end;
    perform set_config('role', role, true);
    tried := tried + trial.is_stranger::int;
    if trial.is_stranger and met > 0 then
      seen := seen || format('a stranger who is %s sees rows (%s) by: %s', trial.reader, met, left(replace(trial.query, '%1$s', target.relation::text), 60));
    elsif not trial.is_stranger and met = 0 then
      shut_out := shut_out || format('%s finds nothing by: %s', trial.reader, left(replace(trial.query, '%1$s', target.relation::text), 60));
    end if;
  end loop;
  perform set_config('request.jwt.claims', claims, true);
  perform set_config('pgvec.search_log', logging, true);

  return next pgvec.verdict(
    target.name, 'readers',
    shut_out || array(select format('%s may not read %s', u, target.relation) from unnest(ungranted) as u),
    format('%s find its rows', array_to_string(acting, ', ')),
    format('look for grants that were revoked (\dp in psql): grant select on %s to ... where it should be; pgvec-admin migrate grants functions', target.relation),
    severity => case when shut_out = '{}' and cardinality(ungranted) < cardinality(acting) then 'warn' else 'fail' end);
  if target.access = 'tenant' then
    return next pgvec.verdict(
      target.name, 'strangers', seen, format('a made-up tenant sees nothing of another by %s paths', tried),
      'look for policies, grants and functions that were changed: the checks policies, grants, definer; pgvec-admin verify --tenants');
  end if;
end
$$;
comment on function pgvec.verify_access(text) is
  'Checks of a collection whose policies are ours: readers (each role that may search, with the token of a tenant that has rows, finds some; '
  'a warning where it is not granted the table) and, with tenants, '
  'strangers (a tenant that was made up sees nothing, whichever way it asks). Tries the roles that the caller may act as; writes nothing. Raises PV001.';
revoke all on function pgvec.verify_access(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_bloat', '8a668682fc6039dd577cd148b7d9066c88f2acc5f3af0759b89f52d8d4a258b9', '0.2.1', $pgvec_file$
-- pgvec.verify_bloat -- vector indexes larger than so many rows make them.
-- HNSW keeps the place of deleted rows for others until it is vacuumed, and never gets smaller. How large one would be anew is
-- known to a hundredth (pgvec.index_memory); that of m is told by the index itself. To build one anew takes hours and memory, so
-- nobody does it unasked.
create or replace function pgvec.verify_bloat(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  too_large constant float8 := 2;
  worth     constant bigint := 1048576;  -- bytes; of less, nobody need bother
  target    pgvec.collections := pgvec.collection(verify_bloat.collection);
begin
  return query
    with sizes as (
           select v.name, v.size_bytes, n.index_bytes
             from pgvec.vector_indexes(target.name) as v
            cross join lateral pgvec.index_memory(
                    'hnsw', v.storage, target.dimensions, greatest(pgvec.estimate_rows(target), 0), coalesce(substring(v.definition from 'm=''?(\d+)')::int, 16)) as n
            where v.method = 'hnsw' and v.valid)
    select (pgvec.verdict(
             target.name, 'bloated index',
             coalesce(array_agg(format('%s is %s, and anew would be %s', s.name, pg_size_pretty(s.size_bytes), pg_size_pretty(s.index_bytes::bigint)))
                        filter (where s.size_bytes > too_large * s.index_bytes + worth), '{}'),
             coalesce(string_agg(format('%s is %s, as its rows need', s.name, pg_size_pretty(s.size_bytes)), ', '), 'there is none'),
             'reindex index concurrently, with maintenance_work_mem as pgvec-admin index plan says',
             severity => 'warn')).*
      from sizes as s;
end
$$;
comment on function pgvec.verify_bloat(text) is
  'Check bloated index: HNSW indexes of a collection more than twice as large as they would be if they were built anew. Raises PV001.';
revoke all on function pgvec.verify_bloat(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_foreign', '425699c4017fd8a62c1273f597db56fa7ef6383d4e8ea2849cf5782274914f97', '0.2.1', $pgvec_file$
-- pgvec.verify_foreign -- functions that are not of this engine, and run where they can go past row level security.
-- What a function does cannot be told from outside. One that names a collection, our functions or the settings that make a
-- tenant, or that puts its SQL together, is a fault until somebody has looked; any other that callers may have run is told.
create or replace function pgvec.verify_foreign()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  engine constant oid := (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec');
  names  constant text := (select string_agg(regexp_replace(n.name, '(\W)', '\\\1', 'g'), '|')
                             from (select r.relname::text
                                     from pgvec.collections as c
                                     join pg_catalog.pg_class as r on r.oid = c.base
                                    where c.access <> 'open'
                                    union
                                   select f.proname::text from pgvec.our_functions() as f where f.pronamespace = 'public'::regnamespace
                                    union
                                   select 'pgvec') as n (name));
  tenant constant text := '(set_config\s*\(\s*''|\mset\s+(local\s+|session\s+)?)(app\.tenant_id|request\.jwt|role\M)';
begin
  return query
    with foreign_functions as (
           select p.oid::regprocedure::text as name, pg_get_userbyid(p.proowner) as owner,
                  case
                    when t.body ~* format('\m(%s)\M', names) then 'names what is protected'
                    when t.body ~* tenant then 'says who is calling'
                    when t.body ~* '\mexecute\M' or l.lanname not in ('sql', 'plpgsql') then 'runs SQL that cannot be told'
                  end as because
             from pg_catalog.pg_proc as p
             join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
             join pg_catalog.pg_language as l on l.oid = p.prolang
             join pg_catalog.pg_roles as o on o.oid = p.proowner
            cross join lateral regexp_replace(coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), '--[^\n]*', '', 'g') as t (body)
            where p.prosecdef
              and n.nspname in (select e.schema_name from pgvec.exposed_schemas() as e union select 'pgvec')
              and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
              and (o.rolsuper or o.rolbypassrls or pg_has_role(o.oid, engine, 'usage')
                   or exists (select from pgvec.present_collections() as c join pg_catalog.pg_class as r on r.oid = c.base where pg_has_role(o.oid, r.relowner, 'usage')))
              and not exists (select from pgvec.function_history as h where h.name = format('%s.%s', n.nspname, p.proname))
              and not exists (select from pgvec.collections as c where pgvec.is_api_of(c.name, p.oid))
              and not exists (select from pg_catalog.pg_depend as d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
              and exists (select from pgvec.held_roles() as h where has_function_privilege(h, p.oid, 'execute') and has_schema_privilege(h, n.oid, 'usage')))
    select (pgvec.verdict(
             'functions', 'definer of others',
             coalesce(array_agg(format('%s runs as %s, and %s', f.name, f.owner, coalesce(f.because, 'callers may execute it')) order by f.because is null, f.name), '{}'),
             'no function of others that callers may execute runs as its owner',
             coalesce((array_agg(format('look what it does; then alter function %s security invoker, or revoke execute on it from public, anon, authenticated', f.name) order by f.because is null, f.name))[1], ''),
             severity => case when count(f.because) > 0 then 'fail' else 'warn' end)).*
      from foreign_functions as f;

  return query
    select (pgvec.verdict(
             'functions', 'leakproof',
             coalesce(array_agg(format('%s is marked leakproof: it may be given rows before policies hide them', p.oid::regprocedure) order by p.oid), '{}'),
             'none but the server''s own', coalesce(min(format('alter function %s not leakproof', p.oid::regprocedure)), ''), severity => 'warn')).*
      from pg_catalog.pg_proc as p
     where p.proleakproof
       and p.pronamespace <> 'pg_catalog'::regnamespace
       and not exists (select
                         from pg_catalog.pg_depend as d
                         join pg_catalog.pg_extension as e on e.oid = d.refobjid and e.extname <> 'vector'
                        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
       and exists (select from pgvec.held_roles() as h where has_function_privilege(h, p.oid, 'execute'));

  return query
    select (pgvec.verdict(
             'functions', 'event triggers',
             coalesce(array_agg(format('event trigger %I runs %s of %s, as whoever installs or upgrades', e.evtname, p.oid::regprocedure, pg_get_userbyid(p.proowner)) order by e.evtname), '{}'),
             'none of a role weaker than the owner', coalesce(min(format('alter function %s owner to %I, or drop event trigger %I', p.oid::regprocedure, pg_get_userbyid(engine), e.evtname)), ''),
             severity => 'warn')).*
      from pg_catalog.pg_event_trigger as e
      join pg_catalog.pg_proc as p on p.oid = e.evtfoid
      join pg_catalog.pg_roles as o on o.oid = p.proowner
     where e.evtenabled <> 'D' and not o.rolsuper and not pg_has_role(o.oid, engine, 'member');
end
$$;
comment on function pgvec.verify_foreign() is
  'Checks functions: definer of others (functions not of this engine that callers may execute in an exposed schema and that run as a role past row level security), '
  'leakproof (functions so marked that callers may use), event triggers (functions of a weaker role at each upgrade). Reads the catalog alone.';
revoke all on function pgvec.verify_foreign() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_grants', '5e6669c0972f3450fb2e2fb9ce2605e22cb512afb72afbcb3a06feca837ee5c0', '0.2.1', $pgvec_file$
-- pgvec.verify_grants -- who was granted what of the engine's functions and tables, and of the tables of collections.
-- A grant of a column is one of its table. Reads the catalog alone.
create or replace function pgvec.verify_grants()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  -- what readers are let see of the engine's own tables
  open_to_readers constant name[] := array['collections', 'adoptions']::name[];
begin
  return query
    with granted as (
           select 'function' as kind, f.oid::regprocedure::text as name, pgvec.is_ours(f.oid) as is_ours, false as of_policy,
                  coalesce(f.proacl, acldefault('f', f.proowner)) as acl
             from pgvec.our_functions() as f
            union all
           select 'table', r.oid::regclass::text, true, exists (select from pgvec.collections as c where c.base = r.oid and c.access = 'policy'), l.acl
             from pg_catalog.pg_class as r
            cross join lateral (
                   select r.relacl as acl
                    union all
                   select c.attacl from pg_catalog.pg_attribute as c where c.attrelid = r.oid and c.attacl is not null) as l
            where r.relnamespace = 'pgvec'::regnamespace and r.relkind in ('r', 'p', 'v', 'm', 'f')
               or r.oid in (select p from pgvec.collections as c cross join lateral pgvec.relations_of(c.name) as p where c.base = c.relation)
            union all
           select 'schema', n.nspname::text, true, false, n.nspacl from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'),
         public as (
           select g.kind, g.name, g.is_ours, string_agg(distinct lower(a.privilege_type), ', ') as privileges,
                  case when bool_or(g.of_policy) then string_agg(distinct lower(a.privilege_type), ', ') else 'all' end as revoked
             from granted as g
            cross join lateral aclexplode(g.acl) as a
            where a.grantee = 0
              and not (g.of_policy and a.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE'))  -- the owner's own to grant
            group by g.kind, g.name, g.is_ours)
    select (pgvec.verdict(
             'privileges', 'grants', coalesce(array_agg(format('%s is for PUBLIC: %s', name, privileges) order by name), '{}'),
             format('nothing granted to PUBLIC; %s', pgvec.told_executable()),
             'revoke all on ... from public',
             string_agg(format('revoke %s on %s %s from public;', revoked, kind, name), ' ' order by name) filter (where is_ours))).*
      from public;

  return query
    with readable as (
           select r.oid::regclass::text as name, role.name as reader,
                  array(select p from unnest('{select,insert,update,delete,truncate}'::text[]) as p
                         where case when p in ('delete', 'truncate') then has_table_privilege(role.name, r.oid, p) else has_any_column_privilege(role.name, r.oid, p) end) as privileges
             from pg_catalog.pg_class as r
            cross join pgvec.roles('reader') as role (name)
            where r.relnamespace = 'pgvec'::regnamespace
              and r.relkind in ('r', 'p', 'v', 'm', 'f')
              and not exists (select from pgvec.collections as c where c.relation = r.oid)  -- over an adopted table
              and not (r.relname = 'memberships' and role.name in (select w from pgvec.roles('writer') as w))
              and not exists (select
                                from pg_catalog.pg_roles as x
                               where x.rolname = role.name
                                 and (x.rolsuper or x.rolbypassrls and r.relname in ('search_log', 'stats')))  -- which an owner may let a backend read
              and r.oid not in (select a.side from pgvec.adoptions as a where a.side is not null)),
         found as (
           select * from readable
            where privileges <> case when split_part(name, '.', 2)::name = any (open_to_readers) then '{select}'::text[] else '{}' end
              and privileges <> '{}')
    select (pgvec.verdict(
             'privileges', 'engine tables', coalesce(array_agg(format('%s has %s on %s', reader, array_to_string(privileges, ', '), name) order by name, reader), '{}'),
             'those of statistics, memberships and history are nobody''s to read',
             'revoke all on table ... from ...: statistics tell what others have written, memberships who belongs where',
             string_agg(format('revoke %s on table %s from %I;', array_to_string(array_remove(privileges, case when split_part(name, '.', 2)::name = any (open_to_readers) then 'select' end), ', '), name, reader), ' '))).*
      from found;
end
$$;
comment on function pgvec.verify_grants() is
  'Checks privileges: grants (to PUBLIC, of functions and tables of the engine and of collections), engine tables (what readers may do with tables that are not theirs). '
  'Reads the catalog alone.';
revoke all on function pgvec.verify_grants() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_indexes', '25a488ac90186587086c9835c3b530a9c95c13d2b4f784d58c8285a14024ab49', '0.2.1', $pgvec_file$
-- pgvec.verify_indexes -- the indexes of a collection: broken, missing, of no use, or larger than their rows need.
-- A vector index is wanted beyond so many rows as pgvec.wide_steps still scans without a second thought.
create or replace function pgvec.verify_indexes(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(verify_indexes.collection);
  serving record := pgvec.index_kind(target, target.distance);
  wanted  boolean := pgvec.estimate_rows(target) > least(25000, 1e7 / target.dimensions);
  split   boolean := exists (select from pg_catalog.pg_inherits as i where i.inhparent = target.base);
begin
  return query
    with broken as (
           select i.oid::regclass::text as name,
                  case
                    when i.relkind = 'I' then null
                    when i.relname ~ '_cc(new|old)\d*$' or m.amname in ('hnsw', 'ivfflat') and not i.relispartition then 'drop index concurrently %s;'
                    else 'reindex index concurrently %s;'
                  end as fix
             from pg_catalog.pg_index as x
             join pg_catalog.pg_class as i on i.oid = x.indexrelid
             join pg_catalog.pg_am as m on m.oid = i.relam
            where not exists (select from pg_catalog.pg_stat_progress_create_index as p where p.relid = x.indrelid)  -- somebody builds just now
              and x.indrelid in (select target.base union all select target.text_table union all select p from pgvec.partitions(target.base) as p)
              and not (x.indisvalid and x.indisready))
    select (pgvec.verdict(
             target.name, 'invalid index', coalesce(array_agg(name || ' is of a build that failed' order by name), '{}'), 'all are valid',
             'pgvec-admin index create builds one of vectors again, reindex any other',
             string_agg(format(fix, name), ' ' order by name)
               || format(' select pgvec.note_index(%L);', target.name))).*
      from broken;

  return next pgvec.verdict(
    target.name, 'duplicate index',
    array(select format('%s are the same', string_agg(x.indexrelid::regclass::text, ' and ' order by x.indexrelid))
            from pg_catalog.pg_index as x
            join pg_catalog.pg_class as i on i.oid = x.indexrelid
           where x.indrelid in (select target.base union all select target.text_table union all select p from pgvec.partitions(target.base) as p)
           group by x.indrelid, i.relam, x.indkey::text, x.indclass::text, x.indoption::text, pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid)
          having count(*) > 1),
    'none is there twice', 'drop one of them', severity => 'warn');

  return query
    with needed (name, relation, column_name, definition) as (
           values ('metadata', target.base, 'metadata', 'using gin (metadata jsonb_path_ops)'),
                  ('fts', target.text_table, 'fts', 'using gin (fts)'),
                  ('stale', target.base, 'id', 'on-stale')),
         missing as (
           select n.name, n.relation, n.definition
             from needed as n
            where (n.relation = target.base and target.base = target.relation or n.name = 'fts')
              and not exists (select
                                from pg_catalog.pg_index as x
                                join pg_catalog.pg_class as i on i.oid = x.indexrelid
                                join pg_catalog.pg_am as m on m.oid = i.relam
                                join pg_catalog.pg_attribute as a on a.attrelid = n.relation and a.attname = n.column_name
                               where x.indrelid = n.relation
                                 and x.indkey[0] = a.attnum
                                 and case n.name when 'stale' then pg_get_expr(x.indpred, x.indrelid) ~ 'embedded_hash' else m.amname = 'gin' end))
    select (pgvec.verdict(
             target.name, 'missing index',
             coalesce(array_agg(format('none on %s', m.name) order by m.name) filter (where m.name is not null), '{}')
               || array_remove(array[case when wanted and serving.kind is null then 'none on ' || target.embedding_column end], null),
             case when serving.kind is null then 'filters and words have theirs; so few vectors need none' else 'filters, words and vectors have theirs' end,
             format('pgvec-admin index create %s for vectors; create index for the others', target.name),
             string_agg(format('create index concurrently %I on %s %s;', format('%s_%s_idx', target.name, m.name), m.relation,
                               case m.name when 'stale' then '(id) where embedded_hash is distinct from content_hash' else m.definition end), ' ' order by m.name) filter (where not split))).*
      from missing as m;

  return next pgvec.verdict(
    target.name, 'unused index',
    array(select format('%s serves no search', v.name)
            from pgvec.vector_indexes(target.name) as v
           where v.valid
             and not (v.distance = target.distance and v.method = serving.method
                      and v.storage = case serving.kind when 'column' then target.storage else serving.kind end)),
    'searches use each vector index', 'a more exact one is there, or it is for another distance: pgvec-admin index drop', severity => 'warn');

  return next pgvec.verdict(
    target.name, 'noted index',
    array_remove(array[case when target.search_index is not null and to_regclass(target.search_index) is distinct from target.search_index_oid then format('%s is gone, or another', target.search_index)
                            when target.search_index is null and serving.kind is not null then 'each search looks for its index' end], null),
    coalesce(target.search_index || ' is noted', 'none is noted, and none is there'),
    'pgvec.note_index notes it, and saves each search a tenth of its time', format('select pgvec.note_index(%L);', target.name), severity => 'warn');
  return query select * from pgvec.verify_bloat(target.name);
end
$$;
comment on function pgvec.verify_indexes(text) is
  'Checks the indexes of a collection: invalid, duplicate, missing, unused (vector indexes that no search of the collection''s distance uses), '
  'noted (what searches remember of theirs) and bloat. Raises PV001.';
revoke all on function pgvec.verify_indexes(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_installation', '00e0cbb2b9aac0278bd456a4d4ca0188c6c226c2161128a899ae6dc2769c582b', '0.2.1', $pgvec_file$
-- pgvec.verify_installation -- functions of the engine: what lets callers in, or makes a client's call ambiguous.
-- The names follow the lints of Supabase's advisor where it has them. Reads the catalog alone.
create or replace function pgvec.verify_installation()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  ours    constant oid := (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec');
begin
  return next pgvec.verdict(
    'functions', 'overloads',
    array(select format('%s functions are called %s.%s', count(*), n.nspname, p.proname)
            from pg_catalog.pg_proc as p
            join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
           where (n.nspname = 'public' and p.proname in (select f.proname from pgvec.our_functions() as f)
                  or n.nspname = 'pgvec' and exists (select from pgvec.function_history as h where h.name = 'pgvec.' || p.proname))
           group by n.nspname, p.proname
          having count(*) > 1
           order by n.nspname desc, p.proname),
    'one function of each name',
    'drop those that are not of this engine (\df in psql): PostgREST cannot choose between them (PGRST203), nor can a call within the engine');

  return query
    with pinned as (
           select f.oid::regprocedure::text as name, l.lanname, o.is_ours, c.path,
                  c.path is distinct from 'pg_catalog, pg_temp' and (o.is_ours or f.prosecdef or c.path is distinct from '""') as is_odd
             from pgvec.our_functions() as f
             join pg_catalog.pg_language as l on l.oid = f.prolang
            cross join lateral pgvec.is_ours(f.oid) as o (is_ours)
            cross join lateral (select (select substr(s, 13) from unnest(f.proconfig) as s where s like 'search\_path=%') as path) as c)
    select (pgvec.verdict(
             'functions', 'search_path',
             coalesce(array_agg(case when path is null then name || ' has no search_path of its own' else format('%s has search_path %s', name, path) end order by name)
                        filter (where is_odd), '{}'),
             format('all %s look into pg_catalog alone', count(*)),
             'alter function ... set search_path = pg_catalog, pg_temp, or pgvec-admin migrate --overwrite-drift: else types and tables of the caller''s are found first',
             string_agg(format('alter function %s set search_path = pg_catalog, pg_temp;', name), ' ' order by name) filter (where is_ours and is_odd))).*
      from pinned
     where lanname in ('sql', 'plpgsql');

  return query
    with definers as (
           select f.oid::regprocedure::text as name, pgvec.is_ours(f.oid) as is_ours from pgvec.our_functions() as f where f.prosecdef and f.pronamespace <> 'pgvec'::regnamespace)
    select (pgvec.verdict(
             'functions', 'definer', coalesce(array_agg(name || ' runs as its owner in an exposed schema' order by name), '{}'),
             'none of ours in an exposed schema runs as its owner',
             'alter function ... security invoker, or move it to a schema that is not exposed',
             string_agg(format('alter function %s security invoker;', name), ' ' order by name) filter (where is_ours))).*
      from definers;

  return next pgvec.verdict(
    'functions', 'owner',
    array(select format('%s belongs to %s', x.name, pg_get_userbyid(x.owner))
            from (select f.oid::regprocedure::text as name, f.proowner as owner from pgvec.our_functions() as f
                   union all
                  select r.oid::regclass::text, r.relowner
                    from pg_catalog.pg_class as r
                   where r.relnamespace = 'pgvec'::regnamespace and r.relkind in ('r', 'p', 'v', 'c', 'S') and not r.relispartition) as x
           where x.owner <> ours
           order by 1),
    format('all belong to %s', pg_get_userbyid(ours)),
    format('alter ... owner to %I: what runs as its owner must be the installing role''s, which alone can upgrade it', pg_get_userbyid(ours)));
end
$$;
comment on function pgvec.verify_installation() is
  'Checks the engine''s functions: overloads, search_path, definer (functions that run as their owner where the REST API sees them), owner. '
  'Reads the catalog alone.';
revoke all on function pgvec.verify_installation() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_leaks', 'afbca82df6def66ec11d9e1c2260d1399271186e2895d8c6277f282479a92bf9', '0.2.1', $pgvec_file$
-- pgvec.verify_leaks -- what carries rows of a collection elsewhere, or runs somebody's code on them.
-- An adopted table is its owner's, triggers and all; of one nothing is told but rules and what inherits its rows.
create or replace function pgvec.verify_leaks(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections := pgvec.collection(verify_leaks.collection);
  ours      constant boolean := target.base = target.relation;
  relations constant regclass[] := array(select t from pgvec.relations_of(target.name) as t);
  problems  text[];
begin
  return query
    select (pgvec.verdict(
             target.name, 'triggers of others',
             coalesce(array_agg(format('trigger %I of %s calls %s', t.tgname, t.tgrelid::regclass, t.tgfoid::regprocedure) order by t.tgname), '{}'),
             'no trigger but ours', coalesce(min(format('look at it: \sf %s; drop trigger %I on %s, if it should not be there', t.tgfoid::regproc, t.tgname, t.tgrelid::regclass)), ''),
             severity => 'warn')).*
      from pg_catalog.pg_trigger as t
      join pg_catalog.pg_proc as p on p.oid = t.tgfoid
     where t.tgrelid = any (relations)
       and (ours or t.tgrelid = target.text_table and t.tgrelid <> target.base)
       and not t.tgisinternal
       and t.tgparentid = 0
       and not (p.pronamespace = 'pgvec'::regnamespace and pgvec.is_ours(p.oid));

  return query
    select (pgvec.verdict(
             target.name, 'rules',
             coalesce(array_agg(format('rule %I of %s runs on %s', w.rulename, w.ev_class::regclass, (array['select', 'update', 'insert', 'delete'])[w.ev_type::text::int]) order by w.rulename), '{}'),
             'there are none', coalesce(min(format('drop rule %I on %s', w.rulename, w.ev_class::regclass)), ''))).*
      from pg_catalog.pg_rewrite as w
     where w.ev_class = any (relations);

  return query
    select (pgvec.verdict(
             target.name, 'publications',
             coalesce(array_agg(distinct case p.pubname when 'supabase_realtime' then 'supabase_realtime tells everybody who listens the tenant and id of rows that are deleted'
                                                    else format('publication %I sends the rows of all tenants to its subscribers', p.pubname) end), '{}'),
             'no publication has rows of tenants',
             coalesce(min(format('alter publication %I drop table %I.%I; or publish other tables than all', p.pubname, p.schemaname, p.tablename)), ''), severity => 'warn')).*
      from pg_catalog.pg_class as r
      join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
      join pg_catalog.pg_publication_tables as p on p.schemaname = n.nspname and p.tablename = r.relname
     where target.access = 'tenant' and r.oid = any (relations);

  return query
    select (pgvec.verdict(
             target.name, 'unique indexes',
             coalesce(array_agg(format('%s is unique across tenants: one is told of values of another', x.indexrelid::regclass) order by x.indexrelid), '{}'),
             'none across tenants', 'make it anew with tenant_id as its first column')).*
      from pg_catalog.pg_index as x
      join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attname = 'tenant_id'
     where target.access = 'tenant'
       and x.indrelid = any (relations)
       and (x.indisunique or x.indisexclusion)
       and not exists (select from pg_catalog.pg_inherits as i where i.inhrelid = x.indexrelid)  -- of a partitioned one
       and a.attnum <> all ((x.indkey::int2[])[0:x.indnkeyatts - 1]);

  problems := array(
    select distinct format('%s may read %s, and its rows by it', h.name, i.inhparent::regclass)
      from pg_catalog.pg_inherits as i
     cross join pgvec.held_roles() as h (name)
     where i.inhrelid = any (relations)
       and i.inhparent <> all (relations)
       and (ours or target.access = 'policy')
       and has_any_column_privilege(h.name, i.inhparent, 'select')
     order by 1);
  return next pgvec.verdict(
    target.name, 'inheritance',
    problems || array(select format('%s lies on server %I', f.ftrelid::regclass, s.srvname)
                        from pg_catalog.pg_foreign_table as f
                        join pg_catalog.pg_foreign_server as s on s.oid = f.ftserver
                       where f.ftrelid = any (relations)),
    'its rows are in its own tables', 'alter table ... no inherit ..., or detach partition: the policies of a parent, or of another server, hold for rows that are read there',
    severity => case when problems <> '{}' then 'fail' else 'warn' end);

  return query
    select (pgvec.verdict(
             target.name, 'code of others',
             coalesce(array_agg(distinct format('%s calls %s, which belongs to %s', f.used_by, f.routine, f.owner)), '{}'),
             'expressions call functions of its owner alone', 'alter function ... owner to the owner of the table, or drop the expression: it runs as whoever writes, builds an index or analyzes')).*
      from pgvec.foreign_code(relations) as f
     where ours
       and not (target.access = 'policy' and f.used_by like 'policy %');
end
$$;
comment on function pgvec.verify_leaks(text) is
  'Checks of a collection: triggers of others, rules, publications, unique indexes (across tenants), inheritance (parents that may be read, foreign partitions), '
  'code of others (functions of weaker owners in its defaults, constraints, indexes and policies). Raises PV001.';
revoke all on function pgvec.verify_leaks(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_memory', '610ad70f26396981e39d517974cf9a642c6f59202a2cf7f4d3f06655f9081aa5', '0.2.1', $pgvec_file$
-- pgvec.verify_memory -- maintenance_work_mem against what HNSW indexes need to be built, shared_buffers against their sizes.
-- pgvec-admin index create sets the first by itself; a bare CREATE INDEX, a REINDEX and a restored dump do not.
create or replace function pgvec.verify_memory()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  setting constant bigint := pg_size_bytes(current_setting('maintenance_work_mem'));
  buffers constant bigint := pg_size_bytes(current_setting('shared_buffers'));
  needed  float8 := 0;
  largest text;
  held    bigint;
begin
  select n.build_bytes, c.name into needed, largest
    from pgvec.present_collections() as c
   cross join lateral (
           select v.storage from pgvec.vector_indexes(c.name) as v where v.method = 'hnsw' and v.valid
            order by v.size_bytes desc limit 1) as i
   cross join lateral pgvec.index_memory('hnsw', i.storage, c.dimensions, greatest(pgvec.estimate_rows(c), 0)) as n
   order by n.build_bytes desc nulls last
   limit 1;
  return next pgvec.verdict(
    'server', 'maintenance_work_mem',
    array_remove(array[case when needed > setting then
      format('maintenance_work_mem is %s, the HNSW index of %s needs %s to be built', pg_size_pretty(setting), largest, pg_size_pretty(needed::bigint)) end], null),
    format('maintenance_work_mem %s is enough to build each index', pg_size_pretty(setting)),
    format('pgvec-admin index plan %s; pgvec-admin index create sets it for a build', largest), severity => 'warn');

  select sum(v.size_bytes) into held
    from pgvec.present_collections() as c
   cross join lateral pgvec.vector_indexes(c.name) as v;
  return next pgvec.verdict(
    'server', 'shared_buffers',
    array_remove(array[case when held > buffers then
      format('vector indexes are %s, shared_buffers %s', pg_size_pretty(held), pg_size_pretty(buffers)) end], null),
    format('vector indexes are %s, shared_buffers %s', pg_size_pretty(coalesce(held, 0)), pg_size_pretty(buffers)),
    'more shared_buffers; or smaller indexes: pgvec-admin index plan', severity => 'warn');
end
$$;
comment on function pgvec.verify_memory() is
  'Checks maintenance_work_mem (what the largest HNSW index needs to be built) and shared_buffers (all vector indexes together).';
revoke all on function pgvec.verify_memory() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_ownership', '07754fc4abef87cf2916551ffca93162a252326361bd127fa93db44c9d576a84', '0.2.1', $pgvec_file$
-- pgvec.verify_ownership -- whose the tables of a collection are, and what the planner knows of rows that are not everybody's.
create or replace function pgvec.verify_ownership(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(verify_ownership.collection);
  engine constant name := (select pg_get_userbyid(n.nspowner) from pg_catalog.pg_namespace as n where n.nspname = 'pgvec');
begin
  return next pgvec.verdict(
    target.name, 'table owner',
    array(select format('%s belongs to %s, the engine to %s', r.oid::regclass, pg_get_userbyid(r.relowner), engine)
            from pg_catalog.pg_class as r
           where r.oid in (select t from pgvec.relations_of(target.name) as t)
             and (target.base = target.relation or r.oid = target.text_table and target.text_table <> target.base)
             and not pg_has_role(r.relowner, engine, 'member')
           order by 1),
    case when target.base = target.relation then format('its tables belong to %s or a role that may act as it', engine) else 'the table is the application''s' end,
    format('alter table ... owner to %I: the engine''s functions do not touch a table whose owner could have something run by that, so its tenants cannot search it, and its weights get old', engine),
    severity => case target.access when 'tenant' then 'fail' else 'warn' end);

  return next pgvec.verdict(
    target.name, 'readable',
    array_remove(array[case when not pgvec.reads_safely(target) then format('its rows were not read: policies or types of %s could run as %s',
                                                                          (select pg_get_userbyid(r.relowner) from pg_catalog.pg_class as r where r.oid = target.base), current_user) end], null),
    'its rows can be read', 'verify it as a role no stronger than the owner of the table, or give the table to the owner of the engine', severity => 'warn');

  if target.access = 'open' or target.base <> target.relation and target.text_table = target.base then
    return;
  end if;
  return query
    with told as (
           select h.is_ours, format('the planner knows what is in %s of %s', h.attname, h.relation) as problem
             from pgvec.telling_columns(target.name) as h
            where h.known or h.is_ours and h.attstattarget is distinct from 0)
    select (pgvec.verdict(
             target.name, 'statistics', coalesce(array_agg(t.problem order by t.problem), '{}'),
             'the planner knows of no value that plans and planned counts could tell',
             'row level security does not hold EXPLAIN and Prefer: count=planned; pgvec.hide_statistics hides ours, of a column of yours: alter table ... alter column ... '
             'set statistics 0, and remove what there is: pg_clear_attribute_stats, or alter column ... type to the same type',
             case when bool_or(t.is_ours) then format('select pgvec.hide_statistics(%L);', target.name) end,
             case when bool_or(t.is_ours) then 'fail' else 'warn' end)).*
      from told as t;
end
$$;
comment on function pgvec.verify_ownership(text) is
  'Checks of a collection: table owner (that no weaker role than the engine''s owns its tables), '
  'readable (that no code of a weaker role''s runs when it is read) and, where rows are not everybody''s, '
  'statistics (that the planner has none of which it could tell). Raises PV001.';
revoke all on function pgvec.verify_ownership(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_privileges', '77787073b56881482491c199b753825add804e511a3226ef3664e5f9d00c9993', '0.2.1', $pgvec_file$
-- pgvec.verify_privileges -- grants to named roles that open the engine: its operators' functions, its schemas, the catalog.
-- Whom a function is for says the line in its own file, of which the ledger has the text. What roles of the owner's own are
-- granted is told at most: who made them knows why.
create or replace function pgvec.verify_privileges()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  held constant oid[] := array(select to_regrole(quote_ident(h)) from pgvec.held_roles() as h);
begin
  return query
    with expected as (
           select f.oid::regprocedure::text as name, f.proowner, f.proacl,
                  case when h.definition is null then 'reader' else coalesce(substring(h.definition from 'pgvec\.grant_execute\([^;]*''(\w+)''\s*\)\s*;'), 'owner') end as audience
             from pgvec.our_functions() as f
             join pg_catalog.pg_namespace as n on n.oid = f.pronamespace
             left join lateral (
                    select x.definition
                      from pgvec.function_history as x
                     where x.name = format('%s.%s', n.nspname, f.proname) and x.origin = 'file'
                     order by x.version desc
                     limit 1) as h on true
            where h.definition is not null or exists (select from pgvec.collections as c where pgvec.is_api_of(c.name, f.oid))),
         excess as (
           select e.name, r.rolname, r.oid = any (held) as is_held, a.is_grantable and e.audience <> 'owner' as may_grant
             from expected as e
            cross join lateral aclexplode(e.proacl) as a
             join pg_catalog.pg_roles as r on r.oid = a.grantee and r.oid <> e.proowner
            where a.is_grantable and r.oid = any (held)
               or case when e.audience in ('owner') then not r.rolsuper and not pg_has_role(r.oid, e.proowner, 'member')
                       else r.rolname in (select x from pgvec.roles('reader') as x) and r.rolname not in (select x from pgvec.roles(e.audience) as x) end)
    select (pgvec.verdict(
             'privileges', 'operator functions',
             coalesce(array_agg(format(case when x.may_grant then '%s may let others execute %s' else '%s may execute %s' end, x.rolname, x.name) order by x.is_held desc, x.name, x.rolname), '{}'),
             'those of operators are granted to nobody, those of writers to these',
             'revoke execute on function ... from ...',
             string_agg(format('revoke %sexecute on function %s from %I;', case when x.may_grant then 'grant option for ' end, x.name, x.rolname), ' ' order by x.name, x.rolname) filter (where x.is_held),
             severity => case when bool_or(x.is_held) then 'fail' else 'warn' end)).*
      from excess as x;

  return query
    with places as (
           select 'schema' as kind, n.nspname as name, n.nspowner as owner, n.nspacl as acl, n.nspname = 'pgvec' as is_ours, n.nspname = 'pgvec' or quote_ident(n.nspname) = pgvec.vector_schema() as is_engine
             from pg_catalog.pg_namespace as n
            where n.nspname in ('pgvec', 'public') or quote_ident(n.nspname) = pgvec.vector_schema()
            union all
           select 'database', d.datname, d.datdba, d.datacl, false, false from pg_catalog.pg_database as d where d.datname = current_database()),
         found as (
           select p.*, a.grantee, case a.grantee when 0 then 'PUBLIC' else pg_get_userbyid(a.grantee) end as role_name,
                  (select string_agg(pg_get_userbyid(h), ', ') from unnest(held) as h where a.grantee <> 0 and h <> a.grantee and pg_has_role(h, a.grantee, 'member')) as members
             from places as p
            cross join lateral aclexplode(p.acl) as a
            where a.privilege_type = 'CREATE'
              and a.grantee <> p.owner
              and case when p.is_ours then a.grantee <> 0  -- which the check grants tells
                       else a.grantee = 0 or exists (select from unnest(held) as h where pg_has_role(h, a.grantee, 'member')) end)
    select (pgvec.verdict(
             'privileges', 'schemas',
             coalesce(array_agg(format('%s may create in %s %s', f.role_name, f.kind, f.name) || coalesce(format(', and so may %s, a member', f.members), '') order by f.is_engine desc, f.name, f.role_name), '{}'),
             'callers may create nothing in pgvec, in the schema of pgvector, or in public',
             coalesce((array_agg(format('revoke create on %s %I from %s', f.kind, f.name, case f.grantee when 0 then 'public' else quote_ident(f.role_name) end) order by f.is_engine desc, f.name))[1], ''),
             string_agg(format('revoke create on schema pgvec from %I;', f.role_name), ' ') filter (where f.is_ours),
             severity => case when bool_or(f.is_engine) then 'fail' else 'warn' end)).*
      from found as f;

  return query
    with found as (
           select format('%s get %s on %s that %s makes', case a.grantee when 0 then 'all' else pg_get_userbyid(a.grantee) end, lower(a.privilege_type), k.kind, pg_get_userbyid(d.defaclrole)) as problem,
                  format('alter default privileges for role %I%s revoke all on %s from %s;', pg_get_userbyid(d.defaclrole), case when d.defaclnamespace <> 0 then ' in schema pgvec' end,
                         k.kind, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end) as fix,
                  d.defaclnamespace <> 0 as is_ours
             from pg_catalog.pg_default_acl as d
            cross join lateral aclexplode(d.defaclacl) as a
             join (values ('r', 'tables'), ('S', 'sequences'), ('f', 'functions')) as k (type, kind) on k.type = d.defaclobjtype::text
            where (d.defaclnamespace = 'pgvec'::regnamespace
                   or d.defaclnamespace = 0 and d.defaclrole = (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'))
              and (a.grantee = any (held) or a.grantee = 0 and k.type <> 'f'))
    select (pgvec.verdict(
             'privileges', 'default privileges', coalesce(array_agg(f.problem order by f.problem), '{}'),
             'what will be made in pgvec is granted to nobody by itself', coalesce(min(f.fix), ''), string_agg(distinct f.fix, ' ') filter (where f.is_ours))).*
      from found as f;
end
$$;
comment on function pgvec.verify_privileges() is
  'Checks privileges: operator functions (granted beyond what their files grant), schemas (who may create where the engine, '
  'pgvector or callers look), default privileges (in pgvec). Reads the catalog and the ledger alone.';
revoke all on function pgvec.verify_privileges() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_protection', '7c137623247cc626f9a3cca679db37d2797e6ef219ca0ebc28d8ecc23750aaca', '0.2.1', $pgvec_file$
-- pgvec.verify_protection -- row level security and policies of a collection's table.
-- Of an adopted table, and of one with access policy, the policies are the owner's; those that ask once a row are told all the same.
-- A policy that is missing from an open collection with policies of the owner's own is not put back unasked: it might let in more.
create or replace function pgvec.verify_protection(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(verify_protection.collection);
  ours    boolean := target.base = target.relation;
begin
  return next pgvec.verdict(
    target.name, 'rls',
    array(select format('%s has no row level security', r.oid::regclass)
            from pg_catalog.pg_class as r
           where not r.relrowsecurity
             and (r.oid in (select a.side from pgvec.adoptions as a where a.collection = target.name)
                  or r.oid = target.base and (ours or exists (select from pg_catalog.pg_policy as p where p.polrelid = r.oid)))
           order by r.oid)
      || array(select format('%s forces row level security on its owner, as whom searches find ids', r.oid::regclass)
                 from pg_catalog.pg_class as r
                where r.oid = target.base and r.relforcerowsecurity and ours and target.access <> 'policy'),
    case when ours then 'row level security is on' else 'that of the table is its owner''s, that of its lexemes is on' end,
    'alter table ... enable row level security, and no force row level security',
    (select string_agg(case when r.relrowsecurity then format('alter table %s no force row level security;', r.oid::regclass)
                            else format('alter table %s enable row level security;', r.oid::regclass) end, ' ' order by r.oid)
       from pg_catalog.pg_class as r
      where r.oid in (select a.side from pgvec.adoptions as a where a.collection = target.name) and not r.relrowsecurity
         or r.oid = target.base and ours and (not r.relrowsecurity or r.relforcerowsecurity and target.access <> 'policy')));

  if ours then
    return query
      with wanted (name, command, audience) as (
             values ('read_all', 'r', 'reader'), ('insert_all', 'a', 'writer'), ('update_all', 'w', 'writer'), ('delete_all', 'd', 'writer')),
           there as (
             select p.polname, p.polcmd, p.polpermissive,
                    concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as expression
               from pg_catalog.pg_policy as p
              where p.polrelid = target.base),
           problems as (
             select format('policy %s is missing', w.name) as problem
               from wanted as w
              where not exists (select from there as t where t.polname = w.name and t.polcmd::text = w.command)
                and exists (select from pgvec.roles(w.audience))
              union all
             select format('policy %s is not that of access %s', t.polname, target.access)
               from there as t
               join wanted as w on w.name = t.polname
              where t.expression !~ case target.access when 'tenant' then '^(\(tenant_id = ANY \(ARRAY\( SELECT pgvec.allowed_tenants\(\) AS allowed_tenants\)\)\))+$' else '^(true)+$' end
              union all
             select format('policy %s lets in more than tenants', t.polname)
               from there as t
              where target.access = 'tenant' and t.polpermissive and t.polname not in (select w.name from wanted as w))
      select (pgvec.verdict(
               target.name, 'policies', array(select p.problem from problems as p order by 1),
               case target.access when 'policy' then format('%s of the owner''s own', (select count(*) from there)) else 'those of access ' || target.access end,
               'pgvec.make_policies makes ours anew; drop policy ... for one that should not be there',
               case when exists (select from problems as p where p.problem !~ 'lets in')
                     and (target.access = 'tenant' or not exists (select from there as t where t.polpermissive and t.polname not in (select w.name from wanted as w)))
                    then format('select pgvec.make_policies(%L);', target.name) end)).*
       where target.access <> 'policy';
  else
    return query
      with there as (
             select p.polname, p.polrelid::regclass as side, p.polpermissive, pg_get_expr(p.polqual, p.polrelid) as expression
               from pgvec.adoptions as a
               join pg_catalog.pg_policy as p on p.polrelid = a.side
              where a.collection = target.name)
      select (pgvec.verdict(
               target.name, 'policies',
               array(select format('policy %s of %s lets in more than those who see the rows', t.polname, t.side)
                       from there as t
                      where t.polpermissive and (t.polname <> 'follow_the_table' or (t.expression !~ 'EXISTS \( SELECT' or t.expression ~ '\mOR\M'))
                      order by 1)
                 || array(select format('policy follow_the_table of %s is missing', a.side)
                            from pgvec.adoptions as a
                           where a.collection = target.name and a.side is not null and not exists (select from there as t where t.polname = 'follow_the_table')),
               'those of the table are its owner''s, its lexemes follow them',
               'pgvec.protect_side makes ours anew; drop policy ... for one that should not be there',
               case when not exists (select from there as t where t.polname = 'follow_the_table' and t.expression ~ 'EXISTS \( SELECT' and t.expression !~ '\mOR\M')
                    then format('select pgvec.protect_side(%L);', target.name) end)).*;
  end if;

  return next pgvec.verdict(
    target.name, 'initplan',
    array(select format('policy %s calls a function for each row', p.polname)
            from pg_catalog.pg_policy as p
           cross join lateral concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as e (text)
           where p.polrelid = target.base
             and regexp_replace(e.text, 'select\s+\(*(auth\.\w+|current_setting|pgvec\.allowed_tenants)\(', '', 'gi')
                 ~ '\m(auth\.(uid|jwt|role|email)|current_setting|allowed_tenants)\('),
    'policies ask once a query',
    'write (select auth.uid()) and the like in policies, so that they are evaluated once a query and not for each row', severity => 'warn');
end
$$;
comment on function pgvec.verify_protection(text) is
  'Checks the table of a collection: rls, policies (those of its access, and for tenants no others; of a side table its own), '
  'initplan (policies that call a function for each row). Raises PV001.';
revoke all on function pgvec.verify_protection(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_reach', '5cf466a66a33aff72ebd909747429e853fb99860cbb8f95cfb41bff8e8075563', '0.2.1', $pgvec_file$
-- pgvec.verify_reach -- what callers were granted of the server itself, and views over the engine's tables.
-- The catalog remembers what it was installed with (pg_init_privs); what goes beyond it somebody has granted.
create or replace function pgvec.verify_reach()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  held constant oid[] := array(select to_regrole(quote_ident(h)) from pgvec.held_roles() as h);
begin
  return query
    with objects as (
           select 'pg_proc'::regclass as class, p.oid, 0 as column_number, 'f' as kind, p.proowner as owner, p.proacl as acl, 'function ' || p.oid::regprocedure as name
             from pg_catalog.pg_proc as p
            where p.pronamespace = 'pg_catalog'::regnamespace and p.proacl is not null
            union all
           select 'pg_class'::regclass, r.oid, 0, 'r', r.relowner, r.relacl, 'table ' || r.oid::regclass
             from pg_catalog.pg_class as r
            where r.relnamespace = 'pg_catalog'::regnamespace and r.relacl is not null
            union all
           select 'pg_class'::regclass, r.oid, a.attnum, 'c', r.relowner, a.attacl, 'table ' || r.oid::regclass
             from pg_catalog.pg_attribute as a
             join pg_catalog.pg_class as r on r.oid = a.attrelid
            where r.relnamespace = 'pg_catalog'::regnamespace and a.attacl is not null),
         found as (
           select format('%s may %s %s', case a.grantee when 0 then 'everybody' else pg_get_userbyid(a.grantee) end, lower(a.privilege_type), o.name) as problem,
                  format('revoke %s on %s from %s', lower(a.privilege_type), o.name, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end) as hint
             from objects as o
            cross join lateral aclexplode(o.acl) as a
             left join pg_catalog.pg_init_privs as i on i.classoid = o.class and i.objoid = o.oid and i.objsubid = o.column_number
            where (a.grantee = 0 or a.grantee = any (held))
              and not exists (select
                                from aclexplode(coalesce(i.initprivs, acldefault(o.kind::"char", o.owner))) as b
                               where b.grantee in (a.grantee, 0) and b.privilege_type = a.privilege_type)
            union all
           select format('%s may %s %s', case a.grantee when 0 then 'everybody' else pg_get_userbyid(a.grantee) end, lower(a.privilege_type), p.parname),
                  format('revoke %s on parameter %s from %s', lower(a.privilege_type), p.parname, case a.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(a.grantee)) end)
             from pg_catalog.pg_parameter_acl as p
            cross join lateral aclexplode(p.paracl) as a
            where a.grantee = 0 or a.grantee = any (held))
    select (pgvec.verdict(
             'privileges', 'catalog', coalesce(array_agg(f.problem order by f.problem), '{}'),
             'callers have no more of the server than it gives everybody', coalesce(min(f.hint), ''))).*
      from found as f;

  return query
    with found as (
           select v.view, string_agg(v.reader, ', ' order by v.reader) as readers
             from pgvec.views_as_owner(array(
                    select r.oid::regclass
                      from pg_catalog.pg_class as r
                     where r.relnamespace = 'pgvec'::regnamespace
                       and r.relkind in ('r', 'p')
                       and r.relname not in ('collections', 'adoptions')
                       and r.oid not in (select t from pgvec.collections as c cross join lateral pgvec.relations_of(c.name) as t))) as v
            group by v.view)
    select (pgvec.verdict(
             'privileges', 'engine views', coalesce(array_agg(format('%s shows tables of the engine to %s', f.view, f.readers) order by f.view), '{}'),
             'no view shows statistics, memberships or history', coalesce(min(format('revoke all on %s from ...; or drop it', f.view)), ''))).*
      from found as f;

  return query
    select (pgvec.verdict(
             'privileges', 'foreign tables',
             coalesce(array_agg(distinct format('%s may read %s, which is %s on server %I', h.name, f.ftrelid::regclass, o.option_value, s.srvname)), '{}'),
             'none bears the name of a table of ours', coalesce(min(format('revoke all on %s from ...: the policies of %s do not hold there', f.ftrelid::regclass, o.option_value)), ''), severity => 'warn')).*
      from pg_catalog.pg_foreign_table as f
      join pg_catalog.pg_foreign_server as s on s.oid = f.ftserver
     cross join lateral pg_options_to_table(f.ftoptions) as o
     cross join pgvec.held_roles() as h (name)
     where o.option_name in ('table_name', 'table', 'schema_name')
       and (o.option_value = 'pgvec' or o.option_value in (select r.relname from pgvec.present_collections() as c join pg_catalog.pg_class as r on r.oid = c.base where c.access <> 'open'))
       and has_any_column_privilege(h.name, f.ftrelid, 'select');
end
$$;
comment on function pgvec.verify_reach() is
  'Checks privileges: catalog (functions, tables and parameters of the server granted to callers beyond what it comes with), engine views (views over tables of the engine that '
  'callers may read), foreign tables (that read tables of ours by another server). Reads the catalog alone.';
revoke all on function pgvec.verify_reach() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_roles', '476e9c4442fbac8e50a70d44538805e78ccf11180c93dc2186c999eebafbad37', '0.2.1', $pgvec_file$
-- pgvec.verify_roles -- whether the roles of callers are held by row level security, and by anything at all.
-- service_role bypasses it, as it is meant to. What a role was made is cluster-wide, and nobody alters it unasked.
create or replace function pgvec.verify_roles()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    with found as (
           select r.rolname, x.attribute
             from pg_catalog.pg_roles as r
            cross join lateral (values ('superuser', r.rolsuper), ('bypassrls', r.rolbypassrls and r.rolname not in ('service_role', 'authenticator')),
                                       ('createrole', r.rolcreaterole), ('replication', r.rolreplication)) as x (attribute, has)
            where x.has
              and (r.rolname in (select h from pgvec.held_roles() as h) or r.rolname in ('service_role', 'authenticator')))
    select (pgvec.verdict(
             'privileges', 'role attributes', coalesce(array_agg(format('%s has %s', f.rolname, f.attribute) order by f.rolname, f.attribute), '{}'),
             format('row level security holds %s', (select string_agg(h, ', ') from pgvec.held_roles() as h)),
             string_agg(format('alter role %I no%s', f.rolname, f.attribute), '; ' order by f.rolname, f.attribute))).*
      from found as f;

  return query
    with strong as (
           select x.oid, x.rolname,
                  x.rolsuper or x.rolbypassrls or x.rolcreaterole or x.rolreplication
                    or x.rolname like 'pg\_%' and x.oid < 16384
                    or x.oid in (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec')
                    or x.oid in (select r.relowner from pg_catalog.pg_class as r join pgvec.collections as c on r.oid in (c.base, c.relation, c.text_table)) as is_strong
             from pg_catalog.pg_roles as x),
         found as (
           select r.rolname as member, s.rolname as stronger
             from pg_catalog.pg_roles as r
             join strong as s on s.oid <> r.oid and pg_has_role(r.oid, s.oid, 'member')
            where r.rolname in (select h from pgvec.held_roles() as h)
              and not r.rolsuper  -- a member of all, and told above
              and (s.is_strong
                   or s.rolname in (select w from pgvec.roles('writer') as w) and r.rolname not in (select w from pgvec.roles('writer') as w)))
    select (pgvec.verdict(
             'privileges', 'memberships', coalesce(array_agg(format('%s is a member of %s', f.member, f.stronger) order by f.member, f.stronger), '{}'),
             'none of these is a member of a stronger role',
             string_agg(format('revoke %I from %I', f.stronger, f.member), '; ' order by f.member, f.stronger))).*
      from found as f;
end
$$;
comment on function pgvec.verify_roles() is
  'Checks privileges: role attributes (superuser, bypassrls, createrole, replication of the roles that callers have) and memberships '
  '(of these in the owner''s, in one that bypasses row level security, in a predefined one, or in one that writes). Reads the catalog alone.';
revoke all on function pgvec.verify_roles() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_rows', '6ad1d0f0c31e6dbe87fd4bf99e35839f7c20b90b3c7dbb7b2a31e640b619de45', '0.2.1', $pgvec_file$
-- pgvec.verify_rows -- what is in the rows of a collection: embeddings, and what triggers keep beside the text.
-- Of large collections a sample is read, and told as such; what is missing or stale is counted by its own index.
create or replace function pgvec.verify_rows(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_rows constant int := 200000;  -- whose vectors are looked at: half a second at 384 dimensions
  target   pgvec.collections := pgvec.collection(verify_rows.collection);
  estimate constant float8 := pgvec.estimate_rows(target);
  whole    boolean := target.base <> target.relation or coalesce(estimate, 0) <= most_rows;
  stale    record;
  seen     record;
begin
  execute format('select count(*) as total, count(*) filter (where d.embedding is null) as missing from %s as d where d.embedded_hash is distinct from d.content_hash', target.relation)
    into stale;
  execute format(
    $query$
    select count(*) as rows,
           count(*) filter (where (d.embedding operator(extensions.<#>) d.embedding < 0) is false) as zero,
           count(*) - count(distinct (d.content_hash, %2$s)) as repeated,
           count(*) filter (where d.embedding is not null and extensions.vector_dims(d.embedding) <> $1) as odd
      from %1$s as d
    $query$, pgvec.sample_of(target, most_rows), case target.access when 'tenant' then 'd.tenant_id' else 'null::int' end)
    into seen
    using target.dimensions;

  return next pgvec.verdict(
    target.name, 'rows',
    array_remove(array[case when stale.total > 0 then format('%s rows, %s without embedding, %s stale', case when whole then seen.rows::text else 'about ' || round(estimate) end, stale.missing, stale.total - stale.missing) end], null),
    format('%s rows, 0 without embedding, 0 stale', case when whole then seen.rows::text else 'about ' || round(estimate) end),
    format('pgvec-admin embed --collection %s', target.name), severity => 'warn');
  return next pgvec.verdict(
    target.name, 'vectors',
    array_remove(array[case when seen.zero > 0 then format('%s zero or NaN vectors in %s rows', seen.zero, seen.rows) end,
                       case when seen.odd > 0 then format('%s vectors of other than %s dimensions', seen.odd, target.dimensions) end], null),
    format('0 zero or NaN vectors in %s rows', seen.rows),
    'they have no direction, and no search by cosine finds them; the fix makes them null, so that they are embedded again',
    case when target.base = target.relation then
      format('update %s set embedding = null where (embedding operator(%s.<#>) embedding < 0) is false;', target.base, pgvec.vector_schema()) end);
  return next pgvec.verdict(
    target.name, 'duplicates',
    array_remove(array[case when seen.repeated > 0.1 * seen.rows then format('%s of %s rows repeat the text of another', seen.repeated, seen.rows) end], null),
    format('%s of %s rows repeat the text of another', seen.repeated, seen.rows),
    'repeated texts crowd out others: load them once, or search with group_by', severity => 'warn');
  return query select * from pgvec.verify_texts(target.name);
end
$$;
comment on function pgvec.verify_rows(text) is
  'Checks the rows of a collection: rows (missing and stale embeddings), vectors (zero, NaN, wrong dimensions), duplicates, and those of pgvec.verify_texts. '
  'Of more than 200,000 rows a sample is read, but for the missing and stale. Raises PV001.';
revoke all on function pgvec.verify_rows(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_search', 'cebafcfe994a0a64500019f0e93079e74ffbec319a099bb526880569e3c85503', '0.2.1', $pgvec_file$
-- pgvec.verify_search -- whether searches of a collection use its index, find what an exact scan finds, and how long they take.
-- Rows drawn as queries go through the very functions that clients call, by exact signature. Each is its own nearest row, and does not count.
-- It goes on until it has had so many, or the time is over.
create or replace function pgvec.verify_search(
    collection text, seconds float8 default 10, wanted_recall float8 default 0.98, queries int default 200, slow_ms float8 default 200)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_scanned constant float8 := 25000;  -- rows that an exact scan reads without much ado
  depth     constant int := 10;
  target    pgvec.collections := pgvec.collection(verify_search.collection);
  within    pgvec.collections := target;
  until     timestamptz := clock_timestamp() + make_interval(secs => seconds);
  drawn     record;
  explained record;
  started   timestamptz;
  expected  text[];
  found     text[];
  hits      bigint := 0;
  wanted    bigint := 0;
  tried     int := 0;
  vector_ms  float8[] := array[]::float8[];
  keyword_ms float8[] := array[]::float8[];
  hybrid_ms  float8[] := array[]::float8[];
  words     text;
  logging   constant text := coalesce(current_setting('pgvec.search_log', true), '');
begin
  perform set_config('pgvec.search_log', 'off', true);  -- these are no searches of anybody's
  for drawn in execute format(
    'select d.embedding::extensions.vector as embedding, d.content, %s as tenant from %s as d where d.embedding is not null order by md5(d.id) limit %s',
    case target.access when 'tenant' then 'd.tenant_id' else 'null::uuid' end, pgvec.sample_of(target, 10 * queries), queries)
  loop
    exit when clock_timestamp() > until and tried > 0;
    if tried = 0 then
      select e.route, e.index into explained from pgvec.explain_search(target.name, drawn.embedding, depth, for_tenant => drawn.tenant) as e;
      return next pgvec.verdict(
        target.name, 'plan',
        array_remove(array[
          case when explained.index is null and explained.route ~ 'index' and pgvec.estimate_rows(target) > most_scanned
               then format('the plan of a search has no use for %s', coalesce(target.search_index, 'its index')) end], null),
        case when explained.route ~ 'index' and explained.index is not null then format('match_documents uses %s', explained.index) else 'match_documents scans so few rows' end,
        'select plan from pgvec.explain_search(...) shows it: look for settings of the planner, and statistics that are old');
    end if;
    tried := tried + 1;

    started := clock_timestamp();
    found := array(select m.id from public.match_documents(drawn.embedding, depth + 1, '{}'::jsonb, null::float8, target.name, drawn.tenant, null::text) as m);
    vector_ms := vector_ms || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
    within.tenants := case when drawn.tenant is not null then array[drawn.tenant] end;
    execute format('select array(select q.id from (%s) as q)', pgvec.vector_query(within, target.distance, '', null))
      into expected
      using drawn.embedding, null::jsonb, depth + 1;
    wanted := wanted + greatest(0, cardinality(expected) - 1);
    hits := hits + greatest(0, (select count(*) from unnest(expected) as e where e = any (found)) - 1);

    words := array_to_string((regexp_split_to_array(left(drawn.content, 400), '\s+'))[:8], ' ');
    started := clock_timestamp();
    perform from public.keyword_search(words, depth, '{}'::jsonb, 'bm25'::text, target.name, drawn.tenant, false, null::float8);
    keyword_ms := keyword_ms || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
    started := clock_timestamp();
    perform from public.hybrid_search(words, drawn.embedding, depth, 1::float8, 1::float8, null::int, null::text, '{}'::jsonb, null::float8, 'bm25'::text,
                                      target.name, drawn.tenant, 100, null::text, null::float8, null::text, null::interval, false);
    hybrid_ms := hybrid_ms || extract(epoch from 1000 * (clock_timestamp() - started))::float8;
  end loop;
  perform set_config('pgvec.search_log', logging, true);
  if tried = 0 then
    return next pgvec.verdict(target.name, 'recall', '{}', 'there are no embeddings to search by');
    return;
  end if;

  return next pgvec.verdict(
    target.name, 'recall',
    array_remove(array[case when hits < wanted_recall * wanted then format('recall@%s %s over %s sampled queries (wanted %s)', depth, round(hits / wanted::numeric, 3), tried, wanted_recall) end], null),
    format('recall@%s %s over %s sampled queries (wanted %s)', depth, coalesce(round(hits / nullif(wanted, 0)::numeric, 3), 1), tried, wanted_recall),
    format('pgvec-admin index tune %s --recall %s; an index that updates have worn: reindex index concurrently', target.name, wanted_recall));
  return query
    with percentiles as (
           select l.mode,
                  percentile_cont(0.5) within group (order by t.ms) as p50,
                  percentile_cont(0.95) within group (order by t.ms) as p95
             from (values (1, 'vector', vector_ms[least(2, tried):]), (2, 'keyword', keyword_ms[least(2, tried):]), (3, 'hybrid', hybrid_ms[least(2, tried):])) as l (place, mode, times)
            cross join lateral unnest(l.times) as t (ms)
            group by l.place, l.mode
            order by l.place)
    select (pgvec.verdict(
             target.name, 'latency',
             coalesce(array_agg(format('%s p95 %s ms', mode, round(p95::numeric, 1))) filter (where p95 > slow_ms), '{}'),
             string_agg(format('%s p50 %s p95 %s ms', mode, round(p50::numeric, 1), round(p95::numeric, 1)), ', '),
             format('select * from pgvec.explain_search(%L, ...) tells why', target.name), severity => 'warn')).*
      from percentiles;
end
$$;
comment on function pgvec.verify_search(text, float8, float8, int, float8) is
  'Checks searches of a collection, over rows drawn as queries (at most so many, and until the seconds are over): plan (the index is used), '
  'recall (recall@10 of match_documents against exact scans is at least wanted_recall) '
  'and latency (p95 in ms on the server of vector, keyword and hybrid search is at most slow_ms). Raises PV001.';
revoke all on function pgvec.verify_search(text, float8, float8, int, float8) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_server', '6e4c1cec47fa5a5949414ba04e5754a1b9477cf715f4800f3da2da0b8790e090', '0.2.1', $pgvec_file$
-- pgvec.verify_server -- the extension, and settings of the server that make searches slow or wrong.
-- Settings are those of this session, and those that roles and the database are given besides.
create or replace function pgvec.verify_server()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  repaired constant int[] := array[0, 8, 4];  -- the release of pgvector that mended indexes which updates could corrupt
  installed record;
  version   int[];
  postgres  constant int := current_setting('server_version_num')::int / 10000;
begin
  select e.extversion, n.nspname, a.default_version into installed
    from pg_catalog.pg_extension as e
    join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
    left join pg_catalog.pg_available_extensions as a on a.name = e.extname
   where e.extname = 'vector';
  version := string_to_array(regexp_replace(installed.extversion, '[^0-9.].*$', ''), '.')::int[];
  return next pgvec.verdict(
    'extension', 'pgvector',
    array_remove(array[case when version < '{0,8,0}' then format('pgvector %s is too old: filtered searches need 0.8.0', installed.extversion) end], null)
      || array_remove(array[case when version >= '{0,8,0}' and version < repaired then format('pgvector %s can corrupt HNSW indexes, which 0.8.4 mended', installed.extversion) end], null)
      || array_remove(array[case when installed.default_version <> installed.extversion then format('the server has pgvector %s, this database %s', installed.default_version, installed.extversion) end], null),
    format('pgvector %s in %s', installed.extversion, installed.nspname),
    case when installed.default_version <> installed.extversion then 'alter extension vector update' else 'upgrade pgvector on the server, then: alter extension vector update' end,
    severity => case when version < '{0,8,0}' then 'fail' else 'warn' end);

  return next pgvec.verdict(
    'server', 'postgres',
    array_remove(array[case when postgres not between 15 and 18 then format('PostgreSQL %s is none that pgvec-admin is tested on', postgres) end], null),
    format('PostgreSQL %s', postgres), 'versions 15 to 18 are', severity => 'warn');

  return next pgvec.verdict(
    'server', 'planner',
    array(select format('%s is off', s.name)
            from pg_catalog.pg_settings as s
           where s.name like 'enable\_%' and s.setting = 'off' and s.boot_val = 'on')
      || array(select format('%s for %s', c.value, coalesce(r.rolname, d.datname, 'everybody'))
                 from pg_catalog.pg_db_role_setting as s
                cross join lateral unnest(s.setconfig) as c (value)
                 left join pg_catalog.pg_roles as r on r.oid = s.setrole
                 left join pg_catalog.pg_database as d on d.oid = s.setdatabase
                where s.setdatabase in (0, (select x.oid from pg_catalog.pg_database as x where x.datname = current_database()))
                  and c.value ~ '^enable_\w+=(off|false|no|0)$'),
    'no kind of plan is switched off',
    'alter database ... reset, alter role ... reset: without its kinds of plans the planner cannot use an index');

  return next pgvec.verdict(
    'server', 'autovacuum',
    array_remove(array[case when not (current_setting('autovacuum')::boolean and current_setting('track_counts')::boolean) then 'autovacuum is off: statistics get old, and dead rows stay' end], null),
    'autovacuum is on', 'switch autovacuum and track_counts on', severity => 'warn');

  return next pgvec.verdict(
    'server', 'jit',
    array(select format('jit is on, and an exact scan of %s costs enough for it', c.name)
            from pgvec.present_collections() as c
           where pg_catalog.pg_jit_available()
             and (select sum(r.relpages * current_setting('seq_page_cost')::float8 + greatest(r.reltuples, 0) * 2 * current_setting('cpu_tuple_cost')::float8)
                    from pgvec.partitions(c.base) as p
                    join pg_catalog.pg_class as r on r.oid = p) > current_setting('jit_above_cost')::float8
             and current_setting('jit_above_cost')::float8 >= 0),
    case when pg_catalog.pg_jit_available() then 'jit is on, no scan costs enough for it' else 'jit is off' end,
    'alter database ... set jit = off: compiling a search takes longer than the search', severity => 'warn');

  return query select * from pgvec.verify_memory();
  return query select * from pgvec.verify_timeouts();
end
$$;
comment on function pgvec.verify_server() is
  'Checks pgvector (version and schema) and the server: postgres, planner (kinds of plans that are switched off), autovacuum, jit, memory, timeouts.';
revoke all on function pgvec.verify_server() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_settings', '1500b4d0a03febbd2e78d618de41c2f70964ea42f34d821542487fa2b751decc', '0.2.1', $pgvec_file$
-- pgvec.verify_settings -- settings of roles and of the database that expose the engine, or make everybody a tenant.
-- PostgREST may have its own in a file, which the database does not see.
create or replace function pgvec.verify_settings()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select (pgvec.verdict(
             'privileges', 'exposed schemas',
             coalesce(array_agg(format('the REST API exposes schema pgvec by pgrst.db_schemas of %s', e.told_by) order by e.told_by), '{}'),
             format('pgvec is not among them: %s', (select string_agg(distinct x.schema_name, ', ') from pgvec.exposed_schemas() as x)),
             coalesce(min(format('alter %s set pgrst.db_schemas = ''public''; notify pgrst, ''reload config''', e.told_by)), ''))).*
      from pgvec.exposed_schemas() as e
     where e.schema_name = 'pgvec';

  return query
    select (pgvec.verdict(
             'privileges', 'rest settings',
             coalesce(array_agg(format('%s has %s%s: %s', g.holder, g.setting, case when g.setting ~ 'secret' then '' else ' = ' || g.value end, p.because) order by g.holder, g.setting), '{}'),
             'none gives callers more than their grants',
             coalesce(min(format('alter %s reset %s; notify pgrst, ''reload config''', g.holder, g.setting)), ''))).*
      from pgvec.given_settings() as g
     cross join lateral (
             select case
                      when g.setting = 'pgrst.db_plan_enabled' and g.value ~* '^(t|true|on|yes|1)$' then 'plans tell of rows that policies hide'
                      when g.setting in ('pgrst.jwt_secret', 'pgrst.app.settings.jwt_secret') then 'every role that may run SQL can read it in the catalog, and sign tokens'
                      when g.setting = 'pgrst.db_anon_role'
                           and exists (select
                                         from pg_catalog.pg_roles as r
                                        where r.rolname = g.value
                                          and (r.rolsuper or r.rolbypassrls
                                               or pg_has_role(r.oid, (select n.nspowner from pg_catalog.pg_namespace as n where n.nspname = 'pgvec'), 'member')))
                        then 'row level security does not hold it, and nobody need sign in'
                    end) as p (because)
     where p.because is not null;

  return query
    select (pgvec.verdict(
             'privileges', 'session settings',
             coalesce(array_agg(format('%s has %s = %s', g.holder, g.setting, g.value) order by g.holder, g.setting), '{}'),
             'no role of callers has a tenant, or triggers that do not fire, from the start',
             coalesce(min(format('alter %s reset %s', g.holder, g.setting)), ''))).*
      from pgvec.given_settings() as g
     where g.setting ~ '^(app\.tenant_id|request\.jwt\.)'
             and (g.role_name is null or g.role_name = 'authenticator' or g.role_name in (select r from pgvec.roles('reader') as r))
        or g.setting = 'session_replication_role' and g.value <> 'origin';
end
$$;
comment on function pgvec.verify_settings() is
  'Checks privileges: exposed schemas (pgvec in pgrst.db_schemas), rest settings (of PostgREST, in the database), session settings (a tenant, claims or '
  'session_replication_role that sessions begin with). Reads the catalog alone.';
revoke all on function pgvec.verify_settings() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_statistics', '1675484b633ab2c47c9215a8f18d4a527e754ce29fb5226b853a34f46331be95', '0.2.1', $pgvec_file$
-- pgvec.verify_statistics -- how old what is known of a collection is: word counts of BM25, the planner's statistics, dead rows.
create or replace function pgvec.verify_statistics(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  much   constant float8 := 0.2;   -- of the rows: autovacuum's own measure of what is due
  few    constant bigint := 1000;  -- rows, that no plan goes wrong over
  target pgvec.collections := pgvec.collection(verify_statistics.collection);
  words  record;
  rows   bigint;
  told   record;
begin
  select s.documents, s.uncounted, s.due into words from pgvec.keyword_statistics(target.name) as s;
  execute format('select count(*) from %s', target.text_table) into rows;
  return next pgvec.verdict(
    target.name, 'keyword statistics',
    array_remove(array[
      case when words.due then format('keyword statistics %s %% behind', round(100.0 * words.uncounted / nullif(words.documents + words.uncounted, 0)))
           when abs(words.documents - rows) > words.uncounted then format('keyword statistics count %s rows, there are %s', words.documents, rows) end], null),
    format('keyword statistics %s %% behind', coalesce(round(100.0 * words.uncounted / nullif(words.documents + words.uncounted, 0)), 0)),
    format('pgvec-admin collection refresh %s', target.name), format('select * from pgvec.refresh_statistics(%L);', target.name), severity => 'warn');

  select sum(s.n_live_tup) as live, sum(s.n_dead_tup) as dead, sum(s.n_mod_since_analyze) as changed,
         bool_or(r.reltuples < 0) as never, max(greatest(s.last_analyze, s.last_autoanalyze)) as analyzed, max(greatest(s.last_vacuum, s.last_autovacuum)) as vacuumed,
         bool_or(s.n_dead_tup > few and s.n_dead_tup > much * (s.n_live_tup + s.n_dead_tup)) as full_of_dead
    into told
    from pgvec.partitions(target.base) as p
    join pg_catalog.pg_class as r on r.oid = p
    left join pg_catalog.pg_stat_all_tables as s on s.relid = r.oid;
  return next pgvec.verdict(
    target.name, 'analyze',
    array_remove(array[
      case when rows > few and told.never then 'never analyzed'
           when rows > few and told.changed > much * rows then format('%s rows changed since it was analyzed', told.changed) end], null),
    format('analyzed %s, %s rows changed since', coalesce(pgvec.told_age(told.analyzed), 'never'), coalesce(told.changed, 0)),
    'analyze it: the planner''s estimates choose the route of a filtered search', format('analyze %s;', target.base), severity => 'warn');
  return next pgvec.verdict(
    target.name, 'vacuum',
    array_remove(array[case when told.full_of_dead then format('%s dead rows beside %s', told.dead, told.live) end], null),
    format('vacuumed %s, %s dead rows', coalesce(pgvec.told_age(told.vacuumed), 'never'), coalesce(told.dead, 0)),
    'vacuum it: searches by an index walk over the dead', format('vacuum %s;', target.base), severity => 'warn');
end
$$;
comment on function pgvec.verify_statistics(text) is
  'Checks of a collection: keyword statistics (how far they are behind), analyze (rows changed since) and vacuum (dead rows). Raises PV001.';
revoke all on function pgvec.verify_statistics(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_table', '3febf8ca0015716eb98a09ade789da3e8be4ac0dff5787e2923fa1f5858389ba', '0.2.1', $pgvec_file$
-- pgvec.verify_table -- whether a collection is still what the registry says: its table, columns and triggers.
create or replace function pgvec.verify_table(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections;
  expected text;
  found    text;
begin
  select c.* into target from pgvec.collections as c where c.name = verify_table.collection;
  if target.name is null then
    target := pgvec.collection(verify_table.collection);  -- which says so
  end if;
  if not exists (select from pgvec.present_collections() as p where p.name = target.name) then
    return next pgvec.verdict(target.name, 'table', '{its table is gone}', null,
      format('restore it; or forget the collection: select pgvec.drop_collection(%L)', target.name));
    return;
  end if;

  expected := format('%s(%s)', target.storage, target.dimensions);
  found := (select format_type(a.atttypid, a.atttypmod)
              from pg_catalog.pg_attribute as a
             where a.attrelid = target.base and a.attname = target.embedding_column and not a.attisdropped);
  return next pgvec.verdict(
    target.name, 'table',
    array_remove(array[
      case when regexp_replace(found, '^.*\.', '') is distinct from expected then format('column %I is %s and not %s', target.embedding_column, coalesce(found, 'gone'), expected) end,
      case when not exists (select from pg_catalog.pg_index as x where x.indrelid = target.base and x.indisprimary) then 'it has no primary key' end], null)
    || array(select format('column %I of %s is gone', w.name, target.text_table)
               from unnest('{fts,bm25,content_hash,embedded_hash}'::name[]) as w (name)
              where not exists (select from pg_catalog.pg_attribute as a where a.attrelid = target.text_table and a.attname = w.name and not a.attisdropped))
    || array(select format('column tenant_id has the default %s and not pgvec.default_tenant()', pg_get_expr(x.adbin, x.adrelid))
               from pg_catalog.pg_attrdef as x
               join pg_catalog.pg_attribute as a on a.attrelid = x.adrelid and a.attnum = x.adnum
              where target.access = 'tenant' and x.adrelid = target.base and a.attname = 'tenant_id'
                and pg_get_expr(x.adbin, x.adrelid) <> 'pgvec.default_tenant()')
    || pgvec.foreign_columns(target)
    || array(select format('there is no text search configuration %s', target.language)
              where not exists (select
                                  from pg_catalog.pg_ts_config as t
                                  join pg_catalog.pg_namespace as n on n.oid = t.cfgnamespace
                                 where target.language in (quote_ident(t.cfgname), format('%I.%I', n.nspname, t.cfgname)))),
    format('%s of %s in %s', expected, target.access, target.base),
    'undo the change, or load the rows into a collection made anew');

  return query
    with wanted (name, relation, function) as (
           select target.name || '_maintain', target.base, case when target.base = target.relation then 'pgvec.maintain_document' else 'pgvec.maintain_adopted' end
            union all
           select format('%s_count_%s', target.name, e), target.text_table, 'pgvec.count_lexemes' from unnest('{insert,update,delete,truncate}'::text[]) as e),
         there as (
           select w.name, w.relation,
                  case when t.tgenabled is null then 'is gone'
                       when t.tgenabled not in ('O', 'A') then 'is disabled'
                       when t.tgfoid <> to_regproc(w.function) then format('calls %s and not %s', t.tgfoid::regproc, w.function)
                       when t.tgqual is not null or t.tgattr::text <> '' then 'fires on some changes only' end as problem
             from wanted as w
             left join pg_catalog.pg_trigger as t on t.tgrelid = w.relation and t.tgname = w.name)
    select (pgvec.verdict(
             target.name, 'triggers',
             coalesce(array_agg(format('trigger %s of %s %s', t.name, t.relation, t.problem) order by t.name) filter (where t.problem is not null), '{}'),
             format('%s keep hashes, lexemes and statistics', count(*)),
             'pgvec.attach_triggers puts them back; rows written meanwhile show in the checks hashes and lexemes',
             format('select pgvec.attach_triggers(%1$L); select pgvec.refresh_statistics(%1$L);', target.name))).*
      from there as t;
end
$$;
comment on function pgvec.verify_table(text) is
  'Checks a collection against the registry: table (that it is there, the type of its embedding, its columns, its text search configuration) and triggers. Raises PV001.';
revoke all on function pgvec.verify_table(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_tenants', '485057a356f2ffe4fe524e06d606a243ceafb5cb0a3c752eed21bb8d534a2456', '0.2.1', $pgvec_file$
-- pgvec.verify_tenants -- tries, as each role and as two made-up tenants, to see and to change what must not be.
-- In a collection of its own, which is gone afterwards, whatever happens: all of it is rolled back. Each attempt is the
-- text of a query that must return nothing, or of one that must be refused, with calls by exact signature; what it did is
-- undone before the next. Of all roles that search service_role alone is not tried: it is meant to see all rows.
create or replace function pgvec.verify_tenants()
  returns table (role_name name, attempt text, passed boolean, detail text)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  probe    constant text := 'pgvec_probe_' || substr(md5(clock_timestamp()::text), 1, 8);
  ours     constant uuid := gen_random_uuid();
  theirs   constant uuid := gen_random_uuid();
  attempts constant jsonb := $attempts$[
    ["reads the table", "empty", "select from public.{probe} as d where d.content like '%theirs%'"],
    ["match_documents", "empty", "select from public.match_documents('[1,0]'::extensions.vector, 100, '{}'::jsonb, null::float8, '{probe}'::text, null::uuid, null::text) as d where d.content like '%theirs%'"],
    ["keyword_search", "empty", "select from public.keyword_search('theirs'::text, 10, '{}'::jsonb, 'bm25'::text, '{probe}'::text, null::uuid, false, null::float8)"],
    ["hybrid_search", "empty", "select from public.hybrid_search('theirs'::text, '[1,0]'::extensions.vector, 10, 1::float8, 1::float8, null::int, null::text, '{}'::jsonb, null::float8, 'bm25'::text, '{probe}'::text, null::uuid, 100, null::text, null::float8, null::text, null::interval, false) as d where d.content like '%theirs%'"],
    ["document_facets", "empty", "select from public.document_facets('whose'::text, null::text, '{}'::jsonb, 10, '{probe}'::text, null::uuid) as d where d.value = 'theirs'"],
    ["document_context", "empty", "select from public.document_context('2'::text, 1, 1, '{probe}'::text, null::uuid)"],
    ["suggest_query", "empty", "select from public.suggest_query('theyrs'::text, '{probe}'::text, null::uuid) as s (text) where s.text is not null"],
    ["pgvec.tenant_matches", "empty", "select from pgvec.tenant_matches('{probe}'::text, '[1,0]'::extensions.vector, 10, '{}'::jsonb, null::float8, null::uuid, 'cosine'::text) as d where d.id = '2'"],
    ["match_documents for_tenant", "refused", "select from public.match_documents('[1,0]'::extensions.vector, 100, '{}'::jsonb, null::float8, '{probe}'::text, '{theirs}'::uuid, null::text)"],
    ["keyword_search for_tenant", "refused", "select from public.keyword_search('theirs'::text, 10, '{}'::jsonb, 'bm25'::text, '{probe}'::text, '{theirs}'::uuid, false, null::float8)"],
    ["pgvec.keyword_query for_tenant", "refused", "select pgvec.keyword_query('{probe}'::text, 'theirs'::text, '{theirs}'::uuid)"],
    ["reads the statistics", "refused", "select from pgvec.lexemes"],
    ["inserts for another tenant", "refused", "insert into public.{probe} (tenant_id, content) values ('{theirs}', 'planted')"],
    ["gives a row away", "refused", "update public.{probe} as d set tenant_id = '{theirs}' where d.id = '1'"],
    ["changes another's row", "empty", "update public.{probe} as d set content = 'changed' where d.id = '2' returning d.id"],
    ["deletes another's row", "empty", "delete from public.{probe} as d where d.id = '2' returning d.id"]]$attempts$::jsonb;
  tried    record;
  results  jsonb := '[]'::jsonb;
  told     text;
  may_set  constant text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
  role     constant text := current_setting('role');
  claims   constant text := coalesce(current_setting('request.jwt.claims', true), '');
  met      bigint;
begin
  begin
    perform pgvec.create_collection(probe, 2, access => 'tenant');
    perform public.upsert_documents('[{"id": "1", "content": "a fish of ours", "metadata": {"whose": "ours"}, "embedding": [1, 0]}]'::jsonb, probe, ours);
    perform public.upsert_documents('[{"id": "2", "content": "a fish of theirs", "metadata": {"whose": "theirs"}, "embedding": [1, 0]}]'::jsonb, probe, theirs);
    for tried in
      select r.name, a.value ->> 0 as attempt, a.value ->> 1 as expected,
             replace(replace(a.value ->> 2, '{probe}', probe), '{theirs}', theirs::text) as query
        from pgvec.held_roles() as r (name)
       cross join jsonb_array_elements(attempts) with ordinality as a (value, place)
       where pg_has_role(session_user, r.name, may_set)
       order by r.name, a.place
    loop
      begin
        perform set_config('request.jwt.claims', jsonb_build_object('role', tried.name, 'app_metadata', jsonb_build_object('tenant_id', ours))::text, true);
        perform set_config('role', tried.name, true);
        execute tried.query;
        get diagnostics met = row_count;
        told := case when met > 0 then format('%s rows', met) when tried.expected = 'refused' then 'not refused' end;
        raise exception using errcode = 'PV004', message = 'rolled back', hint = 'this is caught below';
      exception
        when sqlstate 'PV006' or insufficient_privilege then
          told := null;  -- a role that may not write at all is refused before its tenant is looked at
        when sqlstate 'PV004' then
          if sqlerrm <> 'rolled back' then
            raise;
          end if;
      end;
      perform set_config('role', role, true);
      results := results || jsonb_build_array(jsonb_build_array(tried.name, tried.attempt, told));
    end loop;
    raise exception using errcode = 'PV004', message = 'rolled back', hint = 'this is caught below';
  exception when sqlstate 'PV004' then
    if sqlerrm <> 'rolled back' then
      raise;
    end if;
  end;
  perform set_config('request.jwt.claims', claims, true);
  return query
    select r, 'all of them', false, format('not tried: %s may not act as it', session_user)
      from pgvec.held_roles() as r
     where not pg_has_role(session_user, r, may_set)
     order by r;
  return query
    select (r.value ->> 0)::name, r.value ->> 1, r.value ->> 2 is null, r.value ->> 2
      from jsonb_array_elements(results) with ordinality as r (value, place)
     order by r.place;
end
$$;
comment on function pgvec.verify_tenants() is
  'As each role that row level security has to hold, what it is not to see or do in a collection with two made-up tenants, and whether it was kept from it. '
  'Leaves nothing behind. The caller has to be a member of these roles: one that it may not act as is told, as not passed.';
revoke all on function pgvec.verify_tenants() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_texts', 'e7fe56bd6cac64f1c05cadd2f835051b34b667a579956d07da089981b9a100e5', '0.2.1', $pgvec_file$
-- pgvec.verify_texts -- whether what the triggers keep beside a text is that text's: its hash, its lexemes, their weights.
-- Making the lexemes of a text takes longer than reading it, hence a small sample. Weights may have been made with an average
-- length that has moved since; pgvec.refresh_statistics renews them.
create or replace function pgvec.verify_texts(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_rows constant int := 5000;
  apart     constant float8 := 0.05;  -- cosine distance of weights
  target  pgvec.collections := pgvec.collection(verify_texts.collection);
  repair  text := case when target.base = target.relation then format('select pgvec.repair_rows(%L);', target.name) end;
  again   text := case when target.base = target.relation then 'pgvec.repair_rows makes them anew' else 'write the text columns of these rows again' end;
  seen    record;
begin
  execute format(
    $query$
    select count(*) as rows,
           count(*) filter (where d.content_hash is distinct from md5(d.content)) as hashes,
           count(*) filter (where d.fts is distinct from to_tsvector(coalesce(d.language, $1)::regconfig, d.content)) as lexemes,
           count(*) filter (where d.bm25 is null
                               or not extensions.l2_norm(d.bm25) = 0
                                  and d.bm25 operator(extensions.<=>) pgvec.bm25_vector(d.fts, p.average_length, p.k1, p.b) > $2) as weights
      from %1$s as d
      left join pgvec.bm25_parameters as p on p.collection = $3 and p.tenant = %2$s
    $query$, pgvec.sample_of(target, most_rows), case target.access when 'tenant' then 'd.tenant_id' else format('%L::uuid', pgvec.no_tenant()) end)
    into seen
    using target.language, apart, target.name;

  return next pgvec.verdict(
    target.name, 'hashes',
    array_remove(array[case when seen.hashes > 0 then format('content_hash of %s of %s rows is not that of their text', seen.hashes, seen.rows) end], null),
    format('hashes of %s rows are those of their texts', seen.rows), again, repair);
  return next pgvec.verdict(
    target.name, 'lexemes',
    array_remove(array[case when seen.lexemes > 0 then format('fts of %s of %s rows is not that of their text', seen.lexemes, seen.rows) end], null),
    format('lexemes of %s rows are those of their texts', seen.rows), again, repair);
  return next pgvec.verdict(
    target.name, 'weights',
    array_remove(array[case when seen.weights > 0 then format('bm25 of %s of %s rows is not that of their lexemes', seen.weights, seen.rows) end], null),
    format('weights of %s rows are those of their lexemes', seen.rows),
    'pgvec.refresh_statistics makes them anew', format('select pgvec.refresh_statistics(%L, null);', target.name), severity => 'warn');
end
$$;
comment on function pgvec.verify_texts(text) is
  'Checks what is kept beside the texts of a collection, in a sample of 5,000 rows: hashes (content_hash), lexemes (fts) and weights (bm25). Raises PV001.';
revoke all on function pgvec.verify_texts(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_timeouts', 'c155318891830508f306e08622db511c4566a62c61c95c2c218ed6106e5c84d8', '0.2.1', $pgvec_file$
-- pgvec.verify_timeouts -- how long a search may take, role by role.
-- A role that strangers have and that no timeout holds can keep all connections busy. That of all roles is the one of this
-- session, unless the role that asks has one of its own.
create or replace function pgvec.verify_timeouts()
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  told  text[];
  loose text[];
begin
  select array_agg(format('%s %s', r.name, t.value) order by r.name) filter (where t.value is not null),
         array_agg(format('%s has no statement_timeout', r.name) order by r.name) filter (where coalesce(t.value, '0') ~ '^0')
    into told, loose
    from pgvec.roles('reader') as r (name)
    left join lateral (
           select split_part(c.value, '=', 2) as value
             from pg_catalog.pg_db_role_setting as s
            cross join lateral unnest(s.setconfig) as c (value)
            where s.setrole in (0, to_regrole(quote_ident(r.name)))
              and s.setdatabase in (0, (select d.oid from pg_catalog.pg_database as d where d.datname = current_database()))
              and c.value like 'statement\_timeout=%'
            order by s.setrole <> 0 desc, s.setdatabase <> 0 desc
            limit 1) as t on true
   where r.name in ('anon', 'authenticated')
     and ((select s.reset_val from pg_catalog.pg_settings as s where s.name = 'statement_timeout') = '0'
          or exists (select
                       from pg_catalog.pg_db_role_setting as s
                      cross join lateral unnest(s.setconfig) as c (value)
                      where s.setrole = to_regrole(quote_ident(session_user)) and c.value like 'statement\_timeout=%'));
  return next pgvec.verdict(
    'server', 'statement_timeout', coalesce(loose, '{}'),
    coalesce(array_to_string(told, ', '), 'none of its own for a role that strangers have'),
    'alter role anon set statement_timeout = ''3s''', severity => 'warn');
end
$$;
comment on function pgvec.verify_timeouts() is
  'Checks that the roles of the REST API that strangers have (anon, authenticated) are held by a statement_timeout.';
revoke all on function pgvec.verify_timeouts() from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_views', '811147c474b8fd11e62660d37c87a0cad2698fb194c57dca4833d9526fc57bf9', '0.2.1', $pgvec_file$
-- pgvec.verify_views -- views and copies of a collection's rows that go past its policies.
-- Where everybody may read the table, and of tables without row level security, a view tells nothing new to who may read it.
create or replace function pgvec.verify_views(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(verify_views.collection);
  hides  boolean := target.access <> 'open' and (select r.relrowsecurity from pg_catalog.pg_class as r where r.oid = target.base);
begin
  return query
    with found as (
           select v.view_oid, v.view, v.is_copy, string_agg(v.reader, ', ' order by v.reader) as readers
             from pgvec.views_as_owner(array(select t from pgvec.relations_of(target.name) as t)) as v
            where hides or not has_any_column_privilege(v.reader, target.base, 'select')
            group by v.view_oid, v.view, v.is_copy)
    select (pgvec.verdict(
             target.name, 'views',
             coalesce(array_agg(format(case when f.is_copy then '%s is a copy that %s may read' else '%s shows its rows as its owner to %s' end, f.view, f.readers) order by f.view), '{}'),
             'no view shows its rows past the policies to a role that is granted by the engine',
             coalesce(min(case when f.is_copy then format('revoke all on %s from ..., since a materialized view has no row level security', f.view)
                               else format('alter view %s set (security_invoker = true); or revoke it from them', f.view) end), ''),
             string_agg(format('alter view %s set (security_invoker = true);', f.view), ' ') filter (where f.view_oid = target.relation),
             severity => case when target.access = 'tenant' or bool_or(f.view_oid = target.relation) then 'fail' else 'warn' end)).*
      from found as f;
end
$$;
comment on function pgvec.verify_views(text) is
  'Check views of a collection: views without security_invoker, views over these, and materialized views, that show a caller rows past the policies '
  'or grants of the table. Raises PV001.';
revoke all on function pgvec.verify_views(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.verify_writers', 'f7982d02a49749490c9b15888310d02ef0487ca7c8f14be6b8d10b36935bfd38', '0.2.1', $pgvec_file$
-- pgvec.verify_writers -- who was granted more of a collection's tables than its access says.
-- With access policy, and of adopted tables, who reads and writes rows is for the owner's own grants and policies to say. Row
-- level security does not hold TRUNCATE and the like, nor does it guard partitions and side tables that are asked by name.
create or replace function pgvec.verify_writers(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(verify_writers.collection);
  ours    constant boolean := target.base = target.relation;
  of_rows constant text[] := array['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
begin
  return query
    with granted as (
           select t.oid, t.oid::regclass::text as relation, r.name as role_name, a.privilege_type, a.is_grantable
             from pg_catalog.pg_class as t
            cross join lateral (
                   select t.relacl as acl
                    union all
                   select c.attacl from pg_catalog.pg_attribute as c where c.attrelid = t.oid and c.attacl is not null) as l
            cross join lateral aclexplode(l.acl) as a
             join pgvec.roles('reader') as r (name) on to_regrole(quote_ident(r.name)) = a.grantee
            where t.oid in (select x from pgvec.relations_of(target.name) as x)
              and (ours or t.oid <> target.base and t.oid = target.text_table)),
         excess as (
           select g.relation, g.role_name, lower(g.privilege_type) as privilege
             from granted as g
            where not case
                    when g.oid = target.base and target.access = 'policy' then g.privilege_type = any (of_rows)
                    when g.oid = target.base then
                      g.privilege_type = 'SELECT'
                      or g.privilege_type = any (of_rows) and g.role_name in (select w from pgvec.roles(case target.access when 'tenant' then 'member' else 'writer' end) as w)
                    else g.privilege_type = 'SELECT' and not ours  -- of the side table
                  end),
         problems as (
           select distinct format('%s may %s', e.role_name, e.privilege) || case when e.relation <> target.base::text then ' ' || e.relation else '' end as problem,
                  format('revoke %s on table %s from %I;', e.privilege, e.relation, e.role_name) as fix
             from excess as e
            union
           select format('%s may let others %s %s', g.role_name, lower(g.privilege_type), g.relation),
                  format('revoke grant option for %s on table %s from %I;', lower(g.privilege_type), g.relation, g.role_name)
             from granted as g
            where g.is_grantable
              and not (target.access = 'policy' and g.privilege_type = any (of_rows)))
    select (pgvec.verdict(
             target.name, 'writers', coalesce(array_agg(p.problem order by p.problem), '{}'),
             'nobody may write but those who should',
             'revoke ... on table ... from ...: row level security does not hold truncate',
             string_agg(p.fix, ' ' order by p.fix))).*
      from problems as p;
end
$$;
comment on function pgvec.verify_writers(text) is
  'Check writers of a collection: roles that may do more with its table, partitions and side table than its access says. '
  'Grants of rows are the owner''s to make with access policy. Raises PV001.';
revoke all on function pgvec.verify_writers(text) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.version', 'cc6c56a04645eae46d6b1250b0ce46b7ba29e05dc4bbc3f54c50f2cd30a5e0e5', '0.2.1', $pgvec_file$
-- pgvec.version -- the release that these functions came with.
create or replace function pgvec.version()
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select '0.2.1'
$$;
comment on function pgvec.version() is 'The release of pgvec-admin that the installed functions came with.';
revoke all on function pgvec.version() from public;
select pgvec.grant_execute('pgvec.version()', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.views_as_owner', '0b6e050a81b3c9d5e2bea3db7e3995b438679219787a2f893b3b7a73d937cc39', '0.2.1', $pgvec_file$
-- pgvec.views_as_owner -- views that show rows of tables as their owner sees them, and not as the caller, and who may use them.
-- A view with security_invoker asks as the caller, also below one that has it not. A materialized view holds what its owner saw.
create or replace function pgvec.views_as_owner(relations regclass[])
  returns table (view_oid oid, view text, is_copy boolean, reader name)
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  with recursive shown (relation, as_owner) as (
         select t::oid, false from unnest(relations) as t
          union
         select v.oid,
                v.relkind = 'm'
                or not i.invoker
                   and (s.as_owner
                        or r.relkind not in ('v', 'm')
                           and (not r.relrowsecurity or o.rolsuper or o.rolbypassrls or pg_has_role(o.oid, r.relowner, 'usage')))
           from shown as s
           join pg_catalog.pg_class as r on r.oid = s.relation
           join pg_catalog.pg_depend as d on d.refclassid = 'pg_class'::regclass and d.refobjid = r.oid and d.classid = 'pg_rewrite'::regclass
           join pg_catalog.pg_rewrite as w on w.oid = d.objid
           join pg_catalog.pg_class as v on v.oid = w.ev_class and v.relkind in ('v', 'm') and v.oid <> r.oid
           join pg_catalog.pg_roles as o on o.oid = v.relowner
          cross join lateral (
                 select exists (select
                                  from pg_options_to_table(v.reloptions) as x
                                 where x.option_name = 'security_invoker' and x.option_value::boolean) as invoker) as i)
  select v.oid, v.oid::regclass::text, v.relkind = 'm', h.name
    from (select distinct s.relation from shown as s where s.as_owner) as s
    join pg_catalog.pg_class as v on v.oid = s.relation
   cross join pgvec.held_roles() as h (name)
   where has_schema_privilege(h.name, v.relnamespace, 'usage')
     and (has_any_column_privilege(h.name, v.oid, 'select, insert, update') or has_table_privilege(h.name, v.oid, 'delete'))
   order by 2, 4
$$;
comment on function pgvec.views_as_owner(regclass[]) is
  'Views and materialized views, also views over them, through which a role that row level security has to hold reaches rows of these tables '
  'as the owner of the view does; with each such role.';
revoke all on function pgvec.views_as_owner(regclass[]) from public;
$pgvec_file$);

select pg_temp.apply_function('pgvec.wide_steps', '7375250fce0c3da8fa51b47fdf5d63e4fd06fba042a58dfce7b8add6a12ded5d', '0.2.1', $pgvec_file$
-- pgvec.wide_steps -- how a search goes about it with a filter that more than a few rows pass.
-- There are three ways, and each is bad at something (100,000 rows of 384 dimensions in clusters of 100, the best 10 wanted):
--   exact scan of the matches   always right; 1.6 microseconds a row by index, 0.4 a row of the table without
--   one look at the index       1 ms; of its 100 nearest rows some match: right where 12 or more do (recall 1.00), wrong
--                               where 10 do (0.96), and fewer than 10 rows where the filter is narrow; of the 200 nearest
--                               24 have to match, since the index misses more of the farther rows
--   walking on iteratively      2 to 50 ms from ef_search 100; recall 0.97 where 10 % match, 0.86 at 5 %, 0.83 at 1 %,
--                               and 0.67 where 10 % match and all lie far from the query
-- So few matches are scanned at once; more are first looked for in the index, which pays wherever matches lie near, and
-- scanned if it finds too few of them; and only where that would be too many rows is the index walked on.
drop function if exists pgvec.wide_steps(pgvec.collections, text, text, int, float8, boolean);
drop function if exists pgvec.wide_steps(pgvec.collections, text, text, int, int, int, float8, boolean);

create or replace function pgvec.wide_steps(
    collection pgvec.collections, kind text, method text, wanted int, read_rows int, ef_search int, matches float8, to_scan float8)
  returns pgvec.search_step[]
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  spare      constant float8 := 1.2;   -- rows found in one look, over rows wanted
  depth      constant int := 10;       -- rows looked at, over rows wanted, within which the index can be trusted
  look_costs constant float8 := 30;    -- rows of an exact scan that take three times as long as a look of ef_search 1
  detour     constant float8 := 8;     -- rows walked over rows needed, where matches are not far
  most_ef    constant int := 1000;     -- pgvector's limit
  exact_rows float8 := coalesce((collection.settings ->> 'exact_rows')::float8, least(25000, 1e7 / collection.dimensions));
  enough     int := ceil(spare * read_rows);
  steps      pgvec.search_step[] := '{}'::pgvec.search_step[];
  fraction   float8 := least(1, greatest(matches, 1) / greatest(pgvec.estimate_rows(collection), matches, 1));
  look       int;                      -- hnsw.ef_search
  tuples     int;
begin
  -- without an index the whole table is read, a row in a quarter of the time
  to_scan := coalesce(to_scan, matches / fraction / 4);
  -- as many matches as a search without a filter sees rows; 100 will do where few match, as far as one look can do
  look := least(most_ef, greatest(ef_search, least(100, ef_search / fraction), least(depth * read_rows, 1.5 * enough / fraction)));
  if to_scan > look_costs * look then
    steps := steps || (kind, 'off', look, 20000, enough, enough, null, method = 'ivfflat', matches)::pgvec.search_step;
    -- twice as far once more, where that promises twice as many
    if 2 * look <= most_ef and look * fraction >= enough then
      look := 2 * look;
      steps := steps || (kind, 'off', look, 20000, 2 * enough, 2 * enough, null, method = 'ivfflat', matches)::pgvec.search_step;
    end if;
  end if;

  if to_scan > exact_rows then
    look := least(most_ef, greatest(look, 2 * read_rows / fraction));
    tuples := least(1000000, greatest(2 * look, detour * read_rows / fraction));
    steps := steps || (kind, 'relaxed_order', look, tuples, read_rows, wanted, null, true, matches)::pgvec.search_step;
    if to_scan > 10 * exact_rows then
      steps := steps || (kind, 'relaxed_order', look, 10 * tuples, read_rows, wanted, null, true, matches)::pgvec.search_step;
    end if;
  end if;
  return steps || (null, null, null, null, wanted, 0, null, true, matches)::pgvec.search_step;
end
$$;
comment on function pgvec.wide_steps(pgvec.collections, text, text, int, int, int, float8, float8) is
  'The steps of a search with a filter that so many rows match, for which an exact scan reads to_scan rows (null: all of the table), '
  'over a vector index of a kind and method (of pgvec.index_kind); '
  'the last is an exact scan (see type pgvec.search_step). '
  'Setting of the collection: exact_rows, up to which matches are scanned rather than the index walked on (25,000, less above 400 dimensions).';
revoke all on function pgvec.wide_steps(pgvec.collections, text, text, int, int, int, float8, float8) from public;
select pgvec.grant_execute('pgvec.wide_steps(pgvec.collections, text, text, int, int, int, float8, float8)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.with_index', '5107f46570b3a95b42b0037558a5e84115aa7e88ab3821200e8881ef287a5daf', '0.2.1', $pgvec_file$
-- pgvec.with_index -- the registry row of a collection as if the index that serves a distance were the one noted in it.
-- For a distance other than the collection's own, and where the noted index is gone or was made anew.
create or replace function pgvec.with_index(collection pgvec.collections, distance text)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  select i.kind, i.method, pgvec.query_template(collection, distance, i.kind), pgvec.query_template(collection, distance, null)
    into collection.search_kind, collection.search_method, collection.search_query, collection.scan_query
    from pgvec.index_kind(collection, distance) as i;
  return collection;
end
$$;
comment on function pgvec.with_index(pgvec.collections, text) is
  'The registry row with search_kind, search_method, search_query and scan_query of the index (pgvec.index_kind) for a distance.';
revoke all on function pgvec.with_index(pgvec.collections, text) from public;
select pgvec.grant_execute('pgvec.with_index(pgvec.collections, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.with_text', '2334687e6dee44c063712abe47cd54ea8863f1cdebd7bc9ae595021b04035d47', '0.2.1', $pgvec_file$
-- pgvec.with_text -- a filter with a condition on the text besides, as the operator $text.
create or replace function pgvec.with_text(filter jsonb, conditions text)
  returns jsonb
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case
           when coalesce(conditions, '') = '' then filter
           when jsonb_typeof(pgvec.parse_filter(filter) -> '$text') <> 'string' then filter  -- which pgvec.filter_text refuses
           else pgvec.parse_filter(filter)
                || jsonb_build_object('$text', concat_ws(' ', pgvec.parse_filter(filter) ->> '$text', conditions))
         end
$$;
comment on function pgvec.with_text(jsonb, text) is 'The filter and "quoted phrases" and -excluded words that the text has to meet besides. Raises PV003.';
revoke all on function pgvec.with_text(jsonb, text) from public;
select pgvec.grant_execute('pgvec.with_text(jsonb, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.writable', 'c52d1a79d0ef0675c608767abef95aad998532b4ac43221c06b065d3ec015e33', '0.2.1', $pgvec_file$
-- pgvec.writable -- a collection, for rows to be written into it: one of our own tables, and one tenant.
create or replace function pgvec.writable(collection text, for_tenant uuid)
  returns pgvec.collections
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(writable.collection, for_tenant);
begin
  if target.base <> target.relation then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is the adopted table %s', target.name, target.base),
      hint    = 'insert into that table; pgvec-admin embed then embeds what is new';
  end if;
  if cardinality(target.tenants) > 1 then
    raise exception using
      errcode = 'PV006',
      message = format('rows are written for one tenant, and the caller has %s', cardinality(target.tenants)),
      hint    = 'say whose they are: for_tenant => ..., or pgvec-admin load --tenant';
  end if;
  return target;
end
$$;
comment on function pgvec.writable(text, uuid) is
  'The registry row of a collection whose table is ours, with the one tenant that rows are written for. Raises PV001, PV004 for an adopted table, and PV006.';
revoke all on function pgvec.writable(text, uuid) from public;
select pgvec.grant_execute('pgvec.writable(text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('pgvec.write_weights', '4bcd486ad6599a3c9586e90193a28add327009ad1174a21dd9319d7b6b3e9dd7', '0.2.1', $pgvec_file$
-- pgvec.write_weights -- makes the BM25 weights of all rows, or of those of a tenant, again.
-- On the way of a writer it passes over rows that others have locked, rather than waiting for them. Otherwise it locks
-- them in the order of their keys, as all who write several rows do, and so waits instead of deadlocking; and what
-- changed while it waited gets weights too, which is why rows are met by their keys and not by their places.
create or replace function pgvec.write_weights(
    collection pgvec.collections, made_with pgvec.bm25_parameters, skip_locked boolean)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  -- all rows are joined to all rows by their keys, of a tenant of whom the planner does not know how many
  set enable_nestloop = off
as $$
declare
  key     constant name := coalesce((select a.id_column from pgvec.adoptions as a where a.collection = write_weights.collection.name and a.side is null), 'id');
  renewed bigint;
begin
  execute format(
    $query$
    update %1$s as d
       set bm25 = n.bm25
      from (select x.%2$I as key, pgvec.bm25_vector(x.fts, $1, $2, $3) as bm25 from %1$s as x %3$s order by x.%2$I for update %4$s) as n
     where d.%2$I = n.key %5$s
       and (d.bm25 is null or d.bm25 operator(extensions.<>) n.bm25)
    $query$, collection.text_table, key,
    case collection.access when 'tenant' then 'where x.tenant_id = $4' end,
    case when skip_locked then 'skip locked' end,
    case collection.access when 'tenant' then 'and d.tenant_id = $4' end)
    using made_with.average_length, made_with.k1, made_with.b, made_with.tenant;
  get diagnostics renewed = row_count;
  return renewed;
end
$$;
comment on function pgvec.write_weights(pgvec.collections, pgvec.bm25_parameters, boolean) is
  'Makes bm25 of all rows, or of those of the tenant of made_with, with its average_length, k1 and b, and returns how many changed. '
  'skip_locked: leave out rows that others have locked.';
revoke all on function pgvec.write_weights(pgvec.collections, pgvec.bm25_parameters, boolean) from public;
select pgvec.grant_execute('pgvec.write_weights(pgvec.collections, pgvec.bm25_parameters, boolean)', 'writer');
$pgvec_file$);

select pg_temp.apply_function('public.delete_documents', '92e48095879f9c04a7c5a2c584c6bef27f78a9beeae8d3bc99c3b1865030fbd7', '0.2.1', $pgvec_file$
-- delete_documents -- deletes rows of a collection by their ids, by their source, by a filter, or by all that is given.
-- They are locked in the order of their ids first, as all who write several rows do, so that two of these wait for each
-- other instead of deadlocking. Where policies are the owner's, or the caller may delete and not update, nothing may be
-- locked beforehand. Ids are looked up one by one: the planner knows of no tenant how many rows it has.
create or replace function public.delete_documents(
    ids text[] default null,
    source text default null,
    filter jsonb default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.scoped(coalesce(delete_documents.collection, 'documents'), for_tenant);
  within  record := pgvec.filter_condition(target, filter);
  deleted bigint;
begin
  if target.base <> target.relation then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L is the adopted table %s', target.name, target.base),
      hint    = 'delete from that table; the collection follows';
  end if;
  if ids is null and source is null and coalesce(within.condition, '') = '' then
    raise exception using
      errcode = 'PV004',
      message = 'nothing says which rows are to be deleted',
      hint    = 'give ids, a source or a filter; select pgvec.drop_collection(name) deletes all there is';
  end if;

  execute format(
    $query$
    delete from %1$s as x
     using (select f.*
              from %2$s lateral (
                   select %3$s d.id
                     from %1$s as d
                    where ($3 is null or d.source = $3) %4$s %5$s
                    order by d.id
                   offset 0 %6$s) as f) as found
     where x.id = found.id %7$s
    $query$,
    target.relation,
    case when ids is not null then '(select distinct u.id from unnest($1) as u (id) order by u.id) as i cross join' end,
    case when target.tenants is not null then 'd.tenant_id,' end,
    concat_ws(' ', case when ids is not null then 'and d.id = i.id' end,
              'and d.tenant_id = any (' || quote_literal(target.tenants) || ')'),
    'and ' || nullif(within.condition, ''),
    case when target.access <> 'policy' and has_table_privilege(target.relation, 'update') then 'for update' end,
    case when target.tenants is not null then 'and x.tenant_id = found.tenant_id' end)
    using ids, within.bound, source;
  get diagnostics deleted = row_count;
  return deleted;
end
$$;
comment on function public.delete_documents(text[], text, jsonb, text, uuid) is
  'Deletes the rows with these ids, of this source and that pass the filter (as in match_documents), all that is given together, and returns how many. '
  'for_tenant: of this tenant only, where rows belong to tenants. '
  'Errors: PV001 unknown collection, PV003 filter, PV004 nothing given or an adopted table, PV006 tenant, 42501 not allowed to write.';
revoke all on function public.delete_documents(text[], text, jsonb, text, uuid) from public;
select pgvec.grant_execute('public.delete_documents(text[], text, jsonb, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.document_context', '458f206ba0d87c4ff14a7aebef24f14cbd89f28b2a80bf4d1280a971eebc6a69', '0.2.1', $pgvec_file$
-- document_context -- a chunk with its neighbours: what stands before and after it in its source.
create or replace function public.document_context(
    document_id text,
    before int default 1,
    after int default 1,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, source text, chunk_index int, content text, metadata jsonb, is_hit boolean)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(coalesce(document_context.collection, 'documents'), for_tenant);
begin
  return query execute format(
    $query$
    select n.id, n.source, n.chunk_index, n.content, n.metadata, n.id = i.id
      from (select $1 as id) as i
      join %1$s as d on d.id = i.id
     cross join lateral (
           select r.id, r.source, r.chunk_index, r.content, r.metadata
             from %2$s as r
            where r.source = d.source
              and r.chunk_index between d.chunk_index::bigint - $2 and d.chunk_index::bigint + $3
              and r.id <> d.id %3$s
            union all
           select d.id, d.source, d.chunk_index, d.content, d.metadata) as n
     order by n.chunk_index, n.id
    $query$, pgvec.rows_of(target, by_key => 'i.id'), target.relation, case when target.tenants is not null then 'and r.tenant_id = d.tenant_id' end)
    using document_id, least(greatest(coalesce(before, 1), 0), 1000), least(greatest(coalesce(after, 1), 0), 1000);
end
$$;
comment on function public.document_context(text, int, int, text, uuid) is
  'The row with this id and the chunks of its source up to before places before it and after places behind it (0 to 1000), in their order. '
  'is_hit tells the row itself. No rows for an unknown id. Errors: PV001 unknown collection, PV006 tenant.';
revoke all on function public.document_context(text, int, int, text, uuid) from public;
select pgvec.grant_execute('public.document_context(text, int, int, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.document_facets', '6f32f62138731008692d594883f4c88cf24af48b95c71081f0be43ed858a8d78', '0.2.1', $pgvec_file$
-- document_facets -- how many of the matches have which value at a key of metadata.
-- Each element of an array counts for itself, once a row. Matches are all rows that a keyword search with this text and
-- filter could return, not only the best.
create or replace function public.document_facets(
    field text,
    query_text text default null,
    filter jsonb default '{}',
    match_count int default 10,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (value text, documents bigint)
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
  set jit = off
as $$
declare
  target pgvec.collections := pgvec.scoped(coalesce(document_facets.collection, 'documents'), for_tenant);
  query  pgvec.keyword_query;
  within record;
begin
  if field is null then
    raise exception using
      errcode = 'PV004',
      message = 'field is null',
      hint    = 'name a key of metadata';
  end if;
  if query_text is not null then
    query := pgvec.keyword_query(target.name, query_text, for_tenant);
  end if;
  within := pgvec.filter_condition(target, pgvec.with_text(filter, concat_ws(' ', query.phrases, query.excluded)));

  return query execute format(
    $query$
    select v.value, count(*)
      from %s as d
     cross join lateral (
           select distinct e.value
             from jsonb_array_elements_text(
                    case jsonb_typeof(d.metadata -> $1)
                      when 'array' then d.metadata -> $1
                      else jsonb_build_array(d.metadata -> $1)
                    end) as e (value)
            where e.value is not null) as v
     where d.metadata ? $1 %s %s
     group by v.value
     order by count(*) desc, v.value
     limit $3
    $query$,
    pgvec.rows_of(target),
    case when query_text is not null then 'and d.fts @@ $4' end,
    'and ' || nullif(within.condition, ''))
    using field, within.bound, pgvec.clamp_count(match_count, 10), query.words;
end
$$;
comment on function public.document_facets(text, text, jsonb, int, text, uuid) is
  'The match_count (1 to 1000) commonest values at a key of metadata, and how many rows have each, among all rows that match query_text (null for all) and filter. '
  'Errors: PV001 unknown collection, PV003 filter, PV004 no field, PV006 tenant.';
revoke all on function public.document_facets(text, text, jsonb, int, text, uuid) from public;
select pgvec.grant_execute('public.document_facets(text, text, jsonb, int, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.hybrid_search', '0fc742c1c265bf36ca0ce30f64ab2de59c3909df1d102666bd0a6d897cbb27cd', '0.2.1', $pgvec_file$
-- hybrid_search -- the rows of a collection that are best by vector and by keyword together.
-- Either side brings its best rows, all of them are scored by both, and one score is made of the two: pgvec.fuse.
-- The defaults won the evaluation over four judged sets (docs/ranking.md).
create or replace function public.hybrid_search(
    query_text text,
    query_embedding extensions.vector,
    match_count int default 10,
    full_text_weight float8 default 1,
    semantic_weight float8 default 1,
    rrf_k int default null,
    fusion text default null,
    filter jsonb default '{}',
    match_threshold float8 default null,
    ranking text default 'bm25',
    collection text default 'documents',
    for_tenant uuid default null,
    candidates int default 100,
    group_by text default null,
    diversity float8 default null,
    recency_field text default null,
    half_life interval default null,
    autocut boolean default false)
  returns table (
    id text, content text, metadata jsonb, score float8, similarity float8, keyword_score float8, semantic_rank bigint, keyword_rank bigint)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections := pgvec.scoped(coalesce(hybrid_search.collection, 'documents'), for_tenant);
  fused     text := coalesce(fusion, case when rrf_k is null then 'dbsf' else 'rrf' end);
  ranked    text := coalesce(ranking, 'bm25');
  by_vector float8 := coalesce(semantic_weight, 1);
  by_text   float8 := coalesce(full_text_weight, 1);
  wanted    int := pgvec.clamp_count(match_count, 10);
  depth     int := greatest(pgvec.clamp_count(candidates, 100), wanted);
  query     pgvec.keyword_query;
  found     pgvec.fused[];
  hits      pgvec.fused[];
begin
  if target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query
      select l.*
        from pgvec.logged_hybrid_search(
               target, query_text, query_embedding, match_count, by_text, by_vector, rrf_k, fused, filter, match_threshold, ranked,
               for_tenant, candidates, group_by, diversity, recency_field, half_life, autocut) as l;
    return;
  end if;
  perform pgvec.check_choice('fusion', fused, '{rrf,dbsf,minmax,weighted}');
  perform pgvec.check_choice('ranking', ranked, '{bm25,ts_rank,ts_rank_cd}');
  perform pgvec.check_weights(by_vector, by_text, rrf_k, diversity, recency_field, half_life);
  if by_vector > 0 then
    perform pgvec.check_query_embedding(target, query_embedding);
  end if;
  if cardinality(target.tenants) > 1 then
    return query
      select h.id, h.content, h.metadata, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
        from unnest(target.tenants) as t (tenant)
       cross join lateral public.hybrid_search(
               query_text, query_embedding, wanted, by_text, by_vector, rrf_k, fused, filter, match_threshold, ranked, target.name,
               t.tenant, candidates, group_by, diversity, recency_field, half_life, autocut) as h
       order by h.score desc, h.id, t.tenant
       limit wanted;
    return;
  end if;
  query := pgvec.keyword_query(target.name, query_text, target.tenants[1]);

  loop
    found := pgvec.hybrid_candidates(target, query, query_embedding, ranked, filter, match_threshold, depth, by_vector > 0, by_text > 0);
    hits := pgvec.fuse(found, fused, by_vector, by_text, coalesce(rrf_k, 60), ranked);
    if recency_field is not null then
      hits := pgvec.decay(target, hits, recency_field, half_life);
    end if;
    exit when group_by is null;
    hits := pgvec.best_of_groups(target, hits, group_by);
    -- the best rows may be of few groups; then there are more behind them
    exit when cardinality(hits) >= wanted or cardinality(found) < depth or depth = 1000;
    depth := least(1000, 4 * depth);
  end loop;
  if autocut then
    hits := pgvec.autocut(hits[:wanted]);
  end if;
  if diversity > 0 then
    hits := pgvec.diversify(target, hits, diversity, wanted);
  end if;

  return query execute format(
    $query$
    select h.id, d.content, d.metadata, h.score, h.similarity, h.keyword_score, h.semantic_rank, h.keyword_rank
      from unnest($1) with ordinality as h (id, score, similarity, keyword_score, semantic_rank, keyword_rank, place)
      join %s as d on d.id = h.id
     order by h.place
    $query$, pgvec.rows_of(target, by_key => 'h.id'))
    using hits[:wanted];
end
$$;
comment on function public.hybrid_search(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean) is
  'The match_count (1 to 1000) rows of a collection that are best by vector and by keyword together, best first, ties by id. '
  'fusion: dbsf (the default), rrf (the default where rrf_k is given; rrf_k 60 otherwise), minmax, or weighted (weight * similarity + weight * keyword score). '
  'A weight of 0 leaves that side out. filter: as in match_documents. match_threshold: the least similarity of what the vector side brings. '
  'ranking: bm25, ts_rank or ts_rank_cd. candidates: rows that either side brings. group_by: only the best row of each source (''source'') or value of a metadata key. '
  'diversity: 0 to 1, how much a row like one before it is held back. recency_field with half_life: a date in metadata, and the age at which half the score is left. '
  'autocut: ends before the largest drop of the score. similarity is null without an embedding, keyword_score 0 without any of the words; either is null where its weight is 0. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.hybrid_search(
    text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean) from public;
select pgvec.grant_execute(
  'public.hybrid_search(text, extensions.vector, int, float8, float8, int, text, jsonb, float8, text, text, uuid, int, text, float8, text, interval, boolean)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.keyword_search', 'ab3a0e73d1abcefea81a5b3e99896c0a5b3a7a2c9f60a3f63a62dcec682ccd3c', '0.2.1', $pgvec_file$
-- keyword_search -- the rows of a collection that share words with a text.
-- Any of the words will do (OR): with AND, a question in plain language matches nothing. The rows are read, and headlines
-- made, after the limit. Parallel unsafe, since a search that is logged (pgvec.logged_keyword_search) writes.
drop function if exists public.keyword_search(text, int, jsonb, text, text, uuid, boolean);

create or replace function public.keyword_search(
    query_text text,
    match_count int default 10,
    filter jsonb default '{}',
    ranking text default 'bm25',
    collection text default 'documents',
    for_tenant uuid default null,
    highlight boolean default false,
    match_threshold float8 default null)
  returns table (id text, content text, metadata jsonb, score float8, headline text)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(coalesce(keyword_search.collection, 'documents'), for_tenant);
  ranked text := coalesce(ranking, 'bm25');
  query  pgvec.keyword_query;
begin
  if target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query
      select l.* from pgvec.logged_keyword_search(target, query_text, match_count, filter, ranked, for_tenant, highlight, match_threshold) as l;
    return;
  end if;
  perform pgvec.check_choice('ranking', ranked, '{bm25,ts_rank,ts_rank_cd}');
  perform pgvec.check_threshold(null, match_threshold);
  if cardinality(target.tenants) > 1 then
    return query
      select k.id, k.content, k.metadata, k.score, k.headline
        from unnest(target.tenants) as t (tenant)
       cross join lateral public.keyword_search(
               query_text, match_count, filter, ranked, target.name, t.tenant, highlight, match_threshold) as k
       order by k.score desc, k.id, t.tenant
       limit pgvec.clamp_count(match_count, 10);
    return;
  end if;
  query := pgvec.keyword_query(target.name, query_text, target.tenants[1]);

  return query execute format(
    $query$
    select d.id, d.content, d.metadata, h.score, case when $2 then pgvec.headline(coalesce(d.language, $3), d.content, $4) end
      from unnest($1) as h
      join %s as d on d.id = h.id
     where $5 is null
        or h.score >= $5
     order by h.score desc, h.id
    $query$, pgvec.rows_of(target, by_key => 'h.id'))
    using pgvec.keyword_hits(
            target, query, ranked, pgvec.clamp_count(match_count, 10), pgvec.with_text(filter, concat_ws(' ', query.phrases, query.excluded))),
          coalesce(highlight, false),
          target.language,
          query.words,
          match_threshold;
end
$$;
comment on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8) is
  'The match_count (1 to 1000) rows of a collection that share words with query_text, best first, ties by id. '
  '"Quoted phrases" must occur, -words must not (in a text of up to 32 words). '
  'filter: as in match_documents. ranking: bm25 (k1 1.2, b 0.75), ts_rank or ts_rank_cd. highlight: adds a headline with the words between <mark> and </mark>. '
  'match_threshold: the least score. A text without words finds no rows. Errors: PV001 unknown collection, PV003 filter, PV004 ranking or threshold, PV006 tenant.';
revoke all on function public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8) from public;
select pgvec.grant_execute('public.keyword_search(text, int, jsonb, text, text, uuid, boolean, float8)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.kw_match_documents', '339ed6bd30ff2f16c2b69a96fede67ea8b215765d81905c5a901acfe8badce48', '0.2.1', $pgvec_file$
-- kw_match_documents -- keyword_search under the name and with the columns that LangChain's hybrid retrievers expect.
-- These multiply similarity by ten and compare it with a cosine similarity, so it lies between 0 and 0.1: a tenth of the
-- share of the query's weight that the row has.
create or replace function public.kw_match_documents(
    query_text text,
    match_count int default 10,
    filter jsonb default '{}',
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity real)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  searched text := coalesce(kw_match_documents.collection, 'documents');
  total    float8 := (pgvec.keyword_query(searched, query_text, for_tenant)).weights operator(extensions.<+>) '{}/268435456'::extensions.sparsevec;
begin
  return query
    select k.id, k.content, k.metadata, least(0.1, 0.1 * k.score / total)::real
      from public.keyword_search(query_text, match_count, filter, null::text, searched, kw_match_documents.for_tenant, false, null::float8) as k
     order by k.score desc, k.id;
end
$$;
comment on function public.kw_match_documents(text, int, jsonb, text, uuid) is
  'keyword_search for clients that expect (id, content, metadata, similarity) with a similarity between 0 and 0.1: '
  'a tenth of the BM25 score over the sum of the weights of the query''s words. '
  'Errors as keyword_search.';
revoke all on function public.kw_match_documents(text, int, jsonb, text, uuid) from public;
select pgvec.grant_execute('public.kw_match_documents(text, int, jsonb, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.match_documents', 'afe9e774ce3ea1fe3be1702e9dcf544a333793cbdbd4f469679ebf320c50acd9', '0.2.1', $pgvec_file$
-- match_documents -- the rows of a collection nearest to a query vector.
-- pgvec.search_steps says how: along an index, where that is quick and finds enough, and by an exact scan where it does
-- not, so that there are never fewer rows than there could be.
-- One row more than wanted is read. Where it is as far as the last wanted one, more are read until the tie at the limit
-- is whole, so that the rows returned do not depend on the order in which an index happens to meet them. Over a
-- quantized index more candidates are read, and ordered by their true distance.
-- The threshold is applied to the rows found: inside the ordered limit, an iterative scan would walk the whole index for
-- rows beyond it.
-- One query finds the rows and reads them, and a loop keeps them: each further query to plan would cost a tenth of a
-- small search.
-- The SET clauses are there so that the settings made inside end with the function, not with the caller's transaction.
-- Where searches are logged, pgvec.logged_match_documents takes over, and calls this again; where not, that is one comparison.
-- Small searches pay 15 microseconds for each, 12 for each function called and 5 for each expression: so there are few of
-- them on their way. pgvec.clamp_count, pgvec.similarity, pgvec.vector_query, and of pgvec.filter_condition and pgvec.search_steps
-- the simplest, are written out.
create or replace function public.match_documents(
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null,
    distance text default null)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set hnsw.ef_search = 40
as $$
declare
  target     pgvec.collections;
  measure    text;
  wanted     int := least(greatest(coalesce(match_count, 100), 1), 1000);
  condition  text := '';
  bound      jsonb;
  scanned    text;             -- the FROM item where all that match are read, where an index is walked, and in the step at hand
  walked     text;
  searched   text;
  steps      pgvec.search_step[];
  step       pgvec.search_step;
  place      int := 0;
  hits       pgvec.hit[];
  hit        pgvec.hit;
  farthest   float8;
  at_limit   int;              -- rows as far as the farthest
  tied       boolean := false;
begin
  select c.* into target from pgvec.collections as c where c.name = coalesce(match_documents.collection, 'documents');
  if target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query select l.* from pgvec.logged_match_documents(target, query_embedding, match_count, filter, match_threshold, for_tenant, distance) as l;
    return;
  end if;
  measure := coalesce(match_documents.distance, target.distance);
  if num_nonnulls(match_documents.distance, match_threshold, for_tenant) > 0
     or (has_table_privilege(target.relation, 'select') is not null
         and extensions.vector_dims(query_embedding) = target.dimensions and query_embedding operator(extensions.<#>) query_embedding between -1e38 and -1e-30
         and target.access <> 'tenant') is not true
  then
    target := pgvec.query_target(coalesce(match_documents.collection, 'documents'), for_tenant, query_embedding, match_documents.distance, match_threshold);
    if cardinality(target.tenants) > 1 or target.tenants is not null and not pgvec.finds_alone(target) then
      return query select t.* from pgvec.tenant_documents(target, query_embedding, wanted, filter, match_threshold, measure) as t order by t.similarity desc, t.id limit wanted;
      return;
    end if;
    condition := case when target.tenants is null then '' else 'true' end;
  end if;

  if filter <> '{}' and target.base = target.relation and jsonb_typeof(filter) = 'object'
     and strpos(filter::text, '"$') = 0 and length(filter::text) <= 65536 and not filter @? 'strict $.**{13}'
  then
    condition := 'd.metadata @> ($2 -> 0)';
    bound := jsonb_build_array(filter);
  elsif filter <> '{}' then
    select coalesce(nullif(w.predicate, ''), condition), w.bound into condition, bound from pgvec.filter_condition(target, filter) as w (predicate, bound);
  end if;

  if (measure = target.distance and to_regclass(target.search_index) = target.search_index_oid) is not true then  -- the noted index is not the one
    target := pgvec.with_index(target, measure);
  end if;

  loop
    place := place + 1;
    if place = 1 and condition = '' and target.search_kind = 'column' and target.search_method = 'hnsw' then
      step := ('column', null, least(1000, greatest(wanted + 1, coalesce((target.settings ->> 'ef_search')::int, 40))), null, wanted + 1, wanted, false, false, null);
    else
      if steps is null then
        select s.* into steps, scanned, walked from pgvec.search_steps(target, target.search_kind, target.search_method, wanted, condition, bound) as s;
      end if;
      step := steps[place];
    end if;
    continue when step.after_tie <> tied;
    if step.ef_search <> 40 then  -- which is set, and never come back to
      perform set_config('hnsw.ef_search', step.ef_search::text, true);
    end if;

    hits := '{}';
    farthest := '-infinity';
    searched := coalesce(case when step.kind is null then scanned else walked end, target.relation::text);
    if step.deep or condition <> '' and step.iterative_scan <> current_setting('hnsw.iterative_scan', true) then
      hits := array(select r from pgvec.deep_rows(target, measure, condition, bound, query_embedding, step, searched) as r where r.distance is not null);
      at_limit := (select count(*) from unnest(hits) as h group by h.distance order by h.distance desc limit 1);
    else
      for hit in execute format(case when step.kind is null then target.scan_query else target.search_query end,
                                searched, case when condition = '' then 'true' else condition end)
        using query_embedding, bound, step.read_rows loop
        exit when hit.distance is null;
        hits := hits || hit;
        at_limit := case when hit.distance > farthest then 1 else at_limit + (hit.distance = farthest)::int end;
        farthest := greatest(farthest, hit.distance);
      end loop;
    end if;
    tied := step.read_rows > wanted and cardinality(hits) = step.read_rows and at_limit > step.read_rows - wanted;  -- the last row wanted and all beyond it
    exit when cardinality(hits) >= step.enough and not tied;
  end loop;
  if target.log_sample is not null then
    perform pgvec.note_route(steps, step);
  end if;

  return query
    select s.id, s.content, s.metadata, s.similarity
      from (select h.*, case measure when 'cosine' then 1 - h.distance when 'inner_product' then - h.distance else 1 / (1 + h.distance) end as similarity
              from unnest(hits) as h) as s
     where match_threshold is null or s.similarity >= match_threshold
     order by s.distance, s.id
     limit wanted;
end
$$;
comment on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) is
  'The match_count (1 to 1000) rows of a collection nearest to query_embedding, best first, ties by id: always as many as there are. '
  'filter: an object that metadata must contain, and operators such as {"year": {"$gte": 2020}} (pgvec.compile_filter lists them). '
  'match_threshold: the least similarity. distance: another than the collection''s own is answered by an exact scan unless it has an index of its own. '
  'similarity: cosine 1 - d, inner_product the product, l2 and l1 1 / (1 + d). '
  'Runs as the caller, under the caller''s row level security. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV003 filter, PV004 argument, PV005 zero vector, PV006 tenant.';
revoke all on function public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text) from public;
select pgvec.grant_execute('public.match_documents(extensions.vector, int, jsonb, float8, text, uuid, text)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.match_documents_embeddings', '2d1e95cfad18fccd6a6e26ff44322c430b3d10b7cf3ae2e9a428110ca83197c0', '0.2.1', $pgvec_file$
-- match_documents_embeddings -- match_documents with the vectors, for clients that choose among the rows by themselves.
-- LangChain for Python reads them so in its maximal marginal relevance search.
create or replace function public.match_documents_embeddings(
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity float8, embedding extensions.vector)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.scoped(coalesce(match_documents_embeddings.collection, 'documents'), for_tenant);
begin
  if cardinality(target.tenants) > 1 and target.log_sample is not null and coalesce(current_setting('pgvec.search_log', true), '') = '' then
    return query select l.* from pgvec.logged_embeddings(target, query_embedding, match_count, filter, match_threshold, for_tenant) as l;
    return;
  end if;
  return query execute format(
    $query$
    select m.id, m.content, m.metadata, m.similarity, d.embedding::extensions.vector
      from unnest($6) as t (tenant)
     cross join lateral public.match_documents($1, $2, $3, $4, $5, t.tenant, null::text) as m
     cross join lateral (select r.embedding from %s as r where r.id = m.id %s offset 0) as d
     order by m.similarity desc, m.id
     limit $2
    $query$, target.relation, case when target.tenants is not null then 'and r.tenant_id = t.tenant' end)
    using query_embedding, pgvec.clamp_count(match_count, 100), filter, match_threshold, target.name, coalesce(target.tenants, array[null::uuid]);
end
$$;
comment on function public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid) is
  'match_documents with the embedding of each row, which arrives as text by REST. Errors as match_documents.';
revoke all on function public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.match_documents_embeddings(extensions.vector, int, jsonb, float8, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.match_documents_mmr', 'e7cac960a0608f5b2601463848e4d1488eb1b2bab3fd1fa9c8c36d87c55869d7', '0.2.1', $pgvec_file$
-- match_documents_mmr -- match_documents with the vectors as JSON arrays.
-- LangChain for JavaScript reads them so in its maximal marginal relevance search, and cannot read them as text.
create or replace function public.match_documents_mmr(
    query_embedding extensions.vector,
    match_count int default 100,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity float8, embedding jsonb)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  return query
    select m.id, m.content, m.metadata, m.similarity, m.embedding::text::jsonb
      from public.match_documents_embeddings(
             query_embedding, match_count, filter, match_threshold, match_documents_mmr.collection, for_tenant) as m
     order by m.similarity desc, m.id;
end
$$;
comment on function public.match_documents_mmr(extensions.vector, int, jsonb, float8, text, uuid) is
  'match_documents with the embedding of each row as a JSON array of numbers. Errors as match_documents.';
revoke all on function public.match_documents_mmr(extensions.vector, int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.match_documents_mmr(extensions.vector, int, jsonb, float8, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.match_vectors', '3a2f81041f15ef8ec7be968d7befe076377a8881d6b35f8eba0bead540e443e7', '0.2.1', $pgvec_file$
-- match_vectors -- match_documents under the name and with the columns that mem0 expects.
-- mem0 can choose its table but not this name: so the collection is memories, where there is one.
create or replace function public.match_vectors(
    query_embedding extensions.vector,
    match_count int default 10,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default null,
    for_tenant uuid default null)
  returns table (id text, similarity float8, metadata jsonb)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  searched text := coalesce(match_vectors.collection, (select c.name from pgvec.collections as c where c.name = 'memories'), 'documents');
begin
  return query
    select m.id, m.similarity, m.metadata
      from public.match_documents(
             query_embedding, pgvec.clamp_count(match_count, 10), filter, match_threshold, searched, for_tenant, null::text) as m
     order by m.similarity desc, m.id;
end
$$;
comment on function public.match_vectors(extensions.vector, int, jsonb, float8, text, uuid) is
  'match_documents without the texts. collection: memories where there is one, else documents. Errors as match_documents.';
revoke all on function public.match_vectors(extensions.vector, int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.match_vectors(extensions.vector, int, jsonb, float8, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.recommend_documents', 'a8a57da5491a4c0550aa220e99d7cff9d7da3d076c40e348d153d2e75d8f82c7', '0.2.1', $pgvec_file$
-- recommend_documents -- more like these rows, and less like those.
-- It looks from where the liked rows are, moved away from the others by as much as these lie apart: 2 * mean(positive) -
-- mean(negative). Directions are what counts for cosine, so vectors have length 1 there before they are averaged.
create or replace function public.recommend_documents(
    positive text[],
    negative text[] default '{}',
    match_count int default 10,
    filter jsonb default '{}',
    match_threshold float8 default null,
    collection text default 'documents',
    for_tenant uuid default null)
  returns table (id text, content text, metadata jsonb, similarity float8)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.scoped(coalesce(recommend_documents.collection, 'documents'), for_tenant);
  wanted  int := pgvec.clamp_count(match_count, 10);
  given   text[] := positive || coalesce(negative, '{}');
  missing text[];
  liked   extensions.vector;
  other   extensions.vector;
begin
  if coalesce(cardinality(positive), 0) = 0 or cardinality(given) > 100 or exists (select from unnest(given) as g where g is null) then
    raise exception using
      errcode = 'PV004',
      message = case
                  when cardinality(given) > 100 then format('%s ids are too many', cardinality(given))
                  when cardinality(positive) > 0 then 'an id is null'
                  else 'there are no positive ids'
                end,
      hint    = 'give the ids of one to a hundred rows of the collection, at least one of them positive';
  end if;

  execute format(
    $query$
    with given as (
           select g.id, g.id = any ($1) as liked, x.embedding
             from unnest($2) as g (id)
             left join %s as d on d.id = g.id
            cross join lateral (select case when $3 then extensions.l2_normalize(d.embedding::extensions.vector) else d.embedding::extensions.vector end) as x (embedding))
    select array_agg(g.id order by g.id) filter (where g.embedding is null),
           extensions.avg(g.embedding) filter (where g.liked),
           extensions.avg(g.embedding) filter (where not g.liked)
      from given as g
    $query$, pgvec.rows_of(target, by_key => 'g.id'))
    into missing, liked, other
    using positive, given, target.distance = 'cosine';

  if missing is not null then
    raise exception using
      errcode = 'PV004',
      message = format('there are no rows with an embedding of the ids %s', (select string_agg(left(m, 80), ', ') from unnest(missing[:10]) as m)),
      hint    = 'give ids of rows of the collection, and embed those that are not';
  end if;
  if other is not null then
    liked := liked operator(extensions.+) liked operator(extensions.-) other;
  end if;

  return query
    select m.id, m.content, m.metadata, m.similarity
      from public.match_documents(liked, least(wanted + cardinality(given), 1000), filter, match_threshold, target.name, for_tenant, null::text) as m
     where m.id <> all (given)
     order by m.similarity desc, m.id
     limit wanted;
end
$$;
comment on function public.recommend_documents(text[], text[], int, jsonb, float8, text, uuid) is
  'The match_count (1 to 1000) rows most like those with the ids positive and unlike those with the ids negative, best first, without these themselves. '
  'similarity is to 2 * mean(positive) - mean(negative). filter, match_threshold: as in match_documents. '
  'Errors: PV001 unknown collection, PV003 filter, PV004 ids without a row or an embedding, PV005 vectors that cancel each other out, PV006 tenant.';
revoke all on function public.recommend_documents(text[], text[], int, jsonb, float8, text, uuid) from public;
select pgvec.grant_execute('public.recommend_documents(text[], text[], int, jsonb, float8, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.suggest_query', '66a079e79c286bc22115cefed4e14ef9c9aa2f5a1dea20ee9eb887343ab8bfb6', '0.2.1', $pgvec_file$
-- suggest_query -- "did you mean": the text with words that no row has replaced by the nearest that some have.
-- Lexemes are stems, so the word shown is the commonest of some rows that the caller may read.
create or replace function public.suggest_query(query_text text, collection text default 'documents', for_tenant uuid default null)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  most_words      constant int := 20;
  most_characters constant int := 1000;  -- nobody corrects a passage
  target     pgvec.collections := pgvec.scoped(coalesce(suggest_query.collection, 'documents'), for_tenant);
  suggested  text := query_text;
  item       record;
  word       text;
begin
  if length(query_text) > most_characters then
    return null;
  end if;
  for item in
    select s.word, s.lexeme from pgvec.nearest_lexemes(target.name, query_text, for_tenant) as s limit most_words
  loop
    execute format(
      $query$
      select lower(t.token)
        from (select d.content, coalesce(d.language, $3) as language from %s as d where d.fts @@ $1 limit 20) as d
       cross join lateral ts_parse('default', d.content) as t
       where lower(left(t.token, 2)) = left($2, 2)
         and to_tsvector(d.language::regconfig, t.token) @@ $1
       group by lower(t.token)
       order by count(*) desc, lower(t.token)
       limit 1
      $query$, pgvec.rows_of(target))
      into word
      using item.lexeme, trim('''' from item.lexeme::text), target.language;
    suggested := coalesce(regexp_replace(suggested, '\m' || item.word || '\M', word, 'g'), suggested);
  end loop;
  return nullif(suggested, query_text);
end
$$;
comment on function public.suggest_query(text, text, uuid) is
  'The text with words that no row of the collection has replaced by the most similar word that one has (by trigrams, beginning with the same letter); '
  'null where there is nothing to suggest, for a text of more than 1,000 characters, and where not everybody sees all rows (access policy). '
  'Errors: PV001 unknown collection, PV006 tenant.';
revoke all on function public.suggest_query(text, text, uuid) from public;
select pgvec.grant_execute('public.suggest_query(text, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.apply_function('public.upsert_documents', '776d02f9ee0f5cc9f4a9cd81a9855c856192c500a07f9cc51689e0c5c40fa5bb', '0.2.1', $pgvec_file$
-- upsert_documents -- writes rows of a collection by their ids: new ones, and those that are there.
-- What a row leaves out stays as it was. A row without an id is new. They are written in the order of their ids, so that
-- two callers with the same rows wait for each other instead of deadlocking, and told in the order in which they came.
-- What a row is to keep is taken from it when it is locked, and not as it was when the statement began: else an embedding that
-- was stored meanwhile would give way to an older one, which would count as made from the new text.
-- Runs as the caller: who may not write the table, or rows of that tenant, is refused by the table itself.
create or replace function public.upsert_documents(documents jsonb, collection text default 'documents', for_tenant uuid default null)
  returns setof text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.writable(coalesce(upsert_documents.collection, 'documents'), for_tenant);
  given  jsonb := pgvec.parse_documents(target, documents);
  keys   jsonb;  -- which keys each id was given; content and metadata that are null are not
begin
  select jsonb_object_agg(e.doc ->> 'id', k.names order by e.place) into keys
    from jsonb_array_elements(given) with ordinality as e (doc, place)
   cross join lateral (
          select coalesce(jsonb_agg(f.key), '[]') as names
            from jsonb_each(e.doc) as f
           where f.key not in ('content', 'metadata') or f.value <> 'null') as k
   where e.doc ->> 'id' is not null;
  return query execute format(
    $query$
    with given as materialized (
           select distinct on (x.id) x.id, x.doc, x.place
             from (select coalesce(e.doc ->> 'id', gen_random_uuid()::text) as id, e.doc, e.place
                     from jsonb_array_elements($1) with ordinality as e (doc, place)) as x
            order by x.id, x.place desc),
         written as (
           insert into %1$s as d (%2$s id, source, chunk_index, content, metadata, language, embedding)
           select %3$s g.id,
                  case when g.doc ? 'source' then g.doc ->> 'source' else d.source end,
                  case when g.doc ? 'chunk_index' then (g.doc ->> 'chunk_index')::int else d.chunk_index end,
                  coalesce(g.doc ->> 'content', d.content),
                  coalesce(nullif(g.doc -> 'metadata', 'null'), d.metadata, '{}'),
                  case when g.doc ? 'language' then g.doc ->> 'language' else d.language end,
                  case when g.doc ? 'embedding' then (g.doc ->> 'embedding')::extensions.%4$I else d.embedding end
             from given as g
             left join lateral (select r.* from %1$s as r where r.id = g.id %5$s offset 0) as d on true
            order by g.id
               on conflict (%2$s id) do update
              set source = case when $2 -> excluded.id ? 'source' then excluded.source else d.source end,
                  chunk_index = case when $2 -> excluded.id ? 'chunk_index' then excluded.chunk_index else d.chunk_index end,
                  content = case when $2 -> excluded.id ? 'content' then excluded.content else d.content end,
                  metadata = case when $2 -> excluded.id ? 'metadata' then excluded.metadata else d.metadata end,
                  language = case when $2 -> excluded.id ? 'language' then excluded.language else d.language end,
                  embedding = case when $2 -> excluded.id ? 'embedding' then excluded.embedding else d.embedding end)
    select g.id from given as g order by g.place
    $query$,
    target.relation,
    case when target.tenants is not null then 'tenant_id,' end,
    quote_literal(target.tenants[1]) || ',',
    target.storage,
    pgvec.of_tenant(target, 'r'))
    using given, keys;
end
$$;
comment on function public.upsert_documents(jsonb, text, uuid) is
  'Inserts or updates rows, and returns their ids in the order of the documents. '
  'documents: an object or an array of objects with content, and perhaps id, metadata, embedding (numbers, or their text), '
  'source, chunk_index, language. A key that is left out leaves an existing row''s value; of two rows with one id the later counts; without an id a row is new. '
  'for_tenant: whose rows, where rows belong to tenants. '
  'Errors: PV001 unknown collection, PV002 dimensions, PV004 documents or an adopted table, PV005 zero vector, PV006 tenant, 42501 not allowed to write.';
revoke all on function public.upsert_documents(jsonb, text, uuid) from public;
select pgvec.grant_execute('public.upsert_documents(jsonb, text, uuid)', 'reader');
$pgvec_file$);

select pg_temp.retire_functions(array['pgvec.roles', 'pgvec.grant_execute', 'pgvec.a_vector', 'pgvec.adopt_collection', 'pgvec.adopted_content', 'pgvec.adopted_key', 'pgvec.adopted_vector', 'pgvec.adopted_view', 'pgvec.allowed_tenants', 'pgvec.announce_search', 'pgvec.any_lexeme', 'pgvec.as_timestamp', 'pgvec.attach_triggers', 'pgvec.autocut', 'pgvec.begin_staging', 'pgvec.bench_index', 'pgvec.best_of_groups', 'pgvec.bind_model', 'pgvec.bm25_settings', 'pgvec.bm25_vector', 'pgvec.build_adoption', 'pgvec.build_seconds', 'pgvec.caller', 'pgvec.check_adoption', 'pgvec.check_choice', 'pgvec.check_columns', 'pgvec.check_conditions', 'pgvec.check_count', 'pgvec.check_index', 'pgvec.check_model', 'pgvec.check_new_collection', 'pgvec.check_operand', 'pgvec.check_patterns', 'pgvec.check_query_embedding', 'pgvec.check_threshold', 'pgvec.check_weights', 'pgvec.clamp_count', 'pgvec.collection', 'pgvec.collection_checks', 'pgvec.collection_stats', 'pgvec.collection_version', 'pgvec.collector_listens', 'pgvec.collector_lock', 'pgvec.column_condition', 'pgvec.column_operand', 'pgvec.compare_column', 'pgvec.compare_distances', 'pgvec.compile_filter', 'pgvec.contained_predicate', 'pgvec.count_ids', 'pgvec.count_lexemes', 'pgvec.count_stale', 'pgvec.count_statistics', 'pgvec.counts_live', 'pgvec.create_collection', 'pgvec.create_collection_api', 'pgvec.decay', 'pgvec.deep_rows', 'pgvec.default_lists', 'pgvec.default_tenant', 'pgvec.describe_table', 'pgvec.detach_collection', 'pgvec.distance_operator', 'pgvec.diversify', 'pgvec.drop_collection', 'pgvec.drop_collection_api', 'pgvec.estimate_rows', 'pgvec.explain_search', 'pgvec.export_tenant', 'pgvec.exposed_schemas', 'pgvec.filter_condition', 'pgvec.filter_predicate', 'pgvec.filter_text', 'pgvec.finds_alone', 'pgvec.first_change', 'pgvec.fold_statistics', 'pgvec.foreign_code', 'pgvec.foreign_columns', 'pgvec.forget_lexemes', 'pgvec.fuse', 'pgvec.given_settings', 'pgvec.headline', 'pgvec.held_roles', 'pgvec.hide_statistics', 'pgvec.hybrid_candidates', 'pgvec.index_clause', 'pgvec.index_definition', 'pgvec.index_kind', 'pgvec.index_memory', 'pgvec.index_name', 'pgvec.index_plan', 'pgvec.index_removal', 'pgvec.index_sources', 'pgvec.index_storage', 'pgvec.insert_search', 'pgvec.installation_checks', 'pgvec.is_api_of', 'pgvec.is_ours', 'pgvec.is_trusted', 'pgvec.json_value', 'pgvec.keep_lexemes', 'pgvec.keyword_hits', 'pgvec.keyword_query', 'pgvec.keyword_score', 'pgvec.keyword_statistics', 'pgvec.list_collections', 'pgvec.list_tenants', 'pgvec.log_search', 'pgvec.log_searches', 'pgvec.logged_embeddings', 'pgvec.logged_hybrid_search', 'pgvec.logged_keyword_search', 'pgvec.logged_match_documents', 'pgvec.maintain_adopted', 'pgvec.maintain_document', 'pgvec.make_policies', 'pgvec.merge_staged', 'pgvec.metadata_condition', 'pgvec.nearest_lexemes', 'pgvec.no_tenant', 'pgvec.note_index', 'pgvec.note_load', 'pgvec.note_parameters', 'pgvec.note_route', 'pgvec.noted_loads', 'pgvec.of_tenant', 'pgvec.oldest_client', 'pgvec.operator_predicate', 'pgvec.our_functions', 'pgvec.parse_documents', 'pgvec.parse_filter', 'pgvec.parse_words', 'pgvec.partitions', 'pgvec.pattern_condition', 'pgvec.prepare_bench', 'pgvec.present_collections', 'pgvec.protect_side', 'pgvec.protect_table', 'pgvec.prune_search_log', 'pgvec.purge_tenant', 'pgvec.quantization_recall', 'pgvec.query_target', 'pgvec.query_template', 'pgvec.reads_safely', 'pgvec.reads_text', 'pgvec.recall_curve', 'pgvec.refresh_statistics', 'pgvec.refuse_trigger', 'pgvec.relations_of', 'pgvec.release_collection', 'pgvec.renew_view', 'pgvec.repair_rows', 'pgvec.resume_points', 'pgvec.route_name', 'pgvec.rows_of', 'pgvec.running_length', 'pgvec.sample_of', 'pgvec.sample_similarities', 'pgvec.scoped', 'pgvec.search_log_state', 'pgvec.search_steps', 'pgvec.sees_all', 'pgvec.server_memory', 'pgvec.settle_statistics', 'pgvec.shown', 'pgvec.similarity', 'pgvec.skip_unchanged', 'pgvec.stale_documents', 'pgvec.store_adopted', 'pgvec.store_embeddings', 'pgvec.telling_columns', 'pgvec.tenant_candidates', 'pgvec.tenant_documents', 'pgvec.tenant_keyword_hits', 'pgvec.tenant_matches', 'pgvec.tenant_rows', 'pgvec.tenant_size', 'pgvec.tenant_target', 'pgvec.text_condition', 'pgvec.text_configurations', 'pgvec.text_search_configuration', 'pgvec.told_age', 'pgvec.told_executable', 'pgvec.tune', 'pgvec.upgrade_collections', 'pgvec.vector_indexes', 'pgvec.vector_lengths', 'pgvec.vector_query', 'pgvec.vector_schema', 'pgvec.verdict', 'pgvec.verify', 'pgvec.verify_access', 'pgvec.verify_bloat', 'pgvec.verify_foreign', 'pgvec.verify_grants', 'pgvec.verify_indexes', 'pgvec.verify_installation', 'pgvec.verify_leaks', 'pgvec.verify_memory', 'pgvec.verify_ownership', 'pgvec.verify_privileges', 'pgvec.verify_protection', 'pgvec.verify_reach', 'pgvec.verify_roles', 'pgvec.verify_rows', 'pgvec.verify_search', 'pgvec.verify_server', 'pgvec.verify_settings', 'pgvec.verify_statistics', 'pgvec.verify_table', 'pgvec.verify_tenants', 'pgvec.verify_texts', 'pgvec.verify_timeouts', 'pgvec.verify_views', 'pgvec.verify_writers', 'pgvec.version', 'pgvec.views_as_owner', 'pgvec.wide_steps', 'pgvec.with_index', 'pgvec.with_text', 'pgvec.writable', 'pgvec.write_weights', 'public.delete_documents', 'public.document_context', 'public.document_facets', 'public.hybrid_search', 'public.keyword_search', 'public.kw_match_documents', 'public.match_documents', 'public.match_documents_embeddings', 'public.match_documents_mmr', 'public.match_vectors', 'public.recommend_documents', 'public.suggest_query', 'public.upsert_documents']);

reset check_function_bodies;
select pgvec.upgrade_collections();
notify pgrst, 'reload schema';

reset search_path;
