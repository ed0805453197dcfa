-- pgvec.searched_tenants -- whose rows a search is for, and which part of a table's rows they are.
-- The planner knows the share of no tenant (pgvec.hide_statistics), and searches ask for it. Definer, since the statistics of BM25, which
-- tell, are nobody's to read, and since a small search pays for each function: pgvec.allowed_tenants would be one more.
create or replace function pgvec.searched_tenants(collection text, base regclass, for_tenant uuid, out tenants uuid[], out share float8)
  language plpgsql stable parallel safe
  security definer set search_path = pg_catalog, pg_temp
  set debug_print_plan = off
as $$
declare
  few  constant int := 10000;   -- rows of a table that is searched exactly
  most constant float8 := 0.5;  -- of the rows
begin
  tenants := pgvec.current_tenants();
  if cardinality(tenants) <> 1 or tenants[1] is null then
    tenants := array(select t from pgvec.allowed_tenants() as t);
  end if;
  if for_tenant is not null then
    tenants := case when for_tenant = any (tenants)
                      or exists (select from pgvec.collections as c where c.name = searched_tenants.collection and pgvec.sees_all(c)) then array[for_tenant] end;
  end if;
  if cardinality(tenants) = 1 and base is not null then
    select sum(t.documents + t.uncounted) / (select r.reltuples from pg_catalog.pg_class as r where r.oid = base and r.reltuples > few and not r.relhassubclass)
      into share
      from pgvec.text_totals as t
     where t.collection = searched_tenants.collection
       and t.tenant = tenants[1];
    share := case when share >= most then least(share, 1) end;  -- least(null, 1) would be 1
  end if;
end
$$;
comment on function pgvec.searched_tenants(text, regclass, uuid) is
  'tenants: those of the caller (pgvec.allowed_tenants), or for_tenant, null where that is not for the caller. share: of one tenant that has at least half of the rows of '
  'table base, the fraction, at most 1; null for others, without a base, for a table of at most 10,000 rows, which is searched exactly, and for partitions.';
revoke all on function pgvec.searched_tenants(text, regclass, uuid) from public;
select pgvec.grant_execute('pgvec.searched_tenants(text, regclass, uuid)', 'reader');
