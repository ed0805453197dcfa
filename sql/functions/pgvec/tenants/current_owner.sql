-- pgvec.current_owner -- the account that the caller acts for: the user of the token, or without a token that of the setting
-- app.owner_id.
-- The default of the owner's column. It is what auth.uid() says on Supabase, without calling a function of another role's.
create or replace function pgvec.current_owner(by_token boolean default true)
  returns uuid
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
  named  text := case when claims is null then nullif(current_setting('app.owner_id', true), '') when by_token then claims ->> 'sub' end;
begin
  if named ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return named::uuid;
  elsif named is not null and claims is null then
    raise exception using
      errcode = 'PV004',
      message = format('the setting app.owner_id is no uuid: %s', pgvec.shown(named)),
      hint    = 'set it to the key of an account, or to nothing';
  end if;
  return null;
end
$$;
comment on function pgvec.current_owner(boolean) is
  'The account of the caller: sub of the token, if it is a uuid; on a connection without a token the setting app.owner_id. by_token: false for accounts that are no '
  'users, such as organisations: then a token names none. Null where there is none. Raises PV004 for a setting that is no uuid.';
revoke all on function pgvec.current_owner(boolean) from public;
select pgvec.grant_execute('pgvec.current_owner(boolean)', 'reader');
