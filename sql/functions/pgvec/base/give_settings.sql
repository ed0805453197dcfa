-- pgvec.give_settings -- sets settings for the transaction; returns what they were, to be given back in the same way.
create or replace function pgvec.give_settings(settings jsonb)
  returns jsonb
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  before jsonb := (select coalesce(jsonb_object_agg(s.key, coalesce(current_setting(s.key, true), '')), '{}') from jsonb_each_text(settings) as s);
begin
  perform set_config(s.key, coalesce(s.value, ''), true) from jsonb_each_text(settings) as s;
  return before;
end
$$;
comment on function pgvec.give_settings(jsonb) is
  'Sets each setting of an object for the transaction: an object or a list as its JSON text, null as the empty text. Returns the values before.';
revoke all on function pgvec.give_settings(jsonb) from public;
