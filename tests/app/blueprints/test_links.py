"""The link of an ad leads a visitor to the bot, and what came with it is kept."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select, text

from app.domain.clicks.marks import MARK_LENGTH
from app.domain.time_ranges import DAY
from app.extensions import db
from app.models import Account, AccountStatus, Bot, Campaign, CampaignStatus, Click, Source
from app.sandbox.telegram import people
from app.services.clicks import open_link, sources

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Mobile"}
ANN = people.Person(101, "Ann", username="ann")
T = int(time.time())  # the clicks are of now, and count for a month


@pytest.fixture
def source(live_app, stage):
    """Its code, of the stage's campaign."""
    source = sources.add(stage.account, campaign=stage.campaign, title="Reels", click_param="cid")
    code = source.code
    db.session.commit()
    return code


def visit(client, source, query="", **headers):
    with client.application.app_context():
        return client.get(f"/c/{source}{query}", headers=PHONE | headers)


def payload(answer):
    link = urlsplit(answer.headers["Location"])
    assert (link.scheme, link.netloc) == ("https", "t.me")
    return parse_qs(link.query)["start"][0]


def clicks():
    rows = db.session.scalars(select(Click).order_by(Click.id)).all()
    db.session.commit()
    return rows


def counters(source):
    row = db.session.execute(
        text(
            "SELECT sum(clicks), sum(repeats), sum(previews), sum(paused) FROM source_day"
            " JOIN source ON source.id = source_id WHERE code = :code"
        ),
        {"code": source},
    ).one()
    db.session.commit()
    return [int(number or 0) for number in row]


def test_a_visitor_is_led_to_the_bot_with_a_token_and_the_click_is_kept(stage, client, source):
    answer = visit(
        client, source, "?cid=c-1.x:y&fbclid=IwAR2xY&utm_source=fb&sub1=a&ad_id=9",
        Referer="https://l.instagram.com/page?private=1",
    )  # fmt: skip
    assert (answer.status_code, answer.data) == (302, b"")
    (click,) = clicks()
    assert payload(answer) == f"{stage.code}_{click.token}"
    assert click.external == "c-1.x:y"
    assert [json.loads(one) for one in (click.ids, click.utm, click.subs, click.ad)] == [
        {"fbclid": "IwAR2xY"}, {"source": "fb"}, {"sub1": "a"}, {"ad_id": "9"},
    ]  # fmt: skip
    assert click.referrer == "l.instagram.com/page"
    assert counters(source) == [1, 0, 0, 0]


def test_a_slash_at_the_end_changes_nothing(client, source):
    assert payload(visit(client, f"{source}/", "?cid=1")) == payload(
        visit(client, source, "?cid=1")
    )


def test_the_answer_is_kept_by_nobody_and_tells_nobody(client, source):
    headers = visit(client, source).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex"


def test_the_start_that_follows_brings_the_trackers_own_click_id(stage, client, source):
    external = "é" * 100 + "." * 100  # Telegram would carry none of it
    answer = visit(client, source, f"?cid={external}")
    stage.play(people.start(ANN, payload(answer), T))
    lead, (click,) = stage.lead(ANN.id), clicks()
    assert (lead.click, lead.click_id, click.lead_id) == (external, click.id, lead.id)
    assert json.loads(stage.postbacks()[0].event)["click"] == external


def test_without_a_click_id_the_token_is_the_click(stage, client, source):
    stage.play(people.start(ANN, payload(visit(client, source)), T))
    assert stage.lead(ANN.id).click == clicks()[0].token


def test_a_token_that_names_no_click_leaves_the_lead_without_one(stage):
    stage.play(people.start(ANN, f"{stage.code}_{'x' * 16}", T))
    assert stage.lead(ANN.id).click == ""
    assert "its token names no click that is kept" in stage.journal()[0].decision


def test_a_token_of_another_campaign_brings_no_click(stage, client, source, others_world):
    theirs = others_world.campaign()
    answer = visit(client, source, "?cid=c-1")
    db.session.execute(text("UPDATE click SET campaign_id = :id"), {"id": theirs})
    db.session.commit()
    stage.play(people.start(ANN, payload(answer), T))
    assert stage.lead(ANN.id).click == ""


