-- pgvec.store_adopted -- pgvec.store_embeddings for an adopted table, whose hashes may be in a side table and whose ids have
-- their own type.
drop function if exists pgvec.store_adopted(pgvec.collections, text[], text[], extensions.vector[]);
drop function if exists pgvec.store_adopted(pgvec.collections, text[], text[], extensions.vector[], text[]);

create or replace function pgvec.store_adopted(
    target pgvec.collections, ids text[], hashes text[], embeddings extensions.vector[], free text[], made_by int)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  adopted   pgvec.adoptions := pgvec.adopted(target.name);
  side_type text;
  stored    bigint;
begin
  -- other writes of such a vector are the application's, and succeed
  perform pgvec.refuse_vector(v.product, v.id, target.base)
     from (select e.id, s.stored operator(extensions.<#>) s.stored as product
             from unnest(ids, embeddings) as e (id, embedding)
            cross join lateral (select case target.storage when 'halfvec' then e.embedding::extensions.halfvec::extensions.vector else e.embedding end as stored) as s) as v
    where v.product in (0, '-infinity');
  if adopted.side is null then
    execute format(
      $update$
      update %1$s as b
         set %2$I = e.embedding::extensions.%3$I,
             embedded_hash = e.hash
        from unnest($1::%4$s[], $2, $3) as e (id, hash, embedding)
       where b.%5$I = e.id
         and b.content_hash = e.hash
         and b.%5$I = any ($4::%4$s[])
      $update$, target.base, target.embedding_column, target.storage, adopted.id_type, adopted.id_column)
      using ids, hashes, embeddings, free;
    get diagnostics stored = row_count;
  else
    side_type := pgvec.side_type(adopted.side);
    execute format(
      $update$
      update %1$s as b
         set %2$I = e.embedding::extensions.%3$I
        from unnest($1::%4$s[], $1::%7$s[], $2, $3) as e (id, side_id, hash, embedding)
        join %6$s as s on s.id = e.side_id and s.content_hash = e.hash
       where b.%5$I = e.id
         and b.%5$I = any ($4::%4$s[])
      $update$, target.base, target.embedding_column, target.storage, adopted.id_type, adopted.id_column, adopted.side, side_type)
      using ids, hashes, embeddings, free;
    get diagnostics stored = row_count;
    perform pgvec.settle_side(target.name, free, ids, hashes, made_by);
  end if;
  return stored;
end
$$;
comment on function pgvec.store_adopted(pgvec.collections, text[], text[], extensions.vector[], text[], int) is
  'Stores embeddings of an adopted table by id, each only if its row still has the text of that hash; of the rows that pgvec.free_rows has locked (free). made_by: '
  'the number of the model, which a side table keeps. Returns how many. '
  'pgvec.store_embeddings has checked their dimensions. Raises PV005 for a zero vector.';
revoke all on function pgvec.store_adopted(pgvec.collections, text[], text[], extensions.vector[], text[], int) from public;
select pgvec.grant_execute('pgvec.store_adopted(pgvec.collections, text[], text[], extensions.vector[], text[], int)', 'writer');
