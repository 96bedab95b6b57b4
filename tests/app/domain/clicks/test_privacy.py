"""What a site captures is kept, and nothing by which a browser is recognised if it objects."""

import pytest

from app.domain.clicks.privacy import Capture, kept_ids

IDS = {"fbclid": "a", "fbc": "b", "fbp": "c", "gclid": "d"} | dict.fromkeys(
    ("ttp", "ym_uid", "ga"), "e"
)


@pytest.mark.parametrize(
    ("capture", "names"),
    [
        (Capture.NONE, set()),
        (Capture.IP | Capture.USER_AGENT, set()),
        (Capture.META_IDS, {"fbclid", "fbc", "fbp"}),
        (Capture.OTHER_IDS, {"gclid", "ttp", "ym_uid", "ga"}),
        (Capture.META_IDS | Capture.OTHER_IDS, set(IDS)),
    ],
)
def test_ids_are_kept_by_whose_they_are(capture, names):
    assert set(kept_ids(IDS, capture, is_anonymous=False)) == names
    assert set(kept_ids(IDS, capture, is_anonymous=True)) == names - {"fbp", "ttp", "ym_uid", "ga"}


def test_values_stay_as_they_are():
    assert kept_ids(IDS, ~Capture.NONE, is_anonymous=False) == IDS
