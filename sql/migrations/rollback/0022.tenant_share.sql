alter type pgvec.search_request drop attribute if exists share;
