-- pgvec.document_metadata -- metadata that is no object, as one: null is empty, and a string that is JSON is parsed, as filters are.
-- Anything else would be found by no filter.
create or replace function pgvec.document_metadata(metadata jsonb, id text)
  returns jsonb
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb := coalesce(nullif(metadata, 'null'), '{}');
begin
  if jsonb_typeof(wanted) = 'string' then
    begin
      wanted := (wanted #>> '{}')::jsonb;
    exception when data_exception or statement_too_complex then
      null;  -- refused below
    end;
  end if;
  if jsonb_typeof(wanted) <> 'object' then
    raise exception using
      errcode = 'PV004',
      message = format('the metadata of row %s is of type %s, not an object: %s', pgvec.shown(id), jsonb_typeof(metadata), left(metadata::text, 80)),
      hint    = 'store an object such as {"lang": "en"}; of a list, {"tags": [...]}';
  end if;
  return wanted;
end
$$;
comment on function pgvec.document_metadata(jsonb, text) is
  'The metadata of a row, whose id is for the message, as an object: null is {}, a string that is JSON is parsed. Raises PV004 for anything else.';
revoke all on function pgvec.document_metadata(jsonb, text) from public;
select pgvec.grant_execute('pgvec.document_metadata(jsonb, text)', 'owner');