def test_who_presses_again_within_minutes_gets_the_same_link(client, source):
    first, second = visit(client, source), visit(client, source)
    assert payload(first) == payload(second)
    assert counters(source) == [1, 1, 0, 0]


def test_a_browser_that_asks_not_to_be_recognised_is_not(client, source):
    query = "?fbclid=ad&fbp=fb.1.1700000000000.1&ttp=t1&ym_uid=1700000000123&ga=GA1.1.1.1"
    answers = [visit(client, source, query, **{"Sec-GPC": "1"}) for _ in range(2)]
    assert [set(json.loads(click.ids)) for click in clicks()] == [{"fbclid"}] * 2
    assert payload(answers[0]) != payload(answers[1])
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert {click.visitor for click in clicks()} == {""}


@pytest.mark.parametrize("mark", ["short", "x" * 23, "../" * 7 + "x", ""])
def test_an_odd_mark_is_replaced_by_one_of_ours(client, source, mark):
    client.set_cookie("gp_v", mark)
    cookie = visit(client, source).headers["Set-Cookie"]
    assert f"gp_v={clicks()[0].visitor};" in cookie
    assert len(clicks()[0].visitor) == 22
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_programs_get_a_page_and_are_no_clicks(stage, client, source):
    campaign = db.session.get(Campaign, stage.campaign)
    campaign.chat_title = '<script>alert("1")</script>'
    db.session.commit()
    answer = visit(client, source, **{"User-Agent": "TelegramBot (like TwitterBot)"})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    with client.application.app_context():
        assert client.head(f"/c/{source}", headers=PHONE).status_code == 200
    assert (clicks(), counters(source)) == ([], [0, 0, 2, 0])


@pytest.mark.parametrize("still", ["source", "campaign", "ban", "unpaid"])
def test_what_stands_still_leads_on_and_records_no_click(stage, client, source, still):
    account = db.session.get(Account, stage.account)
    if still == "source":
        db.session.scalars(select(Source)).one().status = 1
    elif still == "campaign":
        db.session.get(Campaign, stage.campaign).status = CampaignStatus.PAUSED
    elif still == "ban":
        account.status = AccountStatus.BANNED
    else:
        account.tariff, account.paid_until = "cat", 1
    db.session.commit()
    answer = visit(client, source, "?cid=c-1")
    assert payload(answer) == stage.code
    assert (clicks(), counters(source)) == ([], [0, 0, 0, 1])


@pytest.mark.parametrize("gone", ["unknown", "source", "campaign", "bot"])
def test_what_is_gone_is_a_page_and_never_a_redirect(stage, client, source, gone):
    if gone == "source":
        db.session.scalars(select(Source)).one().status = 2
    elif gone == "campaign":
        db.session.get(Campaign, stage.campaign).status = CampaignStatus.DELETED
    elif gone == "bot":
        db.session.get(Bot, stage.bot).status = 3
    db.session.commit()
    code = "nobodys1" if gone == "unknown" else source
    assert visit(client, f"{code}/").data == visit(client, code).data
    answer = visit(client, code)
    assert answer.status_code == 404
    assert "Location" not in answer.headers
    assert "leads nowhere" in answer.text


def test_over_the_rate_of_an_address_people_are_led_on_and_not_recorded(
    stage, client, source, monkeypatch
):
    monkeypatch.setattr(open_link.CLICKS, "clock", lambda: float(T))
    for _ in range(open_link.CLICKS.burst):
        open_link.CLICKS.hit("127.0.0.1")
    assert payload(visit(client, source)) == stage.code
    assert clicks() == []


def test_over_the_rate_of_an_account_people_are_led_on_and_not_recorded(
    stage, client, source, monkeypatch
):
    monkeypatch.setattr(open_link.CLICKS_OF_ACCOUNT, "clock", lambda: float(T))
    for _ in range(open_link.CLICKS_OF_ACCOUNT.burst):
        open_link.CLICKS_OF_ACCOUNT.hit(str(stage.account))
    assert payload(visit(client, source)) == stage.code
    assert clicks() == []


