import time

from app.dashboard.views.leads import badges
from app.domain.attribution import How
from app.domain.lead import State
from app.models import PostbackState
from tests.support.dashboard import tags, text_of

SCRIPT = "<script>alert(1)</script>"


def test_leads_are_listed_by_filters(browser, world):
    campaign = world.campaign(chat_title="News")
    world.lead(campaign, first_name="Ann", state=State.APPROVE, click="c1")
    world.lead(campaign, first_name="Bob", state=State.WAIT, click="")
    text = text_of(browser.page("/leads"))
    assert "Ann @alice ● joined News c1" in text
    assert "2 in all" in text
    text = text_of(browser.page(f"/leads?status=0&campaign={campaign}"))
    assert "Bob" in text
    assert "Ann" not in text
    assert "No lead here" in browser.page("/leads?status=4")
    browser.page("/leads?campaign=999999", 404)
    browser.page("/leads?status=9", 422)


def test_each_lead_says_how_it_is_known_and_what_was_told_of_it_last(browser, world, others_world):
    campaign = world.campaign()
    world.lead(campaign, first_name="Silent", how=How.ORGANIC, join_time=None)
    told = world.lead(campaign, first_name="Told", how=How.FORWARDED)
    earlier, later = world.destination(), world.destination()
    world.postback(earlier, lead_id=told, kind="wait", state=PostbackState.DELIVERED)
    last = world.postback(later, lead_id=told, state=PostbackState.REJECTED)
    others_world.postback(others_world.destination(), lead_id=told, kind="trash")
    page = browser.page("/leads")
    text = text_of(page)
    assert "Known by Started Joined Last delivery" in text
    assert "○ organic" in text
    assert "▲ link, forwarded" in text
    assert f'rejected</span> <a href="/deliveries/{last}">' in page
    assert "✕ rejected approve" in text
    assert "trash" not in text
    assert page.count('href="/deliveries/') == 1
    for way in How:
        assert badges()[way].count("aria-hidden") == 1


def test_pages_go_on_behind_the_last_row(browser, world):
    campaign = world.campaign()
    for index in range(51):
        world.lead(campaign, start_time=1_780_000_000 - index)
    older = browser.page("/leads").split('href="/leads?before=')[1].partition('"')[0]
    page = browser.page(f"/leads?before={older}")
    assert page.count('<th scope="row">') == 1


def test_a_lead_is_explained_in_order(browser, world):
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    lead = world.lead(campaign, first_name="Ann", last_name="Lee")
    world.entry(bot, -1, lead_id=lead, action=2, time=2000, decision="cancel not sent: too late")
    world.entry(bot, -1, lead_id=lead, action=5, time=1000, decision="wait, reported")
    text = text_of(browser.page(f"/leads/{lead}"))
    assert text.index("started the bot") < text.index("left 1970")
    assert "cancel not sent: too late" in text
    assert "Why is there no postback?" in text
    dest = world.destination(title="Keitaro")
    world.postback(dest, lead_id=lead, created=1500.0, kind="wait")
    text = text_of(browser.page(f"/leads/{lead}"))
    assert "postback wait" in text
    assert "Why is there no postback?" not in text


def test_what_people_call_themselves_is_text(browser, world):
    lead = world.lead(
        world.campaign(),
        first_name=SCRIPT,
        last_name=SCRIPT,
        username=SCRIPT,
        click=SCRIPT,
        language="<b>",
    )
    world.entry(1, -1, lead_id=lead, decision=SCRIPT)
    for path in ("/leads", f"/leads/{lead}"):
        page = browser.page(path)
        assert "&lt;script&gt;" in page
        assert tags(page).count("script") == 1


def test_the_neighbours_leads_are_not_there(browser, others_world):
    lead = others_world.lead(others_world.campaign(), first_name="Theirs")
    browser.page(f"/leads/{lead}", 404)
    assert "Theirs" not in browser.page("/leads")


