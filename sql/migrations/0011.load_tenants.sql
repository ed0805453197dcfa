-- depends: 0010.verdicts
-- Resume points belong to tenants, as the rows do that they are for; and what a load has to note goes through functions
-- (pgvec.note_load), since a table that writers may read tells one tenant of the files of another.

alter table pgvec.loads add column if not exists tenant uuid not null default '00000000-0000-0000-0000-000000000000';

comment on column pgvec.loads.tenant is 'Whose rows the load stores; the nil uuid where rows belong to no tenant.';

do $$
declare
  role_name name;
begin
  if (select cardinality(c.conkey) from pg_catalog.pg_constraint as c where c.conrelid = 'pgvec.loads'::regclass and c.contype = 'p') = 2 then
    alter table pgvec.loads drop constraint loads_pkey;
    alter table pgvec.loads add primary key (collection, tenant, source);
  end if;
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('service_role', 'pgvec_writer')
  loop
    execute format('revoke all on table pgvec.loads from %I', role_name);
  end loop;
end
$$;