def test_a_flood_from_one_address_is_refused(client, source, monkeypatch):
    monkeypatch.setattr(open_link.VISITS, "clock", lambda: float(T))
    for _ in range(open_link.VISITS.burst):
        open_link.VISITS.hit("127.0.0.1")
    answer = visit(client, source)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "query",
    [
        "?cid=https://evil.example&url=https://evil.example&start=x",
        "?cid=%0d%0aLocation:%20https://evil.example",
        "?" + "x" * 7000,
        "?%ff%fe=%00&cid=%00",
        "?utm_source=%3Cscript%3E",
    ],
)
def test_nothing_a_visitor_sends_chooses_where_the_link_leads(stage, client, source, query):
    answer = visit(client, source, query, Referer="https://[::", Host="evil.example")
    assert answer.status_code == 302
    assert payload(answer).startswith(f"{stage.code}_")


def test_a_click_is_counted_on_its_utc_day(client, source):
    visit(client, source)
    (click,) = clicks()
    day = db.session.scalar(text("SELECT day FROM source_day"))
    assert day == click.created // DAY


def bridged(client, source, **headers):
    answer = visit(client, source, "?bridge=1", **headers)
    assert answer.status_code == 200
    return answer


def test_a_page_with_a_button_leads_on_where_no_redirect_does(stage, client, source):
    answer = bridged(client, source)
    (click,) = clicks()
    payload_ = f"{stage.code}_{click.token}"
    assert f'?start={payload_}" data-app="tg://resolve?domain=' in answer.text
    assert f"&amp;start={payload_}" in answer.text
    assert "https://telegram.me/" in answer.text
    assert f"gp_v={click.visitor};" in answer.headers["Set-Cookie"]
    assert counters(source) == [1, 0, 0, 0]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_runs_its_own_script_and_no_other(client, source):
    first, second = bridged(client, source), bridged(client, source)
    policies = [answer.headers["Content-Security-Policy"] for answer in (first, second)]
    nonce = policies[0].partition("'nonce-")[2].partition("'")[0]
    assert policies[0].startswith("default-src 'none'")
    assert first.text.count("<script") == first.text.count(f'<script nonce="{nonce}">') == 1
    assert policies[0] != policies[1]


def test_a_source_may_always_show_the_page_and_programs_get_theirs(client, source):
    row = db.session.scalars(select(Source)).one()
    row.bridge = True
    db.session.commit()
    assert "data-app" in visit(client, source).text
    program = visit(client, source, **{"User-Agent": "TelegramBot (like TwitterBot)"})
    assert "data-app" not in program.text


def test_a_title_cannot_break_the_page(stage, client, source):
    campaign = db.session.get(Campaign, stage.campaign)
    campaign.chat_title = '"><script>alert("1")</script>'
    db.session.commit()
    assert "<script>alert" not in bridged(client, source).text


@pytest.mark.parametrize("value", ["0", "", "2", "true"])
def test_another_word_than_one_is_led_on_as_ever(client, source, value):
    assert visit(client, source, f"?bridge={value}").status_code == 302


@pytest.mark.parametrize("text", ["%00", "a%ED%A0%80", "%FF"])
def test_no_text_in_the_address_of_a_link_causes_a_fault(client, source, text):
    """NUL, half of a surrogate pair, and what is no UTF-8: no column stores them."""
    names = ("cid", "bridge", "v", "site", "consent", "fbclid", "utm_source", "sub1", text)
    for query in (*(f"?{name}={text}" for name in names), f"?v={'a' * MARK_LENGTH}&site={text}"):
        assert visit(client, source, query).status_code in (200, 302), query
    for headers in ({"Cookie": f"gp_v={text}"}, {"Referer": f"https://a.example/{text}"}):
        assert visit(client, source, **headers).status_code == 302, headers
    assert visit(client, f"{source}{text}").status_code == 404
