import pytest

from app.domain.clicks.click_ids import is_unreplaced


@pytest.mark.parametrize(
    "click",
    [
        "{click}",
        "{{click_id}}",
        "__CLICKID__",
        "{}",
        "{a\nb}",
        "____",
        "[CLICK]",
        "${SUBID}",
        "%%CLICK%%",
        "#subid#",
    ],
)
def test_a_macro_that_nobody_replaced_is_no_click(click: str) -> None:
    assert is_unreplaced(click)


@pytest.mark.parametrize(
    "click", ["", "c1", "a{b}c", "__a", "b__", "_x_", "{", "a__b__c", "click", "[x", "a[1]"]
)
def test_anything_else_may_be_a_click(click: str) -> None:
    assert not is_unreplaced(click)
