"""A person who comes by an invite link is known by its click, without any start of the bot."""

import json

from sqlalchemy import select, update

from app.domain.attribution import How, JoinKind
from app.extensions import db
from app.models import Invite, InviteState, JoinDay, SourceMode
from app.sandbox.telegram.people import Chat

APPROVE, HOLD = 2, 1


def events(inviting):
    return [(row.kind, json.loads(row.event)["click"]) for row in inviting.stage.postbacks()]


def test_who_joins_by_the_link_of_a_click_is_its_lead(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    assert inviting.fill() > 0
    link = inviting.press("click=their-own-id")
    assert link.startswith("https://t.me/+")
    inviting.join(7, link)
    lead = inviting.stage.lead(7)
    (click,) = inviting.clicks()
    assert (lead.state, lead.how, lead.click) == (APPROVE, How.LINK, "their-own-id")
    assert (lead.source_id, lead.click_id, click.lead_id) == (
        inviting.source.id,
        click.id,
        lead.id,
    )
    assert events(inviting) == [("approve", "their-own-id")]
    assert inviting.bot_api.sent(inviting.token) == []


def test_a_click_without_an_id_of_the_tracker_is_known_by_its_token(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.join(7, inviting.press())
    (click,) = inviting.clicks()
    assert inviting.stage.lead(7).click == click.token
    assert events(inviting) == [("approve", click.token)]


def test_a_request_by_the_link_of_a_click_holds_and_is_approved(make_inviting):
    inviting = make_inviting(mode=SourceMode.REQUEST)
    link = inviting.press("click=c1")
    inviting.ask(7, link)
    assert inviting.stage.lead(7).state == HOLD
    assert inviting.invite(link).state == InviteState.USED
    inviting.join(7, link)
    lead = inviting.stage.lead(7)
    assert (lead.state, lead.how) == (APPROVE, How.REQUEST)
    assert events(inviting) == [("hold", "c1"), ("approve", "c1")]
    assert inviting.invite(link).state == InviteState.TO_REVOKE


def test_the_second_person_by_a_forwarded_link_has_the_source_and_not_the_click(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    link = inviting.press("click=c1")
    inviting.join(7, link)
    inviting.leave(7)  # so that Telegram lets one more in, until the link is revoked
    inviting.join(8, link)
    second = inviting.stage.lead(8)
    assert (second.how, second.click, second.click_id) == (How.FORWARDED, "", None)
    assert second.source_id == inviting.source.id
    assert inviting.clicks()[0].lead_id == inviting.stage.lead(7).id


def test_the_second_person_who_asks_by_it_is_no_first_one_and_leaves_the_link_open(make_inviting):
    inviting = make_inviting(mode=SourceMode.REQUEST)
    link = inviting.press("click=c1")
    inviting.ask(7, link)
    inviting.ask(8, link)
    inviting.join(8, link)
    assert inviting.stage.lead(8).how == How.FORWARDED
    assert inviting.invite(link).state == InviteState.USED  # the first one still waits
    inviting.join(7, link)
    assert inviting.stage.lead(7).click == "c1"
    assert inviting.invite(link).state == InviteState.TO_REVOKE


def test_a_named_link_knows_its_source_for_everybody(make_inviting):
    inviting = make_inviting(mode=SourceMode.NAMED)
    inviting.fill()
    for person in (7, 8):
        inviting.join(person, inviting.named())
        lead = inviting.stage.lead(person)
        assert (lead.how, lead.click, lead.source_id) == (How.NAMED, "", inviting.source.id)
    (named,) = inviting.invites()
    assert (named.uses, named.used_by, named.state) == (2, None, InviteState.HANDED_OUT)


def test_coming_back_by_nothing_keeps_the_click_of_the_link(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.join(7, inviting.press("click=c1"))
    inviting.now += 5
    inviting.leave(7)
    inviting.now += 5
    inviting.join(7)
    assert inviting.stage.lead(7).click == "c1"
    assert [kind for kind, _ in events(inviting)] == ["approve", "cancel", "approve"]


def test_a_start_before_the_link_stays_as_also_seen(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.start(7, f"{inviting.stage.code}-started")
    inviting.now += 5
    inviting.join(7, inviting.press("click=c1"))
    lead = inviting.stage.lead(7)
    assert (lead.click, lead.how, lead.also_seen) == ("c1", How.LINK, "started")
    assert events(inviting) == [("wait", "started"), ("approve", "c1")]


def test_a_link_whose_click_is_older_than_the_look_back_knows_the_source_only(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE, lookback=3600)
    link = inviting.press("click=c1")
    inviting.now += 3601
    inviting.join(7, link)
    lead = inviting.stage.lead(7)
    assert (lead.how, lead.click, lead.source_id) == (How.LINK, "", inviting.source.id)


def test_links_that_we_have_not_made_and_joins_without_one_are_organic(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.press("click=c1")
    inviting.join(7)
    inviting.join(8, "https://t.me/+SomebodyElses")
    inviting.join(9, via_chat_folder_invite_link=True)
    assert [inviting.stage.lead(person) for person in (7, 8, 9)] == [None, None, None]
    assert inviting.clicks()[0].lead_id is None


def test_each_join_is_counted_by_its_way(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.join(7, inviting.press())
    inviting.join(8)
    inviting.join(9, "https://t.me/+SomebodyElses")
    source = inviting.source.id
    rows = db.session.execute(select(JoinDay.source_id, JoinDay.kind, JoinDay.joins)).all()
    db.session.commit()
    assert sorted(map(tuple, rows)) == [
        (0, JoinKind.ORGANIC, 1),
        (0, JoinKind.OTHER_LINK, 1),
        (source, JoinKind.LINK, 1),
    ]


def test_a_link_of_another_bot_is_none_of_ours(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    link = inviting.press("click=c1")
    db.session.execute(update(Invite).values(bot_id=inviting.stage.bot + 1))
    db.session.commit()
    inviting.join(7, link)
    assert inviting.stage.lead(7) is None


def test_in_a_public_chat_nothing_tells_of_the_link_and_the_join_is_counted_so(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    link = inviting.press("click=c1")
    inviting.chat = Chat(inviting.chat.id, "Club", username="club")
    inviting.join(7, link)
    assert inviting.stage.lead(7) is None
    kinds = db.session.execute(select(JoinDay.kind, JoinDay.joins)).all()
    db.session.commit()
    assert list(map(tuple, kinds)) == [(JoinKind.PUBLIC, 1)]


def test_who_got_the_address_of_anothers_link_has_the_source_and_not_the_click(
    make_inviting, client
):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.fill()
    address = f"/c/{inviting.source.code}?v=11111111-2222-4333-8444-555555555555&click=c1"
    links = []
    for person in (7, 8, 7):
        with client.application.app_context():
            links.append(client.get(address, headers={"User-Agent": "Mozilla/5.0"}).location)
        inviting.join(person, links[-1])
        inviting.leave(person)
    assert len(set(links)) == 3
    first, second = inviting.stage.lead(7), inviting.stage.lead(8)
    assert (first.how, first.click) == (How.LINK, "c1")
    assert (second.how, second.click, second.click_id) == (How.FORWARDED, "", None)
    assert second.source_id == inviting.source.id
    assert [click.lead_id for click in inviting.clicks()] == [first.id]
