"""The link of an ad, opened in a real browser."""

from urllib.parse import parse_qs, urlsplit


def test_who_opens_an_ads_link_is_led_to_telegram_with_a_token(system, page, faults):
    source = system.post("sources/add", campaign=system.campaign, title="Reels")
    telegram = "https://t.me/"
    with page.expect_request(lambda request: request.url.startswith(telegram)) as led:
        page.evaluate(f"location = '{system.url}/c/{source['code']}?fbclid=IwAR2xY'")
    start = parse_qs(urlsplit(led.value.url).query)["start"][0]
    (click,) = system.get("clicks/list", source=source["id"])
    assert start == f"{system.code}_{click['token']}"
    assert system.get("clicks/get", id=click["id"])["ids"] == {"fbclid": "IwAR2xY"}
