-- pgvec.purge_tenant -- removes all that there is of a tenant: rows, keyword statistics, rows waiting to be embedded,
-- logged searches, memberships.
create or replace function pgvec.purge_tenant(tenant uuid)
  returns table (collection text, deleted bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  if tenant is null then
    raise exception using
      errcode = 'PV004',
      message = 'tenant is null',
      hint    = 'name the tenant whose rows are to be deleted: pgvec.list_tenants() tells those that have some';
  end if;
  for item in
    select c.* from pgvec.collections as c where c.access = 'tenant' and has_table_privilege(c.relation, 'select') is not null order by c.name
  loop
    perform pgvec.drop_copies(item.base, tenant);
    deleted := pgvec.drop_own_table(item, tenant);
    if deleted is null then
      execute format('delete from %s as d where d.tenant_id = $1', item.relation) using purge_tenant.tenant;
      get diagnostics deleted = row_count;
    end if;
    delete from pgvec.embedding_jobs as j where j.collection = item.name and j.tenant = purge_tenant.tenant;
    delete from pgvec.lexemes as l where l.collection = item.name and l.tenant = purge_tenant.tenant;
    delete from pgvec.postings as p where p.collection = item.name and p.tenant = purge_tenant.tenant;
    delete from pgvec.posted_ids as p where p.collection = item.name and p.tenant = purge_tenant.tenant;
    delete from pgvec.posting_changes as p where p.collection = item.name and p.tenant = purge_tenant.tenant;
    delete from pgvec.text_totals as t where t.collection = item.name and t.tenant = purge_tenant.tenant;
    delete from pgvec.bm25_parameters as p where p.collection = item.name and p.tenant = purge_tenant.tenant;
    collection := item.name;
    return next;
  end loop;
  delete from pgvec.search_log as s where s.tenants @> array[purge_tenant.tenant];
  delete from pgvec.loads as l where l.tenant = purge_tenant.tenant;
  delete from pgvec.memberships as m where m.tenant_id = purge_tenant.tenant;
end
$$;
comment on function pgvec.purge_tenant(uuid) is
  'Deletes the rows of a tenant in all collections, with their statistics, the tenant''s logged searches and memberships; returns the rows deleted from each collection.';
revoke all on function pgvec.purge_tenant(uuid) from public;
