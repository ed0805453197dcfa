-- pgvec.sample_texts -- how much text there is to embed, and a random sample of it, to count tokens in.
-- Rows and bytes are of all, and exact: the tokens of the sample to its bytes are then those of the whole to its own. A sample of
-- long texts is smaller, 20 MB or a hundred of them.
create or replace function pgvec.sample_texts(collection text, size int default 1000, embedded boolean default false, out documents bigint, out bytes bigint, out texts text[])
  language plpgsql volatile parallel safe
  security invoker set search_path = pg_catalog, pg_temp
as $$
declare
  target pgvec.collections := pgvec.collection(sample_texts.collection);
  source text;
begin
  perform pgvec.check_count('size', size, 1, 100000);
  source := format($source$ %s as d where d.embedded_hash is %s distinct from d.content_hash and d.content ~ '\S' $source$,
                   coalesce(target.source, target.relation::text), case when embedded then 'not' end);
  execute 'select count(*), coalesce(sum(octet_length(d.content)), 0) from ' || source into documents, bytes;
  execute format('select array(select d.content from %s order by random() limit $1)', source)
    into texts
    using least(size, greatest(100, 20000000 / greatest(1, bytes / greatest(1, documents))));
end
$$;
comment on function pgvec.sample_texts(text, int, boolean) is
  'Rows of a collection whose embedding is missing or older than their text (embedded: of those that have it), the bytes of their texts, and a random sample of at most size '
  'texts. Raises PV001, PV004 for a size below 1.';
revoke all on function pgvec.sample_texts(text, int, boolean) from public;
