"""What the environment may say, and how a wrong value is named."""

from __future__ import annotations

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


def test_old_keys_are_parted_by_spaces_and_none_is_short():
    environ = {"REDIS_URL": "redis://x", "SECRET_KEY": "k" * 16}
    assert Settings.from_environment(environ).old_secret_keys == ()
    old = {"OLD_SECRET_KEYS": f"{'a' * 16}  {'b' * 16}"}
    assert Settings.from_environment(environ | old).old_secret_keys == ("a" * 16, "b" * 16)
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
