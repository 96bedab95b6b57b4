"""track/* under a key: a server reports for its visitors, of its own account only."""

import json

import pytest
from sqlalchemy import select

from app.extensions import db
from app.models import Click, Source
from app.services.clicks import sites

TEMP = "0e984725-c51c-4bf4-9960-e1c80e27aba0"
FBP = "fb.1.1790000000000.123"
HREF = "https://shop.example/deal?gclid=g"


@pytest.fixture
def source(live_app, world):
    return world.source(world.campaign())


@pytest.fixture
def site(account, source):
    made = sites.add(account.id, domains=["shop.example"], source=source, capture=15)
    db.session.commit()
    return made.site


def only_click():
    row = db.session.scalars(select(Click)).one()
    db.session.commit()
    return row


def test_a_visit_its_late_fbp_and_its_link_are_one_click(api, site):
    made = api.post(
        "track/visit", site=site, href=HREF, tempId=TEMP, clientIp="203.0.113.7", userAgent="Moz"
    )["data"]
    assert (made["tempId"], made["cookies"]["tempId"]["maxAge"]) == (TEMP, 7_776_000)
    assert api.post("track/fbp", site=site, tempId=TEMP, fbp=FBP)["data"] == {"success": True}
    link = api.post("track/invite", site=site, tempId=TEMP)["data"]
    assert link["link"].endswith(f"_{made['visitId']}")
    row = only_click()
    assert (row.token, row.ip, row.ua) == (made["visitId"], "203.0.113.7", "Moz")
    assert json.loads(row.ids) == {"gclid": "g", "fbp": FBP}
    assert row.pressed is not None


@pytest.mark.parametrize("vendor", ["Gatepost", "Adtarget"])
def test_headers_win_over_the_body(client, account, site, vendor):
    headers = {
        "Authorization": f"Bearer {account.key}",
        f"X-{vendor}-Client-IP": "203.0.113.9",
        f"X-{vendor}-Client-User-Agent": "Header",
    }
    body = {"site": site, "href": HREF, "clientIp": "203.0.113.7", "userAgent": "Body"}
    assert client.post("/api/track/visit.json", json=body, headers=headers).status_code == 200
    assert (only_click().ip, only_click().ua) == ("203.0.113.9", "Header")


def test_without_a_site_nothing_private_is_kept(api, source):
    code = db.session.get_one(Source, source).code
    db.session.commit()
    api.post("track/visit", source=code, href=HREF, clientIp="203.0.113.7", userAgent="Moz")
    assert (only_click().ip, only_click().ua) == (None, None)


def test_our_callers_own_address_is_never_taken_for_the_visitors(api, site):
    api.post("track/visit", site=site, href=HREF)
    assert (only_click().ip, only_click().ua) == (None, None)


def test_another_accounts_site_is_not_found(api, other, site):
    stranger = api(other.key)
    for call, fields in (("visit", {"href": HREF}), ("fbp", {"fbp": FBP}), ("invite", {})):
        answer = stranger.post(f"track/{call}", site=site, tempId=TEMP, **fields)
        assert answer["error"] == "notfound"
    assert db.session.scalars(select(Click)).all() == []
