"""eventkeys/*: keys for other servers, of one account's own campaigns."""

import pytest


def test_the_host_that_a_request_names_does_not_stand_in_the_address_of_a_key(
    client, account, change_settings
):
    headers = {"Authorization": f"Bearer {account.key}", "Host": "evil.example"}

    def url():
        answer = client.post("/api/eventkeys/add.json", json={"title": "x"}, headers=headers)
        return answer.get_json()["data"]["url"]

    assert url() == ""
    change_settings(public_url="https://gatepost.example")
    assert url().startswith("https://gatepost.example/in/")


def test_a_key_is_shown_once_and_listed_without_itself(api, world, change_settings):
    change_settings(public_url="https://gatepost.example")
    campaign = world.campaign()
    made = api.post(
        "eventkeys/add", title="Casino", campaign=campaign, currency="USD",
        addresses="203.0.113.7, 2001:db8::/32", signed=True,
    )["data"]  # fmt: skip
    assert made["url"].endswith(f"/in/{made['key']}")
    assert made["secret"]
    (row,) = api.get("eventkeys/list")["data"]
    assert row.pop("created")
    assert row == {
        "id": made["id"], "campaign": campaign, "title": "Casino", "currency": "USD",
        "addresses": ["203.0.113.7/32", "2001:db8::/32"], "signed": True,
    }  # fmt: skip
    assert api.get("eventkeys/list", campaign=world.campaign())["data"] == []


def test_a_key_is_edited_replaced_and_deleted(api):
    made = api.post("eventkeys/add", title="Casino")["data"]
    assert made["secret"] == ""
    api.post("eventkeys/edit", id=made["id"], title="Shop", addresses=["192.0.2.1"])
    row = api.get("eventkeys/list")["data"][0]
    assert (row["title"], row["addresses"], row["signed"]) == ("Shop", ["192.0.2.1/32"], False)
    again = api.post("eventkeys/rotate", id=made["id"], signed=True)["data"]
    assert again["key"] != made["key"]
    assert again["secret"]
    assert api.post("eventkeys/del", id=made["id"])["status"] == "ok"
    assert api.get("eventkeys/list")["data"] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("currency", "usd"), ("currency", "US"), ("addresses", "here"),
        ("addresses", [1]), ("addresses", ["192.0.2.1"] * 51), ("addresses", {}),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_named_and_nothing_is_made(api, field, value):
    answer = api.post("eventkeys/add", **{"title": "x", field: value})
    assert (answer["error"], answer["field"]) == ("param", field)
    assert api.get("eventkeys/list")["data"] == []


def test_keys_of_another_account_are_not_found(api, make_account):
    made = api.post("eventkeys/add", title="x")["data"]
    other = api(make_account().key)
    for verb in ("edit", "rotate", "del"):
        assert other.post(f"eventkeys/{verb}", id=made["id"])["error"] == "notfound"
    assert other.get("eventkeys/list")["data"] == []
