import ipaddress
import json
import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.extensions import db
from app.models import Account, Destination
from app.sandbox.serving import running
from app.sandbox.vendors.altercpa import AltercpaDouble, ReceivedPostback, reply
from app.sandbox.vendors.vendor import Reply
from plugins.contract import ALL_KINDS, ConversionKind, EventKind
from plugins.registry import Registry

KEY = "42-d3adb33f"
#: What stands in front of a tracker answers so.
PAGE = Reply(200, b"<html><body>maintenance</body></html>", {"Content-Type": "text/html"})
LITE = {"domain": "www.altercpa.red", "key": KEY}
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
NO_CONVERSIONS = dict.fromkeys(ConversionKind, False)
ALL = dict.fromkeys(EventKind, True) | NO_CONVERSIONS
_names = st.sampled_from(
    "domain key scheme urls wait approve method body fields headers token deliver_if".split()
)


pytestmark = pytest.mark.usefixtures("no_own_network")


@pytest.fixture
def altercpa(change_settings, no_own_network):
    """A running AlterCPA double whose network the operator has opened; `.domain`."""
    double = AltercpaDouble(KEY)
    with running(double) as url:
        double.domain = url.removeprefix("http://")
        change_settings(outbound_allow=LOOPBACK)
        yield double


def _add(api, **fields):
    answer = api.post("dest/add", **{"tracker": "altercpa_lite", "settings": LITE, **fields})
    assert answer["status"] == "ok", answer
    return answer["data"]["id"]


def _get(api, number):
    return next(row for row in api.get("dest/list")["data"] if row["id"] == number)


def _stored(number):
    row = db.session.get(Destination, number, populate_existing=True)
    settings = json.loads(row.settings)
    db.session.commit()
    return settings


def test_a_preset_is_connected_in_http_inside_our_network(api, tracker, change_settings):
    change_settings(outbound_allow=LOOPBACK)
    fields = {"domain": tracker.url.removeprefix("http://"), "postback_key": "0d6b0f1"}
    number = _add(api, tracker="url_template", settings={"preset": "keitaro", "fields": fields})
    read = _get(api, number)["settings"]
    assert (read["fields"]["postback_key"], read["scheme"]) == ("***", "http")
    assert api.post("dest/edit", id=number, settings=read) == {"status": "ok"}
    assert _stored(number)["fields"]["postback_key"] == "0d6b0f1"
    data = api.post("postbacks/test", dest=number, send=1)["data"]
    assert data["steps"][0]["status"] == 200
    (hit,) = tracker.log()
    assert hit.path == "/0d6b0f1/postback"
    assert "0d6b0f1" not in json.dumps(data["steps"])
    read["fields"]["domain"] = "evil.example"
    assert api.post("dest/edit", id=number, settings=read)["field"] == "settings"


# dest/*


def test_a_destination_is_listed_as_it_was_added(api):
    number = _add(api, title="Mine", events=["approve", "trash"])
    row = _get(api, number)
    assert row.pop("created") > "2020"
    assert row == {
        "id": number,
        "tracker": "altercpa_lite",
        "title": "Mine",
        "role": "connected",
        "campaign": 0,
        "settings": {"domain": "www.altercpa.red", "key": "***", "scheme": "https"},
        "events": {"wait": False, "hold": False, "approve": True, "cancel": False, "trash": True}
        | NO_CONVERSIONS,
        "every_event": False,
        "status": "active",
        "reason": "",
        "failures": 0,
        "blocked_until": "0000-00-00 00:00:00",
        "delivered": 0,
        "undelivered": 0,
        "rate": None,
        "last_success": "0000-00-00",
        "last_success_time": "0000-00-00 00:00:00",
    }


def test_a_destination_tells_how_it_has_fared(api, world):
    number = _add(api)
    for state in (2, 2, 4):
        world.postback(number, created=time.time(), state=state)
    row = _get(api, number)
    assert (row["delivered"], row["undelivered"], row["rate"]) == (2, 1, 66.67)
    assert row["last_success"] > "2020"


