"""No endpoint tells of another account's objects, or changes them: they are like missing ones.

Every endpoint is called with every name by which it takes an object: once with what a neighbour
has, and once with what nobody has. Both answers must be the same, and the neighbour's rows too.
So that this says something, what is one's own must be answered otherwise than what is missing.
"""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Export, ExportState, Lead, Media, RequestRule, RequestState, Site, Source
from app.schemas import fields as ours
from app.services.campaigns import transfer
from tests.support.dashboard import Browser
from tests.support.world import NOON, World

pytestmark = pytest.mark.usefixtures("live_app", "no_own_network")

MISSING = 987_654_321
MISSING_TEXTS = {
    "code": "s9999999", "public_id": "9" * 16, "media": "img_99999999", "batch": "batch9",
    "click_id": "click9", "tid": "tid9",
}  # fmt: skip
#: What is named by `id`, by the beginning of the path behind /api/.
BY_ID = {
    "bots/": "bot", "camp/": "campaign", "sources/": "source", "requests/": "request",
    "sites/": "site", "clicks/": "click", "eventkeys/": "event_key", "events/": "conversion",
    "blocked/": "blocked", "leads/": "lead", "postbacks/": "postback", "dest/": "dest",
    "transfer/bot": "bot", "transfer/camp": "campaign", "transfer/cancel": "transfer",
    "exports/": "export",
}  # fmt: skip
#: What the other parameters name.
BY_NAME = {
    "bot": "bot", "campaign": "campaign", "chat": "chat", "lead": "lead", "dest": "dest",
    "ids": "request", "batch": "batch", "media": "media", "greet_media": "media",
    "subscriber": "subscriber", "telegramUserId": "subscriber", "telegram_user_id": "subscriber",
    "conversion_id": "conversion", "click": "click_id", "token": "token", "tid": "tid",
    "site": "public_id", "websiteId": "public_id", "siteId": "public_id", "channelId": "chat",
    "rules": "rule", "before": "before",
}  # fmt: skip
#: Numbers and lists that name nothing.
NO_NAMES = {
    "limit", "offset", "from", "to", "status", "action", "time", "eventTime", "unsub_window",
    "notify_level", "desk_cap", "desk_quiet_from", "desk_quiet_to", "link_ttl", "lookback",
    "capture",
}  # fmt: skip
#: What else a call needs.
USUAL = {
    "pause": 1, "decision": "hold", "title": "A title", "token": "nobody's", "leads": 1,
    "tracker": "url_template", "settings": {"urls": {"wait": "https://e.example/?c={click}"}},
    "domains": ["shop.example"], "event": "purchase", "value": "1", "currency": "USD",
    "eventType": "Custom", "customEventName": "Up", "href": "https://shop.example/",
    "tempId": "0e984725-c51c-4bf4-9960-e1c80e27aba0", "fbp": "fb.1.1790000000000.1234567890",
    "rules": [],
}  # fmt: skip
OPTIONAL = {"customEventName"}
#: An `event` of postbacks and trackers is another one.
EVENTS = {"postbacks": "approve", "dest": {"approve": True}}
#: Where one's own is answered like what is missing: Telegram or a page is asked, the list is
#: empty, or what is named is only said back.
UNTELLING = {
    ("bots/del", "id"), ("transfer/camp", "bot"), ("journal/list", "chat"), ("camp/add", "chat"),
    ("camp/add", "bot"), ("camp/link", "click"), ("rules/try", "rules"), ("events/list", "click"),
    ("events/export", "click"), ("postbacks/test", "click"), ("v1/events/visit", "site"),
    ("v1/events/invite", "site"),
}  # fmt: skip
#: What differs from answer to answer by itself.
PASSING = re.compile(
    r'("(?:id|conversionId|visitId|sessionId|clientSessionId|value|code|created|tempId|time|batch)"'
    r':)("[^"]*"|\d+)'
)
#: In this order: some store what is said of people nobody knows yet, some take things away.
LAST = (
    "requests/decide",
    "exports/del",
    "events/add",
    "v1/",
    "sites/del",
    "sources/del",
    "dest/del",
    "transfer/",
    "camp/del",
    "bots/del",
    "leads/erase",
)


@dataclass(frozen=True)
class Owner:
    """An account and one object of each kind."""

    account: Any
    ids: dict[str, Any]
    recipient: str = ""  #: the token of a third account, to which it may give things


