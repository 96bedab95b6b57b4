import json

import pytest

from app.extensions import db
from app.models import Destination, DestinationStatus, Role
from app.services.trackers import catalogue
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"
EVENTS = {f"event.{kind}": "1" for kind in ("wait", "approve")}


def stored(number):
    db.session.expire_all()
    return json.loads(db.session.get_one(Destination, number).settings)


@pytest.fixture
def connected(browser, account):
    """A tracker that was connected by its form."""
    browser.done(
        "/trackers/new/altercpa_lite",
        do="add",
        title="My CRM",
        **{"settings.domain": "crm.example", "settings.key": "42-secret"},
        **EVENTS,
    )
    return db.session.query(Destination).filter_by(account_id=account.id).one().id


def test_without_a_tracker_it_is_said_what_to_do(browser):
    assert "No tracker is connected yet" in browser.page("/trackers")


def test_every_adapter_and_every_preset_has_a_form(browser, app):
    page = browser.page("/trackers/new")
    with app.test_request_context():
        described = catalogue.listed()
    for row in described:
        assert f'href="/trackers/new/{row["key"]}"' in page
        form = browser.page(f"/trackers/new/{row['key']}")
        assert len(form.encode()) < 60_000
        for preset in row["presets"]:
            form = browser.page(f"/trackers/new/{row['key']}?preset={preset['key']}")
            for one in preset["fields"]:
                assert f'name="settings.fields.{one["name"]}"' in form
    browser.page("/trackers/new/nothing", 404)
    browser.page("/trackers/new/url_template?preset=nothing", 404)


def test_a_preset_is_chosen_from_a_list(browser, world):
    campaign = world.campaign(chat_title="News")
    page = browser.page(f"/campaigns/{campaign}/postbacks")
    assert '<option value="keitaro">Keitaro</option>' in page
    page = browser.page(f"/trackers/new/url_template?preset=keitaro&campaign={campaign}")
    assert '<option value="keitaro" selected>' in page
    assert f'<option value="{campaign}" selected>News</option>' in page
    assert "What this preset does" in page
    browser.page("/trackers/new/url_template?preset=&campaign=x")


def test_forms_speak_russian(browser):
    browser.done("/settings/look", lang="ru", zone="UTC")
    page = text_of(browser.page("/trackers/new/meta_capi"))
    assert "Токен доступа" in page
    assert "Access token" not in page
    page = text_of(browser.page("/trackers/new/url_template?preset=keitaro"))
    assert "домен вашего трекера, например track.example.com" in page
    assert "every event is a conversion of its own" not in page
    assert "каждое событие — отдельная конверсия" in page


def test_a_tracker_is_connected_by_its_form(browser, connected):
    assert stored(connected)["key"] == "42-secret"
    page = browser.page("/trackers")
    assert "My CRM ● runs" in text_of(page)
    assert "wait, approve" in text_of(page)
    assert "42-secret" not in page


def test_a_preset_is_connected_by_the_fields_it_asks_for(browser, account):
    browser.done(
        "/trackers/new/url_template",
        do="add",
        preset="keitaro",
        **{"settings.fields.domain": "k.example", "settings.fields.postback_key": "abc123def"},
        **EVENTS,
    )
    number = db.session.query(Destination).filter_by(account_id=account.id).one().id
    assert stored(number)["preset"] == "keitaro"
    page = browser.page(f"/trackers/{number}")
    assert "k.example" in page
    assert "abc123def" not in page
    browser.done(
        f"/trackers/{number}", do="save", title="K", **{"settings.fields.domain": "k.example"}
    )
    assert stored(number)["fields"]["postback_key"] == "abc123def"


def test_addresses_by_hand_say_when_each_is_called_and_what_may_stand_in_them(browser):
    page = browser.page("/trackers/new/url_template")
    for words in ("Started the bot (wait)", "Was removed (trash)", "Macros:", "{click}"):
        assert words in text_of(page)
    assert 'data-insert="settings-urls-approve"' in page
    assert 'id="settings-urls-approve"' in page


