"""The receiving token, who stands behind one, what the giver must say, and what is pending."""

import pytest

from app.services.campaigns import transfer


@pytest.fixture
def token(other):
    return transfer.token_of(other.id)


def test_a_get_shows_the_token_and_a_post_replaces_it(api, account):
    shown = api.get("transfer/token")["data"]
    assert shown == api.get("transfer/token")["data"] == {"token": transfer.token_of(account.id)}
    fresh = api.post("transfer/token")["data"]
    assert fresh != shown
    assert api.get("transfer/token")["data"] == fresh


def test_a_recipient_is_told_by_name_and_plan_and_not_by_id(api, other, token):
    answer = api.get("transfer/resolve", token=token)["data"]
    assert answer == {"name": other.name, "paid": True, "slots": -1}
    assert api.get("transfer/resolve", token="nobody")["error"] == "notfound"


@pytest.mark.parametrize("path", ["transfer/bot", "transfer/camp"])
def test_the_giver_says_to_whom_what_and_what_becomes_of_the_leads(api, world, token, path):
    whole = {"token": token, "id": world.bot(), "leads": 1}
    for name in whole:
        rest = {key: value for key, value in whole.items() if key != name}
        answer = api.post(path, **rest)
        assert (answer["error"], answer["field"]) == ("param", name)


def test_each_parameter_reaches_the_service(api, account, token, monkeypatch):
    calls = []

    def record(caller, *positional, **named):
        calls.append(((caller.id, *positional), named))

    monkeypatch.setattr(transfer, "give_bot", record)
    monkeypatch.setattr(transfer, "give_campaign", record)
    assert api.post("transfer/bot", token=token, id=5, leads=0) == {"status": "ok"}
    assert api.post("transfer/camp", token=token, id=6, leads=1, bot=7) == {"status": "ok"}
    assert api.post("transfer/camp", token=token, id=6, leads=1) == {"status": "ok"}
    assert calls == [
        ((account.id, token, 5), {"with_leads": False}),
        ((account.id, token, 6), {"to_bot": 7, "with_leads": True}),
        ((account.id, token, 6), {"to_bot": None, "with_leads": True}),
    ]


def test_a_pending_transfer_is_listed_with_its_moment_and_called_off(api, world, other, token):
    bot = world.bot(username="flowers_bot")
    assert api.post("transfer/bot", token=token, id=bot, leads=1) == {"status": "ok"}
    (row,) = api.get("transfer/list")["data"]
    fields = ("incoming", "name", "bot", "camp", "title", "leads", "state", "error", "settled")
    assert [row[name] for name in fields] == [
        *(False, other.name, bot, 0, "@flowers_bot", True, "pending", ""),
        "0000-00-00 00:00:00",
    ]
    assert row["created"] < row["due"]
    assert api.get("transfer/list", limit=1, offset=1)["data"] == []
    assert api.post("transfer/cancel")["field"] == "id"
    assert api.post("transfer/cancel", id=row["id"]) == {"status": "ok"}
    assert api.get("transfer/list")["data"] == []
