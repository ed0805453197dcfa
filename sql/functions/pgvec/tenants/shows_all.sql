-- pgvec.shows_all -- whether the caller may read every row of a collection's table: by its rights, or since its policies show all rows.
create or replace function pgvec.shows_all(collection pgvec.collections)
  returns boolean
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select pgvec.sees_all(collection)
         or has_table_privilege(pgvec.caller(), c.oid, 'select')
            and (not c.relrowsecurity
                 or coalesce((select bool_and(p.polpermissive)
                                     and bool_or(pg_get_expr(p.polqual, p.polrelid) = 'true'
                                                 and exists (select from unnest(p.polroles) as r (role) where r.role = 0 or pg_has_role(pgvec.caller(), r.role, 'usage')))
                                from pg_catalog.pg_policy as p
                               where p.polrelid = c.oid and p.polcmd in ('r', '*')), false))
    from pg_catalog.pg_class as c
   where c.oid = (shows_all.collection).base
$$;
comment on function pgvec.shows_all(pgvec.collections) is
  'Whether the caller sees every row of a collection''s table: as pgvec.sees_all, or by a policy without a condition and no restrictive one.';
revoke all on function pgvec.shows_all(pgvec.collections) from public;
