import pytest

from app.extensions import db
from app.models import Transfer
from app.services.campaigns import transfer

SCRIPT = "<script>alert(1)</script>"
PLACE = "/settings/transfer"


@pytest.fixture
def theirs(make_account):
    """The receiving token of somebody who may receive."""
    return transfer.token_of(make_account(name=f"Bea {SCRIPT}", tariff="tiger").id)


def test_a_bot_is_given_away_after_its_recipient_was_seen(browser, world, theirs):
    bot = world.bot(username="gate_bot")
    browser.page(PLACE)
    typed = {"subject": f"bot:{bot}", "token": theirs, "leads": "1"}
    response = browser.post(PLACE, **typed)
    page = response.get_data(as_text=True)
    assert response.status_code == 200
    assert "It goes to Bea &lt;script&gt;" in page
    assert db.session.query(Transfer).count() == 0
    page = browser.done(PLACE, **typed, do="agreed")
    (row,) = db.session.query(Transfer).all()
    assert (row.bot_id, row.with_leads) == (bot, True)
    assert "@gate_bot" in page
    assert SCRIPT not in page
    browser.done(f"{PLACE}/cancel", id=row.id)
    assert db.session.query(Transfer).count() == 0


def test_without_its_leads_only_if_that_was_chosen(browser, world, theirs):
    bot = world.bot()
    browser.page(PLACE)
    browser.done(PLACE, subject=f"bot:{bot}", token=theirs, do="agreed")
    assert not db.session.query(Transfer).one().with_leads


@pytest.mark.parametrize(
    "typed", [{"token": "nobody"}, {"token": ""}, {"subject": "key:1"}, {"subject": ""}]
)
def test_what_cannot_be_given_is_said(browser, world, theirs, typed):
    bot = world.bot()
    browser.page(PLACE)
    page = browser.refused(
        PLACE, **{"subject": f"bot:{bot}", "token": theirs, "do": "agreed", **typed}
    )
    assert f'href="#{next(iter(typed))}"' in page


def test_the_neighbours_bots_are_not_given_away(browser, others_world, theirs):
    bot = others_world.bot()
    browser.page(PLACE)
    response = browser.post(PLACE, subject=f"bot:{bot}", token=theirs, do="agreed")
    assert response.status_code == 404
    assert db.session.query(Transfer).count() == 0


def test_the_own_token_can_be_replaced(browser, account):
    before = transfer.token_of(account.id)
    assert before in browser.page(PLACE)
    assert before not in browser.done(f"{PLACE}/token")


def test_only_an_own_transfer_that_waits_is_called_off(browser):
    browser.page(PLACE)
    assert browser.post(f"{PLACE}/cancel", id="77").status_code == 404
