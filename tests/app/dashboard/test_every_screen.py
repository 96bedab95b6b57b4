"""What holds for every screen there is, also for one that is added tomorrow."""

import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest

from app.dashboard.access.headers import HEADERS
from app.extensions import db
from app.models import Account, Export, ExportState, RequestRule
from app.models import Session as OpenSession
from tests.support.dashboard import OWN, tags
from tests.support.world import NOON

#: What a stranger calls itself: it leaves any attribute that it stands in, and is an element.
EVIL = "\"'><blink onclick=a>"
#: Of which kind the object is that a path names.
KINDS = {
    "/bots/": "bot", "/campaigns/": "campaign", "/sources/sites/": "site", "/sources/": "source",
    "/leads/": "lead", "/requests/blocked/": "blocked", "/requests/": "request",
    "/deliveries/": "postback", "/trackers/": "tracker", "/exports/": "export",
}  # fmt: skip
#: Screens on which no name of a stranger stands.
NAMELESS = {
    "/deliveries/sent", "/leads/<id:number>/erase", "/requests/all", "/settings", "/trackers/new",
}  # fmt: skip
#: What a screen is asked for.
QUERIES = {"/requests/all": "?decision=approve", "/deliveries/sent": "?count=3"}
#: What no text column stores: NUL, and half of a surrogate pair.
UNSTORABLE = ("%00", "a%ED%A0%80")
FORM = {**OWN, "Content-Type": "application/x-www-form-urlencoded"}
NAMED = {"<key>": "url_template", "<table>": "days", "<token>": "nothing"}


def rules(app, method):
    """Path and guard of every view of the dashboard."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("dashboard.") and method in rule.methods:
            yield rule.rule, app.view_functions[rule.endpoint].guard


def path_of(rule, ids):
    kind = next((kind for begins, kind in KINDS.items() if rule.startswith(begins)), "")
    path = rule.replace("<id:number>", str(ids.get(kind))).replace("<id:rule>", str(ids["rule"]))
    return re.sub(r"<\w+>", lambda part: NAMED[part[0]], path) + QUERIES.get(rule, "")


@pytest.fixture
def ids(world, account):
    """One thing of each kind, and every name in it is a stranger's."""
    person = {"username": EVIL, "first_name": EVIL, "last_name": EVIL, "language": EVIL[:16]}
    bot = world.bot(username=EVIL, name=EVIL, paused=EVIL)
    chat = world.chat(bot, title=EVIL)
    world.chat(bot, title=EVIL, type="supergroup")
    campaign = world.campaign(
        bot_id=bot, chat_id=chat, chat_title=EVIL, button_text=EVIL, welcome_fault=EVIL
    )
    source = world.source(campaign, title=EVIL, click_param=EVIL)
    click = world.click(source, external=EVIL, referrer=EVIL, landing=EVIL, city=EVIL)
    lead = world.lead(campaign, bot_id=bot, click=EVIL, source_id=source, **person)
    tracker = world.destination(title=EVIL, reason=EVIL, failures=9, status=3)
    postback = world.postback(tracker, campaign_id=campaign, lead_id=lead, state=6, reason=EVIL)
    world.attempt(postback, answer=EVIL, request=f"GET https://t.example/{EVIL}", reason=EVIL)
    request = world.request(
        campaign, bot_id=bot, chat_id=chat, link_name=EVIL, reason=EVIL, **person
    )
    world.entry(bot, chat, campaign_id=campaign, lead_id=lead, username=EVIL, link_name=EVIL)
    world.transfer(world.bot(), title=EVIL)
    row = RequestRule(campaign_id=campaign, position=1, action=1)
    export = Export(
        account_id=account.id,
        kind=0,
        query=urlencode({"search": EVIL}),
        filters="{}",
        zone="UTC",
        state=ExportState.READY,
        created=float(NOON),
    )
    db.session.add_all([row, export])
    db.session.get_one(Account, account.id).name = EVIL
    db.session.commit()
    return {
        "bot": bot, "campaign": campaign, "source": source, "click": click, "lead": lead,
        "tracker": tracker, "postback": postback, "request": request, "rule": row.id,
        "export": export.id, "site": world.site(domains=f'["{EVIL[3:]}"]'),
        "blocked": world.blocked(username=EVIL, reason=EVIL),
    }  # fmt: skip


