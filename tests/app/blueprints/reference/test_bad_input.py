"""Every parameter of every endpoint refuses what it cannot be, by name, and nothing is written.

Endpoints and parameters come from the application: a new one is here from its first day.
"""

import json
from urllib.parse import quote_from_bytes, urlencode

import pytest
from sqlalchemy import select

from app.extensions import db
from app.schemas import fields
from app.schemas.destinations import Events
from app.schemas.event_keys import Addresses
from app.services.accounts.rate_limits import Limit
from app.web.openapi.endpoints import endpoints

URL = "https://track.example/?click={click}"
LITE = {"domain": "crm.example", "key": "42-abc"}
HALF = b"\xed\xa0\x80"  # half of a surrogate pair, in the bytes that UTF-8 forbids

#: What a parameter is when another one is wrong; ids are those of real objects.
BY_NAME = {
    "sub_map": "{}",
    "domains": '["shop.example"]',
    "consent": "none",
    **dict.fromkeys(("pb_wait", "pb_hold", "pb_approve", "pb_cancel", "pb_trash"), URL),
    "button_url": URL,
    "template": URL,
    "media": "",
    "lang": "ru",
    "zone": "Europe/Riga",
    "nonce": "n" * 20,
    "event": "hold",
    "state": "failed",
    "mode": "start",
    "fallback": "start",
    "tracker": "altercpa_lite",
    "settings": LITE,
    "events": ["wait"],
    "country": "LV",
    "currency": "USD",
    "value": "49.5",
    "addresses": "192.0.2.1",
    "desk": "rules",
    "greet_on": "both",
    "how": "click",
    "ids": "1",
    "rules": "[]",
    "decision": "approve",
    "batch": "0123456789abcdef",
    "person": "777",
    "csv": "777",
    "by": "day",
    "url": "https://shop.example/",
}
BY_ENDPOINT = {
    ("/api/tariff/buy.json", "tariff"): "kitten",
    ("/api/exports/add.json", "kind"): "leads",
    ("/api/exports/add.json", "filters"): {"status": 1},
    ("/api/leads/list.json", "how"): "link",
    ("/api/leads/export.json", "how"): "link",
    ("/api/media/del.json", "media"): "img_any",
    ("/api/events/list.json", "event"): "purchase",
    ("/api/events/export.json", "event"): "purchase",
    ("/api/stats/export.json", "table"): "days",
    ("/api/postbacks/list.json", "status"): "2xx",
    ("/api/postbacks/export.json", "status"): "2xx",
    ("/api/postbacks/resend.json", "status"): "2xx",
}
#: Left out unless they are what is tried: beside them others are not looked at.
ASIDE = {
    "/api/postbacks/test.json": ("dest", "template"),
    "/api/dest/check.json": ("id",),
    "/api/postbacks/resend.json": ("id",),
}

#: JSON text that is no parameter of ours, whatever its type.
NEVER = {
    "null": "null",
    "NaN": "NaN",
    "infinity": "-Infinity",
    "a number beyond all": "1e999",
    "a fraction": "1.5",
    "a huge integer": "1" + "0" * 30,
    "a negative huge one": "-1" + "0" * 30,
    "too many digits": "7" * 5000,
    "half a surrogate pair": r'"\ud800"',
    "half a pair inside": r'"a\udfffb"',
    "NUL": r'"a\u0000b"',
    "overlong text": '"' + "x" * 20_000 + '"',
    "nested deeply": "[" * 30 + "]" * 30,
    "nested beyond parsers": "[" * 5000 + "]" * 5000,
    "objects beyond parsers": '{"a":' * 5000 + "1" + "}" * 5000,
    "lists": "[[1]]",
    "an object": '{"x":{"y":1}}',
    "half a pair in an object": r'{"x":"\ud800"}',
    "half a pair as a name": r'{"\ud800":1}',
    "NaN in an object": '{"x":[NaN]}',
    "NUL in an object": r'{"domain":"a\u0000b","key":"42-abc"}',
    "overlong text in an object": '{"domain":"crm.example","key":"' + "x" * 9000 + '"}',
}
#: The same as a form or a query carries it, percent-encoded.
NEVER_ENCODED = {
    "half a surrogate pair": quote_from_bytes(HALF),
    "no UTF-8": "%ff",
    "NUL": "a%00b",
    "overlong text": "x" * 20_000,
}
NO_TEXT = {
    "empty": "",
    "NaN": "NaN",
    "infinity": "inf",
    "a fraction": "1.5",
    "an exponent": "1e3",
    "a huge integer": "1" + "0" * 30,
    "digits of another script": quote_from_bytes("\u0661".encode()),
    "nested deeply": "[" * 30 + "]" * 30,
    "a word": "nonsense",
    "spaces": "+1+",
}
BLANKS = {Events: ("empty", "spaces"), Addresses: ("empty",)}  # no event at all, which can be meant


