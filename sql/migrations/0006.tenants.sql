-- depends: 0005.keywords
-- Rows that belong to tenants: who is a member of which, and searches that are for some tenants only.

alter table pgvec.collections add column if not exists tenants uuid[] check (tenants is null);

comment on column pgvec.collections.tenants is 'Null here. A search carries the tenants whose rows it is for in its copy of the row (pgvec.scoped).';

create table if not exists pgvec.memberships (
  member    uuid not null,
  tenant_id uuid not null,
  added_at  timestamptz not null default now(),
  primary key (member, tenant_id)
);

comment on table  pgvec.memberships           is 'Users and their tenants, where their tokens do not say it; read by pgvec.allowed_tenants.';
comment on column pgvec.memberships.member    is 'The user: sub of the token.';
comment on column pgvec.memberships.tenant_id is 'A tenant whose rows the user may read and write.';
comment on column pgvec.memberships.added_at  is 'Since when.';

revoke all on table pgvec.memberships from public;

do $$
declare
  role_name name;
begin
  for role_name in
    select r.rolname
      from pg_catalog.pg_roles as r
     where r.rolname in ('service_role')
  loop
    execute format('grant select, insert, update, delete on table pgvec.memberships to %I', role_name);
  end loop;
end
$$;
