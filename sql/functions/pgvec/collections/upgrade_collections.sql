-- pgvec.upgrade_collections -- adds to collections of an earlier release what this one maintains beside their rows.
create or replace function pgvec.upgrade_collections()
  returns setof text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item pgvec.collections;
begin
  -- searches of earlier releases passed their tenants in it; the registry is locked first, as in a search
  if exists (select from pg_catalog.pg_attribute as a where a.attrelid = 'pgvec.collections'::regclass and a.attname = 'tenants' and not a.attisdropped) then
    alter table pgvec.collections drop column tenants;
  end if;
  for item in
    select c.*
      from pgvec.collections as c
      join pg_catalog.pg_class as r on r.oid = c.text_table
     where not exists (select
                         from pg_catalog.pg_trigger as t
                        where t.tgrelid = c.text_table
                          and t.tgfoid = 'pgvec.count_lexemes()'::regprocedure)
     order by c.name
  loop
    perform pgvec.attach_triggers(item.name);
    perform pgvec.refresh_statistics(item.name);
    return next item.name;
  end loop;

  -- Earlier policies compared a row with itself, or with a value that cannot be compared; statistics revealed rows of others.
  -- What is up to date is not locked; a view is locked before its side table, as in a search, to avoid deadlocks.
  perform pgvec.upgrade_adoption(p.name) from pgvec.present_collections() as p where p.base <> p.relation;
  perform pgvec.protect_side(a.collection)
     from pgvec.adoptions as a
     join pg_catalog.pg_class as r on r.oid = a.side
    where not r.relrowsecurity
       or not exists (select
                        from pg_catalog.pg_policy as p
                       where p.polrelid = a.side
                         and p.polname = 'follow_the_table'
                         and position('pgvec.visible_keys(' in pg_get_expr(p.polqual, p.polrelid)) > 0);
  perform pgvec.hide_statistics(p.name) from pgvec.present_collections() as p where p.access <> 'open' and (p.base = p.relation or p.text_table <> p.base);
  for item in
    select p.*
      from pgvec.present_collections() as p
      join pg_catalog.pg_index as x on x.indexrelid = to_regclass(format('public.%I', p.name || '_source_idx')) and x.indrelid = p.base
      join pg_catalog.pg_attribute as a on a.attrelid = p.base and a.attnum = x.indkey[0] and a.attname = 'tenant_id'
  loop
    execute format('drop index public.%I', item.name || '_source_idx');
    perform pgvec.index_sources(item.name, item.base, item.access);
  end loop;
  perform pgvec.keep_queue(p.name)
     from pgvec.present_collections() as p
    where p.model is not null
      and not exists (select from pg_catalog.pg_trigger as t where t.tgrelid = p.text_table and t.tgfoid = 'pgvec.enqueue_changes()'::regprocedure);
  -- without a default, the types that Supabase generates want it in every insert
  for item in
    select p.*
      from pgvec.present_collections() as p
      join pg_catalog.pg_attribute as a on a.attrelid = p.base and a.attname = 'content_hash' and not a.atthasdef
     where p.base = p.relation
  loop
    execute format('alter table %s alter column content_hash set default %L', item.base, '');
  end loop;
  perform pgvec.create_collection_api(p.name)
     from pgvec.present_collections() as p
    where exists (select from pg_catalog.pg_proc as f where f.pronamespace = 'public'::regnamespace and pgvec.is_api_of(p.name, f.oid));

  -- the cached queries are those of the release that cached them
  perform pgvec.note_index(c.name)
     from pgvec.collections as c
    where c.search_index is not null
      and exists (select from pg_catalog.pg_class as r where r.oid = c.base);
end
$$;
comment on function pgvec.upgrade_collections() is
  'Adds to collections of earlier releases what this one needs: the statistics and weights of BM25, the policies of side tables, the sources of adopted tables, the '
  'index of sources of tenants, the default of content_hash and the queries of the cached index; '
  'removes planner statistics that reveal rows of others. Returns the names of those that got '
  'statistics. pgvec-admin migrate calls it.';
revoke all on function pgvec.upgrade_collections() from public;
