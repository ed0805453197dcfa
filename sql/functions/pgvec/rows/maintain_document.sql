-- pgvec.maintain_document -- maintains the derived columns of a collection's table, on every insert and update.
-- content_hash follows the content; embedded_hash is the hash of the content that the embedding was made from, so an embedding is stale exactly when the two
-- differ. A new vector counts as made from the row's present content unless the writer says otherwise by setting embedded_hash. bm25 is computed again
-- where the text changes, and where it is null.
-- Definer, since nobody else may read the parameters of the weights. So nobody but the owner may attach it; it works on the collection's own table only; and
-- where a weaker role owns that, only while its columns have their original types: to read or assign another could run its code. Every row pays for
-- each table that is read, so owners are looked up only where types differ.
-- REST writes null where a row lacks what others of its request have: the default in a new row, while ON CONFLICT keeps metadata and embedding
-- of the one that is there. pgvec.left_out tells the update what its insert lacked. Who means the null sets embedded_hash to null, or updates.
create or replace function pgvec.maintain_document()
  returns trigger
  language plpgsql volatile parallel unsafe
  security definer set search_path = pg_catalog, pg_temp
as $$
declare
  is_new        constant boolean := tg_op = 'INSERT';
  new_text      boolean;
  new_embedding boolean := false;
  new_weights   boolean;
  folded        boolean;
  left_out      text;
  weights       jsonb;  -- of fields besides the content: pgvec.set_weights
  belongs_to    uuid := '00000000-0000-0000-0000-000000000000'::uuid;  -- pgvec.no_tenant
  average       float8;  -- pgvec.bm25_parameters
  k1            float8;
  b             float8;
  original      boolean;  -- the types of columns are
