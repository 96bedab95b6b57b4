"""The demo's play: who does what, and what Telegram makes of it."""

from collections import Counter

from app.sandbox.demo.expectations import expected_of
from app.sandbox.demo.scenario import PEOPLE, SHOWS, rounds

ACTIONS = [action for turn in rounds() for action in turn]


def test_the_play_has_everything_in_it():
    assert {report for action in ACTIONS for report in action.reports} == {
        "wait",
        "hold",
        "approve",
        "cancel",
        "trash",
        "purchase",
    }
    assert len(PEOPLE) == 13
    assert expected_of(ACTIONS).total() == sum(len(action.reports) for action in ACTIONS)


def test_prefixes_of_campaigns_do_not_overlap():
    for show in SHOWS:
        assert [other for other in SHOWS if other.prefix.startswith(show.prefix)] == [show]


def test_updates_of_the_play_carry_the_campaigns_code():
    kinds = Counter(
        next(iter(action.update("abc123", 5))) for action in ACTIONS if not action.is_deposit
    )
    assert set(kinds) == {"message", "chat_member", "chat_join_request"}
    start = next(action for action in ACTIONS if action.is_start).update("abc123", 5)
    assert start["message"]["text"] == "/start abc123-alice-ad1"


def test_who_opened_an_ad_joins_by_the_link_it_gave():
    (press,) = [action for action in ACTIONS if action.is_press]
    assert (press.click, press.reports) == ("mona-ad1", ())
    _, join, deposit = [action for action in ACTIONS if action.person == press.person]
    update = join.update("abc123", 5, "https://t.me/+a")
    assert update["chat_member"]["invite_link"]["invite_link"] == "https://t.me/+a"
    assert (deposit.is_deposit, deposit.click, deposit.reports) == (True, "mona-ad1", ("purchase",))


def test_a_deposit_is_reported_as_such_with_its_value():
    template = SHOWS[0].deposit_template("http://t.example")
    assert "status=purchase&" in template
    assert template.endswith("&value={value}&currency={value_currency}")
