-- pgvec.protect_table -- row level security and grants of a collection's table, by the collection's access.
-- RLS is on even where everybody may read, so that a role without a policy sees nothing. Grants and policies are made again: a
-- revoked grant comes back, so this is for new tables.
create or replace function pgvec.protect_table(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(protect_table.collection);
  readers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
  writers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles(case target.access when 'tenant' then 'member' else 'writer' end) as r);
begin
  execute format('alter table %s enable row level security', target.relation);
  execute format('revoke all on table %s from public', target.relation);

  if readers is not null then
    execute format('revoke all on table %s from %s', target.relation, readers);
    execute format('grant select on table %s to %s', target.relation, readers);
  end if;
  if writers is not null then
    execute format('grant insert, update, delete on table %s to %s', target.relation, writers);
  end if;
  perform pgvec.make_policies(target.name);
end
$$;
comment on function pgvec.protect_table(text) is
  'Turns row level security on for a collection''s table and grants it to the existing reading and writing roles, with policies for access open (all rows) and '
  'tenant (those of pgvec.allowed_tenants, which users may write as well). Nothing goes to PUBLIC.';
revoke all on function pgvec.protect_table(text) from public;
