"""A Korean set: 240 passages, and 240 questions with the same nouns, each with another particle than in the passage.

Korean writes particles at the end of nouns, so that a noun seldom stands as the same word twice. Passages share their
nouns with others: a city with nine, a thing with twenty-three, and the two together with none.
"""

from __future__ import annotations

# fmt: off
CITIES = [
    "서울", "부산", "인천", "대구", "대전", "광주", "울산", "수원", "전주", "청주", "강릉", "춘천",
    "여수", "순천", "목포", "포항", "경주", "안동", "진주", "창원", "제주", "속초", "원주", "공주",
]
# fmt: on
THINGS = ["도자기", "박물관", "한옥", "김치", "인쇄술", "비단", "도서관", "활자", "등대", "조선소"]
PEOPLE = ["학자", "상인", "화가", "시인", "의사", "목수", "어부", "농부", "기술자", "음악가", "건축가", "장군"]
DONE = ("연구하였다", "기록하였다", "보존하였다", "소개하였다", "발견하였다", "그렸다")
AFTER = (
    "이 일은 오늘날까지 전해진다.",
    "그 기록은 여러 나라에 알려졌다.",
    "많은 사람들이 이곳을 찾는다.",
    "당시의 모습은 그림으로 남아 있다.",
    "그 값은 해마다 올랐다.",
)


def particle(noun: str, after_consonant: str, after_vowel: str) -> str:
    """The noun with the form of a particle that its last syllable takes."""
    closed = (ord(noun[-1]) - 0xAC00) % 28 > 0
    return noun + (after_consonant if closed else after_vowel)


def made() -> tuple[dict[str, str], list[tuple[str, set[str]]]]:
    """Passages by id, and questions with the ids of their answers."""
    passages = {}
    questions = []
    for place, city in enumerate(CITIES):
        for number, thing in enumerate(THINGS):
            id_ = f"{place}-{number}"
            who = PEOPLE[(place + 5 * number) % len(PEOPLE)]
            told = DONE[(place + number) % len(DONE)]
            year = 1300 + place * 10 + number
            passages[id_] = (
                f"{particle(who, '은', '는')} {city}에서 {particle(thing, '을', '를')} {told}. "
                f"{AFTER[(place * 3 + number) % len(AFTER)]} {particle(city, '은', '는')} {year}년부터 이름이 높았다."
            )
            asked = f"{city}의 {particle(thing, '과', '와')} 관계된 {particle(who, '이', '가')} 누구인가?"
            questions.append((asked, {id_}))
    return passages, questions
