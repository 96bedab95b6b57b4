"""Counters by range, day and cohort; and that the journal tells the same."""

import csv
import io
import itertools
import json
import random
from collections import Counter, defaultdict

import pytest
from sqlalchemy import select

from app.domain.lead import CounterDelta, Counts
from app.extensions import db
from app.models import (
    Campaign,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    JournalEntry,
    table_of,
)
from app.services.leads import counters, process
from app.services.leads.stats import retention
from app.services.lists.scope import Scope
from app.services.updates import inbox
from tests.support.exports import as_text

DAY = 86_400
MIDNIGHT = 20_000 * DAY  # 2024-10-04
NOTHING = {
    "starts": 0, "holds": 0, "confirms": 0, "unsubs": 0, "kicks": 0, "leaves": 0, "organic": 0,
    "cr": 0.0,
}  # fmt: skip


def tell(campaign, *deltas):
    counters.BatchCounts([(campaign, delta) for delta in deltas]).save(db.session.connection())
    db.session.commit()


def started(at, count=1):
    return CounterDelta(at, Counts(starts=count))


def joined(at, count=1):
    return CounterDelta(at, Counts(confirms=count))


def left(at, since):
    return CounterDelta(at, Counts(unsubs=1), since)


def test_a_summary_compares_a_range_with_the_one_before(api, world):
    one, two = world.campaign(), world.campaign()
    tell(one, started(MIDNIGHT, 4), joined(MIDNIGHT + 60), left(MIDNIGHT + 3600, MIDNIGHT))
    tell(one, started(MIDNIGHT - DAY))
    tell(two, started(MIDNIGHT + DAY - 1, 2), CounterDelta(MIDNIGHT, Counts(holds=3)))
    span = {"from": MIDNIGHT, "to": MIDNIGHT + DAY - 1}
    data = api.get("stats/summary", **span)["data"]
    assert data == {
        **span,
        "starts": 6,
        "holds": 3,
        "confirms": 1,
        "unsubs": 1,
        "kicks": 0,
        "leaves": 1,
        "organic": 0,
        "cr": 16.67,
        "before": NOTHING | {"starts": 1},
    }
    only = api.get("stats/summary", campaign=one, **span)["data"]
    assert (only["starts"], only["cr"]) == (4, 25.0)


def test_a_summary_of_odd_hours_counts_each_quarter_once(api, world):
    campaign = world.campaign()
    moments = [MIDNIGHT + hours * 3600 for hours in range(-30, 60)]
    tell(campaign, *(started(at) for at in moments))
    for first, last in [(-7, 3), (-30, 59), (5, 6), (-1, 49)]:
        span = {"from": MIDNIGHT + first * 3600, "to": MIDNIGHT + last * 3600}
        assert api.get("stats/summary", **span)["data"]["starts"] == last - first + 1


def test_days_are_those_of_the_time_zone(api, world):
    campaign = world.campaign()
    tell(campaign, started(MIDNIGHT + 18 * 3600 + 1800, 5), joined(MIDNIGHT + DAY))
    span = {"from": MIDNIGHT, "to": MIDNIGHT + DAY}

    def starts(tz):
        rows = api.get("stats/daily", tz=tz, **span)["data"]
        return [(row["date"], row["starts"], row["confirms"]) for row in rows]

    assert starts(0) == [("2024-10-04", 5, 0), ("2024-10-05", 0, 1)]
    assert starts(330) == [("2024-10-04", 0, 0), ("2024-10-05", 5, 1)]
    assert starts(-60) == [("2024-10-03", 0, 0), ("2024-10-04", 5, 1)]
    assert starts(315) == [("2024-10-04", 5, 0), ("2024-10-05", 0, 1)]


def test_thirty_days_are_shown_unless_said_and_empty_ones_too(api):
    rows = api.get("stats/daily")["data"]
    assert len(rows) == 30
    assert rows[0] == {"date": rows[0]["date"], **NOTHING}


@pytest.mark.parametrize("path", ["stats/summary", "stats/daily", "stats/retention"])
def test_a_foreign_filter_is_not_found_and_a_wrong_range_is_named(api, others_world, path):
    campaign = others_world.campaign()
    for query in ({"campaign": campaign}, {"bot": others_world.bot()}, {"campaign": 10**12}):
        assert api.get(path, **query)["error"] == "notfound"
    assert api.get(path, **{"from": 2, "to": 1})["field"] == "from"
    assert api.get(path, **{"from": -(2**63), "to": 0})["status"] == "ok"


