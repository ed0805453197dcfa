-- pgvec.default_table -- the partition from which a tenant's rows can move to a table of their own, or PV004.
create or replace function pgvec.default_table(target pgvec.collections, tenant uuid)
  returns regclass
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  rest     regclass := (select nullif(p.partdefid, 0) from pg_catalog.pg_partitioned_table as p where p.partrelid = target.base and p.partstrat = 'l');
  awaiting text[] := pgvec.awaits_deletion(target.base);
begin
  if tenant is null then
    raise exception using errcode = 'PV004', message = 'tenant is null', hint = 'name the tenant that is to have a table: pgvec.list_tenants() tells those that have rows';
  elsif rest is null or exists (select from pgvec.adoptions as a where a.collection = target.name) then
    raise exception using
      errcode = 'PV004',
      message = format('collection %L cannot give a tenant a table of its own', target.name),
      hint    = 'this is for collections made with access => ''tenant'', partition => 0; rows of another are copied by INSERT ... SELECT, vectors included';
  elsif awaiting <> '{}' then
    raise exception using
      errcode = 'PV004',
      message = format('rows of collection %L cannot move to another table: %s', target.name, array_to_string(awaiting, '; ')),
      hint    = 'moving would be taken for a deletion; drop that trigger, foreign key or publication for as long';
  end if;
  return rest;
end
$$;
comment on function pgvec.default_table(pgvec.collections, uuid) is
  'The partition for tenants without a table of their own. Raises PV004 for a collection not made with partition => 0, for null, and where moved rows would set off '
  'triggers or foreign keys of others.';
revoke all on function pgvec.default_table(pgvec.collections, uuid) from public;
