-- The release before has one resume point a file, and lets writers keep it.
do $$
declare
  role_name name;
begin
  delete from pgvec.loads as l where l.tenant <> '00000000-0000-0000-0000-000000000000';
  alter table pgvec.loads drop constraint if exists loads_pkey;
  alter table pgvec.loads drop column if exists tenant;
  alter table pgvec.loads add primary key (collection, source);
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('service_role', 'pgvec_writer')
  loop
    execute format('grant select, insert, update, delete on table pgvec.loads to %I', role_name);
  end loop;
end
$$;
