import re

from app.dashboard import navigation
from app.models import PostbackState


def test_the_menu_marks_the_screen_one_is_in(browser, world):
    bot = world.bot()
    for path, screen in (("/", "/"), ("/bots", "/bots"), (f"/bots/{bot}/delete", "/bots")):
        marked = re.findall(r'<a href="([^"]+)" aria-current="page"', browser.page(path))
        assert marked == [screen], path


def test_every_screen_of_the_menu_is_there(browser):
    menu = re.search(r'<nav id="menu".*?</nav>', browser.page("/"), re.DOTALL)
    assert menu
    for path in re.findall(r'href="(/[^"]*)"', menu[0]):
        browser.page(path)


def test_what_was_done_is_said_once_in_known_words_only(browser):
    assert "It is deleted." in browser.page("/bots?done=removed")
    assert 'role="status"' not in browser.page("/bots?done=<b>hacked</b>")


def test_every_state_of_a_postback_has_a_pill(app):
    with app.test_request_context():
        pills = navigation.state_pills()
    assert set(pills) == set(PostbackState)
    assert pills[PostbackState.FAILED].startswith('<span class="pill bad">')
