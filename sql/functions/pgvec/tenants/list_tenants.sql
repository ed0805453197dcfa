-- pgvec.list_tenants -- whose rows there are: for operators, who see all.
create or replace function pgvec.list_tenants(tenant uuid default null)
  returns table (collection text, tenant_id uuid, documents bigint, embedded bigint, members bigint, updated_at timestamptz)
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  for item in
    select c.* from pgvec.collections as c where c.access = 'tenant' and has_table_privilege(c.relation, 'select') is not null order by c.name
  loop
    return query execute format(
      $query$
      select $1, d.tenant_id, count(*), count(d.embedding),
             (select count(*) from pgvec.memberships as m where m.tenant_id = d.tenant_id), max(d.updated_at)
        from %s as d
       where $2 is null
          or d.tenant_id = $2
       group by d.tenant_id
       order by d.tenant_id
      $query$, item.relation)
      using item.name, tenant;
  end loop;
end
$$;
comment on function pgvec.list_tenants(uuid) is
  'For each collection with tenants and each tenant, or one: rows, rows with an embedding, members (pgvec.memberships), and when a row was last changed.';
revoke all on function pgvec.list_tenants(uuid) from public;
