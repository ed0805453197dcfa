-- pgvec.lexeme_changes -- the query by which pgvec.count_lexemes reads what a statement changed: tenant, fts, and sign.
create or replace function pgvec.lexeme_changes(operation text, key text, tenant_of text)
  returns text
  language sql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select case operation
           when 'INSERT' then format('select %s as tenant, n.fts, 1 as sign from new_rows as n', format(tenant_of, 'n'))
           when 'DELETE' then format('select %s as tenant, o.fts, -1 as sign from old_rows as o', format(tenant_of, 'o'))
           else format('select coalesce(%s, %s) as tenant, c.fts, s.sign
                   from new_rows as n
                   full join old_rows as o using (%s)
                  cross join (values (1), (-1)) as s (sign)
                  cross join lateral (select case s.sign when 1 then n.fts else o.fts end) as c (fts)
                  where n.fts is distinct from o.fts
                    and c.fts is not null
                  union all
                 select %s, null, 0 from new_rows as n group by 1', format(tenant_of, 'n'), format(tenant_of, 'o'), key, format(tenant_of, 'n'))
         end
$$;
comment on function pgvec.lexeme_changes(text, text, text) is
  'A query on the transition tables new_rows and old_rows of an INSERT, UPDATE or DELETE: for each changed row its tenant (tenant_of, with the row in place of %s), the lexemes it '
  'has got (sign 1) or lost (-1), and a row with sign 0 for each tenant that was updated. key: the columns that identify a row.';
revoke all on function pgvec.lexeme_changes(text, text, text) from public;
