-- pgvec.foreign_code -- functions of weaker roles that run when a table is written, read or analyzed.
-- A table's owner may have it call another role's functions, and a role that may create triggers on it, or once might, may have
-- made some with its own functions: all of them run as the role that touches the table.
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
