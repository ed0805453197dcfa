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
             and p.pronamespace <> 'pgvec'::regnamespace
           union
          select format('publication %I sends its rows', p.pubname)  -- subscribers learn of no table that is attached or dropped
            from pgvec.partitions(awaits_deletion.relation) as t
            join pg_catalog.pg_class as r on r.oid in (t, awaits_deletion.relation)
            join pg_catalog.pg_namespace as n on n.oid = r.relnamespace
            join pg_catalog.pg_publication_tables as p on p.schemaname = n.nspname and p.tablename = r.relname) as w
$$;
comment on function pgvec.awaits_deletion(regclass) is
  'The foreign keys that refer to a table, the triggers of others that run when its rows are deleted, and the publications that send them; {} where there are none.';
revoke all on function pgvec.awaits_deletion(regclass) from public;
