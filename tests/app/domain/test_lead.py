import pytest

from app.domain.lead import Counts, OrganicEvent, State
from app.domain.telegram.updates import LeadEventKind


def test_states_are_numbered_as_the_public_api_numbers_them() -> None:
    numbers = {state.name.lower(): int(state) for state in State}
    assert numbers == {"wait": 0, "hold": 1, "approve": 2, "cancel": 3, "trash": 4}


@pytest.mark.parametrize("state", State)
def test_only_cancel_and_trash_are_over(state: State) -> None:
    assert state.is_over == (state in (State.CANCEL, State.TRASH))


def test_counts_add_up() -> None:
    one, ten = Counts(1, 2, 3, 4, 5, 6), Counts(10, 20, 30, 40, 50, 60)
    assert one + ten == Counts(11, 22, 33, 44, 55, 66)


def test_what_is_unknown_of_a_part_is_unknown_of_the_sum() -> None:
    known, unknown = (
        Counts(unsubs=3, kicks=1, organic=2),
        Counts(unsubs=4, kicks=None, organic=None),
    )
    assert known.leaves == 2
    for total in (known + unknown, unknown + known):
        assert total == Counts(unsubs=7, kicks=None, organic=None)
        assert total.leaves is None


def test_an_organic_leave_was_a_members() -> None:
    assert OrganicEvent(LeadEventKind.LEAVE, 1, 2).was_member
