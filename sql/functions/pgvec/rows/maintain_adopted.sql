-- pgvec.maintain_adopted -- maintains what an adopted table has in its side table, or in its added columns, on insert and
-- update.
-- As in pgvec.maintain_document, a new vector counts as made from the row's present content. A row without text has nothing to
-- embed. The table is the application's, so no write of its rows fails here: a vector that no search can compare is left for
-- pgvec.verify_rows to report, and a row without a key is not searched.
-- Definer, since roles that write the table have no rights on the side table; it writes only the row at hand. Where the table's
-- owner has changed the type of a column that it uses, it leaves the row alone instead of running that owner's casts: verify
-- reports it.
create or replace function pgvec.maintain_adopted()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target   pgvec.collections;
  adopted  pgvec.adoptions;
  text_now text;
  fresh    boolean;  -- a vector that was not there before; null where there is none
  id       text;
  moved    text;     -- the key before, where it is another now
  settled  text;     -- hash of the text that the vector was made from, where this write says so
  lexemes  tsvector;
  made_with pgvec.bm25_parameters;
begin
  select c.* into target
    from pgvec.collections as c
   where c.name = tg_argv[0]
     and (c.base = tg_relid or c.base in (select a from pg_partition_ancestors(tg_relid) as a));
  if not found then
    perform pgvec.refuse_trigger(tg_argv[0], tg_relid);
  end if;
  target := pgvec.renew_adoption(target);
  adopted := pgvec.adopted(target.name);
  if adopted.id_column is null or pgvec.foreign_columns(target) <> '{}' or adopted.side is null and cardinality(adopted.added_columns) < 4 then
    return new;
  end if;
  execute format(
    $query$
    select %1$s, ($1).%2$I::text, nullif(($2).%2$I::text, ($1).%2$I::text), %3$s
    $query$, pgvec.adopted_content(adopted, '($1)'), adopted.id_column,
    case when target.source_columns is null then 'null::boolean'
         else format('case when ($1).%1$I is not null then coalesce(($1).%1$I operator(extensions.<>) ($2).%1$I, true) end', target.embedding_column) end)
    into text_now, id, moved, fresh
    using new, case when tg_op = 'UPDATE' then old end;

  if target.settings ? 'weights' then
    execute 'select ' || pgvec.adopted_lexemes(target, adopted, '($1)', '$2') into lexemes using new, id;
  else
    lexemes := pgvec.lexemes(target.language, text_now, target.settings @> '{"fold_accents": true}', id, target.name);
  end if;
  select p.* into made_with
    from pgvec.bm25_parameters as p
   where p.collection = target.name
     and p.tenant = pgvec.no_tenant();
  settled := case when fresh or fresh is null and text_now !~ '\S' then md5(text_now) end;
  if adopted.side is null then
    if new.bm25 is null or tg_op = 'INSERT' or new.content_hash is distinct from md5(text_now) or new.fts is distinct from lexemes then
      new.bm25 := pgvec.bm25_vector(lexemes, made_with.average_length, made_with.k1, made_with.b, pgvec.label_weights(target.settings -> 'weights'));
    end if;
    new.fts := lexemes;
    new.content_hash := md5(text_now);
    if fresh is null then
      new.embedded_hash := settled;
    elsif fresh and (tg_op = 'INSERT' or new.embedded_hash is not distinct from old.embedded_hash) then
      new.embedded_hash := settled;
    end if;
    return new;
  elsif id is null then
    return null;
  end if;

  if moved is not null then
    if fresh is false then
      execute format('select s.embedded_hash from %s as s where s.id = $1::%s', adopted.side, pgvec.side_type(adopted.side)) into settled using moved;
    end if;
    -- unless another row has taken the old key by now; where policies hide rows from the owner, pgvec.repair_rows removes what is of no row
    if not row_security_active(target.base) then
      execute format('delete from %s as s where s.id = $1::%s and not exists (select from %s as b where b.%I = $1::%s)',
                     adopted.side, pgvec.side_type(adopted.side), target.base, adopted.id_column, adopted.id_type)
        using moved;
    end if;
  end if;
  execute format(
    $query$
    insert into %1$s as s (id, fts, bm25, content_hash, embedded_hash)
    values ($1::%2$s, $2, $5, md5($3), $6)
    on conflict (id) do update
       set fts = excluded.fts,
           bm25 = excluded.bm25,
           content_hash = excluded.content_hash,
           embedded_hash = case when $4 then excluded.embedded_hash else s.embedded_hash end,
           embedded_by = case when not $4 then s.embedded_by end
    $query$, adopted.side, pgvec.side_type(adopted.side))
    using id, lexemes, text_now, fresh is distinct from false or moved is not null,
          pgvec.bm25_vector(lexemes, made_with.average_length, made_with.k1, made_with.b, pgvec.label_weights(target.settings -> 'weights')), settled;
  return null;
end
$$;
comment on function pgvec.maintain_adopted() is
  'Trigger of an adopted table: maintains fts, bm25, content_hash and embedded_hash in its side table or its added columns. '
  'PV004 on a table that is not the collection''s. Argument: the collection.';
revoke all on function pgvec.maintain_adopted() from public;
select pgvec.grant_execute('pgvec.maintain_adopted()', 'owner');
