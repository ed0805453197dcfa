-- pgvec.column_state -- a hash of the name and columns of a table, which differs once any of them is renamed, dropped, added or of another type.
create or replace function pgvec.column_state(relation regclass)
  returns text
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select md5(string_agg(concat_ws(' ', quote_ident(a.attname), a.atttypid, a.atttypmod, a.attnotnull), ',' order by a.attnum) || relation::oid || relation)
    from pg_catalog.pg_attribute as a
   where a.attrelid = column_state.relation
     and a.attnum > 0
$$;
comment on function pgvec.column_state(regclass) is
  'A hash of the oid and name of a table, and of the name, type and NOT NULL of each of its columns.';
revoke all on function pgvec.column_state(regclass) from public;
select pgvec.grant_execute('pgvec.column_state(regclass)', 'reader');