def test_templates_are_listed_beside_and_only_paused_here(api):
    api.post("profile/postbacks", pb_approve="https://t.example/?c={click}")
    (row,) = api.get("dest/list")["data"]
    assert (row["role"], row["tracker"]) == ("template", "url_template")
    for path in ("dest/edit", "dest/del"):
        assert api.post(path, id=row["id"])["field"] == "id"
    assert api.post("dest/pause", id=row["id"], pause=1) == {"status": "ok"}
    assert _get(api, row["id"])["status"] == "paused"


def test_the_list_is_filtered_by_campaign(api, world):
    campaign = world.campaign()
    own, shared = _add(api, campaign=campaign), _add(api)
    for asked, found in ((campaign, [own]), (0, [shared]), (world.campaign(), [])):
        assert [row["id"] for row in api.get("dest/list", campaign=asked)["data"]] == found
    assert api.get("dest/list", limit=1)["total"] == 2


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"domain": "https://x.example", "key": KEY}, "settings.domain"),
        ({"domain": "x.example/y", "key": KEY}, "settings.domain"),
        ({"domain": "me@x.example", "key": KEY}, "settings.domain"),
        ({"domain": "x.example"}, "settings.key"),
        ({"domain": "x.example", "key": "***"}, "settings.key"),
        ({**LITE, "colour": "red"}, "settings.colour"),
        ("no json", "settings"),
        (["a"], "settings"),
        (None, "settings"),
    ],
)
def test_a_wrong_setting_is_named(api, typed, field):
    answer = api.post("dest/add", tracker="altercpa_lite", settings=typed)
    assert (answer["error"], answer["field"]) == ("param", field)
    assert answer["message"].startswith(f"{field}: ")
    assert api.get("dest/list")["total"] == 0


def test_a_nested_setting_is_named_to_its_leaf(api):
    settings = {"urls": {"approve": "ftp://x.example/"}}
    answer = api.post("dest/add", tracker="url_template", settings=settings)
    assert answer["field"] == "settings.urls.approve"


def test_an_unknown_tracker_is_refused(api):
    assert api.post("dest/add", tracker="nothing", settings={})["field"] == "tracker"


def test_a_form_sends_settings_as_json_text(client, account, api):
    body = {"tracker": "altercpa_lite", "settings": json.dumps(LITE), "events": "wait, hold"}
    bearer = {"Authorization": f"Bearer {account.key}"}
    answer = client.post("/api/dest/add.json", data=body, headers=bearer).get_json()
    events = _get(api, answer["data"]["id"])["events"]
    assert [name for name, on in events.items() if on] == ["wait", "hold"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["***", "a.example"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)


@hypothesis_settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    tracker=st.sampled_from(Registry.load().names()),
    typed=st.dictionaries(_names, _json, max_size=5),
)
def test_no_settings_cause_a_fault(api, tracker, typed):
    for path in ("dest/add", "postbacks/test"):
        answer = api.post(path, tracker=tracker, settings=typed)
        assert answer.get("error") in (None, "param", "limit"), answer


@pytest.mark.parametrize("events", [["buy"], "buy", {"buy": True}, {"wait": "yes"}, 7, [["wait"]]])
def test_unknown_events_are_refused(api, events):
    answer = api.post("dest/add", tracker="altercpa_lite", settings=LITE, events=events)
    assert answer["field"] == "events"


def test_settings_are_sealed_at_rest(api):
    _add(api)
    stored = db.session.connection().exec_driver_sql("SELECT settings FROM destination").scalar()
    assert "altercpa" not in stored


def test_events_are_switched_one_by_one(api):
    number = _add(api)
    assert _get(api, number)["events"] == ALL
    api.post("dest/edit", id=number, events={"trash": False})
    assert _get(api, number)["events"] == ALL | {"trash": False}
    api.post("dest/edit", id=number, events={"trash": 1, "wait": 0})
    assert _get(api, number)["events"] == ALL | {"wait": False}
    api.post("dest/edit", id=number, events=[])
    assert _get(api, number)["events"] == dict.fromkeys(ALL_KINDS, False)


