-- Removes the registry. Refuses while there are collections: their rows are the user's.
do $$
declare
  names text := (select string_agg(c.name, ', ' order by c.name) from pgvec.collections as c);
begin
  if names is not null then
    raise exception using
      errcode = 'PV004',
      message = format('there are collections: %s', names),
      hint    = 'drop them first: select pgvec.drop_collection(name), or pgvec-admin collection drop NAME';
  end if;
end
$$;

drop table if exists pgvec.collections;
