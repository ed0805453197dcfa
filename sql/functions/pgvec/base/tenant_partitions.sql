-- pgvec.tenant_partitions -- the tables in which the rows of some tenants lie.
-- By hash, each tenant has one of them; by list, its own or else the default one (pgvec.isolate_tenant). How other tables are
-- partitioned is their owner's matter: then all of them.
create or replace function pgvec.tenant_partitions(relation regclass, tenants uuid[])
  returns setof regclass
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  strategy "char" := (select p.partstrat from pg_catalog.pg_partitioned_table as p where p.partrelid = relation);
  rest     regclass;
begin
  if strategy = 'h' then
    return query
      select p.oid::regclass
        from (select r.oid, count(*) over () as modulus, substring(pg_get_expr(r.relpartbound, r.oid) from 'remainder (\d+)')::int as remainder
                from pg_catalog.pg_inherits as i
                join pg_catalog.pg_class as r on r.oid = i.inhrelid
               where i.inhparent = relation) as p
       where exists (select from unnest(tenants) as t where satisfies_hash_partition(relation, p.modulus::int, p.remainder, t))
       order by p.oid;
  elsif strategy = 'l' then
    rest := (select nullif(p.partdefid, 0) from pg_catalog.pg_partitioned_table as p where p.partrelid = relation);
    return query
      select distinct coalesce(own.oid::regclass, rest)
        from unnest(tenants) as t
        left join (select r.oid, pg_get_expr(r.relpartbound, r.oid) as bound
                     from pg_catalog.pg_inherits as i
                     join pg_catalog.pg_class as r on r.oid = i.inhrelid
                    where i.inhparent = relation) as own on strpos(own.bound, quote_literal(t)) > 0
       where coalesce(own.oid::regclass, rest) is not null;
  else
    return query select p from pgvec.partitions(relation) as p;
  end if;
end
$$;
comment on function pgvec.tenant_partitions(regclass, uuid[]) is
  'The partitions of a table in which rows of these tenants lie, or may lie; the table itself where it has none.';
revoke all on function pgvec.tenant_partitions(regclass, uuid[]) from public;
select pgvec.grant_execute('pgvec.tenant_partitions(regclass, uuid[])', 'reader');
