-- pgvec.protect_side -- the policy of an adopted table's side table: a role that may not see a row of the table sees none of
-- its lexemes.
-- A role that may not read a column of the text is refused (42501), as by the table itself: pgvec.reads_text. The policy names
-- neither the table nor its columns, which are the application's to change.
create or replace function pgvec.protect_side(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  side regclass := (select a.side from pgvec.adoptions as a where a.collection = protect_side.collection);
begin
  execute format('alter table %s enable row level security', side);
  execute format('drop policy if exists follow_the_table on %s', side);
  execute format(
    'create policy follow_the_table on %1$s for select'
    ' using ((select pgvec.reads_text(%2$L)) and case when (select pgvec.reads_all(%2$L)) then true else %1$s.id in (select pgvec.visible_keys(%2$L, null::%3$s)) end)',
    side, protect_side.collection,
    (select format_type(t.atttypid, null) from pg_catalog.pg_attribute as t where t.attrelid = side and t.attname = 'id'));
end
$$;
comment on function pgvec.protect_side(text) is
  'Turns row level security on for the side table of an adopted collection, and replaces its policy: a row is visible to a role that sees the row of the table; a '
  'role that may not read each column of the text gets 42501.';
revoke all on function pgvec.protect_side(text) from public;
