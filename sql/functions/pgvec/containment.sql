-- pgvec.containment -- the filter argument of a search as the object that metadata must contain.
-- Clients send null for "no filter", and some send the object as a JSON string, which would silently match nothing.
create or replace function pgvec.containment(filter jsonb)
  returns jsonb
  language plpgsql immutable parallel safe
  security invoker set search_path = ''
as $$
declare
  wanted jsonb := coalesce(filter, '{}');
  operator_key text;
begin
  if jsonb_typeof(wanted) = 'string' then
    begin
      wanted := (wanted #>> '{}')::jsonb;
    exception when invalid_text_representation or untranslatable_character then
      raise exception using
        errcode = 'PV003',
        message = format('the filter is a string that is not JSON: %s', left(filter::text, 80)),
        hint    = 'pass an object such as {"lang": "en"}, not its text';
    end;
  end if;

  if jsonb_typeof(wanted) = 'null' then
    return '{}';
  end if;
  if jsonb_typeof(wanted) <> 'object' then
    raise exception using
      errcode = 'PV003',
      message = format('the filter is of type %s, not an object', jsonb_typeof(wanted)),
      hint    = 'pass an object such as {"lang": "en"}: rows whose metadata contains it';
  end if;

  operator_key := jsonb_path_query_first(wanted, '$.** ? (@.type() == "object").keyvalue().key ? (@ starts with "$")') #>> '{}';
  if operator_key is not null then
    raise exception using
      errcode = 'PV003',
      message = format('unknown filter operator %s', operator_key),
      hint    = 'there are no operators yet: a filter is an object that metadata must contain, such as {"lang": "en"}';
  end if;
  return wanted;
end
$$;
comment on function pgvec.containment(jsonb) is
  'The object that metadata must contain (@>) for a filter argument: null is {}, a JSON string is parsed. Raises PV003 for anything else.';
revoke all on function pgvec.containment(jsonb) from public;
select pgvec.grant_execute('pgvec.containment(jsonb)', 'reader');
