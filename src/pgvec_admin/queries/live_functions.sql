-- The state of our functions by the catalog: all of schema pgvec, and those named elsewhere. Overloads of a name together.
-- Grants are not in the fingerprint: a customer's own GRANT is not drift.
select n.nspname || '.' || p.proname as name,
       count(*) as overloads,
       md5(string_agg(
             jsonb_build_array(
               l.lanname, p.prosrc, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
               p.prokind, p.provolatile, p.proparallel, p.prosecdef, p.proisstrict, p.proleakproof, p.proconfig)::text,
             chr(10) order by pg_get_function_identity_arguments(p.oid))) as fingerprint,
       string_agg(pg_get_functiondef(p.oid) || ';', chr(10) order by pg_get_function_identity_arguments(p.oid)) as definition,
       array_agg(p.oid::int8 order by p.oid) as oids,
       array_agg(distinct p.proowner::int8) as owners,
       array_agg(p.oid || ':' || p.xmin order by p.oid) as row_versions
  from pg_catalog.pg_proc as p
  join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
  join pg_catalog.pg_language as l on l.oid = p.prolang
 where (n.nspname = 'pgvec' or n.nspname || '.' || p.proname = any (%(names)s))
   and p.prokind in ('f', 'p')
   and not exists (select
                     from pg_catalog.pg_depend as d
                    where d.classid = 'pg_catalog.pg_proc'::regclass
                      and d.objid = p.oid
                      and d.deptype = 'e')
 group by 1
 order by 1
