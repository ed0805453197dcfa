-- pgvec.maintain_adopted -- maintains what an adopted table has in its side table, or in its added columns, on insert and
-- update.
-- As in pgvec.maintain_document, a new vector counts as made from the row's present content.
-- Definer, since roles that write the table have no rights on the side table; it writes only the row at hand. Where the table's
-- owner has changed the type of a column that it uses, it leaves the row alone instead of running that owner's casts or failing
-- the application's write: verify reports it.
create or replace function pgvec.maintain_adopted()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target  pgvec.collections;
  adopted pgvec.adoptions;
  text_now text;
  fresh   boolean;  -- a vector that was not there before; null where there is none
  product float8;
  id      text;
  lexemes tsvector;
  made_with pgvec.bm25_parameters;
begin
  select c.* into target
    from pgvec.collections as c
   where c.name = tg_argv[0]
     and (c.base = tg_relid or c.base = pg_partition_root(tg_relid));
  if not found then
    perform pgvec.refuse_trigger(tg_argv[0], tg_relid);
  elsif pgvec.foreign_columns(target) <> '{}' then
    return new;
  end if;
  select a.* into adopted from pgvec.adoptions as a where a.collection = target.name;
  execute format(
    $query$
    select %1$s, ($1).%2$I::text,
           case when ($1).%3$I is not null then coalesce(($1).%3$I operator(extensions.<>) ($2).%3$I, true) end
    $query$, pgvec.adopted_content(adopted, '($1)'), adopted.id_column, target.embedding_column)
    into text_now, id, fresh
    using new, case when tg_op = 'UPDATE' then old end;

  if fresh then
    execute format('select ($1).%1$I operator(extensions.<#>) ($1).%1$I', target.embedding_column)
      into product
      using new;
    if product in (0, '-infinity') then
      raise exception using
        errcode = 'PV005',
        message = format('the embedding of row %s of %I.%I is %s', pgvec.shown(id), tg_table_schema, tg_table_name,
                         case product when 0 then 'a zero vector' else 'too long a vector to compare' end),
        hint    = 'a zero vector has no direction, and lengths beyond 1.8e19 overflow; store null until there is an embedding';
    end if;
  end if;

  lexemes := to_tsvector(target.language::regconfig, text_now);
  select p.* into made_with
    from pgvec.bm25_parameters as p
   where p.collection = target.name
     and p.tenant = pgvec.no_tenant();
  if adopted.side is null then
    if new.bm25 is null or tg_op = 'INSERT' or new.content_hash is distinct from md5(text_now) then
      new.bm25 := pgvec.bm25_vector(lexemes, made_with.average_length, made_with.k1, made_with.b);
    end if;
    new.fts := lexemes;
    new.content_hash := md5(text_now);
    if fresh is null then
      new.embedded_hash := null;
    elsif fresh and (tg_op = 'INSERT' or new.embedded_hash is not distinct from old.embedded_hash) then
      new.embedded_hash := new.content_hash;
    end if;
    return new;
  end if;

  execute format(
    $query$
    insert into %1$s as s (id, fts, bm25, content_hash, embedded_hash)
    values ($1::%2$s, $2, $5, md5($3), case when $4 then md5($3) end)
    on conflict (id) do update
       set fts = excluded.fts,
           bm25 = excluded.bm25,
           content_hash = excluded.content_hash,
           embedded_hash = case when $4 then excluded.embedded_hash when not $4 then s.embedded_hash end
    $query$, adopted.side, adopted.id_type)
    using id, lexemes, text_now, fresh, pgvec.bm25_vector(lexemes, made_with.average_length, made_with.k1, made_with.b);
  return null;
end
$$;
comment on function pgvec.maintain_adopted() is
  'Trigger of an adopted table: maintains fts, bm25, content_hash and embedded_hash in its side table or its added columns, and raises PV005 for a zero vector and '
  'one beyond single precision. PV004 on a table that is not the collection''s. Argument: the collection.';
revoke all on function pgvec.maintain_adopted() from public;
select pgvec.grant_execute('pgvec.maintain_adopted()', 'owner');