begin
  select c.settings @> '{"fold_accents": true}', c.settings -> 'weights', p.average_length, p.k1, p.b into folded, weights, average, k1, b
    from pgvec.collections as c
    left join pgvec.bm25_parameters as p on p.collection = c.name and p.tenant = belongs_to
   where c.name = tg_argv[1] and (c.base = tg_relid or c.base = pg_partition_root(tg_relid));
  if not found then
    perform pgvec.refuse_trigger(tg_argv[1], tg_relid);
  end if;
  original := array[pg_typeof(new.id), pg_typeof(new.content), pg_typeof(new.metadata), pg_typeof(new.language), pg_typeof(new.embedded_hash), pg_typeof(new.content_hash),
                    pg_typeof(new.fts), pg_typeof(new.created_at), pg_typeof(new.updated_at), pg_typeof(new.embedded_by)]
              = '{text,text,jsonb,text,text,text,tsvector,timestamptz,timestamptz,integer}'::regtype[]
              and pg_typeof(new.bm25) = 'extensions.sparsevec'::regtype and pg_typeof(new.embedding) in ('extensions.vector'::regtype, 'extensions.halfvec'::regtype);
  if tg_argv[2] = 'tenant' then
    original := original and pg_typeof(new.tenant_id) = 'uuid'::regtype;
  end if;
  if not original then
    perform from pg_catalog.pg_class as r where r.oid = tg_relid and pg_get_userbyid(r.relowner) = current_user;
    if not found then
      perform pgvec.refuse_trigger(tg_argv[1], tg_relid);
    end if;
  end if;
  if tg_argv[2] = 'tenant' then
    belongs_to := new.tenant_id;
    select p.average_length, p.k1, p.b into average, k1, b from pgvec.bm25_parameters as p where p.collection = tg_argv[1] and p.tenant = belongs_to;
  end if;

  if is_new then
    if num_nulls(new.metadata, new.embedding) > 0 then
      left_out := set_config('pgvec.left_out', concat(new.metadata is null, new.embedding is null, tg_relid::oid, ' ', belongs_to, new.id), true);
    end if;
    new.id := coalesce(new.id, gen_random_uuid()::text);
    new.created_at := coalesce(new.created_at, now());
    new.updated_at := coalesce(new.updated_at, now());
  elsif substr(current_setting('pgvec.left_out', true), 3) = concat(tg_relid::oid, ' ', belongs_to, new.id) then
    left_out := current_setting('pgvec.left_out');
    new.metadata := case when left_out ~ '^t' and new.metadata = '{}' then old.metadata else new.metadata end;
    new.embedding := case when left_out ~ '^.t' and new.embedding is null and new.embedded_hash is not distinct from old.embedded_hash then old.embedding else new.embedding end;
  end if;
  if jsonb_typeof(new.metadata) is distinct from 'object' and (is_new or new.metadata is distinct from old.metadata) then
    new.metadata := pgvec.document_metadata(new.metadata, new.id);
  end if;
  new_text := is_new or new.content is distinct from old.content or new.language is distinct from old.language or weights is not null and new.metadata is distinct from old.metadata;
  new_weights := not new_text and (new.bm25 is null or new.bm25 operator(extensions.<>) old.bm25);
  if new_text or new.fts is null then  -- null: pgvec.repair_rows wants them anew
    new_text := true;
    new.content_hash := md5(new.content);
    if new.language <> tg_argv[0] then
      new.language := pgvec.text_search_configuration(new.language);
    end if;
    new.fts := case
                 when weights is not null then pgvec.weighted_lexemes(weights, coalesce(new.language, tg_argv[0]), new.metadata, new.content, folded, new.id, tg_argv[1])
                 -- without any of these pgvec.text_lexemes leaves a text as it is
                 when new.content !~ '[^\x01-\x7f]|[./@][^ \n]|[a-z][A-Z]|[+#]' and octet_length(new.content) < 400000
                   then to_tsvector(coalesce(new.language, tg_argv[0])::regconfig, new.content)
                 else pgvec.text_lexemes(coalesce(new.language, tg_argv[0])::regconfig, new.content, folded, new.id, tg_argv[1])
               end;
  else
    new.content_hash := old.content_hash;
    new.fts := old.fts;
  end if;
  if tg_argv[2] = 'tenant' then
    new_text := new_text or belongs_to <> old.tenant_id;
  end if;
  if new_text or new.bm25 is null then
    if k1 is null then
      select s.k1, s.b into k1, b from pgvec.bm25_settings(pgvec.collection(tg_argv[1])) as s;
    end if;
    new.bm25 := pgvec.bm25_vector(
      new.fts, coalesce(average, pgvec.running_length(tg_argv[1], belongs_to, new.fts, new.id)), k1, b,
      case when weights is not null then pgvec.label_weights(weights) end);
  end if;
  if new.embedding is null then
    new.embedded_hash := null;
    new.embedded_by := null;
  else
    new_embedding := is_new or old.embedding is null or new.embedding operator(extensions.<>) old.embedding;
    if new_embedding and new.embedding operator(extensions.<#>) new.embedding in (0, '-infinity') then
      perform pgvec.refuse_vector(new.embedding operator(extensions.<#>) new.embedding, new.id, tg_relid);
    end if;
    if is_new then
      new.embedded_hash := coalesce(new.embedded_hash, new.content_hash);
    elsif new_embedding and new.embedded_hash is not distinct from old.embedded_hash then
      new.embedded_hash := new.content_hash;
      new.embedded_by := nullif(new.embedded_by, old.embedded_by);  -- whoever sets neither does not say what has made it
    end if;
  end if;
  if not (is_new or new_weights) then  -- new weights of the same text are no change
    new.updated_at := now();
  end if;
  return new;
end
$$;
comment on function pgvec.maintain_document() is
  'Trigger of every collection''s table: maintains content_hash, embedded_hash, fts, bm25 and updated_at. Raises PV005 for a zero vector and one beyond single precision, '
  'PV004 on a table that is not the collection''s. Arguments: the text search configuration where a row has no language, the name, and tenant where rows have tenant_id.';
revoke all on function pgvec.maintain_document() from public;
select pgvec.grant_execute('pgvec.maintain_document()', 'owner');
