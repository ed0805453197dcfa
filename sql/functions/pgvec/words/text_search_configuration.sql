-- pgvec.text_search_configuration -- the text search configuration of a language, or PV004.
create or replace function pgvec.text_search_configuration(language text)
  returns text
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  configuration text;
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
    raise exception using
      errcode = 'PV004',
      message = format('there is no text search configuration %s', pgvec.shown(language)),
      hint    = format('one of: %s', (select string_agg(t.cfgname, ', ' order by t.cfgname) from pg_catalog.pg_ts_config as t));
  end if;
  return configuration;
end
$$;
comment on function pgvec.text_search_configuration(text) is 'The full name of a text search configuration. Raises PV004 for an unknown one, and lists the known ones.';
revoke all on function pgvec.text_search_configuration(text) from public;
select pgvec.grant_execute('pgvec.text_search_configuration(text)', 'reader');
