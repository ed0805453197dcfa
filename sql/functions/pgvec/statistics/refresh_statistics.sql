-- pgvec.refresh_statistics -- counts the words of a collection again, tenant by tenant, and renews the BM25 weights that are
-- off.
-- Weights are in rows of the table, whose triggers run with the rights of the role that writes them. Where a weaker role owns
-- the table, pgvec.count_statistics leaves the weights, and that owner writes them by calling this; a stronger caller does not,
-- not even by SET ROLE: code that runs then can reset the role.
create or replace function pgvec.refresh_statistics(collection text, tolerance float8 default 0.05)
  returns table (documents bigint, lexemes bigint, average_length float8, renewed bigint)
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(refresh_statistics.collection);
  item   record;
  made_with pgvec.bm25_parameters;
begin
  if tolerance < 0 or tolerance = 'nan' then
    raise exception using
      errcode = 'PV004',
      message = format('tolerance cannot be %s', tolerance),
      hint    = 'the share by which the average length may be off before weights are made again, for example 0.05';
  end if;
  documents := 0;
  lexemes := 0;
  renewed := 0;
  average_length := 0;  -- the sum of the words, until it is divided
  for item in
    select c.* from pgvec.count_statistics(target.name, tolerance) as c
  loop
    if item.due and pgvec.is_trusted(target.text_table, to_write => true) then
      select target.name as collection, item.tenant, item.average_length, item.k1, item.b, item.documents, now() as renewed_at into made_with;
      renewed := renewed + pgvec.write_weights(target, made_with, false);
    end if;
    renewed := renewed + item.renewed;
    documents := documents + item.documents;
    lexemes := lexemes + item.lexemes;
    average_length := average_length + item.positions;
  end loop;
  average_length := average_length / nullif(documents, 0);
  if not pgvec.is_trusted(target.text_table, to_write => true) then
    raise notice using
      message = format('the weights in %s stay as they are', target.text_table),
      hint    = format('its triggers would run as %s; its owner (%s, granted pgvec_writer) writes them: select * from pgvec.refresh_statistics(%L)',
                       current_user, (select pg_get_userbyid(r.relowner) from pg_catalog.pg_class as r where r.oid = target.text_table), target.name);
  end if;
  return next;
end
$$;
comment on function pgvec.refresh_statistics(text, float8) is
  'Counts rows, words and document frequencies of a collection again, and renews its BM25 weights where the average length has moved by more than tolerance (a '
  'share; null renews all) or the settings k1 or b have changed. Where rows belong to tenants: those of the caller''s tenants, or all if the caller sees all rows. '
  'Returns the rows, the lexemes (counted once in each tenant), the average length in words and the rows whose weights are new; weights in a weaker role''s table '
  'are left to that role, with a notice. Raises PV001, PV004 for a tolerance below 0 and a table that cannot be counted.';
revoke all on function pgvec.refresh_statistics(text, float8) from public;
select pgvec.grant_execute('pgvec.refresh_statistics(text, float8)', 'writer');
