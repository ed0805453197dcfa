-- depends: 0003.adoption
-- What a search knows beforehand: the index that serves a collection, noted when it is built, and the steps it may take.

-- The name and the oid: a restored database has the name alone, an index made anew under the name another oid.
alter table pgvec.collections add column if not exists search_index text;
alter table pgvec.collections add column if not exists search_index_oid oid;
alter table pgvec.collections add column if not exists search_kind text check (search_kind in ('column', 'halfvec', 'binary'));
alter table pgvec.collections add column if not exists search_method text check (search_method in ('hnsw', 'ivfflat'));

comment on column pgvec.collections.search_index     is 'The vector index that searches use, as pgvec.note_index last saw it; where it is gone or null, each search looks for one.';
comment on column pgvec.collections.search_index_oid is 'The oid that search_index had then.';
comment on column pgvec.collections.search_kind      is 'What search_index holds: column (the embedding itself), halfvec or binary.';
comment on column pgvec.collections.search_method    is 'The method of search_index: hnsw or ivfflat.';

do $$
begin
  if to_regtype('pgvec.search_step') is null then
    create type pgvec.search_step as (
      kind           text,
      iterative_scan text,
      ef_search      int,
      scan_tuples    int,
      read_rows      int,
      enough         int,
      after_tie      boolean,
      deep           boolean,
      estimate       float8
    );
  end if;
  if to_regtype('pgvec.hit') is null then
    create type pgvec.hit as (id text, content text, metadata jsonb, distance float8);
  end if;
end
$$;

comment on type pgvec.search_step is
  'One thing to try in a search: kind of index (null for an exact scan), settings of hnsw (iterative_scan, ef_search, max_scan_tuples), rows to read, '
  'rows that are enough, whether it is only for a tie at the limit, whether it takes pgvec.deep_rows, and the estimated matches of the filter.';
comment on type pgvec.hit is 'A row that a search found, and how far it is.';

revoke all on type pgvec.search_step, pgvec.hit from public;
