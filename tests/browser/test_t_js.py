"""The landing script in a real browser: links, visits, consent, and our server being down."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.journeys.system import eventually

HOST = "shop.test"


@pytest.fixture
def source(system):
    return system.post("sources/add", campaign=system.campaign, title="Landing")


@pytest.fixture
def site(system, source):
    return system.post("sites/add", domains=[HOST], source=source["id"], capture=15)


@pytest.fixture
def show(landing, site, page):
    """`show(links, query="…")`: the page with our tag is open; its address."""

    def show(html, query="", snippet="", **headers):
        landing.put((snippet or site["snippet"]) + html, **headers)
        address = f"{landing.at(HOST)}/{query}"
        page.goto(address)
        return address

    return show


def href(page, selector="#join"):
    return page.get_attribute(selector, "href")


def wait_until_led(page, system, selector="#join"):
    page.wait_for_function(
        "([selector, base]) => document.querySelector(selector).href.startsWith(base)",
        arg=[selector, f"{system.url}/c/"],
    )
    return parse_qs(urlsplit(href(page, selector)).query)


JOIN = '<a id="join" href="https://t.me/flowers_bot">Join</a>'


def test_a_visitor_of_a_page_is_one_click_with_all_that_the_ad_brought(
    system, source, show, page, faults
):
    with page.expect_response(lambda response: "/track/visit" in response.url) as visit:
        show(JOIN, "?fbclid=IwAR2xY&utm_source=fb&click=c-1")
    assert visit.value.status == 200
    query = wait_until_led(page, system)
    assert (query["fbclid"], query["utm_source"]) == (["IwAR2xY"], ["fb"])
    (click,) = system.get("clicks/list", source=source["id"])
    assert click["pressed"] == "0000-00-00 00:00:00"
    with page.expect_request(lambda request: request.url.startswith("https://t.me/")) as led:
        page.click("#join")
    start = parse_qs(urlsplit(led.value.url).query)["start"][0]
    assert start == f"{system.code}_{click['token']}"
    (pressed,) = system.get("clicks/list", source=source["id"])
    assert (pressed["id"], pressed["external"]) == (click["id"], "c-1")
    assert pressed["pressed"] != click["pressed"]
    detail = system.get("clicks/get", id=click["id"])
    assert detail["ids"] == {"fbclid": "IwAR2xY"}
    assert (detail["ip"], detail["user_agent"]) == (True, True)
    assert urlsplit(detail["landing"]).hostname == HOST
    eventually(lambda: system.get("sources/get", id=source["id"])["visits"] == 1, 30, "the visit")
    assert faults.expect("ERR_CONNECTION_REFUSED|t.me") or True


def test_links_are_rewritten_without_the_network(system, show, page):
    page.route("**/track/**", lambda route: None)  # no answer comes, ever
    show(JOIN, "?fbclid=IwAR2xY")
    query = wait_until_led(page, system)
    assert len(query["v"][0]) == 36
    assert page.get_attribute("#join", "data-original") == "https://t.me/flowers_bot"
