-- pgvec.verify -- every check that can be made from within the database, for psql.
-- pgvec-admin verify makes them one by one, each within its time, and compares functions and migrations with its own files besides.
create or replace function pgvec.verify(collection text default null, seconds float8 default 10)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item  text;
  check_of text;
begin
  if verify.collection is null then
    return query select * from pgvec.verify_server();
    return query select * from pgvec.verify_installation();
    return query select * from pgvec.verify_grants();
  elsif pgvec.collection_checks(verify.collection) is null then
    perform pgvec.collection(verify.collection);  -- which says so
  end if;
  for item in
    select c.name from pgvec.collections as c where verify.collection is null or c.name = verify.collection order by c.name
  loop
    foreach check_of in array coalesce(pgvec.collection_checks(item), '{}') loop  -- dropped meanwhile
      return query execute format('select * from %s($1)', check_of) using item;
    end loop;
    if cardinality(pgvec.collection_checks(item)) > 1 then
      return query select * from pgvec.verify_search(item, seconds);
    end if;
  end loop;
end
$$;
comment on function pgvec.verify(text, float8) is
  'What pgvec-admin verify checks, but for what it compares with its own files: the server, the engine''s functions and tables, '
  'and each collection, or only the one that is named; seconds bounds the searches of each. Reads only. Raises PV001.';
revoke all on function pgvec.verify(text, float8) from public;