def test_a_person_is_found_by_id_by_name_and_by_click(browser, world):
    bot = world.bot()
    campaign = world.campaign(bot_id=bot)
    world.lead(
        campaign,
        bot_id=bot,
        first_name="Ann",
        username="AnnLee",
        subscriber=777,
        click="c-1",
        state=State.WAIT,
    )
    world.lead(campaign, first_name="Bob", subscriber=778, click="c-2")
    for text in ("777", "c-1", "%40annlee", "AnnLee", "777&status=0", "+777+"):
        page = text_of(browser.page(f"/leads?search={text}"))
        assert "Ann" in page
        assert "Bob" not in page
    assert "Nobody is found" in browser.page(f"/leads?search={SCRIPT}")
    assert "Nobody is found" in browser.page("/leads?search=777&status=2")
    assert "Nobody is found" in browser.page(f"/leads?search={'x' * 300}")
    assert "c-1" in browser.get("/leads/leads.csv?search=777").get_data(as_text=True)


def test_the_filtered_leads_are_a_file(browser, world):
    campaign = world.campaign()
    world.lead(campaign, click="joined", state=State.APPROVE)
    world.lead(campaign, click="waits", state=State.WAIT)
    assert 'href="/leads/leads.csv?status=2"' in browser.page("/leads?status=2")
    response = browser.get("/leads/leads.csv?status=2")
    assert response.mimetype == "text/csv"
    head, row, _ = response.get_data(as_text=True).split("\r\n")
    assert head.startswith("id,campaign,subscriber")
    assert "joined" in row


def test_a_person_is_erased_once_their_id_was_typed(browser, world):
    lead = world.lead(world.campaign(), first_name="Ann", subscriber=777)
    assert f"/leads/{lead}/erase" in browser.page(f"/leads/{lead}")
    browser.page(f"/leads/{lead}/erase")
    page = browser.refused(f"/leads/{lead}/erase", subscriber="778")
    assert 'href="#subscriber"' in page
    page = browser.done(f"/leads/{lead}/erase", subscriber=" 777 ")
    assert "is erased" in page
    assert "Ann" not in browser.page(f"/leads/{lead}")
    assert "/erase" not in browser.page(f"/leads/{lead}")


def test_the_neighbours_people_are_not_erased(browser, others_world):
    lead = others_world.lead(others_world.campaign(), subscriber=777)
    browser.page(f"/leads/{lead}/erase", 404)
    assert browser.post(f"/leads/{lead}/erase", subscriber="777").status_code == 404


def test_leads_are_found_by_what_they_are_and_where_they_came_from(browser, world):
    campaign = world.campaign()
    source = world.source(campaign, title="Spring")
    world.lead(campaign, first_name="Ann", source_id=source, how=How.LINK, language="de")
    world.lead(campaign, first_name="Bob", premium=True, start_time=int(time.time()))
    for query, name, other in (
        (f"source={source}", "Ann", "Bob"),
        ("how=link", "Ann", "Bob"),
        ("language=de&premium=0", "Ann", "Bob"),
        ("premium=1", "Bob", "Ann"),
        ("period=today", "Bob", "Ann"),
    ):
        text = text_of(browser.page(f"/leads?{query}"))
        assert name in text, query
        assert f"{other} @" not in text, query
    assert "Spring" in text_of(browser.page("/leads?how=link"))
    browser.page("/leads?source=999999", 404)


def test_a_lead_shows_how_it_is_known_its_click_and_its_money(browser, world):
    campaign = world.campaign()
    source = world.source(campaign, title="Spring")
    click = world.click(source, utm='{"utm_source": "<b>fb"}', country="LV")
    facts = {"source_id": source, "click_id": click, "how": How.LINK, "also_seen": "other-click"}
    lead = world.lead(campaign, **facts)
    world.conversion(lead_id=lead, kind="purchase", value_micro=49_500_000, currency="USD")
    page = browser.page(f"/leads/{lead}")
    text = text_of(page)
    for part in ("an invite link made for this click", "Spring", "utm_source <b>fb", "country LV",
                 "other-click", "purchase 49.50 USD"):  # fmt: skip
        assert part in text, part
    assert "<b>fb" not in page


def test_a_lead_whose_click_and_source_are_gone_is_shown_without(browser, world):
    lead = world.lead(world.campaign(), source_id=999_999, click_id=999_999, how=How.NAMED)
    assert "Source deleted" in text_of(browser.page(f"/leads/{lead}"))
