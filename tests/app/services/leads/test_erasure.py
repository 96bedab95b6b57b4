"""An erased person is nowhere; what counts them and what others own stays."""

import json
import time
import zlib

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import (
    Attempt,
    Click,
    ExportKind,
    ExportPart,
    JournalEntry,
    Lead,
    Message,
    Postback,
    PostbackState,
    TransferState,
    Unreachable,
    Update,
    UpdateState,
)
from app.schemas.exported_lists import LISTS
from app.services import postbacks
from app.services.campaigns import settlement, transfer
from app.services.exports import prepared, writer
from app.services.leads import erasure
from app.services.postbacks import AttemptRow, PostbackUpdate
from app.services.updates import inbox

PERSON = 9_876_543_210
PARTS = select(ExportPart.data)
TRACES = (
    "alice",
    "Alice",
    "Liddell",
    "abc456xyz",
    "profile5f",
    "ab12cd34",
    "alice77",
    "fb5f",
    str(PERSON),
)


@pytest.fixture
def person(world):
    """A lead with everything that tells of a person."""
    bot = world.bot()
    chat = world.chat(bot)
    campaign = world.campaign(bot_id=bot, chat_id=chat)
    lead = world.lead(
        campaign, subscriber=PERSON, bot_id=bot, first_name="Alice", last_name="Liddell"
    )
    who = {"subscriber": PERSON, "username": "alice", "campaign_id": campaign}
    world.entry(bot, chat, lead_id=lead, link_key="ab12cd34", link_name="for alice77", **who)
    world.entry(bot, chat, **who)
    world.click(world.source(campaign), lead_id=lead, external="abc456xyz", ids='{"fbc": "fb5f"}')
    event = {"id": "e", "kind": "wait", "subscriber": PERSON, "username": "alice"}
    event |= {"first_name": "Alice", "click": "abc456xyz", "campaign": "kept"}
    for state in (0, 2):
        postback = world.postback(
            7, lead_id=lead, event=json.dumps(event), state=state, sequence=state + 1,
            adapter_state='{"id": "profile5f"}', campaign_id=campaign,
        )  # fmt: skip
        world.attempt(postback, request="GET https://t/?c=abc456xyz", answer="hi alice")
    message = {"account_id": world.account_id, "bot_id": bot, "chat_id": PERSON}
    message |= {"campaign_id": campaign, "lead_id": lead, "due": 1.0, "created": 1.0}
    link = '[{"type": "text_link", "url": "https://e.com/?c=abc456xyz"}]'
    db.session.add(Message(text="Hi Alice", entities=link, markup="abc456xyz", **message))
    db.session.add(Unreachable(bot_id=bot, subscriber=PERSON, since=1, reason="blocked"))
    body = json.dumps({"from": {"id": PERSON, "username": "alice"}}).encode()
    for state in (UpdateState.WAITING, UpdateState.QUARANTINED):
        db.session.add(Update(bot_id=bot, update_id=state, body=body, received=1.0, state=state))
    db.session.commit()
    return lead


def everything():
    """All that is stored of these tables, as text; what still waits to be processed apart."""
    found = ""
    for model in (Lead, JournalEntry, Postback, Attempt, Message, Unreachable, Click, Update):
        waits = model is Update
        for row in db.session.query(model):
            if not (waits and row.state == 0):
                found += str({column.key: getattr(row, column.key) for column in model.__table__.c})
    db.session.commit()
    return found


def test_an_erased_person_is_nowhere_and_what_is_counted_stays(api, person):
    before = everything()
    for trace in TRACES:
        assert trace in before
    assert api.post("leads/erase", subscriber=PERSON) == {"status": "ok", "data": {"count": 1}}
    after = everything()
    for trace in TRACES:
        assert trace not in after
    lead = api.get("leads/get", id=person)["data"]
    assert (lead["subscriber"], lead["status"]) == (-person, 2)
    assert len(lead["journal"]) == 1
    states = sorted(row["state"] for row in api.get("postbacks/list")["data"])
    assert states == ["delivered", "discarded"]
    assert api.post("leads/erase", subscriber=PERSON)["data"] == {"count": 0}


def test_other_visits_of_the_same_browser_go_too_and_those_of_others_stay(
    api, world, others_world, person
):
    source = world.source(world.campaign())
    world.click(source, lead_id=person, visitor="m" * 22)
    visit = world.click(source, visitor="m" * 22, ip="203.0.113.7")
    strangers = world.click(source, visitor="n" * 22)
    theirs = others_world.click(others_world.source(others_world.campaign()), visitor="m" * 22)
    api.post("leads/erase", subscriber=PERSON)
    assert db.session.get(Click, visit) is None
    assert None not in (db.session.get(Click, strangers), db.session.get(Click, theirs))


def test_a_click_goes_though_somebody_else_used_its_token_after_them(api, world, person):
    click = world.click(world.source(world.campaign()), lead_id=person + 1000)
    db.session.get_one(Lead, person).click_id = click
    db.session.commit()
    api.post("leads/erase", subscriber=PERSON)
    assert db.session.get(Click, click) is None


def test_another_account_keeps_its_own(api, other, others_world, person):
    lead = others_world.lead(others_world.campaign(), subscriber=PERSON)
    api.post("leads/erase", subscriber=PERSON)
    assert api(other.key).get("leads/get", id=lead)["data"]["subscriber"] == PERSON


