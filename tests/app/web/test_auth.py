import ipaddress
import time

import pytest

from app.web.auth import caller_address, caller_network

DAY = 86400
INFO = "/api/profile/info.json"
PAID = "/api/camp/list.json"


def _error(response):
    assert response.status_code == 200
    return response.get_json()["error"]


def test_a_key_is_taken_from_the_bearer_header(client, account):
    answer = client.get(INFO, headers={"Authorization": f"bearer  {account.key}"})
    assert answer.get_json()["data"]["id"] == account.id


def test_a_key_is_taken_from_the_query_beside_an_object_id(client, account, world):
    campaign = world.campaign()
    for query in (f"id={campaign}&id={account.key}", f"id={account.key}&id={campaign}"):
        answer = client.get(f"/api/camp/get.json?{query}").get_json()
        assert answer["data"]["id"] == campaign


def test_the_bearer_header_wins_over_the_query(client, account, other):
    bearer = {"Authorization": f"Bearer {other.key}"}
    answer = client.get(f"{INFO}?id={account.key}", headers=bearer)
    assert answer.get_json()["data"]["id"] == other.id
    wrong = {"Authorization": "Bearer nonsense"}
    assert _error(client.get(f"{INFO}?id={account.key}", headers=wrong)) == "key"


def test_a_key_in_the_body_is_no_key(client, account):
    assert _error(client.post("/api/profile/lang.json", json={"id": account.key})) == "key"
    assert _error(client.post("/api/profile/lang.json", data={"id": account.key})) == "key"


def test_a_post_takes_its_key_from_the_query(client, account):
    answer = client.post(f"/api/profile/lang.json?id={account.key}", json={"lang": "ru"})
    assert answer.get_json() == {"status": "ok"}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "1",
        "1-",
        "-",
        "0-x",
        "999999999-secret",
        "9" * 40 + "-x",
        "\u0661-x",
        "1-\ud800",
        "1-x\x00",
        "-1-x",
    ],
)
def test_a_wrong_key_and_an_unknown_account_are_the_same(client, account, key):
    wrong = client.get(INFO, query_string={"id": f"{account.id}-wrong"})
    answer = client.get(INFO, query_string={"id": key.encode("utf-8", "surrogatepass")})
    assert answer.get_data() == wrong.get_data()
    assert _error(answer) == "key"


def test_no_key_is_answered_key(client):
    assert _error(client.get(INFO)) == "key"
    assert _error(client.get(INFO, headers={"Authorization": "Basic eDp5"})) == "key"


def test_a_banned_account_is_told_so(client, make_account):
    banned = make_account(status=1)
    assert _error(client.get(f"{INFO}?id={banned.key}")) == "ban"
    assert _error(client.get(f"{INFO}?id={banned.id}-wrong")) == "key"


def test_a_lapsed_plan_has_seven_days_of_grace(client, make_account):
    now = int(time.time())
    graced = make_account(tariff="cat", paid_until=now - 7 * DAY + 600)
    lapsed = make_account(tariff="cat", paid_until=now - 7 * DAY - 600)
    assert client.get(f"{PAID}?id={graced.key}").get_json()["status"] == "ok"
    assert _error(client.get(f"{PAID}?id={lapsed.key}")) == "unpaid"
    assert client.get(f"{INFO}?id={lapsed.key}").get_json()["status"] == "ok"


def test_the_free_plan_never_lapses(client, make_account):
    free = make_account(tariff="kitten", paid_until=1)
    assert client.get(f"{PAID}?id={free.key}").get_json() == {"status": "ok", "data": []}


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("10.0.0.1", "198.51.100.9, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "198.51.100.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("203.0.113.7", "198.51.100.9", "203.0.113.7"),
        ("192.168.0.1", "198.51.100.9", "192.168.0.1"),  # private, and not named
        ("10.0.0.1", "198.51.100.9, nonsense", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
    ],
)
def test_only_a_named_proxy_says_who_calls(app, change_settings, peer, forwarded, caller):
    change_settings(trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"),))
    headers = {"X-Forwarded-For": forwarded}
    with app.test_request_context(environ_base={"REMOTE_ADDR": peer}, headers=headers):
        assert caller_address() == caller


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_a_caller_who_has_a_whole_network_counts_as_one(app, peer, network):
    with app.test_request_context(environ_base={"REMOTE_ADDR": peer}):
        assert caller_network() == network


def test_where_no_proxy_is_named_the_peer_calls(app, change_settings):
    change_settings(trusted_proxies=())
    headers = {"X-Forwarded-For": "198.51.100.9"}
    with app.test_request_context(environ_base={"REMOTE_ADDR": "127.0.0.1"}, headers=headers):
        assert caller_address() == "127.0.0.1"
