-- pgvec.check_new_collection -- PV004 unless a collection of that name can be created.
create or replace function pgvec.check_new_collection(name text)
  returns void
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
begin
  if name is null or name !~ '^[a-z_][a-z0-9_]{0,47}$' then
    raise exception using
      errcode = 'PV004',
      message = format('%s cannot be the name of a collection', pgvec.shown(name)),
      hint    = 'lower-case letters, digits and _, not beginning with a digit, at most 48 characters';
  end if;
  if exists (select from pgvec.collections as c where c.name = check_new_collection.name) then
    raise exception using
      errcode = 'PV004',
      message = format('there is a collection %L already', name),
      hint    = format('choose another name, or drop it: select pgvec.drop_collection(%1$L), or pgvec-admin collection drop %1$s', name);
  end if;
end
$$;
comment on function pgvec.check_new_collection(text) is 'Raises PV004 for a name that no collection can have, and for one that is taken.';
revoke all on function pgvec.check_new_collection(text) from public;
