-- Takes the place of an earlier fit, which searches use until the transaction commits.
select pgvec.begin_fit(collection => %(collection)s, model => %(model)s, rows => %(rows)s, lexemes => %(lexemes)s,
                       agreement => %(agreement)s, length => %(length)s, mean => %(mean)s)
