"""Words in every script, and as people type them: a table of texts and queries, and what does not fit into it."""

from __future__ import annotations

import random
import re
from pathlib import Path

import psycopg
import pytest

from conftest import Connection

CASES = Path(__file__).with_name("words.cases")
CASE = re.compile(r"([+-]) \| (.*) \| (.*)")


def _cases() -> list[tuple[str, str, str, str, bool]]:
    """Collection, syntax, text, query, and whether the text is found."""
    found = []
    collection = syntax = ""
    for line in CASES.read_text().splitlines():
        if line.startswith("["):
            collection, syntax = line.strip("[]").split(", ")
        elif case := CASE.fullmatch(re.sub(r"\\u([0-9A-F]{4})", lambda code: chr(int(code[1], 16)), line)):
            found.append((collection, syntax, case[2].replace("\\\\", "\\"), case[3], case[1] == "+"))
        else:
            assert not line or line.startswith("#"), line
    return found


@pytest.fixture
def texts(connection: Connection) -> Connection:
    """The texts of all cases, in one collection for each kind of setting."""
    connection.execute("select pgvec.create_collection('english', 3)")
    connection.execute("select pgvec.create_collection('folded', 3, language => 'simple')")
    connection.execute("""update pgvec.collections set settings = '{"fold_accents": true}' where name = 'folded'""")
    for number, (collection, _, text, _, _) in enumerate(_cases()):
        connection.execute(
            f"insert into {collection} (id, content, metadata) values (%s, %s, jsonb_build_object('case', %s::int))",
            (str(number), text, number),
        )
    return connection


def test_every_text_is_found_by_its_queries_and_by_no_others(texts: Connection) -> None:
    wrong = []
    for number, (collection, syntax, text, query, wanted) in enumerate(_cases()):
        rows = texts.execute(
            "select id from keyword_search(%s, filter => jsonb_build_object('case', %s::int), collection => %s,"
            " syntax => %s)",
            (query, number, collection, syntax),
        ).fetchall()
        if bool(rows) is not wanted:
            wrong.append(f"{'not found' if wanted else 'found'}: {text} | {query}")
    assert wrong == []


def _ids(connection: Connection, query: str, collection: str = "documents") -> list[str]:
    rows = connection.execute("select id from keyword_search(%s, collection => %s)", (query, collection)).fetchall()
    return [row[0] for row in rows]


@pytest.fixture
def mixed(connection: Connection) -> Connection:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute(
        """
        insert into documents (id, content, metadata, embedding)
        values ('cat', '黒猫が庭で寝ている', '{"kind": "animal"}', '[1,0,0]'),
               ('node', 'servers in node.js', '{"kind": "code"}', '[0,1,0]'),
               ('js', 'js is a node of a graph', '{"kind": "code"}', '[0,1,1]'),
               ('pool', 'a pool and its connection', '{"kind": "code"}', '[0,0,1]')
        """
    )
    return connection


def test_the_whole_ranks_above_its_parts(mixed: Connection) -> None:
    assert _ids(mixed, "node.js") == ["node", "js"]


def test_filters_by_text_facets_and_verify_read_texts_as_searches_do(mixed: Connection) -> None:
    vector = "select id from match_documents('[1,0,0]', filter => %s) order by id"
    for wanted, ids in (("猫", ["cat"]), ("黒猫", ["cat"]), ("白猫", []), ("tcp", []), ("js", ["js", "node"])):
        assert [row[0] for row in mixed.execute(vector, (f'{{"$text": "{wanted}"}}',))] == ids, wanted
    facets = "select value, documents from document_facets('kind', %s)"
    assert mixed.execute(facets, ("黒猫",)).fetchall() == [("animal", 1)]
    assert mixed.execute(facets, ('"connection pool"',)).fetchall() == [("code", 1)]
    checks = mixed.execute("select check_name, result from pgvec.verify_texts('documents')").fetchall()
    assert ("lexemes", "ok") in checks


def test_a_phrase_that_no_row_has_is_searched_by_its_words_and_that_is_told(mixed: Connection) -> None:
    told: list[str] = []
    mixed.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    assert _ids(mixed, '"connection pool"') == ["pool"]
    assert told == ['no row has the phrase "connection pool": rows with its words are found']
    told.clear()
    explained = "select from pgvec.explain_search('documents', '[1,0,0]', query_text => %s)"
    mixed.execute(explained, ('"connection pool"',))
    assert told == ['no row has the phrase "connection pool": rows with its words are found']
    told.clear()
    mixed.execute(explained, ('"pool and its"',))
    assert _ids(mixed, '"pool and its"') == ["pool"]
    assert told == []
    hybrid = "select id from hybrid_search(%s, '[1,0,0]', syntax => %s)"
    assert len(mixed.execute(hybrid, ('"connection pool"', "web")).fetchall()) == 4


