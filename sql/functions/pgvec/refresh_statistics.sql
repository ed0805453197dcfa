-- pgvec.refresh_statistics -- counts the words of a collection, tenant by tenant, again, and makes the BM25 weights again where they are off.
-- Weights are rows of the table, whose triggers run with whoever writes them: where pgvec.count_statistics left them, since a
-- weaker role owns the table, they are written as the caller, or as that owner where the caller is the stronger one.
create or replace function pgvec.refresh_statistics(collection text, tolerance float8 default 0.05)
  returns table (documents bigint, lexemes bigint, average_length float8, renewed bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(refresh_statistics.collection);
  writer name;
  item   record;
  made_with pgvec.bm25_parameters;
begin
  if tolerance < 0 or tolerance = 'nan' then
    raise exception using
      errcode = 'PV004',
      message = format('tolerance cannot be %s', tolerance),
      hint    = 'the share by which the average length may be off before weights are made again, for example 0.05';
  end if;
  if not pgvec.is_trusted(target.text_table, to_write => true) then
    writer := (select pg_get_userbyid(r.relowner) from pg_catalog.pg_class as r where r.oid = target.text_table and not pg_has_role(r.relowner, current_user, 'member'));
    if writer is null then
      raise exception using
        errcode = 'PV004',
        message = format('triggers of weaker roles could run as %s when %s is written', current_user, target.text_table),
        hint    = 'its partitions have to belong to its owner (alter table ... owner to), and trigger is for nobody else (revoke trigger on ... from ...)';
    end if;
    if not pg_has_role(writer, 'member') then
      writer := null;  -- a peer: the caller writes
    end if;
  end if;

  documents := 0;
  lexemes := 0;
  renewed := 0;
  average_length := 0;  -- the words, for now
  for item in
    select c.* from pgvec.count_statistics(target.name, tolerance) as c
  loop
    if item.due then
      select target.name as collection, item.tenant, item.average_length, item.k1, item.b, item.documents, now() as renewed_at into made_with;
      renewed := renewed + case
                             when writer is null then pgvec.write_weights(target, made_with, false)
                             else pgvec.write_weights_as(writer, target, made_with)
                           end;
    end if;
    renewed := renewed + item.renewed;
    documents := documents + item.documents;
    lexemes := lexemes + item.lexemes;
    average_length := average_length + item.positions;
  end loop;
  average_length := average_length / nullif(documents, 0);
  return next;
end
$$;
comment on function pgvec.refresh_statistics(text, float8) is
  'Counts rows, words and document frequencies of a collection again, and makes its BM25 weights again '
  'where the average length has moved by more than tolerance (a share; null renews all) '
  'or the settings k1 or b have changed. Where rows belong to tenants: those of the caller''s tenants, or all for who sees all rows. '
  'Returns the rows, the lexemes (each counts in each tenant), the average length in words and the rows whose weights are new. '
  'Raises PV001, PV004 for a tolerance below 0, a table that cannot be counted, and one on which weaker roles may make triggers.';
revoke all on function pgvec.refresh_statistics(text, float8) from public;
select pgvec.grant_execute('pgvec.refresh_statistics(text, float8)', 'writer');
