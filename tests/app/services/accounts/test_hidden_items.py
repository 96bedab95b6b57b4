from sqlalchemy import select

from app.models import HiddenItem
from app.services.accounts import hidden_items
from app.services.accounts.hidden_items import HIDDEN_SECONDS, hidden, hide
from tests.support.desk import rows

NOW = 1_780_000_000.0


def test_an_item_is_hidden_for_a_week_and_for_its_account_only(account, make_account):
    other = make_account()
    hide(account.id, "bot:1", NOW)
    assert hidden(account.id, NOW + HIDDEN_SECONDS - 1) == {"bot:1"}
    assert hidden(account.id, NOW + HIDDEN_SECONDS) == set()
    assert hidden(other.id, NOW) == set()


def test_hiding_again_lasts_longer_and_forgets_what_is_over(account):
    hide(account.id, "old", NOW - HIDDEN_SECONDS)
    hide(account.id, "bot:1", NOW)
    hide(account.id, "bot:1", NOW + 100)
    (row,) = rows(select(HiddenItem))
    assert (row.item, row.until) == ("bot:1", NOW + 100 + HIDDEN_SECONDS)


def test_everything_is_shown_again(account, make_account):
    other = make_account()
    hide(account.id, "bot:1", NOW)
    hide(other.id, "bot:2", NOW)
    hidden_items.show_all(account.id)
    assert hidden(account.id, NOW) == set()
    assert hidden(other.id, NOW) == {"bot:2"}
