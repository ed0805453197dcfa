-- pgvec.keep_lexemes -- maintains the keyword statistics of a collection from now on; pgvec.refresh_statistics counts existing
-- rows.
-- The weights stay beside the id, where a search reads thousands of them. Of a row too long for its page, other columns are
-- moved out of line: the lexemes first, and uncompressed, since compression does not make them shorter.
create or replace function pgvec.keep_lexemes(collection text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(keep_lexemes.collection);
  key    name := coalesce((select a.id_column from pgvec.adopted(target.name) as a where a.side is null), 'id');
  item   record;
begin
  if exists (select
               from pg_catalog.pg_attribute as a
              where a.attrelid = target.text_table
                and (a.attname = 'bm25' and a.attstorage <> 'm' or a.attname = 'fts' and a.attstorage <> 'e')) then  -- the lock makes searches wait
    execute format('alter table %s alter column bm25 set storage main, alter column fts set storage external', target.text_table);
  end if;
  for item in
    select *
      from (values ('insert', 'referencing new table as new_rows'),
                   ('update', 'referencing new table as new_rows old table as old_rows'),
                   ('delete', 'referencing old table as old_rows'),
                   ('truncate', '')) as e (event, rows)
  loop
    execute format('create or replace trigger %I after %s on %s %s for each statement execute function pgvec.count_lexemes(%L, %L)',
                   target.name || '_count_' || item.event, item.event, target.text_table, item.rows, target.name, key);
    execute format('alter table %s enable trigger %I', target.text_table, target.name || '_count_' || item.event);
  end loop;

  insert into pgvec.bm25_parameters (collection, tenant, k1, b)
  select target.name, pgvec.no_tenant(), s.k1, s.b
    from pgvec.bm25_settings(target) as s
   where target.access <> 'tenant'
      on conflict do nothing;
end
$$;
comment on function pgvec.keep_lexemes(text) is 'Attaches the triggers to a collection''s table that maintain the statistics of BM25. Raises PV001.';
revoke all on function pgvec.keep_lexemes(text) from public;
