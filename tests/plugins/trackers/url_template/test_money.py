"""What trackers book for a lead: a model of each, and any life of a lead.

A tracker keeps one sum for each conversion; a call that names the same one again
replaces the sum if it carries one. What a preset says is judged by what stands booked
at the end. Where we send no payout the sum is the tracker's own: it books it for a
conversion whose last word is that of an approval.
"""

import json
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.lead import CampaignRules, Lead, Report, State
from app.domain.lead_machine import advance
from app.domain.telegram.person import Person
from app.domain.telegram.updates import LeadEvent, LeadEventKind
from plugins.contract import EventKind
from plugins.testing import sample_event
from plugins.trackers.url_template import presets
from tests.plugins.trackers.url_template.test_presets import ADAPTER, ALL, settings, typed

PAYOUT: Final = 1.5
SUMS: Final = ("payout", "sum", "rev", "amount", "revenue", "tracker.cost")
CONVERSIONS: Final = (
    "tid", "txid", "tx", "action_id", "rdtk_event_id", "tracker.tid", "adv_order_id", "uid", "exto",
)  # fmt: skip

WITH_MONEY: Final = [
    (preset.key, mode)
    for preset in ALL.values()
    for mode in preset.modes
    if any(field.name == "payout" for field in preset.fields)
]
#: Presets without a payout: the tracker's own sum is booked.
OWN_SUM: Final = [
    (preset.key, mode)
    for preset in ALL.values()
    for mode in preset.modes
    if (preset.key, mode) not in WITH_MONEY and preset.key != "grampixel"
]
#: It passes events on and books nothing.
WITHOUT_SUMS: Final = [("grampixel", "separate")]
EVERY: Final = [*WITH_MONEY, *OWN_SUM, *WITHOUT_SUMS]
#: Trackers that document no way to take a sum back (presets.md 4.1).
KEEPING: Final = {
    *((key, mode) for key, mode in EVERY if mode == "approve"),
    *((key, "separate") for key in ("affise", "voluum", "redtrack", "clickflare")),
    *((key, "separate") for key in ("funnelflux", "chatterfy", "tappads")),
}

K = LeadEventKind
LIVES = st.lists(st.sampled_from([K.START, K.REQUEST, K.JOIN, K.LEAVE, K.KICK]), max_size=8)


def lived(life: list[LeadEventKind]) -> tuple[Lead, list[Report]]:
    """The lead after a start and `life`, and what was reported."""
    lead, reports = None, []
    for number, kind in enumerate([K.START, *life], start=1):
        chat = None if kind is K.START else -5
        event = LeadEvent(kind, Person(7), chat, 1000 * number, number, click="c", was_member=True)
        decision = advance(lead, event, CampaignRules())
        lead = decision.lead
        reports += decision.reports
    assert lead
    return lead, reports


def booked(kept: dict[str, Any], reports: list[Report], *, is_final: bool = False) -> float:
    """The sum that a tracker has after `reports`. `is_final`: it changes only what is pending."""
    sums: dict[str, float] = {}
    decided: set[str] = set()
    has_own_sum = (kept["preset"], kept["mode"]) in OWN_SUM
    for report in reports:
        event = sample_event(report.kind, joined=report.joined)
        for request in ADAPTER.build(event, kept):
            sent = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
            conversion = "".join(sent.get(name, "") for name in CONVERSIONS)
            if is_final and conversion in decided:
                continue
            for name in SUMS:
                if name in sent:
                    assert not has_own_sum
                    sums[conversion] = float(sent[name])
            if has_own_sum and counts_at_all(kept, report.kind):
                sums[conversion] = PAYOUT if report.kind is EventKind.APPROVE else 0
            if sent.get("status") in ("1", "3"):
                decided.add(conversion)
    return sum(sums.values())


def counts_at_all(kept: dict[str, Any], kind: EventKind) -> bool:
    """Whether a report says anything of the approval: events of their own name do not."""
    return kept["preset"] != "tappads" or kind is EventKind.APPROVE


@pytest.mark.parametrize(("key", "mode"), EVERY)
@given(life=LIVES)
@example(life=[])
@example(life=[K.REQUEST, K.JOIN])
@example(life=[K.JOIN, K.START])
@example(life=[K.JOIN, K.LEAVE])
@example(life=[K.JOIN, K.KICK, K.JOIN])
@example(life=[K.REQUEST, K.LEAVE, K.START])
def test_what_a_tracker_has_booked_is_what_the_end_of_a_lead_is_worth(key, mode, life):
    lead, reports = lived(life)
    kinds = [report.kind for report in reports]
    ends = [kind for kind in kinds if kind not in (EventKind.WAIT, EventKind.HOLD)]
    is_final = (key, mode) == ("affise", "one")
    if is_final:
        is_worth = ends[:1] == [EventKind.APPROVE]
    elif (key, mode) in KEEPING:
        is_worth = EventKind.APPROVE in kinds
    elif (key, mode) in WITHOUT_SUMS:
        is_worth = False
    else:
        is_worth = lead.state is State.APPROVE
    kept = settings(key, mode=mode)
    assert booked(kept, reports, is_final=is_final) == (PAYOUT if is_worth else 0)