def test_who_has_connected_a_tracker_sees_what_is_doubtful_and_the_way_on(browser):
    typed = {
        "settings.urls.wait": "https://t.example/pb?cid={clickid}",
        "settings.method": "GET",
        "settings.body": "none",
    }
    page = browser.done("/trackers/new/url_template", do="add", **typed, **EVENTS)
    assert "It is connected. To the overview Postback URL" in text_of(page)
    doubts = page.partition('<div class="notice warn">')[2].partition("<form")[0]
    assert "{clickid}" in text_of(doubts)


def test_what_is_wrong_is_told_at_its_field_and_the_rest_stays(browser):
    page = browser.refused(
        "/trackers/new/webhook", do="add", title="Kept", **{"settings.url": "nonsense"}
    )
    assert 'name="settings.url" type="text" value="nonsense"' in page
    assert 'aria-invalid="true"' in page
    assert 'value="Kept"' in page


def test_a_secret_is_kept_when_nothing_is_typed(browser, connected):
    page = browser.page(f"/trackers/{connected}")
    assert "42-secret" not in page
    assert 'placeholder="kept"' in page
    browser.done(
        f"/trackers/{connected}", do="save", title="Other", **{"settings.domain": "crm.example"}
    )
    assert stored(connected)["key"] == "42-secret"


def test_a_kept_secret_does_not_go_to_another_host(browser, connected):
    browser.page(f"/trackers/{connected}")
    page = browser.refused(
        f"/trackers/{connected}", do="save", **{"settings.domain": "evil.example"}
    )
    assert 'role="alert"' in page
    assert stored(connected)["domain"] == "crm.example"


def test_a_connection_is_checked_before_and_after(browser, tracker, world):
    browser.page("/trackers/new")
    typed = {"settings.urls.approve": f"{tracker.url}/pb?c={{click}}"}
    response = browser.post("/trackers/new/url_template", do="check", **typed)
    assert 'class="notice' in response.get_data(as_text=True)
    number = world.destination(
        settings=json.dumps({"urls": {"approve": f"{tracker.url}/pb?c={{click}}"}})
    )
    browser.page(f"/trackers/{number}")
    assert 'class="notice' in browser.post(f"/trackers/{number}", do="check").get_data(as_text=True)


def test_a_tracker_is_paused_resumed_and_deleted(browser, connected):
    browser.page(f"/trackers/{connected}")
    assert "paused" in browser.done(f"/trackers/{connected}", do="pause")
    assert "runs" in browser.done(f"/trackers/{connected}", do="resume")
    browser.page(f"/trackers/{connected}/delete")
    assert "It is deleted." in browser.done(f"/trackers/{connected}", do="delete")
    assert db.session.get_one(Destination, connected).status == DestinationStatus.DELETED
    browser.page(f"/trackers/{connected}", 404)


def test_what_a_stranger_has_written_is_text(browser, world):
    number = world.destination(title=SCRIPT, reason=SCRIPT, status=DestinationStatus.OFF)
    for path in ("/trackers", f"/trackers/{number}", f"/trackers/{number}/delete"):
        page = browser.page(path)
        assert "&lt;script&gt;" in page
        assert tags(page).count("script") == 1


def test_a_tracker_whose_adapter_is_gone_can_still_be_paused(browser, world):
    number = world.destination(tracker="gone", title="Gone")
    browser.page(f"/trackers/{number}")
    browser.done(f"/trackers/{number}", do="pause")


def test_the_neighbours_trackers_and_templates_are_not_there(browser, world, others_world):
    theirs = others_world.destination(title="Theirs")
    template = world.destination(role=Role.TEMPLATE)
    for number in (theirs, template):
        browser.page(f"/trackers/{number}", 404)
        browser.page(f"/trackers/{number}/delete", 404)
        assert browser.post(f"/trackers/{number}", do="delete").status_code == 404
    assert "Theirs" not in browser.page("/trackers")
