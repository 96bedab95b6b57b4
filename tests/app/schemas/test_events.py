"""Money is shown as decimal text."""

from types import SimpleNamespace

import pytest

from app.schemas.events import ConversionsSumOut


@pytest.mark.parametrize(
    ("micro", "text"), [(49_500_000, "49.5"), (-2_000_000, "-2"), (0, "0"), (None, "")]
)
def test_a_value_is_shown_as_decimal_text_and_empty_while_unknown(micro, text):
    row = SimpleNamespace(value_micro=micro)
    assert ConversionsSumOut(only=("value",)).dump(row) == {"value": text}
