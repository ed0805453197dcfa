-- pgvec.reads_text -- true where the caller may read each column of an adopted table's text; else the server's own error,
-- 42501.
-- Policies of side tables call it, once a query. It reads the columns by name in a separate query: a policy that refers to the
-- columns would keep the application from altering them.
create or replace function pgvec.reads_text(collection text)
  returns boolean
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  statement constant text := (
    select format('select %s from %s as b where false', string_agg(format('b.%I', t.name), ', '), c.base)
      from pgvec.collections as c
     cross join lateral pgvec.adopted(c.name) as a
     cross join lateral (
           select unnest(a.content_columns || a.id_column)
            union
           select coalesce(w.attname, a.metadata_column)  -- of fields with a weight: pgvec.set_weights
             from jsonb_object_keys(coalesce(c.settings -> 'weights', '{}')) as k
             left join pg_catalog.pg_attribute as w on w.attrelid = c.base and w.attname = k and w.attnum > 0 and not w.attisdropped
            where k <> 'content') as t (name)
     where c.name = reads_text.collection
       and t.name is not null
     group by c.base);
begin
  if statement is not null then
    execute statement;
  end if;
  return true;
end
$$;
comment on function pgvec.reads_text(text) is
  'True where the caller may read the columns that make up the text of an adopted collection; raises 42501 otherwise.';
revoke all on function pgvec.reads_text(text) from public;
select pgvec.grant_execute('pgvec.reads_text(text)', 'reader');
