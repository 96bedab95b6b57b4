"""In web.telegram.org a Mini App stands in a frame, and leads out of it."""

from urllib.parse import quote

from app.sandbox.telegram.people import Person
from tests.browser.conftest import SERVICE_TOKEN
from tests.support.mini_app import init_data

TELEGRAM = "https://web.telegram.org/a/"
#: As Telegram's page has it: a window that the frame itself opens would inherit the sandbox.
FRAME = """<iframe sandbox="allow-scripts allow-same-origin allow-popups allow-forms allow-modals"
 width="600" height="500" src="%s"></iframe>
<script>addEventListener("message", (event) => {
  const { eventType, eventData } = JSON.parse(event.data);
  if (eventType === "web_app_open_link") open(eventData.url, "_blank", "noreferrer");
})</script>"""


def framed(page, address, host=TELEGRAM):
    """Show `address` in a frame of a page of another site."""
    page.route(host, lambda route: route.fulfill(content_type="text/html", body=FRAME % address))
    page.goto(host)
    return page.frame_locator("iframe")


def test_in_a_frame_of_telegram_the_app_opens_in_a_window_of_its_own(system, new_context):
    context = new_context()
    person = Person(8_300_000_012, "Lea", username="lea_app")
    opened_with = quote(init_data(person, token=SERVICE_TOKEN))
    address = f"{system.url}/#tgWebAppData={opened_with}&tgWebAppPlatform=weba"
    frame = framed(context.new_page(), address)
    assert frame.locator("form, input, a").count() == 0
    with context.expect_page() as opened:
        frame.get_by_role("button", name="Open the dashboard").click()
    window = opened.value
    window.get_by_role("heading", name="Open the dashboard of Lea (@lea_app)?").wait_for()
    window.get_by_role("button", name="Open it").click()
    window.wait_for_url(f"{system.url}/")
    assert window.locator(".who").inner_text() == "Lea"


def test_nobody_else_frames_it(system, new_context):
    page = new_context().new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        frame = framed(page, f"{system.url}/login", "https://evil.example/")
    assert frame.get_by_role("heading").count() == 0
