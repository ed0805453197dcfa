-- pgvec.build_adoption -- creates what an adopted table needs to be searched: lexemes and hashes, the trigger that maintains
-- them, and the view that the searches read.
-- Existing vectors count as made from the present text.
create or replace function pgvec.build_adoption(adopted pgvec.adoptions, in_table boolean)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target     pgvec.collections := pgvec.collection(adopted.collection);
  content    text := pgvec.adopted_content(adopted, 'b');
  side_table text := format('pgvec.%I', 'side_' || adopted.collection);
  view_name  text := format('pgvec.%I', 'adopted_' || adopted.collection);
  readers    text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
begin
  if in_table then
    execute format('update %s as b set fts = to_tsvector(%L::regconfig, %s), content_hash = md5(%s), embedded_hash = case when b.%I is not null then md5(%s) end',
                   target.base, target.language, content, content, target.embedding_column, content);
    execute format('create index %I on %s using gin (fts)', adopted.collection || '_fts_idx', target.base);
  else
    execute format('create table %s (id %s primary key references %s (%I) on update cascade on delete cascade, '
                   'fts tsvector, bm25 extensions.sparsevec(268435456), content_hash text not null, embedded_hash text)',
                   side_table, adopted.id_type, target.base, adopted.id_column);
    execute format('comment on table %s is %L', side_table, format('Lexemes and hashes of the adopted table %s, kept by trigger.', target.base));
    execute format('insert into %s (id, fts, content_hash, embedded_hash) '
                   'select b.%I, to_tsvector(%L::regconfig, %s), md5(%s), case when b.%I is not null then md5(%s) end from %s as b',
                   side_table, adopted.id_column, target.language, content, content, target.embedding_column, content, target.base);
    execute format('create index %I on %s using gin (fts)', adopted.collection || '_fts_idx', side_table);
    update pgvec.adoptions as a set side = side_table::regclass where a.collection = adopted.collection returning a.* into adopted;

    perform pgvec.protect_side(adopted.collection);
  end if;

  execute pgvec.adopted_view(target, adopted, view_name);
  update pgvec.collections as c
     set relation = view_name::regclass, text_table = coalesce(adopted.side, c.base)
   where c.name = adopted.collection;
  perform pgvec.attach_triggers(adopted.collection);
  perform pgvec.refresh_statistics(adopted.collection);
  if not in_table then
    perform pgvec.hide_statistics(adopted.collection);
  end if;
  if readers is not null then
    execute format('grant select on %s to %s', view_name, readers);
    if not in_table then
      execute format('grant select on %s to %s', side_table, readers);
    end if;
  end if;
end
$$;
comment on function pgvec.build_adoption(pgvec.adoptions, boolean) is
  'Creates the side table (or fills the columns of the table itself), the trigger and the view of an adoption, and points the collection at the view.';
revoke all on function pgvec.build_adoption(pgvec.adoptions, boolean) from public;