def test_too_many_days_and_a_zone_that_is_none_are_named(api):
    assert api.get("stats/daily", **{"from": 0})["field"] == "from"
    assert api.get("stats/summary", **{"from": 0, "to": 2**63 - 1})["status"] == "ok"
    for tz in (7, 855, -735, "x"):
        assert api.get("stats/daily", tz=tz)["field"] == "tz"


def test_anothers_counters_are_not_shown(api, others_world):
    tell(others_world.campaign(), started(MIDNIGHT))
    assert api.get("stats/summary", **{"from": MIDNIGHT})["data"]["starts"] == 0


def test_retention_tells_who_stayed(api, world):
    campaign = world.campaign()
    tell(
        campaign,
        joined(MIDNIGHT, 4),
        left(MIDNIGHT + 3600, MIDNIGHT),
        left(MIDNIGHT + 2 * DAY, MIDNIGHT + 10),
        left(MIDNIGHT + 90 * DAY, MIDNIGHT),
    )
    data = api.get("stats/retention", **{"from": MIDNIGHT, "to": MIDNIGHT + DAY})["data"]
    row = {"joined": 4, "d0": 75.0, "d1": 50.0, "d3": 50.0, "d7": 50.0, "d14": 50.0, "d30": 50.0}
    assert data == {
        "total": row,
        "cohorts": [{"date": "2024-10-04", **row}],
        "leaving": [
            {"days": 0, "left": 1},
            {"days": 1, "left": 1},
            {"days": 31, "left": 1},
        ],
    }


def test_survival_is_unknown_until_all_of_a_cohort_are_old_enough(app, account, world):
    tell(world.campaign(), joined(MIDNIGHT, 2), joined(MIDNIGHT + DAY))
    found = retention.retention(
        Scope(account_id=account.id, now=MIDNIGHT + 3 * DAY - 1, since=MIDNIGHT)
    )
    assert [one.percent["d0"] for one in found.cohorts] == [100.0, None]
    assert (found.total.percent["d0"], found.total.percent["d1"]) == (100.0, None)


# -- as files ----------------------------------------------------------------------


def test_each_table_is_exported_as_the_api_tells_it(api, client, account, world):
    campaign = world.campaign(chat_title="=News")
    tell(campaign, started(MIDNIGHT, 4), joined(MIDNIGHT), left(MIDNIGHT + DAY, MIDNIGHT))
    span = {"from": MIDNIGHT, "to": MIDNIGHT + DAY}

    def exported(**query):
        bearer = {"Authorization": f"Bearer {account.key}"}
        answer = client.get("/api/stats/export.json", query_string=query, headers=bearer)
        assert f"{query.get('table', 'days')}.csv" in answer.headers["Content-Disposition"]
        return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline="")))

    for query in (span, {**span, "campaign": campaign}, {**span, "tz": -60}):
        assert exported(**query) == as_text(api.get("stats/daily", **query)["data"])
    whole = api.get("stats/retention", **span)["data"]
    for table, key in (("retention", "cohorts"), ("leaving", "leaving")):
        assert exported(table=table, **span) == as_text(whole[key])
    (row,) = exported(table="campaigns", **span)
    summary = api.get("stats/summary", campaign=campaign, **span)["data"]
    counted = {name: summary[name] for name in NOTHING}
    assert row == as_text([{"campaign": campaign, "title": "'=News", **counted}])[0]
    assert api.get("stats/export", table="weather")["field"] == "table"
    assert api.get("stats/export", campaign=10**12)["error"] == "notfound"
    assert api.get("stats/export", **{"from": 0})["field"] == "from"


# -- the journal tells the same ----------------------------------------------------


def happening(kind, chat, person, at):
    user = {"id": person, "is_bot": False, "first_name": "P"}
    if kind == "start":
        chat_ = {"id": person, "type": "private"}
        text = {"text": f"/start {chat[1]}-c", "entities": []}
        return {"message": {"message_id": 1, "date": at, "chat": chat_, "from": user, **text}}
    where = {"id": chat[0], "type": "channel", "title": "C"}
    if kind == "request":
        body = {"chat": where, "from": user, "user_chat_id": person, "date": at}
        return {"chat_join_request": body}
    statuses = {
        "join": ("left", "member"),
        "leave": ("member", "left"),
        "kick": ("member", "kicked"),
    }
    old, new = ({"user": user, "status": status} for status in statuses[kind])
    new |= {"until_date": 0} if kind == "kick" else {}
    actor = user | {"id": 99} if kind == "kick" else user
    body = {"chat": where, "from": actor, "date": at}
    return {"chat_member": body | {"old_chat_member": old, "new_chat_member": new}}


