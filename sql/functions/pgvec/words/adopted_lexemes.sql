-- pgvec.adopted_lexemes -- the SQL expression for the lexemes of a row of an adopted table: of its content, and of its fields with a weight.
-- A field is a column of the table, else a key of its metadata column. A content column with a weight is no content here, so that each
-- of its words counts once. Values are printed by their type (concat), since a cast could be the table owner's.
create or replace function pgvec.adopted_lexemes(
    collection pgvec.collections, adopted pgvec.adoptions, row_name text, row_id text default 'null', by_number boolean default false)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  weights constant jsonb := coalesce(collection.settings -> 'weights', '{}');
  column_ constant text := row_name || case when by_number then '.c%2$s' else '.%1$I' end;
  folded  constant boolean := collection.settings @> '{"fold_accents": true}';
  whole   constant text := case when by_number then row_name || '.content' else pgvec.adopted_content(adopted, row_name) end;
  written text := collection.language;
  fields  text;
  content text;
begin
  select string_agg(format('%L, %s', k, case when a.attnum is not null then format('concat(' || column_ || ')', a.attname, a.attnum)
                                             when m.attnum is not null then format(column_ || ' ->> %3$L', m.attname, m.attnum, k)
                                             else 'null' end), ', ')
    into fields
    from jsonb_object_keys(weights) as k
    left join pg_catalog.pg_attribute as a on a.attrelid = collection.base and a.attname = k and a.attnum > 0 and not a.attisdropped
    left join pg_catalog.pg_attribute as m on m.attrelid = collection.base and m.attnum = adopted.metadata_number and m.atttypid in ('json'::regtype, 'jsonb'::regtype)
   where k <> 'content';
  select format('concat_ws(e''\n'', %s)', coalesce(string_agg(format(column_, c.attname, c.attnum), ', ' order by array_position(adopted.content_numbers, c.attnum)), ''''''))
    into content
    from pg_catalog.pg_attribute as c
   where c.attrelid = collection.base
     and c.attnum = any (adopted.content_numbers)
     and not c.attisdropped
     and (c.attname = 'content' or not weights ? c.attname);
  begin
    perform written::regconfig;
  exception when undefined_object then
    written := 'simple';
  end;
  return case
           when fields is null then format('pgvec.lexemes(%L, %s, %L, %s, %L)', written, whole, folded, row_id, collection.name)
           else format('pgvec.weighted_lexemes(%L, %L, jsonb_build_object(%s), %s, %L, %s, %L, %s)', weights, written, fields, content, folded, row_id, collection.name, whole)
         end;
end
$$;
comment on function pgvec.adopted_lexemes(pgvec.collections, pgvec.adoptions, text, text, boolean) is
  'The expression for the lexemes of a row of an adopted table (pgvec.lexemes), with those of its fields that have a weight (pgvec.weighted_lexemes). row_id: an expression for '
  'its key, for warnings; by_number: the row is one of pgvec.adopted_source, whose columns are c1, c2, ...';
revoke all on function pgvec.adopted_lexemes(pgvec.collections, pgvec.adoptions, text, text, boolean) from public;
