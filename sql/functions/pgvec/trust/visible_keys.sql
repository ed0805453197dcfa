-- pgvec.visible_keys -- the keys of the rows of an adopted table that the caller sees.
-- For the policy of its side table. A policy that named the table and its key itself would keep the application from changing
-- the type of that column, and from dropping either.
create or replace function pgvec.visible_keys(collection text, key anyelement)
  returns setof anyelement
  language plpgsql stable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  adopted constant pgvec.adoptions := pgvec.adopted(visible_keys.collection);
begin
  if adopted.id_column is not null then
    return query execute format('select b.%I::%s from %s as b', adopted.id_column, pg_typeof(key),
                                (select c.base from pgvec.collections as c where c.name = adopted.collection));
  end if;
end
$$;
comment on function pgvec.visible_keys(text, anyelement) is
  'The keys of the rows of an adopted table that the current user may see, in the type of key, which may be null.';
revoke all on function pgvec.visible_keys(text, anyelement) from public;
select pgvec.grant_execute('pgvec.visible_keys(text, anyelement)', 'reader');
