-- pgvec.verify -- every check that can be made from within the database, for psql.
-- pgvec-admin verify makes them one by one, each with a time limit, and also compares functions and migrations with its own
-- files.
-- PostgreSQL cannot choose between a function and one of the same name with the same arguments and further optional ones,
-- however it is called. Such a check is reported as impossible, and the others go on.
create or replace function pgvec.verify(collection text default null, seconds float8 default 10)
  returns setof pgvec.verdict
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  item     text;
  checks   text[] := pgvec.installation_checks();
  check_of text;
  reason   text;
begin
  if verify.collection is not null and pgvec.collection_checks(verify.collection) is null then
    perform pgvec.collection(verify.collection);  -- raises PV001
  end if;
  for item in
    select i.name
      from (select null::text as name where verify.collection is null
             union all
            (select c.name from pgvec.collections as c where verify.collection is null or c.name = verify.collection order by c.name)) as i
  loop
    if item is not null then
      checks := coalesce(pgvec.collection_checks(item), '{}');  -- dropped meanwhile
    end if;
    foreach check_of in array checks loop
      begin
        if item is null then
          return query execute format('select * from %s()', check_of);
        elsif check_of = 'pgvec.verify_search' then
          return query select * from pgvec.verify_search(item, seconds);
        else
          return query execute format('select * from %s($1)', check_of) using item;
        end if;
      exception when ambiguous_function then  -- a foreign function has the name of one of ours, and more arguments
        get stacked diagnostics reason = message_text;
        return next pgvec.verdict(coalesce(item, 'installation'), substr(check_of, 7), array['cannot be checked: ' || reason], null, 'look at the check overloads');
      end;
    end loop;
  end loop;
end
$$;
comment on function pgvec.verify(text, float8) is
  'What pgvec-admin verify checks, except for the comparison with its own files: the server, the engine''s functions and tables, and each collection, or only the '
  'named one; seconds limits the searches of each. Reads only. Raises PV001.';
revoke all on function pgvec.verify(text, float8) from public;
