-- pgvec.tenant_size -- about how many rows of a collection belong to a tenant.
-- The planner knows it of no tenant (pgvec.hide_statistics), and routes need it. Definer, since the statistics of BM25, which
-- tell, are nobody's to read; told to who may read these rows.
create or replace function pgvec.tenant_size(collection text, tenant uuid)
  returns bigint
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
begin
  if (tenant_size.tenant = any (pgvec.current_tenants())) is not true
     and not exists (select from pgvec.collections as c where c.name = tenant_size.collection and pgvec.sees_all(c))
  then
    return 0;
  end if;
  return (
    select coalesce(sum(t.documents + t.uncounted), 0)
      from pgvec.text_totals as t
     where t.collection = tenant_size.collection
       and t.tenant = tenant_size.tenant);
end
$$;
comment on function pgvec.tenant_size(text, uuid) is
  'The rows of a tenant that are counted, and those changed since, which may be counted twice. 0 for a tenant that is not the caller''s.';
revoke all on function pgvec.tenant_size(text, uuid) from public;
select pgvec.grant_execute('pgvec.tenant_size(text, uuid)', 'reader');
