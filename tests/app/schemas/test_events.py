"""Money is shown as decimal text."""

import pytest

from app.schemas.events import Money


@pytest.mark.parametrize(
    ("micro", "text"), [(49_500_000, "49.5"), (-2_000_000, "-2"), (0, "0"), (None, "")]
)
def test_a_value_is_shown_as_decimal_text_and_empty_while_unknown(micro, text):
    assert Money().serialize("m", {"m": micro}) == text
