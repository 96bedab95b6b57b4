"""An object that is missing and one of another account's are the same to whoever asks."""

import pytest

from app.web.openapi.endpoints import endpoints
from tests.app.blueprints.reference.test_bad_input import (
    ASIDE,
    everything,
    good,
    objects,
    parameters,
)

MISSING = 10**12
#: Parameters that name an object of the account's.
NAMES = ("id", "bot", "campaign", "lead", "dest")
#: A bot of somebody else's is what is asked for here; `nochat` says that it will not do.
OTHERWISE = {("/api/transfer/camp.json", "bot"): "nochat"}


@pytest.fixture
def mine(api, world):
    return objects(api, world)


@pytest.fixture
def theirs(api, other, others_world):
    return objects(api(other.key), others_world)


#: These are three ways to say one thing.
INSTEAD = {"dest": ("tracker", "settings")}


def asked(app, mine, theirs):
    """Every parameter that takes an id: its endpoint, its name, the others, a foreign id."""
    for endpoint in endpoints(app):
        named = (
            parameters(endpoint) if endpoint.takes and endpoint.guard.startswith("api_key") else ()
        )
        for name in named:
            if name in NAMES:
                foreign = good(endpoint, theirs)[name]
                aside = {name, *ASIDE.get(endpoint.path, ()), *INSTEAD.get(name, ())}
                beside = {key: one for key, one in good(endpoint, mine).items() if key not in aside}
                yield endpoint, name, beside, foreign


@pytest.fixture
def ask(client, account):
    """Sends a request; returns the answer parsed, or of one that is not JSON its text."""

    def send(endpoint, given):
        sent = {"query_string": given} if endpoint.method == "GET" else {"json": given}
        bearer = {"Authorization": f"Bearer {account.key}"}
        answer = client.open(endpoint.path, method=endpoint.method, headers=bearer, **sent)
        return answer.get_json(silent=True) or {"error": answer.get_data(as_text=True)}

    return send


@pytest.fixture
def token(api, other):
    return {"token": api(other.key).get("transfer/token")["data"]["token"]}


def test_a_missing_id_and_a_foreign_one_are_answered_alike(app, ask, mine, theirs, token):
    before, wrong, count = everything(), [], 0
    for endpoint, name, rest, foreign in asked(app, mine, theirs):
        beside = {**rest, **token} if "token" in rest else rest
        answers = [ask(endpoint, {**beside, name: one}) for one in (foreign, MISSING)]
        code = OTHERWISE.get((endpoint.path, name), "notfound")
        if answers[0] != answers[1] or answers[0].get("error") != code:
            wrong.append(f"{endpoint.path} {name}: {answers}")
        count += 1
    assert not wrong, "\n".join(wrong)
    assert everything() == before
    assert count > 25


def test_campaign_zero_is_not_an_object_but_the_account_as_a_whole(api, mine):
    assert [row["id"] for row in api.get("dest/list", campaign=0)["data"]] == [mine["dest"]]


def test_what_is_deleted_is_still_ones_own_to_ask_about(api, world, mine):
    """Its leads, counters and postbacks stay and refer to it."""
    dest = world.destination(status=2)
    campaign = world.campaign(status=2)
    lead = world.lead(campaign)
    postback = world.postback(dest, campaign_id=campaign, lead_id=lead)
    for query in ({"campaign": campaign}, {"dest": dest}, {"lead": lead}):
        assert [row["id"] for row in api.get("postbacks/list", **query)["data"]] == [postback]
    assert api.get("leads/list", campaign=campaign)["total"] == 1
    assert api.get("stats/summary", campaign=campaign)["status"] == "ok"
