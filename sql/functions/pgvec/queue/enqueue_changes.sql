-- pgvec.enqueue_changes -- keeps the queue of embedding as the rows of a collection are, after every statement.
-- A row that is stale is queued once, for the text that it has now; another text starts anew, at once due. The same text again
-- changes nothing, so that a row that keeps failing keeps waiting. While the model is changed, the new one has a queue too.
-- Definer, since nobody else may write the queue: so it works on the collection's table only, and not on columns whose type a
-- weaker owner has changed. The arguments are the collection and the key of its table.
create or replace function pgvec.enqueue_changes()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  target    pgvec.collections;
  key       text := quote_ident(tg_argv[1]);
  tenant_of text := quote_literal(pgvec.no_tenant()) || '::uuid';
  stale     text;
  statement text;
  second    text;  -- the queue of the model that the collection is being changed to
  queued    bigint;
begin
  select c.* into target
    from pgvec.collections as c
    join pg_catalog.pg_class as r on r.oid = c.text_table
   where c.name = tg_argv[0]
     and c.text_table = tg_relid
     and (c.text_table <> c.base or c.base = c.relation and pg_get_userbyid(r.relowner) = current_user
          or pgvec.foreign_columns(c) = '{}' and pgvec.lost_columns(c) = '{}');
  if not found then
    return null;
  end if;
  if target.text_table = target.base and target.base <> target.relation then
    key := quote_ident((pgvec.adopted(target.name)).id_column);  -- which may have been renamed
  end if;
  if target.access = 'tenant' then
    tenant_of := 'r.tenant_id';
  end if;

  if target.changing then
    select target.name || '@' || m.model into second from pgvec.model_changes as m where m.collection = target.name and m.state = 'pending';
  end if;

  stale := format(
    $query$
    select %4$s %%s, r.%1$s::text, %2$s, r.content_hash
      from new_rows as r
     where r.%%s is distinct from r.content_hash
       and r.content_hash is not null
       and r.%1$s is not null %3$s
    $query$,
    key, tenant_of,
    case when target.text_table = target.relation then 'and r.content ~ ''\S''' end,  -- elsewhere, no text is not stale
    case when target.text_table <> target.relation and target.text_table = target.base then format('distinct on (r.%s::text)', key) end);
  statement := case tg_op
    when 'TRUNCATE' then 'delete from pgvec.embedding_jobs as j where j.collection in ($1, $2)'
    when 'DELETE' then format('delete from pgvec.embedding_jobs as j using old_rows as r where j.collection in ($1, $2) and j.id = r.%s::text and j.tenant = %s', key, tenant_of)
    else 'insert into pgvec.embedding_jobs as j (collection, id, tenant, content_hash)' || format(stale, '$1', 'embedded_hash')
         || case when second is not null then 'union all' || format(stale, '$2', 'embedded_hash_next') else '' end
         || $query$
            on conflict on constraint embedding_jobs_pkey do update
           set content_hash = excluded.content_hash,
               due_at = excluded.due_at,
               worker = null,
               in_session = null,
               attempts = 0,
               tried_at = null,
               reason = null
         where j.content_hash <> excluded.content_hash
         $query$
    end;
  if current_setting('transaction_isolation') in ('repeatable read', 'serializable') then
    begin
      execute statement using target.name, second;
      get diagnostics queued = row_count;
    exception when serialization_failure then
      return null;  -- a worker has claimed an entry since: what that leaves is mended when it is claimed again
    end;
  else
    execute statement using target.name, second;
    get diagnostics queued = row_count;
  end if;
  if queued > 0 and tg_op in ('INSERT', 'UPDATE') then
    perform pgvec.wake_embedders(target.name);
  end if;
  return null;
end
$$;
comment on function pgvec.enqueue_changes() is
  'Trigger of the table with the hashes of a collection that has a model, after each statement: enters stale rows into pgvec.embedding_jobs, and removes deleted ones. '
  'Arguments: the collection, and the column that identifies its rows.';
revoke all on function pgvec.enqueue_changes() from public;
select pgvec.grant_execute('pgvec.enqueue_changes()', 'owner');