def everything():
    """All rows of all tables."""
    connection = db.session.connection()
    tables = db.metadata.sorted_tables
    found = {table.name: sorted(map(repr, connection.execute(select(table)))) for table in tables}
    db.session.commit()
    return found


@pytest.fixture
def token(new_session, monkeypatch):
    """A session of the account, which opens all that a key does and more; nobody is counted."""
    monkeypatch.setattr(Limit, "hit", lambda *_: None)
    return new_session()


def objects(api, world):
    """An object of each kind, by the name of the parameter that takes its id."""
    bot = world.bot()
    chat = world.chat(bot)
    campaign = world.campaign(bot_id=bot, chat_id=world.chat(bot))
    lead = world.lead(campaign, bot_id=bot)
    dest = api.post("dest/add", tracker="altercpa_lite", settings=LITE)["data"]["id"]
    postback = world.postback(dest, lead_id=lead, campaign_id=campaign)
    return {
        "bot": bot,
        "bots": bot,
        "chat": chat,
        "campaign": campaign,
        "camp": campaign,
        "lead": lead,
        "leads": lead,
        "dest": dest,
        "postbacks": postback,
        "sources": (source := world.source(campaign)),
        "clicks": world.click(source),
        "source": source,
        "sites": world.site(),
        "requests": world.request(campaign),
        "blocked": world.blocked(),
        "eventkeys": world.event_key(),
        "events": world.conversion(lead_id=lead),
        "exports": world.export(),
        "cancel": world.transfer(world.bot()),
    }


@pytest.fixture
def ids(api, world):
    return objects(api, world)


def parameters(endpoint):
    return {one.data_key or name: one for name, one in endpoint.takes().fields.items()}


def good(endpoint, ids):
    """Every parameter of an endpoint with a value that it takes."""
    group, verb = endpoint.path.split("/")[2:4]
    found = {}
    for name, field in parameters(endpoint).items():
        if (endpoint.path, name) in BY_ENDPOINT:
            found[name] = BY_ENDPOINT[endpoint.path, name]
        elif name == "id":
            kind = verb.partition(".")[0] if group == "transfer" else group
            found[name] = ids[kind]
        elif isinstance(field, fields.Boolean):
            found[name] = 1
        elif isinstance(field, fields.Int):
            found[name] = ids.get(name, max(field.low, 0))
        else:
            found[name] = BY_NAME.get(name, "plain")
    return found


def tried(endpoint, ids):
    """Each parameter, and what stands beside it."""
    whole = good(endpoint, ids)
    for name, field in parameters(endpoint).items():
        aside = {name, *ASIDE.get(endpoint.path, ())}
        yield name, field, {key: value for key, value in whole.items() if key not in aside}


