-- pgvec.verify_leaks -- what carries rows of a collection elsewhere, or runs foreign code on them.
-- An adopted table is its owner's, triggers and all; for one, only rules and inheritance are reported.
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
             coalesce(array_agg(distinct case p.pubname when 'supabase_realtime' then 'supabase_realtime shows the tenant and id of deleted rows to everybody who listens'
                                                    else format('publication %I sends the rows of all tenants to its subscribers', p.pubname) end), '{}'),
             'no publication has rows of tenants',
             coalesce(min(format('alter publication %I drop table %I.%I; or do not publish all tables', p.pubname, p.schemaname, p.tablename)), ''), severity => 'warn')).*
      from pg_catalog.pg_class as r
      join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
      join pg_catalog.pg_publication_tables as p on p.schemaname = n.nspname and p.tablename = r.relname
     where target.access = 'tenant' and r.oid = any (relations);

  return query
    select (pgvec.verdict(
             target.name, 'unique indexes',
             coalesce(array_agg(format('%s is unique across tenants: one tenant learns values of another', x.indexrelid::regclass) order by x.indexrelid), '{}'),
             'none across tenants', 'create it again with tenant_id as its first column')).*
      from pg_catalog.pg_index as x
      join pg_catalog.pg_attribute as a on a.attrelid = x.indrelid and a.attname = 'tenant_id'
     where target.access = 'tenant'
       and x.indrelid = any (relations)
       and (x.indisunique or x.indisexclusion)
       and not exists (select from pg_catalog.pg_inherits as i where i.inhrelid = x.indexrelid)  -- part of a partitioned index
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
    'its rows are in its own tables', 'alter table ... no inherit ..., or detach partition: the policies of a parent, or of another server, apply to rows that are read there',
    severity => case when problems <> '{}' then 'fail' else 'warn' end);

  return query
    select (pgvec.verdict(
             target.name, 'code of others',
             coalesce(array_agg(distinct format('%s calls %s, which belongs to %s', f.used_by, f.routine, f.owner)), '{}'),
             'expressions call functions of its owner alone', 'alter function ... owner to the owner of the table, or drop the expression: it runs as the role that writes, builds an index or analyzes')).*
      from pgvec.foreign_code(relations) as f
     where ours
       and not (target.access = 'policy' and f.used_by like 'policy %');
end
$$;
comment on function pgvec.verify_leaks(text) is
  'Checks of a collection: triggers of others, rules, publications, unique indexes (across tenants), inheritance (parents that may be read, foreign partitions), '
  'code of others (functions of weaker owners in its defaults, constraints, indexes and policies). Raises PV001.';
revoke all on function pgvec.verify_leaks(text) from public;
