"""Click ids that no start link carries."""

from __future__ import annotations

import pytest

from plugins.kit.click_ids import click_type_problem


@pytest.mark.parametrize("name", ["fbclid", "fbc", "gclid", "ttclid"])
def test_an_ad_platforms_own_click_id_is_said_not_to_fit(name: str):
    assert name in click_type_problem({"click_type": name})


@pytest.mark.parametrize("settings", [{}, {"click_type": "external"}, {"click_type": 5}])
def test_other_click_ids_may_fit(settings: dict[str, object]):
    assert click_type_problem(settings) == ""
