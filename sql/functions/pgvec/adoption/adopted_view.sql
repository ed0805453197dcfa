-- pgvec.adopted_view -- the statement that creates the view over an adopted table, with the columns of a collection.
-- It also has the columns of the table as c1, c2, ... by their number, for filters to compare. Metadata is built from the named
-- columns and not from the whole row, which would turn every vector into text. A value of a user-defined type goes in as its
-- text: to make JSON of it the server would look for a cast, which the type's owner may create at any time, and run it as the
-- reader.
create or replace function pgvec.adopted_view(target pgvec.collections, adopted pgvec.adoptions, view text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  metadata text := 'coalesce(b.' || quote_ident(adopted.metadata_column) || ', ''{}'')';
  columns  text := (select string_agg(format('b.%I as c%s', a.attname, a.attnum), ', ' order by a.attnum)
                      from pg_catalog.pg_attribute as a
                     where a.attrelid = target.base
                       and a.attnum > 0
                       and not a.attisdropped);
begin
  if adopted.metadata_column is null then
    -- a call takes a hundred arguments at most
    metadata := format('jsonb_strip_nulls(%s)', (
      select coalesce(string_agg(part.call, ' || '), '''{}''::jsonb')
        from (select format('jsonb_build_object(%s)', string_agg(format('%L, %s', m.attname, m.value), ', ' order by m.place)) as call
                from (select a.attname, pgvec.json_value('b', a.attrelid, a.attnum) as value, row_number() over (order by a.attnum) as place
                        from pg_catalog.pg_attribute as a
                       where a.attrelid = target.base
                         and a.attnum > 0
                         and not a.attisdropped
                         and a.attname <> all (adopted.content_columns || adopted.added_columns || adopted.id_column || target.embedding_column)) as m
               group by m.place / 50) as part));
  end if;

  return format(
    $ddl$
    create or replace view %1$s with (security_invoker = true) as
    select b.%2$I::text as id, null::text as source, null::int as chunk_index, %3$s as content, %4$s as metadata, null::text as language,
           b.%5$I as embedding, %6$s.embedded_hash, %6$s.content_hash, %6$s.fts, %6$s.bm25, %7$s
      from %8$s as b %9$s
    $ddl$,
    view,
    adopted.id_column,
    pgvec.adopted_content(adopted, 'b'),
    metadata,
    target.embedding_column,
    case when adopted.side is null then 'b' else 's' end,
    columns,
    target.base,
    case when adopted.side is not null then format('left join %s as s on s.id = b.%I', adopted.side, adopted.id_column) end);
end
$$;
comment on function pgvec.adopted_view(pgvec.collections, pgvec.adoptions, text) is
  'CREATE VIEW of an adopted table with the columns of a collection (id, content, metadata, embedding, fts, hashes) and its own as c1, c2, ... '
  'It reads as the caller, under the policies of the table.';
revoke all on function pgvec.adopted_view(pgvec.collections, pgvec.adoptions, text) from public;
