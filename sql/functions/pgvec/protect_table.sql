-- pgvec.protect_table -- row level security and grants of a collection's table, by the collection's access.
-- RLS is on even where everybody may read, so that a role which was never granted a policy sees nothing.
create or replace function pgvec.protect_table(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = ''
as $$
declare
  target  pgvec.collections := pgvec.collection(protect_table.collection);
  readers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
  writers text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('writer') as r);
begin
  execute format('alter table %s enable row level security', target.relation);
  execute format('revoke all on table %s from public', target.relation);

  if readers is not null then
    execute format('revoke all on table %s from %s', target.relation, readers);
    execute format('grant select on table %s to %s', target.relation, readers);
    execute format('create policy read_all on %s for select to %s using (true)', target.relation, readers);
  end if;

  if writers is not null then
    execute format('grant insert, update, delete on table %s to %s', target.relation, writers);
    execute format('create policy insert_all on %s for insert to %s with check (true)', target.relation, writers);
    execute format('create policy update_all on %s for update to %s using (true) with check (true)', target.relation, writers);
    execute format('create policy delete_all on %s for delete to %s using (true)', target.relation, writers);
  end if;
end
$$;
comment on function pgvec.protect_table(text) is
  'Turns row level security on for a collection''s table and grants it to the reading and writing roles there are. Nothing goes to PUBLIC.';
revoke all on function pgvec.protect_table(text) from public;
