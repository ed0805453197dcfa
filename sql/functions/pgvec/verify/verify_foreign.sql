-- pgvec.verify_foreign -- functions that are not of this engine, and run with rights that bypass row level security.
-- What a function does cannot be seen from outside. One that names a collection, our functions or the settings that decide the
-- tenant, or that builds its SQL at run time, is a fault until somebody has looked; any other that callers may execute is
-- reported.
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
  'Checks functions: definer of others (foreign functions that callers may execute in an exposed schema and that run as a role beyond row level security), '
  'leakproof (functions so marked that callers may use), event triggers (functions of a weaker role that run at each upgrade). Reads the catalog only.';
revoke all on function pgvec.verify_foreign() from public;
