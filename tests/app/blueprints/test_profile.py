import pytest

from app.extensions import db
from app.models import Account, Destination
from app.services.trackers import url_templates
from plugins.contract import EventKind

URL = "https://track.example/postback?click={click}"
NONE = {"pb_wait": "", "pb_hold": "", "pb_approve": "", "pb_cancel": "", "pb_trash": ""}


def _templates(api):
    data = api.get("profile/info")["data"]
    return {field: data[field] for field in NONE}


def test_info_has_every_documented_field(api, account, world):
    world.campaign()
    world.campaign(status=2)
    assert api.get("profile/info") == {
        "status": "ok",
        "data": {
            "id": account.id,
            "name": account.name,
            "login": account.login,
            "lang": "en",
            "zone": "UTC",
            "tariff": "tiger",
            "tariff_name": "Tiger",
            "tariff_campaigns": -1,
            "paid_until": api.get("profile/info")["data"]["paid_until"],
            "campaigns": 1,
            **NONE,
            "notify": {"tariff": True, "leads": True},
        },
    }


def test_an_account_that_never_paid_has_the_zero_date(api, make_account):
    data = api(make_account().key).get("profile/info")["data"]
    assert data["paid_until"] == "0000-00-00 00:00:00"
    assert (data["tariff"], data["tariff_name"], data["tariff_campaigns"]) == (
        "kitten",
        "Kitten",
        1,
    )


def test_a_moment_is_told_in_utc(api, make_account):
    account = make_account(tariff="cat", paid_until=4_102_444_799)
    data = api(account.key).get("profile/info")["data"]
    assert data["paid_until"] == "2099-12-31 23:59:59"
    assert (data["tariff_name"], data["tariff_campaigns"]) == ("Kitty", 15)


def test_a_new_key_kills_the_old_one(api):
    key = api.post("profile/apikey")["data"]["key"]
    assert api.get("profile/info")["error"] == "key"
    assert api(key).get("profile/info")["status"] == "ok"


def test_templates_are_changed_one_by_one(api):
    assert api.post("profile/postbacks", pb_approve=URL, pb_trash=URL) == {"status": "ok"}
    assert _templates(api) == NONE | {"pb_approve": URL, "pb_trash": URL}
    api.post("profile/postbacks", pb_wait=URL, pb_trash="")
    assert _templates(api) == NONE | {"pb_approve": URL, "pb_wait": URL}
    api.post("profile/postbacks")
    assert _templates(api) == NONE | {"pb_approve": URL, "pb_wait": URL}


def test_emptied_templates_rest_and_revive_as_the_same_destination(api):
    api.post("profile/postbacks", pb_approve=URL, pb_cancel=URL)
    first = db.session.query(Destination).one()
    assert (
        first.events == url_templates.events_mask([EventKind.APPROVE, EventKind.CANCEL]) == 0b1100
    )
    db.session.commit()
    api.post("profile/postbacks", pb_approve="", pb_cancel=" ")
    db.session.expire_all()
    emptied = db.session.query(Destination).one()
    assert (emptied.status, emptied.events) == (2, 0)
    assert _templates(api) == NONE
    api.post("profile/postbacks", pb_hold=URL)
    db.session.expire_all()
    revived = db.session.query(Destination).one()
    assert (revived.id, revived.status, revived.events) == (first.id, 0, 0b10)


@pytest.mark.parametrize("field", list(NONE))
@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/",
        "javascript:alert(1)",
        "https://{click}/",
        "https://",
        "/postback",
        "https://x.example/\n",
        "https://x.example/" + "a" * 2048,
        "https://x.example/\x00",
        7,
        None,
        ["https://x.example/"],
    ],
)
def test_an_unusable_template_is_named_and_nothing_is_kept(api, field, url):
    other = "pb_wait" if field != "pb_wait" else "pb_hold"
    if url == "https://x.example/\n":
        url = "https://x.example/\na"
    answer = api.post("profile/postbacks", **{field: url, other: URL})
    assert (answer["status"], answer["error"], answer["field"]) == ("error", "param", field)
    assert answer["message"].startswith(f"{field}: ")
    assert _templates(api) == NONE


def test_templates_are_sealed_at_rest(api):
    api.post("profile/postbacks", pb_approve=URL)
    stored = db.session.connection().exec_driver_sql("SELECT settings FROM destination").scalar()
    assert "track.example" not in stored


def test_notifications_are_switched_one_by_one(api):
    assert api.post("profile/notify", tariff=False) == {"status": "ok"}
    assert api.get("profile/info")["data"]["notify"] == {"tariff": False, "leads": True}
    api.post("profile/notify", leads="0", tariff="true")
    assert api.get("profile/info")["data"]["notify"] == {"tariff": True, "leads": False}


def test_the_language_is_english_or_russian(api, account):
    assert api.post("profile/lang", lang="ru") == {"status": "ok"}
    assert db.session.get(Account, account.id).lang == "ru"
    for wrong in ("de", "", 1, None, ["ru"]):
        assert api.post("profile/lang", lang=wrong)["field"] == "lang"
    assert api.post("profile/lang")["message"] == "lang: нужно указать"


def test_the_zone_is_one_that_is_known(api):
    assert api.post("profile/zone", zone="Europe/Riga") == {"status": "ok"}
    assert api.get("profile/info")["data"]["zone"] == "Europe/Riga"
    for wrong in ("Mars/Olympus", "", "../../etc/passwd", "UTC+3", 3, None):
        assert api.post("profile/zone", zone=wrong)["field"] == "zone"
    assert api.get("profile/info")["data"]["zone"] == "Europe/Riga"


def test_a_form_does_as_well_as_json(client, account):
    bearer = {"Authorization": f"Bearer {account.key}"}
    answer = client.post("/api/profile/lang.json", data={"lang": "ru"}, headers=bearer)
    assert answer.get_json() == {"status": "ok"}


def test_a_template_known_to_be_wrong_is_kept_and_warned_of(api):
    wrong = "https://your-keitaro.com/postback?subid={click}&status=sale"
    (warning,) = api.post("profile/postbacks", pb_approve=wrong)["warnings"]
    assert warning.startswith("pb_approve: ")
    assert api.get("profile/info")["data"]["pb_approve"] == wrong
    assert api.post("profile/postbacks", pb_wait="") == {"status": "ok"}
