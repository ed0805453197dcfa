-- pgvec.build_adoption -- creates what an adopted table needs to be searched: lexemes and hashes, the triggers that maintain
-- them, and what the searches read.
-- Existing vectors count as made from the present text. Nothing refers to the table but its triggers: a foreign key would
-- refuse TRUNCATE, a view or a policy that names its columns ALTER TABLE.
create or replace function pgvec.build_adoption(adopted pgvec.adoptions, in_table boolean)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target     pgvec.collections := pgvec.collection(adopted.collection);
  content    text := pgvec.adopted_content(adopted, 'b');
  side_table text := format('pgvec.%I', 'side_' || adopted.collection);
  made       text;
  lexemes    text;
  readers    text := (select string_agg(quote_ident(r), ', ') from pgvec.roles('reader') as r);
begin
  made := format('case when b.%I is not null or %s !~ ''\S'' then md5(%s) end', target.embedding_column, content, content);
  lexemes := format('pgvec.lexemes(%L, %s, false, b.%I::text, %L)', target.language, content, adopted.id_column, target.name);
  if in_table then
    execute format('update %s as b set fts = %s, content_hash = md5(%s), embedded_hash = %s', target.base, lexemes, content, made);
    execute format('create index %I on %s using gin (fts)', adopted.collection || '_fts_idx', target.base);
  else
    execute format('create %s table %s (id %s %s primary key, fts tsvector, bm25 extensions.sparsevec(268435456), content_hash text not null, embedded_hash text, embedded_by int)',
                   (select case r.relpersistence when 'u' then 'unlogged' end from pg_catalog.pg_class as r where r.oid = target.base),
                   side_table, pgvec.key_type(adopted.id_type),
                   (select format('collate %I.%I', n.nspname, o.collname)
                      from pg_catalog.pg_attribute as a
                      join pg_catalog.pg_collation as o on o.oid = a.attcollation
                      join pg_catalog.pg_namespace as n on n.oid = o.collnamespace
                     where a.attrelid = target.base and a.attname = adopted.id_column));
    execute format('comment on table %s is %L', side_table, format('Lexemes and hashes of the adopted table %s, kept by trigger.', target.base));
    execute format('insert into %s (id, fts, content_hash, embedded_hash) select b.%I, %s, md5(%s), %s from %s as b where b.%2$I is not null',
                   side_table, adopted.id_column, lexemes, content, made, target.base);
    execute format('create index %I on %s using gin (fts)', adopted.collection || '_fts_idx', side_table);
    update pgvec.adoptions as a set side = side_table::regclass where a.collection = adopted.collection returning a.* into adopted;

    perform pgvec.protect_side(adopted.collection);
  end if;

  update pgvec.collections as c
     set relation = pgvec.make_view(adopted.collection), text_table = coalesce(adopted.side, c.base)
   where c.name = adopted.collection;
  select c.* into target from pgvec.collections as c where c.name = adopted.collection;
  perform pgvec.renew_adoption(target);
  perform pgvec.attach_triggers(adopted.collection);
  perform pgvec.keep_queue(adopted.collection);
  perform pgvec.refresh_statistics(adopted.collection);
  if not in_table then
    perform pgvec.hide_statistics(adopted.collection);
    if readers is not null then
      execute format('grant select on %s to %s', side_table, readers);
    end if;
  end if;
end
$$;
comment on function pgvec.build_adoption(pgvec.adoptions, boolean) is
  'Creates the side table (or fills the columns of the table itself), the triggers and the view of an adoption, and registers what searches read.';
revoke all on function pgvec.build_adoption(pgvec.adoptions, boolean) from public;
