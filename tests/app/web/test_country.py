"""The country is told by a header that the operator trusts, and by no other."""

import pytest

from app.web.country import caller_country


@pytest.mark.parametrize(
    ("setting", "headers", "country"),
    [
        ("", {"CF-IPCountry": "DE"}, ""),
        ("CF-IPCountry", {"CF-IPCountry": "de"}, "DE"),
        ("CF-IPCountry", {}, ""),
        ("CF-IPCountry", {"CF-IPCountry": "<script>"}, ""),
        ("CF-IPCountry", {"X-Country": "DE"}, ""),
    ],
)
def test_only_the_named_header_counts(app, change_settings, setting, headers, country):
    change_settings(country_header=setting)
    with app.test_request_context(headers=headers):
        assert caller_country() == country
