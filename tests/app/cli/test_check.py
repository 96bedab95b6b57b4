"""A check is one line, or two with what to do."""

from app.cli.check import Check


def test_what_is_well_takes_a_line_and_what_is_not_says_what_to_do():
    assert str(Check("redis", finding="7.2 answers")) == "ok    redis: 7.2 answers"
    wrong = str(Check("redis", finding="does not answer", advice="check REDIS_URL"))
    assert wrong == "FAIL  redis: does not answer\n      check REDIS_URL"
