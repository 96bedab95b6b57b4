"""What a visit counts as, and which visits one statement takes."""

from app.domain.clicks.link_query import QueryFlag
from app.services.clicks.grouped.visit import MOST, PoolOrder, Visit, counts_of, rounds

NOON = 1_780_000_000.0


def wish(token, chat=-1, life=60):
    return Visit(1, "clicks", NOON, order=PoolOrder(1, chat, 1, life, token))


def parts(visits):
    return [[number for number, _ in part] for part in rounds(list(enumerate(visits)))]


def test_a_click_by_the_fallback_counts_twice_and_what_has_no_counter_not_at_all():
    click = {"flags": int(QueryFlag.FALLBACK)}
    visits = [Visit(1, "clicks", NOON, click), Visit(1, "clicks", NOON), Visit(1, "", NOON)]
    assert counts_of(visits) == {
        (1, visits[0].day, "clicks"): 2,
        (1, visits[0].day, "fallbacks"): 1,
    }


def test_a_token_comes_once_in_a_part():
    click = Visit(1, "clicks", NOON, {"token": "a"})
    assert parts([wish("a"), click, wish("b"), click]) == [[0, 2], [1], [3]]


def test_of_a_pool_one_part_wants_links_of_one_length_of_life():
    visits = [wish("a"), wish("b", life=90), wish("c", chat=-2, life=90), wish("d")]
    assert parts(visits) == [[0, 2, 3], [1]]


def test_a_part_is_no_larger_than_the_statement_takes():
    assert [len(part) for part in parts([Visit(1, "previews", NOON)] * (MOST + 1))] == [MOST, 1]
