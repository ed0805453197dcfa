do $$
declare
  names text := (select string_agg(c.name, ', ' order by c.name) from pgvec.collections as c where c.access = 'tenant');
begin
  if names is not null then
    raise exception using
      errcode = 'PV004',
      message = format('there are collections with tenants: %s', names),
      hint    = 'drop them first: select pgvec.drop_collection(name), or pgvec-admin collection drop NAME';
  end if;
end
$$;

drop table if exists pgvec.memberships;
alter table pgvec.collections drop column if exists tenants;