def test_every_screen_is_private_and_runs_nothing_of_strangers(app, browser, account, ids):
    for row in db.session.query(OpenSession):
        row.agent = EVIL
    db.session.commit()
    shown, wrong = set(), []
    for rule, guard in rules(app, "GET"):
        response = browser.get(path_of(rule, ids))
        text = response.get_data(as_text=True)
        sent = {name: response.headers.get(name) for name in HEADERS}
        assert sent == HEADERS, rule
        if guard == "signed_in" and response.status_code != 200:
            wrong.append((rule, response.status_code, text[-600:]))
        if response.mimetype == "text/html" and text:
            assert "blink" not in tags(text), rule
            shown |= {rule} if text.count("&lt;blink onclick=a&gt;") > 1 else set()
        elif response.mimetype == "text/csv":
            named = response.headers["Content-Disposition"]
            assert re.fullmatch(r'attachment; filename="[a-z]+(-[\d-]+)?\.csv"', named), rule
    assert wrong == []
    pages = {rule for rule, guard in rules(app, "GET") if guard == "signed_in"} - shown
    assert {rule for rule in pages if not rule.endswith((".csv", "/file"))} == NAMELESS


def test_no_form_is_taken_without_its_token_or_from_another_site(app, browser, ids):
    taken, asked = [], 0
    for rule, _ in rules(app, "POST"):
        path = path_of(rule, ids)
        for headers, token in (
            (OWN, ""),
            ({"Sec-Fetch-Site": "cross-site"}, browser.token),
            ({"Origin": "https://evil.example"}, browser.token),
            ({}, browser.token),
        ):
            status = browser.send(path, {"csrf": token, "do": "delete"}, headers).status_code
            asked += 1
            if status != 403:
                taken.append((rule, headers, token, status))
    assert taken == []
    assert asked > 100


def test_nobody_sees_a_screen_without_a_session(app, make_browser, ids):
    stranger = make_browser()
    for rule, guard in rules(app, "GET"):
        if guard == "signed_in":
            response = stranger.get(path_of(rule, ids))
            assert response.status_code == 303, rule
            assert response.headers["Location"].startswith("/login?next="), rule


def test_a_plan_that_is_over_leaves_every_screen_to_look_at(app, browser, account, ids):
    row = db.session.get_one(Account, account.id)
    row.tariff, row.paid_until = "tiger", 1
    db.session.commit()
    for rule, guard in rules(app, "GET"):
        response = browser.get(path_of(rule, ids))
        if guard == "signed_in" and response.mimetype == "text/html":
            text = response.get_data(as_text=True)
            assert response.status_code == 200, (rule, text[:300])
            assert "Your plan has ended." in text, rule
            assert 'href="/settings"' in text, rule


class Forms(HTMLParser):
    """The forms of a page, and the names in the queries of its links."""

    def __init__(self, page):
        super().__init__()
        self.found, self.names, self._inside, self._select = [], set(), {}, ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        name, value = attrs.get("name", ""), attrs.get("value") or ""
        if tag == "form":
            self._inside = {}
            self.found.append((attrs.get("method", "get"), attrs.get("action"), self._inside))
        elif tag == "a":
            query = urlsplit(attrs.get("href", "")).query
            self.names |= {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        elif tag == "select":
            self._select = name
        elif tag == "option":
            if "selected" in attrs or not self._inside.get(self._select):
                self._inside[self._select] = value
        elif name:  # a button deletes or pauses: it is not pressed
            self._inside[name] = "" if tag == "button" else value


def unstorable(fields, name, text):
    """What a browser would send of `fields`, with the encoded `text` in one of them."""
    others = urlencode([(key, value) for key, value in fields.items() if key != name])
    return f"{others}&{quote(name)}={text}"


def test_no_text_in_a_query_of_any_screen_causes_a_fault(app, browser, ids):
    statuses = {}
    for rule, _ in rules(app, "GET"):
        path, _, own = path_of(rule, ids).partition("?")
        page = browser.get(f"{path}?{own}")
        shown = Forms(page.get_data(as_text=True) if page.mimetype == "text/html" else "")
        own = dict(parse_qsl(own))
        names = shown.names.union(*(fields for how, _, fields in shown.found if how == "get"))
        for name in names | own.keys() | {"next", "done", "from"}:
            for text in UNSTORABLE:
                query = unstorable(own, name, text)
                statuses[rule, query] = browser.get(f"{path}?{query}").status_code
    assert [asked for asked, status in statuses.items() if status >= 500 or status == 429] == []
    assert len(statuses) > 400


def test_no_text_in_a_field_of_any_form_causes_a_fault(app, make_browser, browser, ids):
    statuses = {}
    for rule, guard in rules(app, "GET"):
        reader = browser if guard == "signed_in" else make_browser()
        path = path_of(rule, ids)
        page = reader.get(path)
        shown = Forms(page.get_data(as_text=True) if page.mimetype == "text/html" else "")
        for how, action, fields in shown.found:
            for name in fields.keys() - {"csrf"} if how == "post" else ():
                for text in UNSTORABLE:
                    form = unstorable(fields, name, text)
                    response = reader.send(action or path, form, FORM)
                    statuses[action or path, name, text] = response.status_code
    assert [asked for asked, status in statuses.items() if status in (403, 429, 500, 503)] == []
    assert len({action for action, _, _ in statuses}) > 25
