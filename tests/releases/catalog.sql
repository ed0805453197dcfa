-- Everything in schemas pgvec and public as the catalog has it, and the registry: kind, name, definition. Without oids,
-- times and the order of columns, so that two databases can be compared.
with relations as (
       select c.*
         from pg_class as c
        where c.relnamespace in (to_regnamespace('pgvec'), to_regnamespace('public'))
          and c.relname !~ '^_yoyo'
          and not exists (select from pg_depend as d where d.objid = c.oid and d.deptype = 'e')),
     routines as (
       select p.*
         from pg_proc as p
        where p.pronamespace in (to_regnamespace('pgvec'), to_regnamespace('public'))
          and not exists (select from pg_depend as d where d.objid = p.oid and d.deptype = 'e')),
     acls (kind, oid, acl) as (
       select 'routine', r.oid, coalesce(r.proacl, acldefault('f', r.proowner)) from routines as r
       union all select 'relation', r.oid, coalesce(r.relacl, acldefault('r', r.relowner)) from relations as r
       union all select 'schema', n.oid, coalesce(n.nspacl, acldefault('n', n.nspowner)) from pg_namespace as n where n.nspname = 'pgvec'),
     grants as (
       select a.kind, a.oid, string_agg(x::text, ' ' order by x::text) as told
         from acls as a, unnest(a.acl) as x
        group by a.kind, a.oid)
select 'schema' as kind, n.nspname::text as name, concat_ws(' | ', g.told, obj_description(n.oid, 'pg_namespace')) as told
  from pg_namespace as n
  left join grants as g on g.kind = 'schema' and g.oid = n.oid
 where n.nspname = 'pgvec'
union all
select 'routine', p.oid::regprocedure::text, concat_ws(' | ', pg_get_functiondef(p.oid), g.told, obj_description(p.oid, 'pg_proc'))
  from routines as p
  left join grants as g on g.kind = 'routine' and g.oid = p.oid
union all
select 'relation', r.oid::regclass::text,
       concat_ws(' | ', r.relkind, r.relrowsecurity, r.relforcerowsecurity, r.reloptions, pg_get_expr(r.relpartbound, r.oid), g.told,
                 obj_description(r.oid, 'pg_class'), case when r.relkind = 'v' then pg_get_viewdef(r.oid) end)
  from relations as r
  left join grants as g on g.kind = 'relation' and g.oid = r.oid
 where r.relkind <> 'i'
union all
select 'column', format('%s.%s', r.oid::regclass, a.attname),
       concat_ws(' | ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attstorage,
                 pg_get_expr(d.adbin, d.adrelid), a.attacl, col_description(r.oid, a.attnum))
  from relations as r
  join pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef as d on d.adrelid = r.oid and d.adnum = a.attnum
 where r.relkind not in ('i', 'I')
union all
select 'constraint', format('%s.%s', r.oid::regclass, c.conname), pg_get_constraintdef(c.oid)
  from relations as r
  join pg_constraint as c on c.conrelid = r.oid
union all
select 'index', x.indexrelid::regclass::text, concat_ws(' | ', pg_get_indexdef(x.indexrelid), x.indisvalid)
  from relations as r
  join pg_index as x on x.indexrelid = r.oid
union all
select 'trigger', format('%s.%s', r.oid::regclass, t.tgname), concat_ws(' | ', pg_get_triggerdef(t.oid), t.tgenabled)
  from relations as r
  join pg_trigger as t on t.tgrelid = r.oid and not t.tgisinternal
union all
select 'policy', format('%s.%s', r.oid::regclass, p.polname),
       concat_ws(' | ', p.polcmd, p.polpermissive, (select string_agg(u::regrole::text, ' ' order by u::regrole::text) from unnest(p.polroles) as u),
                 pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
  from relations as r
  join pg_policy as p on p.polrelid = r.oid
union all
select 'type', t.oid::regtype::text, concat_ws(' | ', t.typtype, coalesce(t.typacl, acldefault('T', t.typowner)), obj_description(t.oid, 'pg_type'))
  from pg_type as t
 where t.typnamespace = to_regnamespace('pgvec')
   and t.typcategory <> 'A'
   and t.typname !~ '^_yoyo'
union all
select 'registered', c.name, (to_jsonb(c) - '{created_at,search_index_oid,source_columns,word_rules}'::text[])::text
  from pgvec.collections as c
union all
select 'adopted', a.collection, (to_jsonb(a) - '{created_at,base_oid}'::text[])::text
  from pgvec.adoptions as a
 order by 1, 2
