-- pgvec.awaits_deletion -- what of others happens when a row of a table is deleted.
-- Rows that move to another partition, or go with it, are deleted for none of these; so where there are some, they do not move.
create or replace function pgvec.awaits_deletion(relation regclass)
  returns text[]
  language sql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
  select coalesce(array_agg(w.what order by w.what), '{}')
    from (select format('table %s references it', k.conrelid::regclass) as what
            from pg_catalog.pg_constraint as k
           where k.confrelid = awaits_deletion.relation and k.contype = 'f' and k.conparentid = 0
           union all
          select format('trigger %I runs on delete', t.tgname)
            from pg_catalog.pg_trigger as t
            join pg_catalog.pg_proc as p on p.oid = t.tgfoid
           where t.tgrelid = awaits_deletion.relation
             and not t.tgisinternal
             and t.tgtype & 8 = 8  -- TRIGGER_TYPE_DELETE
             and p.pronamespace <> 'pgvec'::regnamespace) as w
$$;
comment on function pgvec.awaits_deletion(regclass) is
  'The foreign keys that refer to a table, and the triggers of others that run when its rows are deleted; {} where there are none.';
revoke all on function pgvec.awaits_deletion(regclass) from public;
