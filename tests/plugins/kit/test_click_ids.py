"""Click ids in start links, and Meta's own form of one."""

import pytest

from plugins.kit.click_ids import MAX_CLICK, click_type_problem, meta_fbc
from plugins.testing import sample_event


@pytest.mark.parametrize("name", ["fbclid", "fbc", "gclid", "ttclid"])
def test_an_ad_platforms_own_click_id_is_said_not_to_fit(name: str):
    assert name in click_type_problem({"click_type": name})


@pytest.mark.parametrize("settings", [{}, {"click_type": "external"}, {"click_type": 5}])
def test_other_click_ids_may_fit(settings: dict[str, object]):
    assert click_type_problem(settings) == ""


def test_a_click_id_and_the_code_of_a_campaign_fill_what_telegram_carries():
    assert len("abc123-") + MAX_CLICK == 64


def test_metas_click_id_carries_the_earliest_time_in_milliseconds():
    event = sample_event(click="IwAR1_x", time=200, joined=100)
    assert meta_fbc(event) == "fb.1.100000.IwAR1_x"
    assert meta_fbc(sample_event(click="IwAR1_x", time=200, joined=None)) == "fb.1.200000.IwAR1_x"


def test_what_is_an_fbc_already_stays_as_it_is():
    assert meta_fbc(sample_event(click="fb.1.5.IwAR1_x")) == "fb.1.5.IwAR1_x"