def test_conversions_are_on_for_a_tracker_that_takes_them_and_cannot_be_for_another(api):
    urls = {"urls": {"purchase": "https://t.example/pb?v={value}"}}
    number = _add(api, tracker="url_template", settings=urls)
    assert _get(api, number)["events"] == dict.fromkeys(ALL_KINDS, True)
    api.post("dest/edit", id=number, events={"refund": False})
    assert _get(api, number)["events"]["refund"] is False
    plain = _add(api)
    answer = api.post("dest/edit", id=plain, events={"purchase": True})
    assert (answer["error"], answer["field"]) == ("param", "events")
    assert _get(api, plain)["events"] == ALL


def test_an_address_of_a_purchase_cannot_take_a_secret_to_another_host(api):
    url = "https://t.example/pb?key=s3cr3t-of-mine&v={value}"
    number = _add(api, tracker="url_template", settings={"urls": {"purchase": url}})
    settings = _get(api, number)["settings"]
    settings["urls"]["purchase"] = settings["urls"]["purchase"].replace("t.example", "evil.example")
    assert "***" in settings["urls"]["purchase"]
    answer = api.post("dest/edit", id=number, settings=settings)
    assert answer["field"] == "settings.urls.purchase"


@pytest.mark.parametrize("typed", [{"domain": LITE["domain"]}, {**LITE, "key": "***"}])
def test_a_secret_that_is_not_given_stays(api, typed):
    number = _add(api)
    assert api.post("dest/edit", id=number, settings=typed) == {"status": "ok"}
    assert _stored(number)["key"] == KEY


def test_what_is_read_may_be_written_back(api):
    typed = {
        "urls": {"approve": "https://t.example/"},
        "method": "POST",
        "body": "form",
        "payload": {"api_key": "s3cret", "click": "{click}"},
        "headers": {"Authorization": "Bearer abcdef"},
    }
    number = _add(api, tracker="url_template", settings=typed)
    read = _get(api, number)["settings"]
    assert read["payload"] == {"api_key": "***", "click": "{click}"}
    assert read["headers"] == {"Authorization": "***"}
    before = _stored(number)
    assert api.post("dest/edit", id=number, settings=read) == {"status": "ok"}
    assert _stored(number) == before


def test_a_stored_secret_does_not_follow_to_another_host(api):
    number = _add(api)
    moved = {"domain": "evil.example", "key": "***"}
    answer = api.post("dest/edit", id=number, settings=moved)
    assert (answer["error"], answer["field"]) == ("param", "settings.key")
    assert _stored(number)["domain"] == LITE["domain"]
    assert api.post("dest/edit", id=number, settings=moved | {"key": "7-new"})["status"] == "ok"
    assert _stored(number) == {"domain": "evil.example", "key": "7-new", "scheme": "https"}


def test_absent_fields_stay(api, world):
    campaign = world.campaign()
    number = _add(api, title="Mine", campaign=campaign, events=["hold"])
    api.post("dest/edit", id=number, title="Other")
    row = _get(api, number)
    assert (row["title"], row["campaign"], row["events"]["hold"]) == ("Other", campaign, True)
    api.post("dest/edit", id=number, campaign=0)
    assert _get(api, number)["campaign"] == 0


def test_resuming_forgets_what_went_wrong(api, world):
    number = world.destination(
        tracker="altercpa_lite", settings=json.dumps(LITE), status=3, reason="HTTP 410",
        failures=9, blocked_until=4e9,
    )  # fmt: skip
    assert _get(api, number)["status"] == "off"
    api.post("dest/pause", id=number, pause=0)
    row = _get(api, number)
    assert (row["status"], row["reason"], row["failures"]) == ("active", "", 0)
    assert row["blocked_until"] == "0000-00-00 00:00:00"
    api.post("dest/pause", id=number, pause=1)
    assert _get(api, number)["status"] == "paused"


