import json

import pytest
import schemathesis

from app.domain.time_ranges import DAY
from app.web import adtarget_errors
from app.web.openapi.document import describe, error_codes
from tests.support.world import NOON

DOCS = ("/api/openapi.json", "/api/docs")


@pytest.fixture
def document(app):
    return describe(app)


def _references(node):
    if isinstance(node, dict):
        yield from [node["$ref"]] if "$ref" in node else []
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def test_every_route_is_described_and_no_other(app, document):
    routes = {
        (rule.rule, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        and rule.rule not in DOCS
        and not rule.rule.startswith(adtarget_errors.PREFIX)
        for method in (rule.methods or set()) & {"GET", "POST"}
    }
    told = {
        (path, method.upper()) for path, methods in document["paths"].items() for method in methods
    }
    assert told == routes


def test_every_group_and_every_endpoint_says_what_it_is(document):
    assert all(tag["description"] for tag in document["tags"])
    for methods in document["paths"].values():
        assert all(endpoint["summary"] for endpoint in methods.values())


def test_every_reference_leads_to_a_component(document):
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(_references(document["paths"])) <= names
    assert set(_references(document["components"])) <= names


def test_names_of_operations_are_unique(document):
    names = [
        endpoint["operationId"]
        for methods in document["paths"].values()
        for endpoint in methods.values()
    ]
    assert len(names) == len(set(names))


def test_a_get_names_its_parameters(document):
    told = document["paths"]["/api/leads/list.json"]["get"]["parameters"]
    by_name = {one["name"]: one for one in told}
    assert {"campaign", "status", "from", "to", "limit", "offset"} <= set(by_name)
    status = by_name["status"]
    assert (status["in"], status["required"]) == ("query", False)
    assert (status["schema"]["minimum"], status["schema"]["maximum"]) == (0, 4)
    assert by_name["limit"]["schema"]["default"] == 50


def test_a_post_takes_json_and_forms(document):
    body = document["paths"]["/api/dest/add.json"]["post"]["requestBody"]
    assert body["required"]
    json_name, form_name = (
        content["schema"]["$ref"].rpartition("/")[2] for content in body["content"].values()
    )
    schemas = document["components"]["schemas"]
    assert schemas[json_name]["properties"]["settings"] == {"type": "object"}
    assert schemas[form_name]["properties"]["settings"]["type"] == "string"
    assert schemas[json_name]["required"] == ["settings", "tracker"]


def test_guards_are_told(document):
    def security(path):
        return [set(one) for one in document["paths"][path]["get"]["security"]]

    assert security("/api/camp/list.json") == [{"bearer"}, {"key"}]
    assert security("/api/profile/login.json") == [{"bearer"}]
    assert security("/api/auth/poll.json") == []


def test_every_error_code_is_in_the_document(document):
    codes = dict(error_codes())
    assert {"key", "ban", "func", "db", "unpaid", "notfound", "param", "size", "rate"} <= set(codes)
    error = document["components"]["schemas"]["Error"]["properties"]["error"]
    assert error["enum"] == list(codes)
    assert all(told in error["description"] for told in codes.values())


def test_two_methods_of_one_path_have_two_names(document):
    tracker = document["paths"]["/api/profile/tracker.json"]
    assert tracker["get"]["operationId"] == "profile_tracker"
    assert tracker["post"]["operationId"] == "profile_tracker_post"


def _play(api, world):
    """Every GET whose answer depends on what there is, with something there."""
    bot = world.bot()
    chat = world.chat(bot)
    campaign = world.campaign(bot_id=bot, chat_id=chat)
    lead = world.lead(campaign)
    world.entry(bot, chat, campaign_id=campaign, lead_id=lead)
    made = {"tracker": "altercpa_lite", "settings": {"domain": "crm.example", "token": "1-a"}}
    api.post("dest/add", **made)
    postback = world.postback(world.destination(), campaign_id=campaign, lead_id=lead)
    world.attempt(postback)
    yield "profile/info", {}
    yield "profile/tracker", {}
    yield "bots/list", {}
    yield "bots/chats", {"id": bot}
    yield "camp/list", {}
    yield "camp/get", {"id": campaign}
    yield "camp/link", {"id": campaign}
    yield "leads/list", {}
    yield "leads/get", {"id": lead}
    yield "journal/list", {"bot": bot, "chat": chat}
    yield "postbacks/list", {}
    yield "postbacks/get", {"id": postback}
    yield "dest/list", {}
    yield "trackers/list", {}
    yield "tariff/list", {}
    yield "tariff/history", {}
    yield "transfer/token", {}
    yield "stats/summary", {"from": NOON - DAY, "to": NOON + DAY}
    yield "stats/daily", {"from": NOON - DAY, "to": NOON + DAY}
    yield "stats/retention", {"from": NOON - DAY, "to": NOON + DAY}


def test_answers_are_as_described(api, client, account, world, document):
    contract = schemathesis.openapi.from_dict(json.loads(json.dumps(document)))
    headers = {"Authorization": f"Bearer {account.key}"}
    for path, query in _play(api, world):
        url = f"/api/{path}.json"
        answer = client.get(url, query_string=query, headers=headers)
        assert answer.get_json()["status"] == "ok", (path, answer.get_json())
        contract[url]["GET"].validate_response(answer)
