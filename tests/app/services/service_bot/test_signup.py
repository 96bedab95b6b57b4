"""The operator says who in Telegram is behind an account."""

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Account, Session
from app.services.accounts import notifications
from app.services.service_bot import logins
from tests.support.desk import ANN, BROWSER, IVAN, NONCE, rows


def person_of(account):
    (row,) = rows(select(Account).where(Account.id == account.id))
    return row.tg_id


def test_that_person_logs_in_to_the_account_and_hears_of_it(desk, make_account, run, client):
    shop = make_account(login="shop")
    assert run(f"account telegram --login shop --id {ANN.id}").stdout == (
        f"shop is {ANN.id} in Telegram\n"
    )
    headers = {"Authorization": f"Bearer {desk.log_in(ANN)}"}
    told = client.get("/api/profile/info.json", headers=headers).get_json()
    assert told["data"]["id"] == shop.id
    desk.speak()
    assert "shop" in desk.sent_to(ANN)[-1].text


def test_a_notice_reaches_an_account_that_was_made_by_hand(desk, make_account, run):
    shop = make_account(login="shop")
    for line, noted in (("", 0), (f"account telegram --login shop --id {ANN.id}", 1)):
        if line:
            run(line)
        notifications.payment(shop.id, "cat", 1_900_000_000, 1.0)
        db.session.commit()
        assert len(desk.notices()) == noted


def test_who_has_an_account_keeps_it_unless_taken(desk, make_account, run):
    shop = make_account(login="shop")
    desk.start(ANN, f"login-{NONCE}")
    visitor = desk.account_of(ANN)
    refused = run(f"account telegram --login shop --id {ANN.id}")
    assert (refused.exit_code, refused.stderr) == (
        1,
        f"Error: this person has the account {visitor.login} already\n",
    )
    assert run(f"account telegram --login shop --id {ANN.id} --take").exit_code == 0
    assert (person_of(shop), person_of(visitor)) == (ANN.id, None)


def test_whoever_was_behind_it_is_logged_out(desk, make_account, run):
    shop = make_account(login="shop", tg_id=IVAN.id)
    assert desk.log_in(IVAN)
    logins.poll(f"{NONCE}-2", BROWSER)
    desk.start(IVAN, f"login-{NONCE}-2")
    desk.agree(IVAN)
    run(f"account telegram --login shop --id {ANN.id}")
    assert rows(select(Session)) == []
    assert person_of(shop) == ANN.id
    assert logins.redeem(f"{NONCE}-2", BROWSER, 1.0).token is None


def test_saying_the_same_again_logs_nobody_out(desk, make_account, run):
    make_account(login="shop", tg_id=ANN.id)
    desk.log_in(ANN)
    assert run(f"account telegram --login shop --id {ANN.id}").exit_code == 0
    assert len(rows(select(Session))) == 1


def test_nobody_is_said_by_zero(desk, make_account, run):
    shop = make_account(login="shop", tg_id=ANN.id)
    make_account(login="other")
    assert run("account telegram --login shop --id 0").stdout == "shop is nobody in Telegram\n"
    assert run("account telegram --login other --id 0").exit_code == 0
    assert person_of(shop) is None


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("account telegram --login nobody --id 5", 1),
        ("account telegram --login shop --id -5", 2),
        ("account telegram --login shop --id ann", 2),
        ("account telegram --login shop", 2),
    ],
)
def test_a_mistake_is_told_and_changes_nothing(desk, make_account, run, line, status):
    shop = make_account(login="shop", tg_id=ANN.id)
    assert run(line).exit_code == status
    assert person_of(shop) == ANN.id
