-- pgvec.json_value -- the SQL expression for a column of an adopted table as a metadata value.
-- Types of the server and of pgvector, and domains over them, as they are; an enumeration and an array of one as text, by the
-- type's own output function; a value of any other user-defined type as one text.
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
  'The expression for a column of row_name, a row of a table, that jsonb_build_object can take without running a user-defined cast.';
revoke all on function pgvec.json_value(text, regclass, int2) from public;
select pgvec.grant_execute('pgvec.json_value(text, regclass, int2)', 'reader');
