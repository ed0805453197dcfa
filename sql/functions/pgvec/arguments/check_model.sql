-- pgvec.check_model -- PV004 unless a text names an embedding model.
create or replace function pgvec.check_model(model text)
  returns void
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(model, '') !~ '^[a-z]+:.' or length(model) > 500 then
    raise exception using
      errcode = 'PV004',
      message = format('%s is no model', pgvec.shown(model)),
      hint    = 'provider:name, for example local:all-MiniLM-L6-v2 or openai:text-embedding-3-small';
  end if;
end
$$;
comment on function pgvec.check_model(text) is 'Raises PV004 for anything but provider:name, and for more than 500 characters.';
revoke all on function pgvec.check_model(text) from public;
