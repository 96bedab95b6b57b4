"""Whatever the engine decides, the journal says it in the reader's language."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.attribution import How, Touch
from app.domain.lead import CampaignRules, Lead, OrganicEvent
from app.domain.lead_machine import advance
from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from app.translations import use_language
from app.translations.decisions import translated_decision

BEGAN = 1_790_000_000
EVENTS = st.builds(
    lambda kind, at, uid, click, token, member: LeadEvent(
        kind, Person(7), -5, BEGAN + at, uid, click=click, token=token, was_member=member
    ),
    st.sampled_from(LeadEventKind),
    st.integers(0, 500_000),
    st.integers(0, 9),
    st.sampled_from(["", "click", "{clickid}"]),
    st.sampled_from(["", "t1"]),
    st.booleans(),
)
#: Words of the sentences that no reader of Russian should meet; states and kinds are the API's.
ENGLISH = {"reported", "nothing", "older", "newest", "paused", "sent", "lead", "click", "earlier"}


@given(st.lists(EVENTS, max_size=12), st.booleans(), st.sampled_from([0, 3600]), st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_decision_of_the_engine_is_translated(app, events, paused, window, touched):
    touch = Touch(How.LINK, BEGAN, "click", 1, 1) if touched else None
    lead: Lead | None = None
    organic: list[OrganicEvent] = []
    with app.app_context():
        for event in events:
            rules = CampaignRules(paused=paused, unsub_window=window)
            decision = advance(lead, event, rules, organic, touch)
            lead = decision.lead
            for line in decision.lines:
                if line.organic:
                    organic.append(OrganicEvent(line.kind, line.date, line.update_id))
                with use_language("ru"):
                    said = translated_decision(line.decision)
                assert not ENGLISH & set(said.replace(":", "").replace(",", "").split()), said
                with use_language("en"):
                    assert translated_decision(line.decision) == line.decision


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ("hold reported", "сообщено hold"),
        ("approve reported, late", "сообщено approve, с опозданием"),  # noqa: RUF001
        ("lead created by link, approve reported", "лид создан (link), сообщено approve"),
        (
            "cancel not sent: left 7 d 1 s after join, window 7 d",
            "cancel не отправлено: вышел через 7 d 1 s после вступления, окно 7 d",
        ),
        (
            "wait reported; started again without a click: the earlier one stays",
            "сообщено wait; новый старт без клика: остаётся прежний",
        ),
        ("words of an older version", "words of an older version"),
        ("", ""),
    ],
)
def test_a_decision_reads_in_russian(app, decision, said):
    with app.app_context(), use_language("ru"):
        assert translated_decision(decision) == said
