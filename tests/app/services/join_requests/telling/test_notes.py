"""The line of a decision in the journal says whose it was, and after how long."""

from sqlalchemy import delete

from app.domain.join_requests.rules import Verdict
from app.extensions import db
from app.models import DeskMode, RequestRule
from app.services.join_requests.owner import decisions


def words(asking):
    return [decision for _, _, decision in asking.decisions()]


def test_a_decision_of_a_person_is_told_as_theirs(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.ask(7)
    number = asking.row(7).id
    decisions.decide(asking.stage.account, Verdict.DECLINE, asking.now, ids=[number])
    asking.decide()
    (said,) = words(asking)
    assert said.startswith("declined by a person, ")


def test_a_rule_that_is_gone_is_told_as_one_of_the_past(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.APPROVE)
    asking.ask(7)
    db.session.execute(delete(RequestRule))
    db.session.commit()
    asking.decide()
    (said,) = words(asking)
    assert said.startswith("approved by a rule of the past, ")
