-- pgvec.adopted_content -- the SQL expression for the content of a row of an adopted table: its text columns, one per line; nothing where
-- all of them were dropped.
create or replace function pgvec.adopted_content(adopted pgvec.adoptions, row_name text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select format('concat_ws(e''\n'', %s)', coalesce(string_agg(format('%s.%I', row_name, c), ', ' order by place), ''''''))
    from unnest(adopted.content_columns) with ordinality as t (c, place)
$$;
comment on function pgvec.adopted_content(pgvec.adoptions, text) is 'The expression that joins the content columns of an adopted row, one per line, without nulls.';
revoke all on function pgvec.adopted_content(pgvec.adoptions, text) from public;
select pgvec.grant_execute('pgvec.adopted_content(pgvec.adoptions, text)', 'reader');