def test_the_vector_side_of_a_hybrid_search_keeps_rows_unless_a_word_is_plainly_excluded(mixed: Connection) -> None:
    hybrid = "select id from hybrid_search(%s, '[1,0,0]', syntax => %s) order by id"
    for query, syntax, ids in (
        ("node --graph", "web", ["cat", "js", "node", "pool"]),
        ("node -g", "web", ["cat", "js", "node", "pool"]),
        ("node -graph", "web", ["cat", "node", "pool"]),
        ("node -graph", "plain", ["cat", "js", "node", "pool"]),
    ):
        assert [row[0] for row in mixed.execute(hybrid, (query, syntax)).fetchall()] == ids, query


@pytest.mark.parametrize(
    ("text", "query", "headline", "completed"),
    [
        ("黒猫が庭で寝ている", "猫", "黒<mark>猫</mark>が庭で寝ている", "黒猫が庭で寝ている"),
        ("黒猫が庭で寝ている", "黒猫", "<mark>黒猫</mark>が庭で寝ている", "黒猫が庭で寝ている"),
        ("数据库连接池 is full", "连接池", "数据库<mark>连接池</mark> is full", "数据库连接池"),
        ("แมวดำนอนอยู่ในสวน", "แมว", "<mark>แมว</mark>ดำนอนอยู่ในสวน", "แมวดำนอนอยู่ในสวน"),
        ("검은고양이가 정원에서", "고양이", "검은<mark>고양이</mark>가 정원에서", "검은고양이가"),
        ("ကြောင်နက်", "ကြောင်", "<mark>ကြောင်</mark>နက်", "ကြောင်နက်"),
    ],
)
def test_marks_and_completions_in_scripts_without_spaces(
    connection: Connection, text: str, query: str, headline: str, completed: str
) -> None:
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute("insert into documents (id, content) values ('1', %s)", (text,))
    marked = connection.execute("select headline from keyword_search(%s, highlight => true)", (query,)).fetchall()
    assert marked == [(headline,)]
    begun = connection.execute("select * from suggest_completions(%s)", (text[:2],)).fetchall()
    assert begun == [(completed, 1)]


def test_another_syntax_is_refused(mixed: Connection) -> None:
    for call in ("keyword_search('a', syntax => 'or')", "hybrid_search('a', '[1,0,0]', syntax => 'or')"):
        with pytest.raises(psycopg.Error) as caught:
            mixed.execute(f"select from {call}")
        assert caught.value.sqlstate == "PV004"


def test_lexemes_of_an_earlier_release_are_made_anew_by_a_refresh(mixed: Connection) -> None:
    mixed.execute("alter table documents disable trigger user")
    mixed.execute("update documents set fts = to_tsvector('english', content)")
    mixed.execute("alter table documents enable trigger user")
    mixed.execute("update pgvec.collections set word_rules = null")
    verdict = "select result, fix from pgvec.verify_texts('documents') where check_name = 'lexemes'"
    assert mixed.execute(verdict).fetchone() == ("warn", "select pgvec.refresh_lexemes('documents');")
    before = mixed.execute("select id, updated_at, embedded_hash from documents order by id").fetchall()
    assert mixed.execute("select pgvec.refresh_lexemes('documents')").fetchone() == (2,)
    assert mixed.execute("select pgvec.refresh_lexemes('documents')").fetchone() == (0,)
    assert mixed.execute("select id, updated_at, embedded_hash from documents order by id").fetchall() == before
    assert mixed.execute(verdict).fetchone() == ("ok", None)
    assert _ids(mixed, "猫") == ["cat"]


def test_the_setting_fold_accents_takes_effect_with_a_refresh(mixed: Connection) -> None:
    mixed.execute("insert into documents (id, content) values ('cafe', 'Café au lait')")
    mixed.execute("""update pgvec.collections set settings = settings || '{"fold_accents": true}'""")
    assert _ids(mixed, "cafe") == []
    assert mixed.execute("select pgvec.refresh_lexemes('documents')").fetchone() == (1,)
    assert _ids(mixed, "cafe") == _ids(mixed, "CAFÉ") == ["cafe"]


