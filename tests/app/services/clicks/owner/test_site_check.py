"""A page of a site is looked at as a browser would find it."""

import pytest

from app.errors import BadParameter, NotFound
from app.services.clicks import sites
from app.services.clicks.owner import site_check
from app.translations import translated
from tests.support.servers import once, serving

BASE = "https://gatepost.example"


@pytest.fixture(autouse=True)
def address(change_settings):
    change_settings(public_url=BASE)


@pytest.fixture
def site(account):
    return sites.add(account.id, domains=["127.0.0.1", "*.shop.example"])


def answer(page, status="200 OK", headers=""):
    body = page.encode()
    return f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


def checked(account, site, behaviour):
    with serving(behaviour) as server:
        result = site_check.check(account.id, site.id, f"{server.url}/deal")
    return result, translated(result.message)


def test_the_tag_as_it_was_given_is_found(account, site):
    page = f"<html><head>{site.snippet}</head>"
    result, message = checked(account, site, once(answer(page)))
    assert (result.ok, message, result.status) == (True, "the tag is there", 200)
    assert (result.tagged, result.url.endswith("/deal")) == (site.site, True)


@pytest.mark.parametrize(
    ("page", "message", "found"),
    [
        ("<html>", "the tag is not in the page", ""),
        ("<!-- <script data-site='x'></script> -->", "the tag is not in the page", ""),
        ("[]" * 100_000, "the tag is not in the page", ""),
        ("<![<![<!", "the tag is not in the page", ""),
        ("<script src='BASE/t.js' data-site='other'>", "the tag names another site: other",
         "other"),
        ("<script src='https://old.example/t.js' data-site='SITE'>",
         "the tag does not load https://gatepost.example/t.js", "SITE"),
        ("<script data-site='SITE'>", "the tag does not load", "SITE"),
        ("<script src='https://[' data-site='SITE'>", "the tag does not load", "SITE"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_tag_is_said(account, site, page, message, found):
    page = page.replace("BASE", BASE).replace("SITE", site.site)
    result, said = checked(account, site, once(answer(page)))
    assert not result.ok
    assert said.startswith(message)
    assert result.tagged == found.replace("SITE", site.site)


def test_a_policy_that_forbids_the_script_is_said(account, site):
    headers = "Content-Security-Policy: script-src 'self'\r\n"
    result, message = checked(account, site, once(answer(site.snippet, headers=headers)))
    assert not result.ok
    assert "Content-Security-Policy" in message


def test_a_page_that_is_not_there_is_said_with_its_status(account, site):
    result, message = checked(account, site, once(answer("", "404 Not Found")))
    assert (result.ok, result.status) == (False, 404)
    assert message == "the page answers with HTTP status 404"


def test_a_server_that_does_not_answer_is_said(account, site):
    result, message = checked(account, site, lambda line: line.reset())
    assert (result.ok, result.status, result.tagged) == (False, 0, "")
    assert message.startswith("the page does not answer: ")


def test_a_redirect_within_the_site_is_followed_and_another_is_not(account, site):
    answers = iter(
        [
            answer("", "302 Found", "Location: /moved\r\n"),
            answer("", "301 Moved", "Location: http://169.254.169.254/\r\n"),
        ]
    )

    def behave(line):
        line.read()
        line.say(next(answers))

    result, _ = checked(account, site, behave)
    assert (result.status, result.url[-6:]) == (301, "/moved")


def test_a_circle_of_redirects_ends(account, site):
    def behave(line):
        while line.read():
            line.say(answer("", "302 Found", "Location: /deal\r\n"))

    assert checked(account, site, behave)[0].status == 302


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/", "http://169.254.169.254/", "file:///etc/passwd", "//127.0.0.1/",
        "https://127.0.0.1@other.example/", "https://a:b@127.0.0.1/", "https://[", "x",
    ],
)  # fmt: skip
def test_only_pages_of_the_site_are_fetched(account, site, url):
    with pytest.raises(BadParameter):
        site_check.check(account.id, site.id, url)


def test_another_accounts_site_is_not_found(other, site):
    with pytest.raises(NotFound):
        site_check.check(other.id, site.id)


def test_the_check_over_the_api(api, site, no_own_network):
    answer = api.post("sites/check", id=site.id, url="http://127.0.0.1:9/")
    assert (answer["data"]["ok"], answer["data"]["status"]) == (False, 0)
    assert api.post("sites/check", id=site.id, url="https://else.example/")["field"] == "url"


def test_of_a_page_of_nothing_but_signs_of_tags_a_bounded_part_is_read():
    tag = '<script src="/t.js" data-site="a"></script>'
    most = site_check.MOST_TAGS
    assert site_check.find_tags("<" * (most - 3) + tag, "https://shop.example/")
    assert not site_check.find_tags("<" * most + tag, "https://shop.example/")
