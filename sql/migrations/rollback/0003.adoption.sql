-- Refuses while there are adopted tables: pgvec.release_collection(name) first undoes what was added to them.
do $$
declare
  names text := (select string_agg(a.collection, ', ' order by a.collection) from pgvec.adoptions as a);
begin
  if names is not null then
    raise exception using
      errcode = 'PV004',
      message = format('there are adopted tables: %s', names),
      hint    = 'release them first: select pgvec.release_collection(name), or pgvec-admin collection release NAME';
  end if;
end
$$;

drop table if exists pgvec.adoptions;
alter table pgvec.collections drop column if exists embedding_column;
alter table pgvec.collections drop column if exists base;