def test_a_deleted_destination_is_gone_and_its_secrets_too(api):
    number = _add(api)
    assert api.post("dest/del", id=number) == {"status": "ok"}
    assert api.get("dest/list")["total"] == 0
    assert _stored(number) == {}
    for path in ("dest/del", "dest/edit", "dest/check"):
        assert api.post(path, id=number)["error"] == "notfound"
    assert api.post("dest/pause", id=number, pause=0)["error"] == "notfound"


def test_twenty_destinations_are_enough(api, world):
    settings = json.dumps(LITE)
    first = world.destination(tracker="altercpa_lite", settings=settings)
    for _ in range(19):
        world.destination(tracker="altercpa_lite", settings=settings)
    answer = api.post("dest/add", tracker="altercpa_lite", settings=LITE)
    assert (answer["error"], "20" in answer["message"]) == ("limit", True)
    campaign = world.campaign()
    number = _add(api, campaign=campaign)
    assert api.post("dest/edit", id=number, campaign=0)["error"] == "limit"
    api.post("dest/del", id=first)
    assert api.post("dest/edit", id=number, campaign=0)["status"] == "ok"


def test_nobody_touches_anothers_destination_or_campaign(api, other, others_world):
    number = _add(api)
    stranger = api(other.key)
    for path in ("dest/edit", "dest/del", "dest/check"):
        assert stranger.post(path, id=number)["error"] == "notfound"
    assert stranger.post("dest/pause", id=number, pause=1)["error"] == "notfound"
    assert stranger.post("postbacks/test", dest=number)["error"] == "notfound"
    assert stranger.get("dest/list")["data"] == []
    answer = api.post(
        "dest/add", tracker="altercpa_lite", settings=LITE, campaign=others_world.campaign()
    )
    assert answer["error"] == "notfound"


def test_a_missing_adapter_hides_the_settings(api, world):
    number = world.destination(tracker="uninstalled", settings=json.dumps({"token": "s3cret"}))
    assert _get(api, number)["settings"] == {}
    assert api.post("dest/check", id=number)["field"] == "tracker"


# dest/check


def test_a_good_connection_is_told(api, altercpa):
    number = _add(api, settings={"domain": altercpa.domain, "key": KEY})
    checked = api.post("dest/check", id=number)["data"]
    assert checked.pop("ms") >= 0
    assert checked == {
        "ok": True,
        "verdict": "delivered",
        "message": "the tracker took it",
        "status": 200,
    }
    assert altercpa.probes == 1


def test_a_wrong_key_is_told_before_it_is_kept(api, altercpa):
    settings = {"domain": altercpa.domain, "key": "1-wrong"}
    checked = api.post("dest/check", tracker="altercpa_lite", settings=settings)["data"]
    assert (checked["ok"], checked["verdict"], checked["status"]) == (False, "rejected", 200)
    assert "key" in checked["message"]


def test_a_private_address_is_not_asked(api):
    settings = {"domain": "127.0.0.1:8080", "key": KEY}
    checked = api.post("dest/check", tracker="altercpa_lite", settings=settings)["data"]
    assert (checked["ok"], checked["status"]) == (False, 0)
    assert "not on the public internet" in checked["message"]


def test_a_tracker_without_a_probe_says_so(api):
    settings = {"urls": {"approve": "https://t.example/"}}
    checked = api.post("dest/check", tracker="url_template", settings=settings)["data"]
    assert checked["ok"] is None


def test_a_check_needs_something_to_check(api):
    assert api.post("dest/check")["field"] == "id"


# postbacks/test