def delivered(reports: list[Report], mode: str, dropped: list[bool], repeated: list[bool]) -> Any:
    """What a tracker hears of `reports`, in order: some twice, since their answer was lost.

    Where a newer status supersedes an older one some of the older are not heard; a start
    or a request of a person who is in supersedes no approval (services/postbacks/supersede.py).
    """
    for number, report in enumerate(reports):
        newer = [
            other.kind
            for other in reports[number + 1 :]
            if report.kind is not EventKind.APPROVE
            or other.kind not in (EventKind.WAIT, EventKind.HOLD)
        ]
        if mode != "separate" and newer and dropped[number]:
            continue
        yield report
        if repeated[number]:
            yield report


FLAGS = st.lists(st.booleans(), min_size=40, max_size=40)


@pytest.mark.parametrize(("key", "mode"), [pair for pair in EVERY if pair not in KEEPING])
@given(life=LIVES, dropped=FLAGS, repeated=FLAGS)
@example(life=[K.JOIN, K.START], dropped=[True] * 40, repeated=[False] * 40)
@example(life=[K.JOIN, K.LEAVE], dropped=[True] * 40, repeated=[True] * 40)
def test_so_it_is_with_superseded_and_repeated_postbacks(key, mode, life, dropped, repeated):
    if (key, mode) == ("affise", "one"):
        return  # what it decided first stays
    lead, reports = lived(life)
    heard = list(delivered(reports, mode, dropped, repeated))
    is_worth = lead.state is State.APPROVE and (key, mode) not in WITHOUT_SUMS
    assert booked(settings(key, mode=mode), heard) == (PAYOUT if is_worth else 0)
    again = [*heard, *heard]  # all of it re-sent by hand, in order
    assert booked(settings(key, mode=mode), again) == (PAYOUT if is_worth else 0)


@pytest.mark.parametrize("key", sorted({key for key, _ in KEEPING | {("affise", "one")}}))
def test_a_preset_whose_tracker_keeps_a_sum_says_so_to_people(key):
    assert "stays booked" in ALL[key].notes


@pytest.mark.parametrize("key", sorted(ALL))
def test_no_other_preset_says_so(key):
    keeps = any(name == key for name, _ in KEEPING | {("affise", "one")})
    assert ("stays booked" in ALL[key].notes) is keeps


@pytest.mark.parametrize(("key", "mode"), [pair for pair in WITH_MONEY if pair not in KEEPING])
def test_a_word_of_the_customers_own_takes_back_the_same_conversion(key, mode):
    word = {"affise": "5", "redtrack": "other"}.get(key, "joined")
    kept = settings(key, mode=mode, statuses={"approve": word})
    _, reports = lived([K.JOIN, K.LEAVE])
    assert booked(kept, reports[:2]) == PAYOUT
    assert booked(kept, reports) == 0


@pytest.mark.parametrize(("key", "mode"), [pair for pair in WITH_MONEY if pair[1] == "one"])
def test_without_a_payout_the_sum_of_one_conversion_is_left_to_the_tracker(key, mode):
    fields = {name: value for name, value in typed(ALL[key]).items() if name != "payout"}
    kept = ADAPTER.check_settings({"preset": key, "mode": mode, "fields": fields})
    for kind in EventKind:
        (request,) = ADAPTER.build(sample_event(kind), kept)
        sent = dict(parse_qsl(urlsplit(request.url).query))
        assert not set(SUMS) & set(sent)


@pytest.mark.parametrize("kind", [EventKind.WAIT, EventKind.HOLD])
def test_a_start_of_a_person_who_is_in_does_not_overwrite_the_approval(kind):
    again = sample_event(kind, joined=1_789_999_000)
    assert ADAPTER.build(again, settings("keitaro")) == ()
    assert ADAPTER.build(again, settings("keitaro", mode="separate"))
    for key in ("altercpa", "altercpa_pro", "scaleo"):
        assert ADAPTER.build(again, settings(key)) == ()
    by_hand = {"urls": {kind.value: "https://t.example/?c={click}"}}
    assert ADAPTER.build(again, ADAPTER.check_settings(by_hand))


def test_a_leave_rejects_the_approvals_own_conversion_at_scaleo():
    kept = settings("scaleo", mode="separate", statuses={"approve": "hold", "hold": "trash"})
    (approval,) = ADAPTER.build(sample_event(EventKind.APPROVE), kept)
    (leave,) = ADAPTER.build(sample_event(EventKind.CANCEL), kept)
    orders = [
        dict(parse_qsl(urlsplit(url).query))["adv_order_id"] for url in (approval.url, leave.url)
    ]
    assert orders == ["12-hold", "12-hold"]
    assert "conv_status=rejected" in leave.url


def test_a_preset_whose_payout_goes_with_a_start_is_no_preset():
    text = presets.resources.files("plugins.trackers.url_template") / "presets" / "bemob.json"
    raw = json.loads(text.read_text("utf-8"))
    raw["modes"]["one"]["append"]["else"] = "&payout={payout}"
    with pytest.raises(ValueError, match="only an approval"):
        presets.parse(json.dumps(raw))
