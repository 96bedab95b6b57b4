"""sites/*: pages that may report visits, of one's own account only."""

import pytest

TAG = '<script async src="https://t.example/t.js" data-site="{}"></script>'


@pytest.fixture
def site(api, change_settings):
    change_settings(public_url="https://t.example")
    return api.post("sites/add", domains=["shop.example"], capture=3)["data"]


def test_a_site_is_made_listed_edited_and_deleted(api, site):
    assert site.pop("created")
    assert site == {
        "id": site["id"], "site": site["site"], "domains": ["shop.example"], "source": 0,
        "capture": 3, "consent": "none", "last_seen": "0000-00-00 00:00:00",
        "snippet": TAG.format(site["site"]),
    }  # fmt: skip
    assert api.post("sites/edit", id=site["id"], consent="required")["status"] == "ok"
    (row,) = api.get("sites/list")["data"]
    assert (row["consent"], row["capture"]) == ("required", 3)
    assert api.post("sites/del", id=site["id"])["status"] == "ok"
    assert api.get("sites/list")["data"] == []


def test_what_cannot_be_is_named_and_nothing_is_made(api):
    answer = api.post("sites/add", domains=["shop example"])
    assert (answer["error"], answer["field"]) == ("param", "domains")
    assert "shop example" in answer["message"]
    assert api.get("sites/list")["data"] == []


def test_another_accounts_site_is_not_found(api, other, site):
    stranger = api(other.key)
    for call, fields in (("edit", {"capture": 0}), ("del", {})):
        assert stranger.post(f"sites/{call}", id=site["id"], **fields)["error"] == "notfound"
    assert stranger.get("sites/list")["data"] == []
