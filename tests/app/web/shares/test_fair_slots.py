"""Client addresses share slots: a crowd behind one of them keeps nobody else waiting."""

import threading
import time

from hypothesis import given
from hypothesis import strategies as st

from app.web.shares.fair_slots import FairSlots, ThreadShares


def taken(slots: FairSlots, address: str) -> threading.Thread:
    """A thread that takes a slot, and has it when it has ended."""
    thread = threading.Thread(target=slots.acquire, args=(address,), daemon=True)
    thread.start()
    thread.join(0.05)
    return thread


def waits(thread: threading.Thread) -> bool:
    return thread.is_alive()


def ends(thread: threading.Thread) -> bool:
    thread.join(10)
    return not thread.is_alive()


def test_a_crowd_behind_one_address_has_half_of_the_slots():
    slots = FairSlots(12)
    crowd = [taken(slots, "crowd") for _ in range(9)]
    assert [waits(one) for one in crowd] == [False] * 6 + [True] * 3
    others = [taken(slots, f"stranger {number}") for number in range(6)]
    assert not any(map(waits, others))


def test_whoever_comes_after_a_crowd_waits_for_one_slot_and_not_for_the_crowd():
    slots = FairSlots(1)
    slots.acquire("crowd")
    crowd = [taken(slots, "crowd") for _ in range(20)]
    newcomer = taken(slots, "newcomer")
    slots.release("crowd")
    assert sum(map(waits, crowd)) >= 19
    slots.release("crowd")
    assert ends(newcomer)


def test_a_crowd_that_waits_is_served_in_the_end():
    slots = FairSlots(3)
    slots.acquire("other")
    crowd = [taken(slots, "crowd") for _ in range(10)]
    for _ in range(10):
        while not any(not waits(one) for one in crowd):
            time.sleep(0.001)
        crowd = [one for one in crowd if waits(one)]
        slots.release("crowd")
    assert all(map(ends, crowd))


def test_slots_that_came_back_are_there_for_anybody():
    slots = FairSlots(2)
    for _ in range(3):
        slots.acquire("a")
        slots.acquire("b")
        slots.release("a")
        slots.release("b")
    assert slots._free == 2
    assert not slots._held
    assert not slots._waiting


def test_a_client_that_fills_its_share_of_places_leaves_a_third():
    places = ThreadShares(384)
    let_in = sum(places.enter("crowd") for _ in range(256))
    assert let_in == 256
    assert not places.enter("crowd")
    places.leave("crowd")
    assert all(places.enter("another") for _ in range(85))


@given(st.lists(st.sampled_from("aaaabcde"), max_size=60))
def test_a_newcomer_finds_a_place_however_many_from_few_addresses_are_there(addresses):
    places = ThreadShares(60)
    for address in addresses:
        if not places.enter(address):
            places.leave(address)
    assert places.enter("newcomer")
