-- pgvec.parse_filter -- the filter argument of a search as an object.
-- Clients send null for "no filter", and some send the object as a JSON string, which would silently match nothing.
-- The limits keep a hostile filter from costing more than a search: a jsonpath is walked by recursion.
create or replace function pgvec.parse_filter(filter jsonb)
  returns jsonb
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  wanted jsonb := coalesce(filter, '{}');
begin
  if jsonb_typeof(wanted) = 'string' then
    begin
      wanted := (wanted #>> '{}')::jsonb;
    exception when data_exception or statement_too_complex then
      raise exception using
        errcode = 'PV003',
        message = format('the filter is a string that is not JSON: %s', left(filter::text, 80)),
        hint    = 'pass an object such as {"lang": "en"}, not its text';
    end;
  end if;

  if jsonb_typeof(wanted) = 'null' then
    return '{}'::jsonb;
  end if;
  if jsonb_typeof(wanted) <> 'object' then
    raise exception using
      errcode = 'PV003',
      message = format('the filter is of type %s, not an object', jsonb_typeof(wanted)),
      hint    = 'pass an object such as {"lang": "en"}: rows whose metadata contains it';
  end if;

  if length(wanted::text) > 65536 then
    raise exception using
      errcode = 'PV003',
      message = format('the filter has %s characters, more than 65536', length(wanted::text)),
      hint    = 'mark the rows you mean in their metadata, and filter by that';
  end if;
  if wanted @? 'strict $.**{13}' then
    raise exception using
      errcode = 'PV003',
      message = 'the filter is nested deeper than 12 levels',
      hint    = 'flatten it: {"$and": [{"$and": [a, b]}, c]} is {"$and": [a, b, c]}';
  end if;
  return wanted;
end
$$;
comment on function pgvec.parse_filter(jsonb) is
  'The filter argument of a search as an object: null is {}, a JSON string is parsed. '
  'Raises PV003 for anything else, for more than 65,536 characters and for more than 12 levels.';
revoke all on function pgvec.parse_filter(jsonb) from public;
select pgvec.grant_execute('pgvec.parse_filter(jsonb)', 'reader');
