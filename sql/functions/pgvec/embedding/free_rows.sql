-- pgvec.free_rows -- locks rows of a collection that no other transaction has locked, and returns which those are.
-- Whoever writes the queue or a vector for a row has its lock first, as the application has whose trigger writes the queue: so the
-- two never wait for each other in a circle. A lock that leaves the key as it is, so that foreign keys are checked meanwhile.
create or replace function pgvec.free_rows(target pgvec.collections, wanted text[], out ids text[], out tenants uuid[])
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  adopted pgvec.adoptions;
begin
  if target.base <> target.relation then
    adopted := pgvec.adopted(target.name);
    execute format(
      'select array(select b.%2$I::text from %1$s as b where b.%2$I = any ($1::%3$s[]) order by b.%2$I for no key update skip locked)',
      target.base, adopted.id_column, adopted.id_type)
      into ids
      using wanted;
    tenants := array_fill(pgvec.no_tenant(), array[cardinality(ids)]);
  else
    execute format(
      $query$
      select coalesce(array_agg(l.id), '{}'), coalesce(array_agg(l.tenant), '{}')
        from (select d.id, %2$s as tenant from %1$s as d where d.id = any ($1) order by d.id for no key update skip locked) as l
      $query$,
      target.relation, case when target.access = 'tenant' then 'd.tenant_id' else quote_literal(pgvec.no_tenant()) || '::uuid' end)
      into ids, tenants
      using wanted;
  end if;
end
$$;
comment on function pgvec.free_rows(pgvec.collections, text[]) is
  'Locks those of the wanted rows of a collection that the caller may change and no other transaction has locked, until the transaction ends. Returns their ids, and the '
  'tenant of each.';
revoke all on function pgvec.free_rows(pgvec.collections, text[]) from public;
select pgvec.grant_execute('pgvec.free_rows(pgvec.collections, text[])', 'writer');