def test_a_test_shows_the_exact_request_with_its_secrets_masked(api):
    number = _add(api)
    data = api.post("postbacks/test", dest=number, event="hold", click="c1")["data"]
    (step,) = data["steps"]
    assert (data["sent"], data["verdict"], step["verdict"]) == (False, "", "")
    assert (step["method"], step["url"]) == (
        "GET",
        "https://www.altercpa.red/api/tracker/postback.json?id=***&click=c1&uid=0&status=hold",
    )
    assert step["idempotency_key"]
    assert data["event"]["kind"] == "hold"
    assert KEY not in json.dumps(data)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("wait", "new"), ("hold", "hold"), ("approve", "approve"), ("cancel", "cancel"),
     ("trash", "trash")],
)  # fmt: skip
def test_a_test_that_is_sent_is_explained(api, altercpa, kind, status):
    number = _add(api, settings={"domain": altercpa.domain, "key": KEY})
    data = api.post("postbacks/test", dest=number, event=kind, click="c1", send=1)["data"]
    (step,) = data["steps"]
    assert (data["sent"], data["verdict"], step["status"]) == (True, "delivered", 200)
    assert json.loads(step["answer"])["status"] == "ok"
    assert altercpa.postbacks == [ReceivedPostback("c1", "0", status)]


def test_what_the_tracker_refuses_is_explained(api, altercpa):
    settings = {"domain": altercpa.domain, "key": KEY}
    for fault in (reply(status="error", error="noclick"), PAGE, Reply(502, b"")):
        altercpa.order(fault)
    for verdict in ("rejected", "retry", "retry"):
        data = api.post("postbacks/test", tracker="altercpa_lite", settings=settings, send=1)
        assert data["data"]["verdict"] == verdict
        assert data["data"]["steps"][0]["reason"]


def test_a_template_is_tried_before_it_is_used(api, world):
    campaign = world.campaign(code="abc123")
    template = "https://t.example/pb?c={click}&k={campaign}&token=s3cret"
    data = api.post("postbacks/test", template=template, campaign=campaign, click="x y")["data"]
    assert data["steps"][0]["url"] == "https://t.example/pb?c=x%20y&k=abc123&token=***"
    assert api.post("postbacks/test", template="https://{click}/")["field"] == "template"


def test_an_event_that_is_not_sent_is_explained(api):
    settings = {"urls": {"approve": "https://t.example/"}}
    data = api.post("postbacks/test", tracker="url_template", settings=settings, event="wait")
    assert data["data"]["steps"] == []
    assert "nothing to send" in data["data"]["reason"]


def test_a_test_is_of_one_thing(api):
    assert api.post("postbacks/test")["field"] == "dest"
    assert api.post("postbacks/test", dest=1, template="https://t.example/")["field"] == "dest"
    assert api.post("postbacks/test", dest=1)["error"] == "notfound"
    assert api.post("postbacks/test", template="https://t.example/", event="x")["field"] == "event"


# profile/tracker


def _connect(api, altercpa, **fields):
    return api.post("profile/tracker", **{"domain": altercpa.domain, "key": KEY, **fields})


def test_nothing_is_connected_at_first(api):
    assert api.get("profile/tracker")["data"] == {"connected": False, "domain": ""}


def test_connecting_tries_the_tracker_and_writes_the_five_templates(api, altercpa):
    told = _connect(api, altercpa)
    assert told == {"status": "ok", "data": {"connected": True, "domain": altercpa.domain}}
    assert altercpa.probes == 1
    connected = api.get("profile/tracker")
    assert connected["data"] == {"connected": True, "domain": altercpa.domain}
    info = api.get("profile/info")["data"]
    words = {"wait": "new", "hold": "hold", "approve": "approve", "cancel": "cancel"}
    for kind, status in {**words, "trash": "trash"}.items():
        assert info[f"pb_{kind}"] == (
            f"http://{altercpa.domain}/api/tracker/postback.json"
            f"?id={KEY}&click={{click}}&uid={{lead}}&status={status}"
        )
    stored = db.session.connection().exec_driver_sql("SELECT tracker_key FROM account").scalar()
    assert KEY not in stored


