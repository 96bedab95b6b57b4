"""Whether a postback may be sent now: the clock and a claim are of one opinion."""

import pytest

from app.extensions import db
from app.models import (
    Account,
    AccountStatus,
    Destination,
    DestinationStatus,
    Postback,
    PostbackState,
)
from app.sandbox.telegram import people
from app.services import pending_work
from tests.support.delivery import T, alter, claim_all

NEVER = 10.0**11


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Destination, {"status": DestinationStatus.PAUSED}),
        (Destination, {"status": DestinationStatus.OFF}),
        (Destination, {"status": DestinationStatus.DELETED}),
        (Destination, {"blocked_until": NEVER}),
        (Account, {"status": AccountStatus.BANNED}),
        (Postback, {"due": NEVER}),
        (Postback, {"state": PostbackState.SENDING}),
    ],
)
def test_what_may_not_be_sent_is_neither_claimed_nor_called_due(stage, clock, model, change):
    stage.play(people.start(people.Person(101), f"{stage.code}-a", T))
    before = {name: getattr(db.session.scalars(db.select(model)).first(), name) for name in change}
    db.session.commit()
    alter(model, **change)
    assert not pending_work.look(clock.now).postbacks
    db.session.commit()
    assert claim_all(clock) == []
    alter(model, **before)
    assert pending_work.look(clock.now).postbacks
    db.session.commit()
    assert len(claim_all(clock)) == 1
