-- pgvec.copy_tenant -- copies a large tenant's rows into a table with the same indexes, which pgvec.isolate_tenant makes its own.
-- Searches and writes go on meanwhile; what they write is copied at the exchange.
create or replace function pgvec.copy_tenant(collection text, tenant uuid)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections := pgvec.collection(copy_tenant.collection);
  rest    regclass := pgvec.default_table(target, tenant);
  before  text := pg_snapshot_xmin(pg_current_snapshot())::text;
  place   int := 1;
  columns text;
  part    text;
  copied  bigint;
  item    record;
begin
  if pgvec.own_table(target.base, tenant) is not null then
    return 0;
  end if;
  perform pgvec.drop_copies(target.base, tenant);
  while to_regclass(format('pgvec.%I', format('%s_p%s', target.name, place))) is not null loop
    place := place + 1;
  end loop;
  part := format('pgvec.%I', format('%s_p%s', target.name, place));
  execute format('create table %s (like %s including all excluding indexes)', part, rest);
  execute format('revoke all on table %s from public', part);
  execute format('comment on table %s is %L', part, format('rows of %s of tenant %s before transaction %s', target.base, tenant, before));
  for item in
    select split_part(o, '=', 1) as name, substr(o, strpos(o, '=') + 1) as value from pg_catalog.pg_class as r, unnest(r.reloptions) as o where r.oid = rest
  loop
    execute format('alter table %s set (%I = %L)', part, item.name, item.value);
  end loop;
  select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into columns
    from pg_catalog.pg_attribute as a
   where a.attrelid = rest and a.attnum > 0 and not a.attisdropped and a.attgenerated = '';
  execute format('insert into %s (%s) overriding system value select %2$s from %s as r where r.tenant_id = $1', part, columns, rest) using tenant;
  get diagnostics copied = row_count;
  for item in
    select pg_get_constraintdef(k.oid) as key, pg_get_indexdef(x.indexrelid) as definition, x.indisunique
      from pg_catalog.pg_index as x
      left join pg_catalog.pg_constraint as k on k.conindid = x.indexrelid and k.conrelid = rest
     where x.indrelid = rest and x.indisvalid
     order by x.indexrelid
  loop
    execute case when item.key is not null then format('alter table %s add %s', part, item.key)
                 else format('create %sindex on %s %s', case when item.indisunique then 'unique ' end, part, substr(item.definition, strpos(item.definition, ' USING '))) end;
  end loop;
  for item in
    select a.attname from pg_catalog.pg_attribute as a where a.attrelid = rest and a.attnum > 0 and not a.attisdropped and a.attstattarget = 0
  loop
    execute format('alter table %s alter column %I set statistics 0', part, item.attname);  -- pgvec.hide_statistics
  end loop;
  execute format('analyze %s', part);
  return copied;
end
$$;
comment on function pgvec.copy_tenant(text, uuid) is
  'Copies the rows of a tenant, of a collection made with partition => 0, into a table of their own with the same indexes, which pgvec.isolate_tenant then makes the '
  'tenant''s. Returns the rows copied; 0 for a tenant that has its table. An earlier copy is dropped. Raises PV001, and PV004 as pgvec.isolate_tenant.';
revoke all on function pgvec.copy_tenant(text, uuid) from public;
