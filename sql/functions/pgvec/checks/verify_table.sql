-- pgvec.verify_table -- whether a collection still matches the registry: its table, columns and triggers.
create or replace function pgvec.verify_table(collection text)
  returns setof pgvec.verdict
  language plpgsql stable parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections;
  expected text;
  found    text;
begin
  select c.* into target from pgvec.collections as c where c.name = verify_table.collection;
  if target.name is null then
    target := pgvec.collection(verify_table.collection);  -- raises PV001
  end if;
  if not exists (select from pgvec.present_collections() as p where p.name = target.name) then
    return next pgvec.verdict(target.name, 'table', '{its table is gone}', null,
      format('restore it; or forget the collection: select pgvec.%s_collection(%L)', case when target.base = target.relation then 'drop' else 'release' end, target.name));
    return;
  end if;
  target := pgvec.collection(target.name);  -- as its columns are now

  expected := format('%s(%s)', target.storage, target.dimensions);
  found := (select format_type(a.atttypid, a.atttypmod)
              from pg_catalog.pg_attribute as a
             where a.attrelid = target.base and a.attname = target.embedding_column and not a.attisdropped);
  return next pgvec.verdict(
    target.name, 'table',
    array_remove(array[
      case when regexp_replace(found, '^.*\.', '') is distinct from expected then format('column %I is %s and not %s', target.embedding_column, coalesce(found, 'gone'), expected) end,
      case when target.base = target.relation and not exists (select from pg_catalog.pg_index as x where x.indrelid = target.base and x.indisprimary) then 'it has no primary key' end], null)
    || coalesce(pgvec.lost_columns(target), '{}')
    || array(select format('column %I is not unique any more', a.id_column)
               from pgvec.adopted(target.name) as a
              where a.id_column is not null
                and not exists (select from pg_catalog.pg_index as x
                                 where x.indrelid = target.base and x.indisunique and x.indisvalid and x.indpred is null and x.indnkeyatts = 1 and x.indkey[0] = a.id_number))
    || array(select format('column %I of %s is gone', w.name, target.text_table)
               from unnest('{fts,bm25,content_hash,embedded_hash}'::name[]) as w (name)
              where not exists (select from pg_catalog.pg_attribute as a where a.attrelid = target.text_table and a.attname = w.name and not a.attisdropped))
    || array(select format('column tenant_id has the default %s and not pgvec.default_tenant()', pg_get_expr(x.adbin, x.adrelid))
               from pg_catalog.pg_attrdef as x
               join pg_catalog.pg_attribute as a on a.attrelid = x.adrelid and a.attnum = x.adnum
              where target.access = 'tenant' and x.adrelid = target.base and a.attname = 'tenant_id'
                and pg_get_expr(x.adbin, x.adrelid) <> 'pgvec.default_tenant()')
    || pgvec.foreign_columns(target)
    || array(select format('there is no text search configuration %s', target.language)
              where not exists (select
                                  from pg_catalog.pg_ts_config as t
                                  join pg_catalog.pg_namespace as n on n.oid = t.cfgnamespace
                                 where target.language in (quote_ident(t.cfgname), format('%I.%I', n.nspname, t.cfgname)))),
    format('%s of %s in %s', expected, target.access, target.base),
    'undo the change, or load the rows into a new collection');

  return query select * from pgvec.verify_triggers(target);
end
$$;
comment on function pgvec.verify_table(text) is
  'Checks a collection against the registry: table (its existence, the type of its embedding, its columns, its text search configuration) and triggers. Raises '
  'PV001.';
revoke all on function pgvec.verify_table(text) from public;
