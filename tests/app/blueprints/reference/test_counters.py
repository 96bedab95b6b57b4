"""Counters are what the journal says, whatever else happens to a campaign meanwhile."""

import itertools
import json
import random
import time
from collections import Counter, defaultdict

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import (
    Action,
    Campaign,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    JournalEntry,
    table_of,
)
from app.services.campaigns import settlement
from app.services.leads import process
from app.services.updates import inbox
from tests.app.blueprints.test_stats import DAY, MIDNIGHT, crowd, happening, kept, organic_joins

COUNTERS = ("starts", "holds", "confirms", "unsubs", "kicks", "organic")
SHOWN = ("starts", "confirms", "unsubs")
NOTHING = dict.fromkeys(SHOWN, 0)


class Show:
    """A campaign in which a crowd plays its part piece by piece."""

    def __init__(self, world, seed):
        self.bot = world.bot()
        self.chat = world.chat(self.bot)
        self.campaign = world.campaign(bot_id=self.bot, chat_id=self.chat)
        self.code = db.session.get(Campaign, self.campaign).code
        db.session.commit()
        self._dice = random.Random(seed)
        self._uid = itertools.count(1)
        self._left = crowd((self.chat, self.code), self._dice)

    def play(self, share=1.0):
        """So much of what is left, in batches of any size."""
        size = round(len(self._left) * share)
        bodies = [self._body(one) for one in self._left[:size]]
        self._left = self._left[size:]
        while bodies:
            batch = self._dice.randrange(1, 40)
            inbox.store_updates(self.bot, bodies[:batch])
            process.process_updates(seconds=60)
            bodies = bodies[batch:]

    def _body(self, one):
        return json.dumps({**one, "update_id": next(self._uid)}).encode()


def lives(campaign):
    """The journal of each lead, its first start before all: what it picked up may be older."""
    mine = JournalEntry.campaign_id == campaign, JournalEntry.lead_id.is_not(None)
    wanted = select(JournalEntry).where(*mine).order_by(JournalEntry.time, JournalEntry.update_id)
    found = defaultdict(list)
    for entry in db.session.scalars(wanted):
        found[entry.lead_id].append(entry)
    db.session.commit()
    for entries in found.values():
        first = next(entry for entry in entries if entry.action == Action.START)
        yield [first, *(entry for entry in entries if entry is not first)]


