-- pgvec.protect_side -- the policy of an adopted table's side table: a role that may not see a row of the table sees none of
-- its lexemes.
-- A role that may not read a column of the text is refused (42501), as by the table itself: pgvec.reads_text.
create or replace function pgvec.protect_side(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(protect_side.collection);
  adopted pgvec.adoptions;
begin
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute format('alter table %s enable row level security', adopted.side);
  execute format('drop policy if exists follow_the_table on %s', adopted.side);
  execute format(
    'create policy follow_the_table on %1$s for select'
    ' using ((select pgvec.reads_text(%2$L)) and exists (select from %3$s as b where b.%4$I = %1$s.id))',
    adopted.side, target.name, target.base, adopted.id_column);
end
$$;
comment on function pgvec.protect_side(text) is
  'Turns row level security on for the side table of an adopted collection, and replaces its policy: a row is visible to a role that sees the row of the table; a '
  'role that may not read each column of the text gets 42501.';
revoke all on function pgvec.protect_side(text) from public;
