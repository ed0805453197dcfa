alter type pgvec.keyword_query drop attribute if exists pairs;
