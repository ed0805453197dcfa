-- pgvec.adopted_source -- what searches read of an adopted table: a FROM item with the columns of a collection.
-- It also has the columns of the table as c1, c2, ... by their number, for filters to compare. Metadata is built from the named
-- columns and not from the whole row, which would turn every vector into text. A text and not a view, which would keep the
-- application from dropping its columns and from changing their types.
create or replace function pgvec.adopted_source(target pgvec.collections, adopted pgvec.adoptions, plain boolean default false)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  key      record;
  vector   name;
  side     record;
  metadata text := '''{}''::jsonb';
  columns  text := (select string_agg(format('b.%I as c%s', a.attname, a.attnum), ', ' order by a.attnum)
                      from pg_catalog.pg_attribute as a
                     where a.attrelid = target.base
                       and a.attnum > 0
                       and not a.attisdropped);
begin
  select quote_ident(a.attname) as name, a.atttypid, a.attcollation, a.attnotnull into key
    from pg_catalog.pg_attribute as a where a.attrelid = target.base and a.attnum = adopted.id_number and not a.attisdropped;
  select a.attname into vector
    from pg_catalog.pg_attribute as a
   where a.attrelid = target.base and a.attnum = adopted.embedding_number and a.atttypid in ('extensions.vector'::regtype, 'extensions.halfvec'::regtype);
  select a.atttypid, a.attcollation, quote_ident(n.nspname) || '.' || quote_ident(o.collname) as collation into side
    from pg_catalog.pg_attribute as a
    left join pg_catalog.pg_collation as o on o.oid = a.attcollation
    left join pg_catalog.pg_namespace as n on n.oid = o.collnamespace
   where a.attrelid = adopted.side and a.attname = 'id';

  if adopted.metadata_column is not null then
    metadata := format('coalesce(b.%I::jsonb, ''{}'')', adopted.metadata_column);
  elsif adopted.metadata_number is null then
    -- a call takes a hundred arguments at most
    metadata := format('jsonb_strip_nulls(%s)', (
      select coalesce(string_agg(part.call, ' || '), '''{}''::jsonb')
        from (select format('jsonb_build_object(%s)', string_agg(format('%L, %s', m.attname, m.value), ', ' order by m.place)) as call
                from (select a.attname, pgvec.json_value('b', a.attrelid, a.attnum) as value, row_number() over (order by a.attnum) as place
                        from pg_catalog.pg_attribute as a
                       where a.attrelid = target.base
                         and a.attnum > 0
                         and not a.attisdropped
                         and a.attnum <> all (adopted.content_numbers || adopted.added_numbers || adopted.id_number || adopted.embedding_number)) as m
               group by m.place / 50) as part));
  end if;

  return concat(
    '(select ', coalesce('b.' || key.name, 'null'), '::text as id, null::text as source, null::int as chunk_index, ',
    pgvec.adopted_content(adopted, 'b'), ' as content, ', metadata, ' as metadata, null::text as language, ',
    coalesce('b.' || quote_ident(vector), format('null::extensions.%I', target.storage)), ' as embedding, ',
    (select string_agg(coalesce(case when adopted.side is null then 'b.' else 's.' end || quote_ident(w.name), 'null::' || w.type) || ' as ' || w.as_name, ', ')
       from (values ('embedded_hash', 'text'), ('content_hash', 'text'), ('fts', 'tsvector'), ('bm25', 'extensions.sparsevec')) as v (as_name, type)
      cross join lateral (
             select v.as_name, v.type,
                    (select a.attname from pg_catalog.pg_attribute as a
                      where a.attrelid = target.text_table and a.attname = v.as_name and not a.attisdropped
                        and (adopted.side is not null or a.attnum = any (adopted.added_numbers))) as name) as w),
    case when not plain then ', ' || columns end, ' from ', target.base, ' as b',
    case
      when adopted.side is null then ''
      when key.name is null then format(' left join %s as s on false', adopted.side)
      else format(' left join %s as s on s.id = b.%s%s', adopted.side, key.name,
                  case when side.atttypid = 'text'::regtype and key.atttypid not in ('text'::regtype, 'varchar'::regtype) then '::text'
                       when key.attcollation <> side.attcollation then ' collate ' || side.collation end)
    end,
    case when not key.attnotnull then ' where b.' || key.name || ' is not null' end,
    ')');
end
$$;
comment on function pgvec.adopted_source(pgvec.collections, pgvec.adoptions, boolean) is
  'The FROM item for an adopted table with the columns of a collection (id, content, metadata, embedding, fts, hashes) and its own as c1, c2, ... '
  'as they are now (plain: without the latter): rows without a key are left out, columns that are gone are null. It reads as the caller, under the policies of the table.';
revoke all on function pgvec.adopted_source(pgvec.collections, pgvec.adoptions, boolean) from public;
select pgvec.grant_execute('pgvec.adopted_source(pgvec.collections, pgvec.adoptions, boolean)', 'reader');
