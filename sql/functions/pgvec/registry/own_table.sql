-- pgvec.own_table -- the partition that has the rows of one tenant and no others (pgvec.isolate_tenant).
create or replace function pgvec.own_table(relation regclass, tenant uuid)
  returns regclass
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select r.oid::regclass
    from pg_catalog.pg_inherits as i
    join pg_catalog.pg_class as r on r.oid = i.inhrelid
   where i.inhparent = own_table.relation
     and pg_get_expr(r.relpartbound, r.oid) = format('FOR VALUES IN (%L)', tenant)
$$;
comment on function pgvec.own_table(regclass, uuid) is 'The partition of a table that is for the rows of this tenant alone; null for none.';
revoke all on function pgvec.own_table(regclass, uuid) from public;
