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

-- parts of the statistics get a number, so that their rows have a key; the index of lexemes serves as that of the key
alter table pgvec.lexemes add column if not exists part bigint generated always as identity;
alter table pgvec.text_totals add column if not exists part bigint generated always as identity;

do $$
begin
  if not exists (select from pg_catalog.pg_constraint as c where c.conrelid = 'pgvec.lexemes'::regclass and c.contype = 'p') then
    alter table pgvec.lexemes add primary key (collection, tenant, lexeme, part) include (documents);
    alter table pgvec.text_totals add primary key (collection, tenant, part);
  end if;
end
$$;

drop index if exists pgvec.lexemes_idx, pgvec.text_totals_idx;

comment on column pgvec.lexemes.part     is 'Number of the row.';
comment on column pgvec.text_totals.part is 'Number of the row.';