def owner(account: Any, number: int) -> Owner:
    world = World(account.id)
    bot = world.bot()
    chat = world.chat(bot)
    campaign = world.campaign(bot_id=bot, chat_id=chat)
    lead = world.lead(campaign, bot_id=bot, click=f"click{number}")
    source = world.source(campaign)
    click = world.click(source)
    request = world.request(
        campaign, bot_id=bot, chat_id=chat, batch=f"batch{number}", state=RequestState.SCHEDULED
    )
    dest = world.destination()
    conversion = world.conversion(lead_id=lead, campaign_id=campaign, tid=f"tid{number}")
    row = RequestRule(campaign_id=campaign, position=1, action=1)
    media = {"type": "image/png", "size": 1, "digest": f"{number:064}", "created": NOON}
    file = {"kind": 0, "query": "", "filters": "{}", "zone": "UTC", "state": ExportState.READY}
    export = Export(account_id=account.id, created=float(NOON), **file)
    picture = Media(account_id=account.id, code=f"img_{number:08}", **media)
    db.session.add_all([row, export, picture])
    db.session.commit()
    ids = {
        "bot": bot, "chat": chat, "campaign": campaign, "lead": lead, "source": source,
        "click": click, "request": request, "dest": dest, "conversion": conversion,
        "rule": row.id, "export": export.id, "media": f"img_{number:08}", "batch": f"batch{number}",
        "event_key": world.event_key(), "blocked": world.blocked(), "site": world.site(),
        "postback": world.postback(dest, campaign_id=campaign, lead_id=lead),
        "transfer": world.transfer(given := world.bot()), "given": given,
        "click_id": f"click{number}", "tid": f"tid{number}",
        "entry": world.entry(bot, chat, campaign_id=campaign),
    }  # fmt: skip
    ids["subscriber"] = db.session.scalar(select(Lead.subscriber).where(Lead.id == lead))
    ids["code"] = db.session.scalar(select(Source.code).where(Source.id == source))
    ids["public_id"] = db.session.scalar(select(Site.public_id).where(Site.id == ids["site"]))
    db.session.rollback()
    return Owner(account, ids)


@pytest.fixture
def own(account, make_account):
    third = make_account(tariff="tiger", paid_until=2**31)
    return replace(owner(account, 1), recipient=transfer.token_of(third.id))


@pytest.fixture
def theirs(other):
    return owner(other, 2)


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the API, and what it takes."""

    method: str
    rule: str
    fields: dict[str, Any]

    @property
    def words(self) -> str:
        return self.rule.removeprefix("/api/").removesuffix(".json")

    def kind(self, name: str) -> str | None:
        """Of which kind the object is that a parameter names, None for none."""
        if name == "id":
            return next(kind for begins, kind in BY_ID.items() if self.words.startswith(begins))
        if name == "source":
            return "source" if isinstance(self.fields[name], ours.Int) else "code"
        if name == "token":
            return None
        return BY_NAME.get(name)


def endpoints(app: Any) -> list[Endpoint]:
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if not rule.rule.startswith("/api/") or not view.guard.startswith("api_key"):
            continue
        taken = view.takes().fields if hasattr(view, "takes") else {}
        fields = {field.data_key or name: field for name, field in taken.items()}
        method = "POST" if "POST" in rule.methods else "GET"
        found.append(Endpoint(method, rule.rule, {**dict.fromkeys(rule.arguments), **fields}))
    place = lambda one: next(  # noqa: E731
        (number for number, name in enumerate(LAST, 1) if one.words.startswith(name)), 0
    )
    return sorted(found, key=place)


def ask(client: Any, account: Any, endpoint: Endpoint, params: dict[str, Any]) -> str:
    """The answer, with what differs from call to call by itself taken out."""
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(params.pop(match[1], 1)), endpoint.rule)
    sent = {"query_string": params} if endpoint.method == "GET" else {"json": params}
    headers = {"Authorization": f"Bearer {account.key}"}
    answer = client.open(path, method=endpoint.method, headers=headers, **sent)
    assert answer.status_code < 500, (path, params)
    return f"{answer.status_code} {answer.get_data(as_text=True)}"


def usual(endpoint: Endpoint, own: Owner) -> dict[str, Any]:
    """What a call needs that is in order."""
    params: dict[str, Any] = {name: USUAL[name] for name in OPTIONAL & set(endpoint.fields)}
    if endpoint.words == "postbacks/test":
        params["dest"] = own.ids["dest"]
    if endpoint.words.startswith("journal/"):
        params |= {"bot": own.ids["bot"], "chat": own.ids["chat"]}
    if endpoint.words.startswith("transfer/"):
        params["token"] = own.recipient
    for name, field in endpoint.fields.items():
        if (field is None or field.required) and name not in params:
            kind = endpoint.kind(name)
            params[name] = value_of(name, own, kind) if kind in own.ids else USUAL.get(name)
    if "event" in params and endpoint.words.startswith(tuple(EVENTS)):
        params["event"] = EVENTS[endpoint.words.partition("/")[0]]
    return params


def value_of(name: str, owner: Owner | None, kind: str) -> Any:
    value = owner.ids[kind] if owner else MISSING_TEXTS.get(kind, MISSING)
    if name == "rules":
        return [{"id": value, "action": "hold"}]
    if name == "ids":
        return [value]
    return -MISSING if name == "chat" and owner is None else value


def passing(answer: str, value: Any) -> str:
    """An answer without the name that was asked for, and without what passes by itself."""
    status, _, answer = answer.partition(" ")
    for text in (json.dumps(value).strip("[]{}"), str(value)):
        answer = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "_", answer)
    answer = f"{status} {answer}"
    return PASSING.sub(r"\1_", answer)


def rows_of(owner: Owner) -> dict[str, list[Any]]:
    """All rows that are an account's, or of its bots and campaigns."""
    rows = {}
    for table in db.metadata.sorted_tables:
        for column, kind in (("account_id", ""), ("bot_id", "bot"), ("campaign_id", "campaign")):
            if column in table.c:
                value = owner.ids[kind] if kind else owner.account.id
                found = db.session.execute(select(table).where(table.c[column] == value)).all()
                rows[f"{table.name} by {column}"] = sorted(map(str, found))
    db.session.rollback()
    return rows


