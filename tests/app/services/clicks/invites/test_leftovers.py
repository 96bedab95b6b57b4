"""What happens to links that nobody needs any more."""

import pytest
from sqlalchemy import update

from app.extensions import db
from app.models import Bot, Campaign, InviteState, Source, SourceMode, SourceStatus
from app.services.clicks.invites import keeper, leftovers
from app.services.leads import erasure


def states(inviting):
    return {row.state for row in inviting.invites()}


def test_links_of_a_group_that_moved_are_gone_and_made_anew(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    ready = inviting.fill(2)
    db.session.execute(update(Campaign).values(chat_id=-100999))
    db.session.commit()
    assert "?start=" in inviting.press() or inviting.invites()[-1].chat_id == -100999
    leftovers.sweep(inviting.now)
    old = [row.state for row in inviting.invites() if row.chat_id == inviting.chat.id]
    assert old == [InviteState.GONE] * ready


def test_links_of_a_bot_that_was_disconnected_are_gone(make_inviting):
    inviting = make_inviting(mode=SourceMode.NAMED)
    inviting.fill()
    inviting.set(Bot, status=3)
    leftovers.sweep(inviting.now)
    assert states(inviting) == {InviteState.GONE}


def test_the_named_link_of_a_deleted_source_is_revoked(make_inviting):
    inviting = make_inviting(mode=SourceMode.NAMED)
    inviting.fill()
    leftovers.sweep(inviting.now)
    assert states(inviting) == {InviteState.HANDED_OUT}
    inviting.set(Source, status=SourceStatus.DELETED)
    leftovers.sweep(inviting.now)
    assert states(inviting) == {InviteState.TO_REVOKE}


def test_what_was_never_handed_out_goes_when_it_expires(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.fill()
    last = max(row.expires for row in inviting.invites())
    leftovers.sweep(last)
    assert inviting.invites()
    leftovers.sweep(last + 1)
    assert inviting.invites() == []


def test_a_link_is_kept_as_long_as_clicks_and_a_named_one_as_long_as_its_source(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.join(7, inviting.press())
    inviting.set(Source, mode=int(SourceMode.NAMED))
    inviting.fill()
    made = inviting.invites()[0].made
    leftovers.sweep(made + leftovers.KEPT)
    assert len(inviting.invites()) == 2
    leftovers.sweep(made + leftovers.KEPT + 3600)
    assert [row.link for row in inviting.invites()] == [inviting.named()]


def test_a_link_that_expired_before_it_was_revoked_needs_no_call(make_inviting):
    inviting = make_inviting(mode=SourceMode.INVITE)
    inviting.join(7, inviting.press())
    (invite,) = inviting.invites()
    leftovers.sweep(invite.expires + 1)
    assert states(inviting) == {InviteState.GONE}


PERSON = 777_123_456_789


def everything():
    """All that is stored, encrypted texts as they are read."""
    dump = ""
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(table.select()):
            dump += str(row._asdict())
    db.session.commit()
    return dump


@pytest.mark.parametrize("is_revoked", [False, True])
@pytest.mark.parametrize("mode", [SourceMode.INVITE, SourceMode.REQUEST])
def test_nothing_of_an_erased_person_is_left_anywhere(make_inviting, mode, is_revoked):
    inviting = make_inviting(mode=mode)
    inviting.start(PERSON, f"{inviting.stage.code}-their-start")
    inviting.now += 5
    link = inviting.press("click=their-click&utm_source=their-utm")
    inviting.ask(PERSON, link) if mode is SourceMode.REQUEST else inviting.join(PERSON, link)
    (click,), (invite,) = inviting.clicks(), inviting.invites()
    traces = [str(PERSON), "their-start", "their-click", "their-utm", click.token, link]
    traces.append(invite.link_key)
    assert all(trace in everything() for trace in traces)
    if is_revoked:
        keeper.revoke(inviting.now + 60)
    erasure.erase(inviting.stage.account, PERSON)
    keeper.revoke(inviting.now + 120)
    assert [trace for trace in traces if trace in everything()] == []


def test_the_link_of_an_erased_person_is_still_revoked(make_inviting):
    inviting = make_inviting(mode=SourceMode.REQUEST)
    inviting.ask(PERSON, inviting.press())
    erasure.erase(inviting.stage.account, PERSON)
    assert keeper.revoke(inviting.now + 60) == 1
    assert states(inviting) == {InviteState.GONE}
