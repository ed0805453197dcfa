-- pgvec.keep_vectors -- keeps small vectors in the rows of a collection's table, and what stands beside them.
-- A row beyond 2 KB has its vector moved out of line, and an exact scan then takes four times as long. Small vectors stay in
-- the row, and so do 2.5 KB of text, lexemes and weights beside them, up to two rows a page: compressing them or moving them
-- out makes loading a tenth slower.
create or replace function pgvec.keep_vectors(relation regclass, dimensions int, storage text)
  returns void
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  part         regclass;
  vector_bytes constant bigint := dimensions::bigint * (case storage when 'vector' then 4 else 2 end);
begin
  if vector_bytes <= 2048 then
    execute format('alter table %s alter column embedding set storage main', relation);
  end if;
  for part in
    select p from pgvec.partitions(relation) as p
  loop
    if vector_bytes <= 2048 then
      execute format('alter table %s set (toast_tuple_target = %s)', part, least(4080, vector_bytes + 2536));
    elsif exists (select from pg_catalog.pg_class as r where r.oid = part and r.reloptions::text like '%toast_tuple_target%') then
      execute format('alter table %s reset (toast_tuple_target)', part);
    end if;
  end loop;
end
$$;
comment on function pgvec.keep_vectors(regclass, int, text) is
  'Sets storage and toast_tuple_target of a collection''s table, and of its partitions, for vectors of these dimensions and this type.';
revoke all on function pgvec.keep_vectors(regclass, int, text) from public;