def test_a_text_with_more_lexemes_than_fit_is_indexed_as_far_as_they_fit_and_the_row_is_named(
    connection: Connection,
) -> None:
    long = " ".join(f"w{number:06}" for number in range(110_000))
    told: list[str] = []
    connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute("insert into documents (id, content) values ('direct', %s)", (long,))
    connection.execute("select upsert_documents(jsonb_build_object('id', 'upsert', 'content', %s::text))", (long,))
    connection.execute("create table papers (id text primary key, body text, embedding extensions.vector(3))")
    connection.execute("insert into papers values ('before', %s)", (long,))
    connection.execute("select pgvec.adopt_collection('papers', 'papers', content_columns => '{body}')")
    connection.execute("insert into papers values ('after', %s)", (long,))
    warned = [one for one in told if "has more words than can be indexed" in one]
    assert [one.split(" has ")[0] for one in warned] == [
        "row 'direct' of documents",
        "row 'upsert' of documents",
        "row 'before' of papers",
        "row 'after' of papers",
    ]
    share = int(warned[0].split("first ")[1].split(" %")[0])
    assert 40 < share < 100
    last = f"w{110_000 * (share - 1) // 100:06}"
    assert _ids(connection, last) == ["direct", "upsert"]
    assert _ids(connection, last, "papers") == ["after", "before"]
    assert _ids(connection, "w109999") == []


def test_a_long_text_without_spaces_is_indexed_as_far_as_it_fits(connection: Connection) -> None:
    drawn = random.Random(1)
    long = "".join(chr(drawn.randrange(0x4E00, 0x9F00)) for _ in range(200_000))
    told: list[str] = []
    connection.add_notice_handler(lambda notice: told.append(str(notice.message_primary)))
    connection.execute("select pgvec.create_collection('documents', 3)")
    connection.execute("insert into documents (id, content) values ('long', %s)", (long,))
    (warned,) = told
    share = int(warned.split("first ")[1].split(" %")[0])
    assert 10 < share < 100
    assert _ids(connection, long[1000:1003]) == ["long"]
    inside = 200_000 * (share - 1) // 100
    assert _ids(connection, long[inside : inside + 3]) == ["long"]


def test_a_row_has_the_lexemes_of_its_text_whichever_signs_are_in_it(connection: Connection) -> None:
    connection.execute("select pgvec.create_collection('notes', 3)")
    drawn = random.Random(7)
    signs = [
        "a",
        "bc",
        "N",
        "net",
        "X",
        "7",
        " ",
        " ",
        "\n",
        ".",
        "/",
        "@",
        "+",
        "#",
        "-",
        "_",
        "'",
        "é",
        "\u00ad",
        "¹",
        "字",
    ]
    texts = ["".join(drawn.choices(signs, k=drawn.randint(2, 9))) for _ in range(4000)]
    connection.execute("insert into notes (content) select unnest(%s::text[])", (texts,))
    differing = connection.execute(
        "select n.content from notes as n where n.fts is distinct from pgvec.text_lexemes('english', n.content)"
    ).fetchall()
    assert differing == []


def test_whatever_a_character_is_a_text_is_read_in_its_normal_form(connection: Connection) -> None:
    differing = connection.execute(
        "select c, x.read from generate_series(1, x'2FFFF'::int) as c, unnest(array['', U&'\\0301']) as accent"
        " cross join lateral (select pgvec.plain_text('a' || chr(c) || 'b' || chr(c) || accent) offset 0) as x (read)"
        " where c not between x'D800'::int and x'DFFF'::int and (x.read is not nfkc normalized"
        "       or x.read ~ '[\\u00AD\\u200B-\\u200F\\u2060-\\u206F\\uFE00-\\uFE0F\\uFEFF]')"
    ).fetchall()
    assert differing == []


def test_a_configuration_of_another_schema_is_found_by_its_plain_name(connection: Connection) -> None:
    connection.execute("create schema texts")
    connection.execute("create text search dictionary texts.stems (template = snowball, language = english)")
    connection.execute("create text search configuration texts.every_word (copy = english)")
    connection.execute(
        "alter text search configuration texts.every_word alter mapping for asciiword, word with texts.stems"
    )
    connection.execute("select pgvec.create_collection('songs', 3, language => 'every_word')")
    connection.execute("insert into songs (id, content) values ('who', 'The Who'), ('be', 'To be, or not to be')")
    assert _ids(connection, '"the who"', "songs") == ["who"]
    assert _ids(connection, "to be or not to be", "songs") == ["be"]
    connection.execute("insert into songs (id, content, language) values ('own', 'I am what I am', 'every_word')")
    assert _ids(connection, "what", "songs") == ["own"]
    connection.execute("create schema others")
    connection.execute("create text search configuration others.every_word (copy = simple)")
    with pytest.raises(psycopg.Error) as caught:
        connection.execute("select pgvec.create_collection('more', 3, language => 'every_word')")
    assert caught.value.sqlstate == "PV004"
    assert caught.value.diag.message_hint == "one of: others.every_word, texts.every_word"
