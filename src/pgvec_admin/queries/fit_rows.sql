-- The rows that words are fitted to.
select r.words, r.times, r.firsts, r.embedding from pgvec.fit_rows(%s, %s) as r
