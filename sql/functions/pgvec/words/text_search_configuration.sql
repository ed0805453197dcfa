-- pgvec.text_search_configuration -- the text search configuration of a language, or PV004.
-- One outside pg_catalog is found by its plain name where there is no other of that name: no caller has its schema in the path here.
create or replace function pgvec.text_search_configuration(language text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  configuration text;
  namesakes     text[];
begin
  begin
    -- by oid, since regconfig accepts any number as a name
    select t.oid::regconfig::text into configuration
      from pg_catalog.pg_ts_config as t
     where t.oid = language::regconfig
       and t.cfgnamespace <> pg_my_temp_schema()  -- this session's only
       and not pg_is_other_temp_schema(t.cfgnamespace);
  exception when undefined_object or invalid_schema_name or invalid_name or syntax_error or feature_not_supported then
    configuration := null;
  end;
  if configuration is null then
    select array_agg(t.oid::regconfig::text order by t.oid::regconfig::text) into namesakes
      from pg_catalog.pg_ts_config as t
     where t.cfgname = language
       and t.cfgnamespace <> pg_my_temp_schema()
       and not pg_is_other_temp_schema(t.cfgnamespace);
    if cardinality(namesakes) = 1 then
      return namesakes[1];
    end if;
    raise exception using
      errcode = 'PV004',
      message = case when namesakes is null then format('there is no text search configuration %s', pgvec.shown(language))
                     else format('there are several text search configurations %s', pgvec.shown(language)) end,
      hint    = format('one of: %s', coalesce(array_to_string(namesakes, ', '),
                                              (select string_agg(t.oid::regconfig::text, ', ' order by t.oid::regconfig::text) from pg_catalog.pg_ts_config as t)));
  end if;
  return configuration;
end
$$;
comment on function pgvec.text_search_configuration(text) is
  'The full name of a text search configuration, with its schema unless that is pg_catalog. Raises PV004 for an unknown one, and lists the known ones, and for the plain '
  'name of several.';
revoke all on function pgvec.text_search_configuration(text) from public;
select pgvec.grant_execute('pgvec.text_search_configuration(text)', 'reader');