def crowd(chat, dice):
    """Happenings of 30 people over weeks, oldest first; some come without a start."""
    found = []
    for person in range(1, 31):
        at, inside = MIDNIGHT + dice.randrange(5 * DAY), False
        if person % 5:
            found.append((at, "start", person))
        for _ in range(dice.randrange(8)):
            at += dice.choice((30, 7_000, DAY, 9 * DAY))
            kind = (
                dice.choice(("leave", "kick", "start"))
                if inside
                else dice.choice(("join", "request", "start"))
            )
            if kind == "start" and not person % 5:
                continue
            inside = kind == "join" or (inside and kind == "start")
            found.append((at, kind, person))
    return [happening(kind, chat, person, at) for at, kind, person in sorted(found)]


def rebuild(campaign):
    """The aggregates from the journal alone, by the table of product.md."""
    days, quarters = defaultdict(Counter), defaultdict(Counter)
    cohorts = Counter()

    def count(entry, name):
        days[entry.time // DAY][name] += 1
        quarters[entry.time // 900][name] += 1

    paid = select(JournalEntry).where(
        JournalEntry.campaign_id == campaign, JournalEntry.lead_id.is_not(None)
    )
    entries = db.session.scalars(paid.order_by(JournalEntry.time, JournalEntry.update_id)).all()
    for _, group in itertools.groupby(
        sorted(entries, key=lambda entry: entry.lead_id), key=lambda entry: entry.lead_id
    ):
        state, since = None, 0
        for entry in group:
            if entry.action == 5:
                count(entry, "starts") if state is None else None
                state = "wait" if state in (None, "over") else state
            elif entry.action == 4 and state not in {"in", "hold"}:
                count(entry, "holds")
                state = "hold"
            elif entry.action == 1 and state != "in":
                count(entry, "confirms")
                state, since = "in", entry.time
            elif entry.action in (2, 3) and state == "in":
                count(entry, "unsubs")
                count(entry, "kicks") if entry.action == 3 else None
                cohorts[since // DAY, min((entry.time - since) // DAY, 31)] += 1
                state = "over"
    for entry in organic_joins(campaign):
        count(entry, "organic")
    db.session.commit()
    return days, quarters, cohorts


def organic_joins(campaign):
    """Joins that belong to no lead: there was none yet, or it began later and left them alone."""
    alone = JournalEntry.lead_id.is_(None) | JournalEntry.decision.startswith("older than the lead")
    joins = JournalEntry.campaign_id == campaign, JournalEntry.action == 1
    return db.session.scalars(select(JournalEntry).where(*joins, alone)).all()


def kept(model, campaign, key):
    rows = db.session.execute(select(table_of(model)).where(model.campaign_id == campaign)).all()
    db.session.commit()
    names = ("starts", "holds", "confirms", "unsubs", "kicks", "organic")
    found = {
        getattr(row, key): {name: value for name in names if (value := getattr(row, name))}
        for row in rows
    }
    # A join may be taken off again, by a start that came late.
    return {place: counted for place, counted in found.items() if counted}


@pytest.mark.parametrize("seed", range(3))
def test_the_journal_rebuilds_the_aggregates_without_a_difference(live_app, world, seed):
    bot = world.bot()
    chat = world.chat(bot)
    campaign = world.campaign(bot_id=bot, chat_id=chat)
    code = db.session.get(Campaign, campaign).code
    db.session.commit()
    dice = random.Random(seed)
    updates = crowd((chat, code), dice)
    bodies = [json.dumps({"update_id": n, **one}).encode() for n, one in enumerate(updates, 1)]
    while bodies:
        size = dice.randrange(1, 40)
        inbox.store_updates(bot, bodies[:size])
        process.process_updates(seconds=60)
        bodies = bodies[size:]
    days, quarters, cohorts = rebuild(campaign)
    assert days
    assert kept(CampaignDay, campaign, "day") == days
    assert kept(CampaignQuarter, campaign, "quarter") == quarters
    rows = db.session.execute(select(table_of(CampaignCohort))).all()
    assert {(row.join_day, row.age_day): row.left for row in rows} == cohorts
    db.session.commit()