def test_what_an_erased_person_was_reported_for_is_not_sent_again(api, person):
    api.post("leads/erase", subscriber=PERSON)
    postbacks = [row["id"] for row in api.get("postbacks/list")["data"]]
    assert [api.post("postbacks/resend", id=one)["data"] for one in postbacks] == [
        {"count": 0}, {"count": 0},
    ]  # fmt: skip


def test_erasing_those_of_whom_nothing_is_known_waits_for_no_writer(live_app, world, person):
    bot = db.session.scalar(select(Lead.bot_id))
    db.session.commit()
    assert erasure.erase(world.account_id, PERSON) == 1
    with db.engine.connect() as another:  # on SQLite it has the only writer's place
        inbox.hold(another, [bot])
        assert erasure.erase(world.account_id, 77) == 0
        assert erasure.erase(world.account_id, PERSON) == 0  # again


def test_everything_that_tells_of_a_person_is_erased_also_without_a_lead(world):
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    rows = (
        lambda: world.entry(bot, -1, subscriber=PERSON, campaign_id=campaign, lead_id=None),
        lambda: world.request(campaign, bot_id=bot, subscriber=PERSON),
        lambda: world.conversion(subscriber=PERSON),
        lambda: db.session.add(Unreachable(bot_id=bot, subscriber=PERSON, since=1, reason="x")),
        lambda: db.session.add(
            Message(
                account_id=world.account_id, bot_id=bot, chat_id=PERSON, text="hi", due=1.0,
                campaign_id=campaign, lead_id=1,
                created=1.0,
            )
        ),
    )  # fmt: skip
    for add in rows:
        add()
        db.session.commit()
        assert erasure._is_known(world.account_id, [bot], PERSON)
        assert erasure.erase(world.account_id, PERSON) == 0
        assert not erasure._is_known(world.account_id, [bot], PERSON)
        db.session.commit()


def test_a_postback_in_the_air_does_not_bring_an_erased_person_back(api, person):
    row = db.session.query(Postback).filter_by(state=0).one()
    row.state, row.lease, row.lease_until = 1, "lease", time.time() + 60
    number, now = row.id, time.time()
    db.session.commit()
    api.post("leads/erase", subscriber=PERSON)
    failed = PostbackUpdate(
        id=number, state=PostbackState.WAITING, reason="500", tries=1, steps=0, due=now,
        first_try=now, settled=None, adapter_state=TRACES[4],
    )  # fmt: skip
    attempt = AttemptRow(
        postback_id=number, occurrence=0, number=1, started=now, ms=5,
        request="GET https://t/?c=abc456xyz", status=500, answer="hi alice", verdict="retry",
        reason="500", next_try=now, key="key",
    )  # fmt: skip
    batch = postbacks.Batch(updates=[failed], attempts=[attempt])
    postbacks.settle(db.session.connection(), "lease", batch, now)
    db.session.commit()
    after = everything()
    assert [trace for trace in TRACES if trace in after] == []
    assert sorted(one["state"] for one in api.get("postbacks/list")["data"]) == [
        "delivered", "discarded",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["bot", "camp"])
def test_both_sides_of_a_transfer_can_erase_what_they_keep(api, other, others_world, person, kind):
    theirs = api(other.key)
    token = theirs.get("transfer/token")["data"]["token"]
    (campaign,) = api.get("camp/list")["data"]
    others_world.chat(bot := others_world.bot(), chat_id=campaign["chat"])
    moved = {"id": campaign["bot"]} if kind == "bot" else {"id": campaign["id"], "bot": bot}
    given = api.post(f"transfer/{kind}", token=token, leads=True, **moved)
    assert given["status"] == "ok", given
    settlement.settle(time.time() + transfer.WAIT_SECONDS + 1)
    assert "abc456xyz" in everything()
    api.post("leads/erase", subscriber=PERSON)  # the postbacks that stayed
    assert all(str(PERSON) not in str(one.event) for one in db.session.query(Postback))
    db.session.commit()
    assert theirs.post("leads/erase", subscriber=PERSON)["data"] == {"count": 1}
    assert [one.text for one in db.session.query(Message)] == [""]
    db.session.commit()


def test_no_prepared_file_tells_of_an_erased_person(api, account, other, world, person):
    """Neither one that is ready nor one that waits, nor those of whoever had the leads before."""

    def ask(owner):
        options = {"query": "", "zone": "UTC", "estimate": 1, "now": time.time()}
        prepared.add(owner.id, ExportKind.LEADS, {}, **options)
        return writer.write_part(LISTS)

    def texts():
        found = [zlib.decompress(data).decode() for data in db.session.scalars(PARTS)]
        db.session.commit()
        return found

    assert ask(account)
    assert TRACES[0] in "".join(texts())
    moved = {"state": TransferState.DONE, "settled": time.time()}
    world.transfer(world.bot(), account_id=other.id, recipient_id=account.id, **moved)
    assert ask(other)
    api.post("leads/erase", subscriber=PERSON)
    assert texts() == []
    assert not writer.write_part(LISTS)
    assert ask(account)
    (text,) = texts()
    assert f"{-person}," in text
    assert [trace for trace in TRACES if trace in text] == []
