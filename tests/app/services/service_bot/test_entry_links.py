import pytest

from app.errors import NotFound
from app.extensions import db
from app.models import Login
from app.services.service_bot import entry_links, sessions, undo

HERE = {"address": "127.0.0.1", "agent": "Firefox"}


def test_a_link_opens_one_session_of_its_account(app, account):
    token = entry_links.make(account.login)
    assert entry_links.look(token) == (account.id, account.name)
    session = entry_links.redeem(token, **HERE)
    assert session is not None
    assert sessions.authenticate(session).id == account.id
    assert entry_links.look(token) is None
    assert entry_links.redeem(token, **HERE) is None


def test_a_link_expires(app, account, monkeypatch):
    token = entry_links.make(account.login)
    late = entry_links.time.time() + entry_links.ENTRY_SECONDS + 1
    monkeypatch.setattr(entry_links.time, "time", lambda: late)
    assert entry_links.look(token) is None
    assert entry_links.redeem(token, **HERE) is None


def test_an_unknown_link_opens_nothing(app, account):
    assert entry_links.look("nonsense") is None
    assert entry_links.redeem("nonsense", **HERE) is None
    with pytest.raises(NotFound):
        entry_links.make("nobody")


def test_its_session_can_be_undone_as_any_login(app, account):
    session = entry_links.redeem(entry_links.make(account.login), **HERE)
    login_id = sessions.authenticate(session).login_id
    assert undo.undo(login_id, account.id, 1.0)
    db.session.commit()
    assert sessions.listed(account.id) == []


def test_the_token_is_stored_as_a_hash(app, account):
    token = entry_links.make(account.login)
    rows = db.session.query(Login).all()
    assert token not in repr([vars(row) for row in rows])