def test_a_neighbours_objects_are_answered_like_missing_ones(app, client, own, theirs):
    before, differing, untelling = rows_of(theirs), [], []
    asked = 0
    for endpoint in endpoints(app):
        for name in endpoint.fields:
            kind = endpoint.kind(name)
            if kind not in own.ids:
                continue
            asked += 1
            answers = []
            for whose in (None, theirs, own):
                value = value_of(name, whose, kind)
                answer = ask(client, own.account, endpoint, usual(endpoint, own) | {name: value})
                answers.append(passing(answer, value))
            missing, foreign, mine = answers
            if foreign != missing:
                differing.append((endpoint.rule, name, foreign[:300], missing[:300]))
            if mine == missing and (endpoint.words, name) not in UNTELLING:
                untelling.append((endpoint.rule, name, mine[:300]))
    assert differing == [], differing
    assert untelling == [], untelling
    assert rows_of(theirs) == before
    assert asked > 70


def test_every_parameter_that_may_name_an_object_is_known(app):
    unknown = [
        (endpoint.rule, name)
        for endpoint in endpoints(app)
        for name, field in endpoint.fields.items()
        if field is None or type(field) is ours.Int or name.lower().endswith(("id", "ids"))
        if name not in NO_NAMES | {"id", "source"} | set(BY_NAME)
        if name not in {"tempId", "fbclid", "gclid", "gbraid", "wbraid", "ttclid", "sccid",
                        "yclid", "ymUid", "clientSessionId", "externalUserId"}
    ]  # fmt: skip
    assert unknown == []


def test_screens_answer_for_a_neighbours_objects_as_for_missing_ones(app, own, theirs):
    browser = Browser(app).log_in(own.account.key)
    before, differing, asked = rows_of(theirs), [], 0
    for rule in app.url_map.iter_rules():
        if "<id:" not in rule.rule:
            continue
        answers = []
        for number in (MISSING, *_numbers(theirs)):
            path = re.sub(r"<id:\w+>", str(number), rule.rule)
            for method in sorted(rule.methods & {"GET", "POST"}):
                answer = browser.post(path, do="delete") if method == "POST" else browser.get(path)
                answers.append((method, number, answer.status_code))
                asked += 1
        mine = _numbers(own)
        absent = {method: status for method, number, status in answers if number == MISSING}
        differing += [
            (rule.rule, method, number, status)
            for method, number, status in answers
            if status != absent[method] and number not in mine
        ]
    assert differing == [], differing
    assert rows_of(theirs) == before
    assert asked > 100


def _numbers(owner: Owner) -> set[int]:
    return {value for value in owner.ids.values() if type(value) is int and value > 0}
