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

alter table pgvec.text_totals drop constraint if exists text_totals_pkey;
alter table pgvec.lexemes drop constraint if exists lexemes_pkey;
alter table pgvec.text_totals drop column if exists part;
alter table pgvec.lexemes drop column if exists part;
create index if not exists lexemes_idx on pgvec.lexemes (collection, tenant, lexeme) include (documents);
create index if not exists text_totals_idx on pgvec.text_totals (collection, tenant);

drop table if exists pgvec.memberships;
alter table pgvec.collections drop column if exists tenants;
