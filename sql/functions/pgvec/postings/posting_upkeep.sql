-- pgvec.posting_upkeep -- the statements of pgvec.count_lexemes that keep postings beside what a statement changed.
-- A row is noted under each lexeme that has postings, and in which it weighs as much as the rows that have an entry. One that is gone loses its id there;
-- its words are forgotten at once where rows belong to accounts, and elsewhere by the next pgvec.refresh_statistics.
-- While postings are made, which a transaction that has written already is waited for, every lexeme of a row is noted, since nobody knows yet what they will be.
create or replace function pgvec.posting_upkeep(operation text, collection pgvec.collections, key text, tenant_of text)
  returns text
  language plpgsql volatile parallel unsafe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  upkeep text := '';
  making boolean;
begin
  if collection.base <> collection.relation then
    return '';  -- adopted: pgvec.count_statistics makes none
  end if;
  making := not pg_try_advisory_xact_lock_shared(pgvec.posting_lock(collection.name));
  if not (collection.posted or making) then
    return '';
  end if;
  if operation <> 'INSERT' and collection.owner_table is not null then
    upkeep := format(
      $query$,
    unnoted as (
      delete from pgvec.posting_changes as p using old_rows as o
       where p.collection = ($1).name and p.tenant = %s and p.id = o.id)
      $query$, format(tenant_of, 'o'));
  end if;
  if operation = 'DELETE' then
    return upkeep || format(
      $query$,
    unposted as (
      delete from pgvec.posted_ids as i using old_rows as o
       where i.collection = ($1).name and i.tenant = %s and i.number = hashtextextended(o.id, 0) & 4503599627370495 and i.id = o.id)
      $query$, format(tenant_of, 'o'));
  end if;
  return upkeep || format(
    $query$,
    posted as (
      insert into pgvec.posting_changes (collection, tenant, lexeme, weight, id)
      select ($1).name, t.tenant, l.lexeme, w.weight, n.id
        from parts as t
        join new_rows as n on %1$s = t.tenant %2$s
       cross join lateral unnest(n.fts) as l
       cross join lateral (
             select x.least from pgvec.postings as x where x.collection = ($1).name and x.tenant = t.tenant and x.lexeme = l.lexeme and x.block = 0 and not %4$L
              union all
             select 0 where %4$L offset 0) as p
       cross join lateral (
             select - (n.bm25 operator(extensions.<#>) format('{%%s:1}/268435456', ('x' || left(md5(l.lexeme), 7))::bit(28)::int + 1)::extensions.sparsevec) as weight
             offset 0) as w
       where w.weight >= p.least %3$s
         and (%4$L or pgvec.holds_postings(($1).name, t.tenant, t.rows)))
    $query$, format(tenant_of, 'n'),
    case when operation = 'UPDATE' then format('left join old_rows as o using (%s)', key) end,
    case when operation = 'UPDATE' then 'and n.fts is distinct from o.fts' end, making);
end
$$;
comment on function pgvec.posting_upkeep(text, pgvec.collections, text, text) is
  'Further parts of a WITH on the transition tables new_rows and old_rows of an INSERT, UPDATE or DELETE in a collection with postings ($1), '
  'after one named parts (tenant, rows); key and tenant_of as in pgvec.lexeme_changes.';
revoke all on function pgvec.posting_upkeep(text, pgvec.collections, text, text) from public;
