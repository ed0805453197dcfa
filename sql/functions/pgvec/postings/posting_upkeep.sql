-- pgvec.posting_upkeep -- the statements of pgvec.count_lexemes that keep postings beside what a statement changed.
-- A row is noted under each lexeme that has postings, and in which it weighs as much as the rows that have an entry. One that is gone loses its id there;
-- its words are forgotten at once where rows belong to accounts, and elsewhere by the next pgvec.refresh_statistics.
create or replace function pgvec.posting_upkeep(operation text, collection pgvec.collections, key text, tenant_of text)
  returns text
  language plpgsql immutable parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  upkeep text := '';
begin
  if not collection.posted then
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
       where i.collection = ($1).name and i.tenant = %s and i.number = hashtextextended(o.id, 0) >> 12 and i.id = o.id)
      $query$, format(tenant_of, 'o'));
  end if;
  return upkeep || format(
    $query$,
    posted as (
      insert into pgvec.posting_changes (collection, tenant, lexeme, weight, id)
      select p.collection, p.tenant, p.lexeme, w.weight, n.id
        from new_rows as n %2$s
       cross join lateral unnest(n.fts) as l
        join pgvec.postings as p on p.collection = ($1).name and p.tenant = %1$s and p.lexeme = l.lexeme and p.block = 0
       cross join lateral (
             select - (n.bm25 operator(extensions.<#>) format('{%%s:1}/268435456', ('x' || left(md5(l.lexeme), 7))::bit(28)::int + 1)::extensions.sparsevec) as weight
             offset 0) as w
       where w.weight >= p.least %3$s
         and pgvec.holds_postings(p.collection, p.tenant, (select count(*) from new_rows)))
    $query$, format(tenant_of, 'n'),
    case when operation = 'UPDATE' then format('left join old_rows as o using (%s)', key) end,
    case when operation = 'UPDATE' then 'and n.fts is distinct from o.fts' end);
end
$$;
comment on function pgvec.posting_upkeep(text, pgvec.collections, text, text) is
  'Further parts of a WITH on the transition tables new_rows and old_rows of an INSERT, UPDATE or DELETE in a collection with postings ($1): key and tenant_of as in pgvec.lexeme_changes.';
revoke all on function pgvec.posting_upkeep(text, pgvec.collections, text, text) from public;
