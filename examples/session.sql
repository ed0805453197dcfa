-- A session in psql: psql "$PGVEC_DATABASE_URL" -f session.sql, after pgvec-admin migrate.
select pgvec.create_collection('planets', 3);

insert into planets (id, content, metadata, embedding)
values ('mercury', 'Mercury is the planet nearest to the sun.', '{"moons": 0}', '[0.9, 0.1, 0]'),
       ('earth', 'Earth has one moon, oceans, and life.', '{"moons": 1}', '[0.7, 0.6, 0.2]'),
       ('jupiter', 'Jupiter is the largest planet, with dozens of moons.', '{"moons": 95}', '[0.1, 0.3, 0.9]');

-- the nearest by vector, of those with a moon
select id, round(similarity::numeric, 3) as similarity
  from match_documents('[1, 0, 0]', filter => '{"moons": {"$gte": 1}}', collection => 'planets');

-- by words, with the words marked
select id, headline from keyword_search('largest moon', highlight => true, collection => 'planets');

-- by both
select id, semantic_rank, keyword_rank
  from hybrid_search('oceans', '[1, 0, 0]', match_count => 2, collection => 'planets');

-- why a search is as quick as it is
select route, rows from pgvec.explain_search('planets', '[1, 0, 0]', 2);
