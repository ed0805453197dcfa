-- Applies the rest of an exported file, as `pgvec-admin migrate` would: what is installed already is left alone, functions
-- that were edited, or made by others, are not overwritten, and everything is recorded in the ledger.

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

create or replace function pg_temp.live_fingerprint(function_name text) returns text language sql set search_path = pg_catalog, pg_temp as $installer$
  select l.fingerprint from (
{live_functions}
  ) as l where l.name = function_name
$installer$;

create or replace function pg_temp.routines(function_name text) returns table (routine regprocedure, version text) language sql set search_path = pg_catalog, pg_temp as $installer$
  select p.oid, format('%s:%s', p.oid, p.xmin)
    from pg_catalog.pg_proc as p
    join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
   where n.nspname || '.' || p.proname = function_name
$installer$;

create or replace function pg_temp.apply_function(function_name text, hash text, release text, text_of_file text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $installer$
declare
  last pgvec.function_history;
  live text := pg_temp.live_fingerprint(function_name);
  kept name[] := array(select g.role from (
{own_grants}
  ) as g where g.name = function_name);
  before text[] := array(select r.version from pg_temp.routines(function_name) as r);
  item record;
begin
  select h.* into last from pgvec.function_history as h where h.name = function_name order by h.version desc limit 1;
  if live is distinct from last.fingerprint and live is not null then
    if last.name is not null or not pg_temp.replaces_existing() then
      -- what to do stands in the message: the Supabase CLI shows no hints
      raise exception using
        message = format(case when last.name is null
                              then '%s was not made by pgvec-admin. Rename it; or export with: pgvec-admin supabase export --replace-existing, which keeps its text in pgvec.function_history'
                              else '%s was edited since pgvec-admin made it. Look: pgvec-admin functions diff %1$s; then pgvec-admin migrate --overwrite-drift, which keeps the edited text'
                         end, function_name);
    end if;
    insert into pgvec.function_history (name, version, origin, definition, fingerprint, package_version)
    values (function_name, 1, 'replaced',
            (select string_agg(pg_get_functiondef(r.routine), e';\n' order by r.routine::text) from pg_temp.routines(function_name) as r), live, release)
    returning * into last;
  end if;
  if live is not null and (last.file_sha256 = hash or last.held_sha256 = hash) then
    return;
  end if;
  text_of_file := ltrim(text_of_file, chr(10));
  begin
    execute text_of_file;
  exception when invalid_function_definition then
    -- another result type: it has to be dropped and created again
    for item in select r.routine from pg_temp.routines(function_name) as r loop
      execute format('drop routine %s', item.routine);
    end loop;
    execute text_of_file;
  end;
  -- of another signature: it replaces the one before, which is unchanged
  for item in select r.routine from pg_temp.routines(function_name) as r where r.version = any (before) loop
    execute format('drop routine %s', item.routine);
  end loop;
  for item in select r.routine, k as role from pg_temp.routines(function_name) as r, unnest(kept) as k loop
    execute format('grant execute on routine %s to %I', item.routine, item.role);
  end loop;
  insert into pgvec.function_history (name, version, origin, definition, file_sha256, fingerprint, package_version)
  values (function_name, coalesce(last.version, 0) + 1, 'file', text_of_file, hash, pg_temp.live_fingerprint(function_name), release);
end
$installer$;

create or replace function pg_temp.make_hook(function_name text, hash text, release text, text_of_file text) returns void language plpgsql set search_path = pg_catalog, pg_temp as $installer$
begin
  if pg_temp.live_fingerprint(function_name) is null then
    perform pg_temp.apply_function(function_name, hash, release, text_of_file);
  elsif not exists (select from pgvec.function_history as h where h.name = function_name)
     or exists (select from pg_temp.routines(function_name) as r
                  join pg_catalog.pg_proc as p on p.oid = r.routine
                 where p.proowner <> (select a.proowner from pg_catalog.pg_proc as a where a.oid = to_regprocedure('pgvec.allowed_tenants()'))
                    or pg_get_function_result(p.oid) <> substring(text_of_file from '\n  returns ([^\n]*)\n')) then
    raise exception using
      message = format('%s is not the own hook of the owner of the engine', function_name),
      hint    = 'pgvec-admin migrate --replace-existing keeps the other text in the history';
  end if;
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
