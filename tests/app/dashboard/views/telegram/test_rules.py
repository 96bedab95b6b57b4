"""The screens of a desk's rules: their order, the form of one, and what they would have done."""

import pytest

from app.extensions import db
from app.models import RequestRule
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"
FULL = {
    "action": "ask", "delay_from": "0", "delay_to": "600", "otherwise": "decline",
    "how": ["click", "source"], "link_name": "reels*", "premium": "yes", "blocked": "no",
    "language": "ru, en", "language_not": "de", "id_above": "7000000000", "asked_before": "30",
    "share": "50", "hours_from": "9", "hours_to": "18", "weekday": ["1", "7"],
    "note": "soft launch", "enabled": "1",
}  # fmt: skip
PLAIN = {
    "action": "approve",
    "delay_from": "0",
    "delay_to": "0",
    "otherwise": "hold",
    "enabled": "1",
}


@pytest.fixture
def campaign(world):
    return world.campaign(desk=2)


@pytest.fixture
def path(campaign):
    return f"/campaigns/{campaign}/rules"


def rules(campaign):
    db.session.expire_all()
    rows = db.session.query(RequestRule).filter_by(campaign_id=campaign)
    found = [(row.id, row.note) for row in rows.order_by(RequestRule.position)]
    db.session.commit()
    return found


def notes(campaign):
    return [note for _, note in rules(campaign)]


def test_a_rule_is_added_with_every_condition_and_shown_in_its_form(
    browser, api, path, campaign, world
):
    source = world.source(campaign, title="Reels")
    assert "No rule yet" in browser.page(path)
    browser.page(f"{path}/new")
    page = text_of(browser.done(path, **FULL, source=str(source)))
    for shown in (
        "Rule 1: asks by a button", "after 600 s: the desk declines", "Sources: Reels",
        "Weekdays: Mon, Sun", "Hours of the day: 9:00", "Telegram Premium: yes", "soft launch",
    ):  # fmt: skip
        assert shown in page
    (rule,) = api.get("rules/list", campaign=campaign)["data"]
    assert rule["conditions"] == {
        "premium": True, "blocked": False, "id_above": 7_000_000_000, "asked_before": 30,
        "share": 50, "language": ["ru", "en"], "language_not": ["de"], "link_name": "reels*",
        "how": ["click", "source"], "source": [source], "weekday": [1, 7], "hours": [9, 18],
    }  # fmt: skip
    assert (rule["action"], rule["otherwise"], rule["delay_to"]) == ("ask", "decline", 600)
    form = browser.page(f"{path}/{rule['id']}")
    for shown in ('value="reels*"', 'value="ru, en"', 'value="50"', 'value="18"'):
        assert shown in form
    assert 'value="7" checked' in form
    browser.done(f"{path}/{rule['id']}", **FULL, source=str(source))
    (again,) = api.get("rules/list", campaign=campaign)["data"]
    assert again == rule


def test_rules_are_moved_changed_and_deleted_and_keep_their_hits(browser, path, campaign):
    browser.page(path)
    for note in ("a", "b", "c"):
        browser.done(path, **PLAIN, note=note)
    first, second, third = (number for number, _ in rules(campaign))
    db.session.get_one(RequestRule, third).hits = 5
    db.session.commit()
    browser.done(f"{path}/{third}", do="up")
    assert notes(campaign) == ["a", "c", "b"]
    browser.done(f"{path}/{first}", do="down")
    assert notes(campaign) == ["c", "a", "b"]
    browser.done(f"{path}/{third}", do="up")
    browser.done(f"{path}/{second}", do="down")
    assert notes(campaign) == ["c", "a", "b"]
    typed = {name: text for name, text in PLAIN.items() if name != "enabled"}
    page = text_of(browser.done(f"{path}/{third}", **typed, note="C"))
    assert "It has decided 5 requests." in page
    assert "switched off" in page
    browser.done(f"{path}/{first}", do="delete")
    assert notes(campaign) == ["C", "b"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("share", {"share": "101"}), ("share", {"share": "many"}), ("hours", {"hours_from": "9"}),
        ("hours", {"hours_from": "9", "hours_to": "30"}), ("delay_to", {"delay_to": "90000"}),
        ("id_above", {"id_above": "9" * 30}), ("how", {"how": "magic"}),
        ("otherwise", {"otherwise": "ask"}),
        ("action", {"action": "kick"}), ("link_name", {"link_name": "x" * 65}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_what_was_typed_stays(browser, path, campaign, field, wrong):
    browser.page(path)
    page = browser.refused(path, **PLAIN | {"note": "stays"} | wrong)
    assert f'href="#{field}"' in page
    assert 'value="stays"' in page
    assert notes(campaign) == []


def test_a_rule_is_tried_before_it_is_saved_and_those_in_force_at_any_time(
    browser, world, path, campaign
):
    world.request(campaign, username="rich", premium=True)
    world.request(campaign, username="poor")
    browser.page(path)
    typed = PLAIN | {"action": "decline", "premium": "yes"}
    response = browser.post(path, **typed, do="try")
    page = text_of(response.get_data(as_text=True))
    assert response.status_code == 200
    assert "Rule 1: declines: 1" in page
    assert "no rule fits: waits for you: 1" in page
    assert notes(campaign) == []
    browser.done(path, **PLAIN)
    page = text_of(browser.page(f"{path}/try"))
    assert "Rule 1: lets in: 2" in page
    assert "rich lets in 1 is open" in page


def test_there_are_no_more_rules_than_a_campaign_may_have(browser, path, campaign):
    browser.page(path)
    for _ in range(20):
        assert browser.post(path, **PLAIN).status_code == 303
    assert "at most 20 rules" in browser.refused(path, **PLAIN)
    assert len(rules(campaign)) == 20


def test_what_others_wrote_is_text(browser, world, path, campaign):
    world.request(campaign, username=SCRIPT)
    browser.page(path)
    browser.done(path, **PLAIN, note=SCRIPT, link_name=SCRIPT)
    number = rules(campaign)[0][0]
    for page in (path, f"{path}/{number}", f"{path}/try"):
        text = browser.page(page)
        assert "&lt;script&gt;" in text
        assert tags(text).count("script") == 1


def test_the_neighbours_rules_are_not_there(browser, world, others_world, path):
    theirs = others_world.campaign()
    rule = RequestRule(campaign_id=theirs, position=1, action=1)
    db.session.add(rule)
    db.session.commit()
    number = rule.id
    their_path = f"/campaigns/{theirs}/rules"
    for page in (their_path, f"{their_path}/new", f"{their_path}/try", f"{their_path}/{number}"):
        browser.page(page, 404)
    browser.page(f"{path}/{number}", 404)
    browser.page(path)
    for target in (their_path, f"{their_path}/{number}", f"{path}/{number}"):
        for sent in (PLAIN, {"do": "up"}, {"do": "delete"}, PLAIN | {"do": "try"}):
            if target == their_path and "action" not in sent:
                continue
            assert browser.post(target, **sent).status_code == 404
    assert notes(theirs) == [""]