class Trial:
    """Sends every parameter of every endpoint everything that it cannot be."""

    def __init__(self, app, client, ids, token):
        self._app, self._client, self._ids = app, client, ids
        self._bearer = {"Authorization": f"Bearer {token}"}

    def faults(self, method, cases, send):
        """What was not refused as it must be, in sentences."""
        for endpoint in endpoints(self._app):
            if endpoint.takes is None or endpoint.method != method:
                continue
            before = everything()
            for name, field, beside in tried(endpoint, self._ids):
                for case, bad in cases(field):
                    if wrong := self._fault(send(self, endpoint.path, beside, (name, bad)), name):
                        yield f"{endpoint.path} {name}: {case} {wrong}"
            if everything() != before:
                yield f"{endpoint.path} has written something"

    @staticmethod
    def _fault(answer, name):
        told = answer.get_json(silent=True) or {"error": "nothing in JSON", "field": ""}
        where = str(told.get("field", "")).partition(".")[0]
        if (answer.status_code, told.get("error"), where) != (200, "param", name):
            return f"gives {told}"
        return "" if told["message"].startswith(told["field"]) else f"says {told['message']!r}"

    def json(self, path, beside, bad):
        whole = json.dumps(beside)[1:-1]
        body = "{" + (f"{whole}, " if whole else "") + f'"{bad[0]}": {bad[1]}' + "}"
        return self._post(path, body, "application/json")

    def form(self, path, beside, bad):
        return self._post(path, _encoded(beside, bad), "application/x-www-form-urlencoded")

    def query(self, path, beside, bad):
        return self._client.get(f"{path}?{_encoded(beside, bad)}", headers=self._bearer)

    def _post(self, path, body, kind):
        return self._client.post(path, data=body, headers=self._bearer, content_type=kind)


@pytest.fixture
def trial(app, client, ids, token):
    return Trial(app, client, ids, token)


def _encoded(beside, bad):
    texts = {
        key: value if isinstance(value, str | int) else json.dumps(value)
        for key, value in beside.items()
        if key != "events"
    }
    return "&".join(part for part in (urlencode(texts), f"{bad[0]}={bad[1]}") if part)


def _any_json(_field):
    return NEVER.items()


def _any_text(field):
    if isinstance(field, fields.Text):
        return NEVER_ENCODED.items()
    allowed = BLANKS.get(type(field), ())
    found = {**NEVER_ENCODED, **NO_TEXT}
    return [(case, bad) for case, bad in found.items() if case not in allowed]


def test_what_is_sent_beside_is_right(app, ids):
    for endpoint in endpoints(app):
        if endpoint.takes:
            assert endpoint.takes().load(good(endpoint, ids)), endpoint.path


def test_json_that_no_parameter_can_be_is_named(trial):
    assert not list(trial.faults("POST", _any_json, Trial.json))


def test_a_form_that_no_parameter_can_be_is_named(trial):
    assert not list(trial.faults("POST", _any_text, Trial.form))


def test_a_query_that_no_parameter_can_be_is_named(trial):
    assert not list(trial.faults("GET", _any_text, Trial.query))


def test_a_required_parameter_that_is_missing_is_named(app, client, ids, token):
    bearer = {"Authorization": f"Bearer {token}"}
    count = 0
    for endpoint in endpoints(app):
        before = everything()
        whole = good(endpoint, ids) if endpoint.takes else {}
        for name, field in parameters(endpoint).items() if endpoint.takes else ():
            if field.required:
                rest = {key: value for key, value in whole.items() if key != name}
                send = {"json": rest} if endpoint.method == "POST" else {"query_string": rest}
                told = client.open(endpoint.path, method=endpoint.method, headers=bearer, **send)
                said = told.get_json()
                assert (said["error"], said["field"]) == ("param", name), (endpoint.path, said)
                assert said["message"] == f"{name}: is required"
                count += 1
        assert everything() == before, endpoint.path
    assert count > 25


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ('{"domain": "a\\u0000b", "key": "42-abc"}', "settings.domain"),
        ('{"domain": "crm.example", "key": "\\ud800"}', "settings"),
        ('{"domain": "crm.example", "key": NaN}', "settings"),
        ('{"domain": "crm.example", "key": ["a", "b\\u0000"]}', "settings.key.1"),
        ('{"domain": "crm.example", "a\\u0000": 1}', "settings.a\ufffd"),
        ("[" * 30 + "]" * 30, "settings"),
        ('{"domain": ' + "[" * 30 + "]" * 30 + "}", "settings"),
        ('{"domain": ' + "[" * 5000 + "]" * 5000 + "}", "settings"),
        ('{"domain": "' + "x" * 8193 + '"}', "settings.domain"),
    ],
    ids=range(9),
)
def test_settings_that_come_as_text_are_looked_through_as_well(api, typed, field):
    answer = api.post("dest/add", tracker="altercpa_lite", settings=typed)
    assert (answer["error"], answer["field"]) == ("param", field)
    assert api.get("dest/list")["total"] == 0
