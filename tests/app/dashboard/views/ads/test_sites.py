import json

import pytest

from app.extensions import db
from app.models import Site


@pytest.fixture
def add(browser, change_settings):
    """`add()`: a landing page that was added by the form, and the page after it."""
    change_settings(public_url="https://gate.example")

    def send(**typed):
        browser.page("/sources/sites")
        return browser.done("/sources/sites", **{"domains": "shop.example", **typed})

    return send


def one():
    db.session.expire_all()
    return db.session.query(Site).one()


def test_a_page_is_added_and_its_tag_can_be_copied(browser, add):
    assert "No landing page yet" in browser.page("/sources/sites")
    page = add(domains="shop.example\r\nwww.shop.example", **{"capture.4": "1"})
    assert "&lt;script async src=&#34;https://gate.example/t.js&#34;" in page
    assert json.loads(one().domains) == ["shop.example", "www.shop.example"]
    assert (one().capture, one().consent) == (4, 0)


def test_what_a_visitor_has_to_agree_to_is_chosen(browser, add, world):
    source = world.source(world.campaign())
    page = add()
    number = one().id
    assert f'id="site-{number}"' in page
    browser.done(
        f"/sources/sites/{number}", domains="new.example", source=source, consent="1",
        **{"capture.1": "1", "capture.8": "1"},
    )  # fmt: skip
    site = one()
    assert (json.loads(site.domains), site.default_source_id) == (["new.example"], source)
    assert (site.capture, site.consent) == (9, 1)
    assert 'name="consent" value="1" checked' in browser.page("/sources/sites")


def test_what_is_no_host_is_refused_and_stays_in_the_form(browser, add):
    browser.page("/sources/sites")
    page = browser.refused("/sources/sites", domains="shop..example")
    assert 'href="#domains-0"' in page
    assert "shop..example</textarea>" in page


def test_a_page_is_deleted(browser, add):
    add()
    page = browser.done(f"/sources/sites/{one().id}", do="delete")
    assert "No landing page yet" in page


def test_the_neighbours_pages_are_not_there(browser, others_world):
    site = others_world.site()
    assert "shop.example" not in browser.page("/sources/sites").split("cards")[1].split("<form")[0]
    assert browser.post(f"/sources/sites/{site}", do="delete").status_code == 404