def test_the_templates_written_are_delivered_and_read_as_altercpa_answers(api, altercpa):
    _connect(api, altercpa)
    (row,) = api.get("dest/list")["data"]
    altercpa.order(reply(status="error", error="key"))
    altercpa.order(PAGE)
    verdicts = [
        api.post("postbacks/test", dest=row["id"], send=1)["data"]["verdict"] for _ in range(3)
    ]
    assert verdicts == ["retry", "retry", "delivered"]


def test_a_tracker_that_does_not_agree_changes_nothing(api, altercpa):
    api.post("profile/postbacks", pb_approve="https://t.example/")
    assert _connect(api, altercpa, key="1-wrong")["error"] == "connect"
    altercpa.order(PAGE)
    altercpa.order(Reply(500, b""))
    assert _connect(api, altercpa)["error"] == "connect"
    assert _connect(api, altercpa)["error"] == "connect"
    assert _connect(api, altercpa, domain="127.0.0.1:1")["error"] == "connect"
    assert api.get("profile/tracker")["data"] == {"connected": False, "domain": ""}
    assert api.get("profile/info")["data"]["pb_approve"] == "https://t.example/"


def test_a_tracker_inside_our_network_is_not_asked(api, altercpa, change_settings):
    change_settings(outbound_allow=())
    assert _connect(api, altercpa)["error"] == "connect"
    assert altercpa.probes == 0


@pytest.mark.parametrize(
    ("domain", "field"),
    [
        ("https://www.altercpa.red", "domain"),
        ("www.altercpa.red/api", "domain"),
        ("me@www.altercpa.red", "domain"),
        ("{click}.example", "domain"),
        (7, "domain"),
        (None, "domain"),
    ],
)
def test_only_a_domain_can_be_connected(api, domain, field):
    answer = api.post("profile/tracker", domain=domain, key=KEY)
    assert (answer["error"], answer["field"]) == ("param", field)


def test_a_key_is_needed_to_connect(api, altercpa):
    assert api.post("profile/tracker", domain=altercpa.domain)["field"] == "key"
    assert api.post("profile/tracker", key=KEY)["field"] == "domain"


def test_disconnecting_forgets_the_key_and_leaves_the_templates(api, account, altercpa):
    _connect(api, altercpa)
    before = api.get("profile/info")["data"]["pb_hold"]
    told = api.post("profile/tracker", domain="")
    assert told == {"status": "ok", "data": {"connected": False, "domain": ""}}
    assert api.get("profile/tracker")["data"] == {"connected": False, "domain": ""}
    assert api.get("profile/info")["data"]["pb_hold"] == before != ""
    row = db.session.get(Account, account.id, populate_existing=True)
    assert (row.tracker_domain, row.tracker_key) == (None, None)


# Warnings


def test_urls_known_to_be_wrong_are_kept_and_warned_of(api):
    urls = {"approve": "https://your-keitaro.com/postback?subid={click}&status=sale"}
    added = api.post("dest/add", tracker="url_template", settings={"urls": urls})
    (warning,) = added["warnings"]
    assert warning.startswith("urls.approve: ")
    number = added["data"]["id"]
    assert api.post("dest/edit", id=number, settings={"urls": urls})["warnings"] == [warning]
    assert api.post("dest/edit", id=number, title="mine") == {"status": "ok"}
    preset = {"preset": "voluum", "fields": {"domain": "v.example"}}
    assert "warnings" not in api.post("dest/add", tracker="url_template", settings=preset)


def test_settings_are_bounded_as_a_whole(api):
    headers = {f"X-{number}": "x" * 8000 for number in range(9)}
    answer = api.post("dest/add", tracker="url_template", settings={"headers": headers})
    assert (answer["error"], answer["field"]) == ("param", "settings")
    assert "65536" in answer["message"]


def test_a_number_beyond_64_bits_in_settings_is_no_fault_of_ours(api):
    settings = {"urls": {}, "odd": 10**30}
    assert api.post("dest/add", tracker="url_template", settings=settings)["error"] == "param"
