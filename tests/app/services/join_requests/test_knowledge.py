"""What the desk knows of people before it decides."""

from app.domain.join_requests.rules import Verdict
from app.extensions import db
from app.models import Blocked, DeskMode, RequestState
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Person
from app.services.join_requests.knowledge import zone


def block(asking, **fields):
    db.session.add(Blocked(account_id=asking.stage.account, created=1, **fields))
    db.session.commit()


def test_a_zone_that_this_system_does_not_know_is_utc():
    assert zone("Europe/Riga").key == "Europe/Riga"
    assert zone("Nowhere/At-All").key == zone("../etc/passwd").key == "UTC"


def test_who_is_blocked_by_id_or_by_name_waits_for_a_person(make_asking):
    from app.crypto import cipher

    asking = make_asking(DeskMode.ALL)
    block(asking, person=cipher.person_hash(asking.stage.account, 7))
    block(asking, username="spammer")
    asking.ask(7)
    asking.ask(Person(8, username="SpamMer"))
    asking.ask(9)
    states = {row.subscriber: row.state for row in asking.rows()}
    assert states == {7: RequestState.WAITING, 8: RequestState.WAITING, 9: RequestState.SCHEDULED}


def test_rules_know_who_was_declined_and_who_was_a_member(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.DECLINE, 1, conditions={"asked_before": 3})
    asking.rule(Verdict.APPROVE, 2, conditions={"was_member": True})
    asking.rule(Verdict.DECLINE, 3, conditions={"premium": False}, delay_from=0)
    asking.ask(7)
    asking.decide()
    assert asking.state(7) is RequestState.DECLINED
    asking.now += 10
    asking.ask(7, at=int(asking.now))
    assert asking.row(7).rule_id != asking.rows()[0].rule_id
    asking.tell(people.join(Person(8), asking.chat, int(asking.now) - 100))
    asking.tell(people.leave(Person(8), asking.chat, int(asking.now) - 50))
    asking.ask(8)
    assert asking.row(8).action == Verdict.APPROVE
