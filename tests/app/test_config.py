"""What the environment may say, and how a wrong value is named."""

from ipaddress import ip_network

import pytest

from app.config import BadSetting, NetworkPort, Settings

NEEDED = {"REDIS_URL": "redis://localhost", "SECRET_KEY": "0123456789abcdef"}


def allowed(text: str):
    return Settings.from_environment({**NEEDED, "OUTBOUND_ALLOW": text}).outbound_allow


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("::1/128", (ip_network("::1/128"),)),
        ("127.0.0.1:8080", (NetworkPort(ip_network("127.0.0.1/32"), 8080),)),
        ("10.1.0.0/16:443", (NetworkPort(ip_network("10.1.0.0/16"), 443),)),
        ("[::1]:8080", (NetworkPort(ip_network("::1/128"), 8080),)),
        (
            "[fd00::/8]:80, fd00::/8",
            (NetworkPort(ip_network("fd00::/8"), 80), ip_network("fd00::/8")),
        ),
        ("[fd00::1]", (ip_network("fd00::1/128"),)),
    ],
)
def test_private_networks_are_opened_whole_or_by_one_port(text, expected):
    assert allowed(text) == expected


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:", "127.0.0.1:http", "[::1]:", "10.1.0.1/16:80",
     "localhost:8080", "[10.0.0.1", "::1/129"],
)  # fmt: skip
def test_what_is_no_network_ends_the_start_by_name(text):
    with pytest.raises(BadSetting, match="OUTBOUND_ALLOW"):
        allowed(text)


def test_old_keys_are_parted_by_spaces_or_commas_and_none_is_short():
    environ = {"REDIS_URL": "redis://x", "SECRET_KEY": "k" * 16}
    assert Settings.from_environment(environ).old_secret_keys == ()
    old = {"OLD_SECRET_KEYS": f"{'a' * 16}  {'b' * 16}"}
    assert Settings.from_environment(environ | old).old_secret_keys == ("a" * 16, "b" * 16)
    old = {"OLD_SECRET_KEYS": f"{'a' * 16}, {'b' * 16},{'c' * 16}"}
    read = Settings.from_environment(environ | old).old_secret_keys
    assert read[:3] == ("a" * 16, "b" * 16, "c" * 16)
    one = {"OLD_SECRET_KEYS": "with,a,comma,in,it"}
    assert Settings.from_environment(environ | one).old_secret_keys == ("with,a,comma,in,it",)
    with pytest.raises(BadSetting, match=r"^OLD_SECRET_KEYS: holds keys of at least 16"):
        Settings.from_environment(environ | {"OLD_SECRET_KEYS": "short"})


def kept(**environ: str):
    settings = Settings.from_environment(NEEDED | environ)
    return tuple(
        getattr(settings, f"keep_{name}_days")
        for name in ("updates", "attempts", "journal", "clicks")
    )


def test_days_for_which_rows_are_kept_are_set_and_bounded():
    assert kept() == (3, 90, 0, 90)
    assert kept(KEEP_ATTEMPTS_DAYS="0", KEEP_JOURNAL_DAYS="365", KEEP_CLICKS_DAYS="7")[1:] == (
        0,
        365,
        7,
    )
    for name, value in [("UPDATES", "1"), ("ATTEMPTS", "13"), ("JOURNAL", "29"), ("CLICKS", "0")]:
        with pytest.raises(BadSetting, match=f"^KEEP_{name}_DAYS: must be a whole number from"):
            kept(**{f"KEEP_{name}_DAYS": value})
    with pytest.raises(BadSetting, match="from 14 to 3650, or 0 for ever"):
        kept(KEEP_ATTEMPTS_DAYS="never")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://t.example:8000", "at these ports only: 443, 80, 88, 8443"),
        ("https://t.example:0", "port 0 is not open"),
        ("https://t.example:99999", "port|Port"),
        ("http://t.example", "must be https"),
        ("https://localhost", "Telegram cannot reach localhost"),
        ("https://10.0.0.1", "Telegram cannot reach 10.0.0.1"),
        ("https://[fd00::1]:8443", "Telegram cannot reach"),
        ("https://web", "Telegram cannot reach web"),
        ("https://t.internal", "Telegram cannot reach t.internal"),
        ("https://t.exa mple", "spaces"),
        ("https://t.exa\u200bmple", "ASCII form"),
        ("https://-t.example", "no proper name|not a proper name"),
        ("https://1.2.3", "four decimal numbers"),
        ("https://u:p@t.example", "user-info"),
        ("https://t.example?x=1", "a query"),
    ],
)
def test_an_address_at_which_telegram_calls_nobody_is_refused(url, words):
    with pytest.raises(BadSetting, match=f"^PUBLIC_URL: .*({words})"):
        Settings.from_environment({**NEEDED, "PUBLIC_URL": url})


@pytest.mark.parametrize(
    "url",
    ["https://t.example", "https://t.example:8443/a/", "https://8.8.8.8", "HTTPS://T.example"],
)
def test_an_address_that_telegram_calls_is_taken(url):
    taken = Settings.from_environment({**NEEDED, "PUBLIC_URL": url}).public_url
    assert taken == url.rstrip("/")


def test_a_bot_api_of_ones_own_calls_whatever_it_reaches():
    own = {"TELEGRAM_API_URL": "http://bot_api:8081", "PUBLIC_URL": "http://web:8000"}
    assert Settings.from_environment({**NEEDED, **own}).public_url == "http://web:8000"


@pytest.mark.parametrize(
    ("environ", "wrong"),
    [
        ({"TELEGRAM_CLIENT_ID": "5151"}, "TELEGRAM_CLIENT_SECRET"),
        ({"TELEGRAM_CLIENT_SECRET": "s"}, "TELEGRAM_CLIENT_ID"),
        ({"TELEGRAM_CLIENT_ID": "5151", "TELEGRAM_CLIENT_SECRET": "s"}, "PUBLIC_URL"),
        ({"TELEGRAM_LOGIN_URL": "telegram"}, "TELEGRAM_LOGIN_URL"),
    ],
)
def test_half_a_login_by_telegram_is_refused(environ, wrong):
    with pytest.raises(BadSetting, match=wrong):
        Settings.from_environment({**NEEDED, **environ})
