from __future__ import annotations

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
    assert Counts(1, 2, 3, 4) + Counts(10, 20, 30, 40) == Counts(11, 22, 33, 44)


def test_an_organic_leave_was_a_members() -> None:
    assert OrganicEvent(LeadEventKind.LEAVE, 1, 2).was_member
