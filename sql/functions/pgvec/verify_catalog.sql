-- pgvec.verify_catalog -- looks at what is installed for what lets in, leaks or slows down: the lints of Supabase's advisor
-- that apply here, and those of our own. Reads the catalog alone.
create or replace function pgvec.verify_catalog()
  returns table (check_name text, object text, found text, hint text)
  language sql stable parallel safe
  security invoker set search_path = ''
as $$
  with checks (place, name, hint) as (
         values (1, 'search_path', 'alter function ... set search_path = '''', or pgvec-admin migrate --overwrite-drift'),
                (2, 'definer', 'alter function ... security invoker, or move it to a schema that is not exposed'),
                (3, 'grants', 'revoke all on ... from public'),
                (4, 'rls', 'alter table ... enable row level security'),
                (5, 'initplan', 'write (select auth.uid()) and the like in policies, so that they are evaluated once a query and not for each row'),
                (6, 'invalid index', 'drop it, and build it again: pgvec-admin index create'),
                (7, 'duplicate index', 'drop one of them'),
                (8, 'missing index', 'build it: pgvec-admin index create for vectors, create index ... using gin for metadata and fts')),
       functions as (
         select p.oid, p.oid::regprocedure::text as name, n.nspname, p.prosecdef, p.proconfig, p.proacl, p.proowner
           from pg_catalog.pg_proc as p
           join pg_catalog.pg_namespace as n on n.oid = p.pronamespace
          where n.nspname = 'pgvec'
             or n.nspname = 'public' and (exists (select from pgvec.function_history as h where h.name = 'public.' || p.proname)
                                          or exists (select from pgvec.collections as c where p.proname in ('match_' || c.name, 'kw_match_' || c.name, 'hybrid_search_' || c.name)))),
       -- of an adopted table the policies are the user's; partitions are in schema pgvec, and nobody is granted them
       tables as (
         select r.oid, r.oid::regclass::text as name, r.relrowsecurity, r.relispartition, c.base <> c.relation as adopted
           from pgvec.collections as c
          cross join lateral pgvec.partitions(c.base) as x (part)
           join pg_catalog.pg_class as r on r.oid in (c.base, x.part)
          group by r.oid, c.base, c.relation),
       indexes as (
         select x.indexrelid::regclass::text as name, t.name as table_name, x.indisvalid, i.relam,
                (x.indrelid, x.indkey::text, x.indclass::text, x.indoption::text, pg_get_expr(x.indexprs, x.indrelid), pg_get_expr(x.indpred, x.indrelid))::text as made_of
           from tables as t
           join pg_catalog.pg_index as x on x.indrelid = t.oid
           join pg_catalog.pg_class as i on i.oid = x.indexrelid),
       findings (name, object, found) as (
         select 'search_path', f.name, 'has no search_path of its own'
           from functions as f
          where not exists (select from unnest(f.proconfig) as s where s like 'search\_path=%')
         union all
         select 'definer', f.name, 'runs as its owner in an exposed schema' from functions as f where f.prosecdef and f.nspname <> 'pgvec'
         union all
         select distinct 'grants', g.name, 'is for PUBLIC: ' || lower(a.privilege_type)
           from (select f.name, coalesce(f.proacl, acldefault('f', f.proowner)) as acl from functions as f
                  union all
                 select r.oid::regclass::text, r.relacl from pg_catalog.pg_class as r
                  where r.relnamespace = 'pgvec'::regnamespace or r.oid in (select t.oid from tables as t where not t.adopted)
                  union all
                 select 'schema ' || n.nspname, n.nspacl from pg_catalog.pg_namespace as n where n.nspname = 'pgvec') as g,
                aclexplode(g.acl) as a
          where a.grantee = 0
         union all
         select 'rls', t.name, 'has no row level security' from tables as t where not (t.relrowsecurity or t.relispartition or t.adopted)
         union all
         select 'initplan', t.name, format('policy %s calls a function for each row', p.polname)
           from tables as t
           join pg_catalog.pg_policy as p on p.polrelid = t.oid
          cross join lateral concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as e (text)
          where regexp_replace(e.text, 'select\s+(auth\.\w+|current_setting|pgvec\.allowed_tenants)\(', '', 'gi')
                ~ '\m(auth\.(uid|jwt|role|email)|current_setting|allowed_tenants)\('
         union all
         select 'invalid index', i.name, 'is of a build that failed' from indexes as i where not i.indisvalid
         union all
         select 'duplicate index', min(i.name), 'is the same as ' || string_agg(i.name, ', ' order by i.name) filter (where i.name <> d.first)
           from indexes as i
          cross join lateral (select min(x.name) as first from indexes as x where x.made_of = i.made_of and x.relam = i.relam) as d
          group by i.made_of, i.relam
         having count(*) > 1
         union all
         select 'missing index', c.relation::text, format('has none on %s', w.column_name)
           from pgvec.collections as c
          cross join lateral (values ('metadata', c.base, true), ('fts', c.text_table::oid, true), (c.embedding_column, c.base, false)) as w (column_name, relation, gin)
           join pg_catalog.pg_attribute as a on a.attrelid = w.relation and a.attname = w.column_name
          where (w.gin and (w.column_name <> 'metadata' or c.base = c.relation) or pgvec.estimate_rows(c) > least(25000, 1e7 / c.dimensions))
            and not exists (select
                              from pg_catalog.pg_index as x
                              join pg_catalog.pg_class as i on i.oid = x.indexrelid
                              join pg_catalog.pg_am as m on m.oid = i.relam
                             where x.indrelid = w.relation
                               and x.indisvalid
                               and case when w.gin then m.amname = 'gin' and x.indkey[0] = a.attnum else m.amname in ('hnsw', 'ivfflat') end))
  select c.name, f.object, f.found, c.hint
    from checks as c
    left join findings as f on f.name = c.name
   order by c.place, f.object
$$;
comment on function pgvec.verify_catalog() is
  'What is wrong with the functions, grants, policies and indexes of this engine and its collections: a row for each finding, and for each check without one a row '
  'with found null. hint says what to do. The names follow the lints of Supabase''s advisor.';
revoke all on function pgvec.verify_catalog() from public;
