from urllib.parse import parse_qs, urlsplit

import pytest

from app.errors import BadParameter, NotFound
from app.services.service_bot import sessions
from app.services.service_bot.telegram import oidc
from tests.support.desk import ANN, BROWSER


def code_of(path):
    return parse_qs(urlsplit(path).query)["code"][0]


def test_a_code_is_redeemed_for_a_session(telegram_login):
    begun = oidc.begin("/bots")
    token = oidc.log_in(begun.secret, code_of(telegram_login.agree(begun.url, ANN)), BROWSER)
    assert sessions.authenticate(token).name == "Ann"


def test_a_code_that_another_browser_began_is_not_redeemed(telegram_login):
    begun, other = oidc.begin("/"), oidc.begin("/")
    code = code_of(telegram_login.agree(begun.url, ANN))
    with pytest.raises(BadParameter):
        oidc.log_in(other.secret, code, BROWSER)


def test_where_it_goes_is_bound_to_the_browser_too(telegram_login):
    begun = oidc.begin("/bots")
    state = parse_qs(urlsplit(begun.url).query)["state"][0]
    assert oidc.target_of(begun.secret, state) == "/bots"
    bound, _, _ = state.partition(".")
    for secret, forged in (
        ("", state), ("x" * 43, state), (begun.secret, ""), (begun.secret, f"{bound}.L2E"),
        (begun.secret, f"{bound}.\u0661"), (begun.secret, f"{bound}.%"),
    ):  # fmt: skip
        with pytest.raises(BadParameter):
            oidc.target_of(secret, forged)


def test_the_address_says_nothing_of_the_secret(telegram_login):
    begun = oidc.begin("/")
    assert begun.secret not in begun.url


def test_a_network_that_is_not_opened_is_not_called(telegram_login, change_settings):
    change_settings(outbound_allow=())
    begun = oidc.begin("/")
    with pytest.raises(BadParameter):
        oidc.log_in(begun.secret, code_of(telegram_login.agree(begun.url, ANN)), BROWSER)
    assert telegram_login.calls == []


def test_it_is_not_there_where_it_is_not_configured(app):
    with pytest.raises(NotFound):
        oidc.begin("/")
