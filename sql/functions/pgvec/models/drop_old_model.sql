-- pgvec.drop_old_model -- removes the vectors of the model that a collection had before.
-- The indexes go at once. The vectors stay in the table, unread, until their rows are written again.
create or replace function pgvec.drop_old_model(collection text)
  returns bigint
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
  set lock_timeout = '300ms'
as $$
declare
  target pgvec.collections := pgvec.collection(drop_old_model.collection);
  bytes  bigint;
begin
  if not exists (select from pgvec.model_changes as m where m.collection = target.name and m.state = 'old') then
    perform pgvec.refuse_change(target.name);
  end if;
  bytes := (select s.column_bytes from pgvec.model_change_status(target.name) as s);
  execute format('alter table %s drop column if exists embedding_old, drop column if exists embedded_hash_old, drop column if exists embedded_by_old', target.base);
  delete from pgvec.model_changes as m where m.collection = target.name;
  perform pg_notify('pgrst', 'reload schema');
  return bytes;
end
$$;
comment on function pgvec.drop_old_model(text) is
  'Removes the vectors and indexes of the model that a collection had before pgvec.finish_model_change; queries of its dimensions then raise PV002. Returns about '
  'how many bytes '
  'of vectors stay in the table until its rows are written again, or VACUUM FULL rewrites it. Raises PV001, PV004 where there is no old model, 55P03 where the table '
  'is in use.';
revoke all on function pgvec.drop_old_model(text) from public;
