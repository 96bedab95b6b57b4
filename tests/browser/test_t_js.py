"""The landing script in a real browser: links, visits, consent, and our server being down."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.waiting import eventually

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
    """Wait until the link is ours; its query, read in the same moment."""
    led = page.wait_for_function(
        """([selector, base]) => {
            const { href } = document.querySelector(selector);
            return href.startsWith(base) && href;
        }""",
        arg=[selector, f"{system.url}/c/"],
    )
    return parse_qs(urlsplit(led.json_value()).query)


JOIN = '<a id="join" href="https://t.me/flowers_bot">Join</a>'


def test_a_visitor_of_a_page_is_one_click_with_all_that_the_ad_brought(system, source, show, page):
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


def test_links_are_rewritten_without_the_network(system, show, page):
    page.route("**/track/**", lambda route: None)  # no answer comes, ever
    show(JOIN, "?fbclid=IwAR2xY")
    query = wait_until_led(page, system)
    assert len(query["v"][0]) == 36
    assert page.get_attribute("#join", "data-original") == "https://t.me/flowers_bot"


def test_where_the_visit_cannot_be_reported_the_original_link_comes_back(show, page, faults):
    page.route("**/track/**", lambda route: route.abort())
    show(JOIN)
    page.wait_for_function("gatepost.link().then(link => link === null)")
    assert href(page) == "https://t.me/flowers_bot"
    assert page.get_attribute("#join", "data-original") is None
    page.evaluate("document.body.insertAdjacentHTML('beforeend', document.body.innerHTML)")
    assert page.evaluate("document.querySelectorAll('[data-original]').length") == 0
    faults.expect("ERR_FAILED")


def test_other_links_and_sharing_stay_as_they_are(system, show, page):
    others = {
        "share": "https://t.me/share/url?url=x",
        "share2": "tg://msg_url?url=x",
        "other": "https://t.me/support_bot",
        "invite": "https://t.me/+abc",
        "page": "https://flowers.example/flowers_bot",
        "off": "https://t.me/flowers_bot",
    }
    html = "".join(
        f'<a id="{name}" href="{link}" {"data-gatepost=off" if name == "off" else ""}>x</a>'
        for name, link in others.items()
    )
    marked = '<a id="marked" data-gatepost href="https://t.me/+abc">x</a>'
    app = '<a id="app" href="tg://resolve?domain=Flowers_Bot">x</a>'
    show(JOIN + html + marked + app)
    for selector in ("#join", "#marked", "#app"):
        wait_until_led(page, system, selector)
    assert {name: href(page, f"#{name}") for name in others} == others


def test_a_tag_without_names_learns_from_the_visit_which_links_are_meant(
    system, site, source, show, page
):
    tag = f'<script async src="{system.url}/t.js" data-site="{site["site"]}"></script>'
    show(f'{JOIN}<a id="other" href="https://t.me/support_bot">x</a>', snippet=tag)
    page.wait_for_function("gatepost.link().then(Boolean)")
    page.wait_for_function("!document.querySelector('#other').dataset.original")
    assert href(page, "#other") == "https://t.me/support_bot"
    wait_until_led(page, system)


def test_links_that_come_later_or_change_are_rewritten_too(system, show, page):
    show("")
    page.evaluate(f"document.body.innerHTML = '<p>{JOIN}</p>'")
    wait_until_led(page, system)
    page.evaluate("document.querySelector('#join').href = 'https://telegram.me/flowers_bot/'")
    wait_until_led(page, system)
    assert page.get_attribute("#join", "data-original") == "https://telegram.me/flowers_bot/"


def test_an_fbp_that_is_set_late_arrives_with_the_press(system, source, show, page):
    show(JOIN)
    wait_until_led(page, system)
    page.evaluate("document.cookie = '_fbp=fb.1.1790000000000.1234567890'")
    with page.expect_request(lambda request: request.url.startswith("https://t.me/")):
        page.click("#join")
    (click,) = system.get("clicks/list", source=source["id"], pressed=1)
    detail = system.get("clicks/get", id=click["id"])
    assert detail["ids"] == {"fbp": "fb.1.1790000000000.1234567890"}


def test_an_inner_page_keeps_what_the_ad_brought(system, landing, site, show, page):
    show(JOIN, "?fbclid=IwAR2xY")
    first = wait_until_led(page, system)
    landing.put(site["snippet"] + JOIN, "/inner")
    page.goto(f"{landing.at(HOST)}/inner")
    inner = wait_until_led(page, system)
    assert (inner["v"], inner["fbclid"]) == (first["v"], ["IwAR2xY"])


def test_until_the_visitor_agrees_only_a_random_token_is_made(system, source, site, show, page):
    system.post("sites/edit", id=site["id"], consent="required")
    (tag,) = [row["snippet"] for row in system.get("sites/list") if row["id"] == site["id"]]
    show(JOIN, "?fbclid=IwAR2xY&utm_source=fb", snippet=tag)
    before = wait_until_led(page, system)
    assert set(before) == {"v", "site", "consent"}
    assert page.evaluate("[sessionStorage.length, document.cookie]") == [0, ""]
    assert page.evaluate("gatepost.link().then(() => 1)") == 1
    assert system.get("clicks/list", source=source["id"]) == []
    page.evaluate("gatepost.consent(true)")
    after = wait_until_led(page, system)
    assert (after["v"], after["consent"], after["fbclid"]) == (before["v"], ["1"], ["IwAR2xY"])
    eventually(lambda: system.get("clicks/list", source=source["id"]), 30, "the visit")
    page.evaluate("gatepost.consent(false)")
    assert set(wait_until_led(page, system)) == {"v", "site", "consent"}


@pytest.mark.parametrize("others", ["", "default-src 'none'; "])
def test_a_policy_that_allows_our_script_suffices(system, show, page, faults, others):
    policy = f"{others}script-src {system.url}"
    with page.expect_response(lambda response: response.url.endswith("/t.js")):
        show(JOIN, "?fbclid=IwAR2xY", Content_Security_Policy=policy)
    page.wait_for_selector(f"#join[href^='{system.url}/c/'][href*='fbclid=IwAR2xY']")
    with page.expect_request(lambda request: request.url.startswith("https://t.me/")):
        page.click("#join")
    if others:  # without them nobody complains
        faults.expect("connect-src|default-src|favicon|Fetch API|violates")


def test_nothing_global_but_gatepost(show, page):
    show(JOIN)
    page.wait_for_function("window.gatepost")
    frame = (
        "() => { const f = document.createElement('iframe'); document.body.append(f);"
        " const own = Object.getOwnPropertyNames(f.contentWindow); f.remove();"
        " return Object.getOwnPropertyNames(window).filter(name => !own.includes(name)) }"
    )
    assert set(page.evaluate(frame)) - {"0", "join"} == {"gatepost"}
    assert len(page.evaluate("gatepost.visit")) == 36


def test_a_page_of_another_host_reports_nothing_and_its_links_stay(
    system, landing, site, page, faults
):
    landing.put(site["snippet"] + JOIN)
    page.goto(landing.at("evil.test"))
    page.wait_for_function("gatepost.link().then(link => link === null)")
    assert href(page) == "https://t.me/flowers_bot"
    assert system.get("clicks/list", source=site["source"]) == []
    faults.expect("CORS|403|ERR_FAILED")