def rebuild(campaign):
    """The aggregates from the journal alone, by the table of product.md."""
    days, quarters, cohorts = defaultdict(Counter), defaultdict(Counter), Counter()

    def count(entry, name):
        days[entry.time // DAY][name] += 1
        quarters[entry.time // 900][name] += 1

    for first, *rest in lives(campaign):
        count(first, "starts")
        state, since = "wait", 0
        for entry in rest:
            if entry.action == Action.START:
                state = "wait" if state == "over" else state
            elif entry.action == Action.REQUEST and state not in {"in", "hold"}:
                count(entry, "holds")
                state = "hold"
            elif entry.action == Action.JOIN and state != "in":
                count(entry, "confirms")
                state, since = "in", entry.time
            elif entry.action in {Action.LEAVE, Action.KICK} and state == "in":
                count(entry, "unsubs")
                if entry.action == Action.KICK:
                    count(entry, "kicks")
                cohorts[since // DAY, min((entry.time - since) // DAY, 31)] += 1
                state = "over"
    for entry in organic_joins(campaign):
        count(entry, "organic")
    db.session.commit()
    return days, quarters, cohorts


def check(api, campaign):
    """All three aggregates, and what the API makes of them, against the journal."""
    days, quarters, cohorts = rebuild(campaign)
    assert kept(CampaignDay, campaign, "day") == days
    assert kept(CampaignQuarter, campaign, "quarter") == quarters
    rows = db.session.execute(
        select(table_of(CampaignCohort)).where(CampaignCohort.campaign_id == campaign)
    ).all()
    db.session.commit()
    assert {(row.join_day, row.age_day): row.left for row in rows} == cohorts
    total = sum(days.values(), Counter())
    (card,) = [row for row in api.get("camp/list")["data"] if row["id"] == campaign]
    assert {name: card[name] for name in SHOWN} == {name: total[name] for name in SHOWN}
    detail = api.get("camp/get", id=campaign)["data"]
    assert {name: detail[name] for name in SHOWN} == {name: card[name] for name in SHOWN}
    summary = api.get("stats/summary", campaign=campaign, **{"from": 0})["data"]
    assert {name: summary[name] for name in COUNTERS} == {name: total[name] for name in COUNTERS}
    assert api.get("leads/list", campaign=campaign)["total"] == total["starts"]
    return total


@pytest.fixture
def show(live_app, world):
    return Show(world, seed=7)


def test_a_restart_and_a_join_anew_are_counted_as_the_reference_says(api, show):
    """Starts are leads created; a confirm is each arrival; an unsub each departure of a member."""
    chat, at = (show.chat, show.code), MIDNIGHT
    kinds = "start start request join start leave join kick start join leave leave".split()
    for number, kind in enumerate(kinds):
        body = {**happening(kind, chat, 77, at + number * 100), "update_id": number + 1}
        inbox.store_updates(show.bot, [json.dumps(body).encode()])
        process.process_updates(seconds=60)
    assert check(api, show.campaign) == {
        "starts": 1, "holds": 1, "confirms": 3, "unsubs": 3, "kicks": 1,
    }  # fmt: skip


def test_what_is_erased_stays_counted_and_who_comes_back_is_counted_anew(api, show):
    show.play(0.5)
    before = check(api, show.campaign)
    erased = [row["subscriber"] for row in api.get("leads/list", limit=200)["data"]][::2]
    assert sum(api.post("leads/erase", subscriber=one)["data"]["count"] for one in erased) > 5
    assert check(api, show.campaign) == before
    show.play()
    assert check(api, show.campaign)["starts"] > before["starts"]


@pytest.fixture
def theirs(api, other):
    return api(other.key)


@pytest.fixture(params=["transfer/bot", "transfer/camp"])
def give(request, api, show, theirs, others_world):
    """Gives the show away, as a bot or as a campaign; `give(leads=1)`."""

    def call(leads):
        target = {"id": show.bot}
        if request.param == "transfer/camp":
            show.bot = others_world.bot()
            others_world.chat(show.bot, chat_id=show.chat)
            target = {"id": show.campaign, "bot": show.bot}
        token = theirs.get("transfer/token")["data"]["token"]
        answer = api.post(request.param, token=token, leads=leads, **target)
        assert answer == {"status": "ok"}
        settlement.settle(time.time() + 2 * DAY, lambda: 0.0)

    return call


@pytest.mark.parametrize("leads_too", [1, 0])
def test_a_transfer_takes_the_counters_along_or_leaves_none(api, show, theirs, give, leads_too):
    show.play(0.4)
    before = check(api, show.campaign)
    assert before["confirms"]
    assert before["unsubs"]
    give(leads=leads_too)

    assert api.get("camp/list")["data"] == []
    assert api.get("stats/summary", campaign=show.campaign)["error"] == "notfound"
    own = api.get("stats/summary", **{"from": 0})["data"]
    assert {name: own[name] for name in SHOWN} == NOTHING
    assert check(theirs, show.campaign) == (before if leads_too else Counter())
    span = {"from": MIDNIGHT, "to": MIDNIGHT + 90 * DAY}
    stayed = theirs.get("stats/retention", campaign=show.campaign, **span)["data"]["total"]
    assert stayed["joined"] == (before["confirms"] if leads_too else 0)

    show.play()
    after = check(theirs, show.campaign)
    assert after["starts"] > (before["starts"] if leads_too else 0)
