"""A body in very many pieces is given up early, whatever its size, and all others come whole."""

import io
import sys
import time

import pytest

from app.web.shares.body_pieces import (
    BYTES,
    CHUNK,
    FREE,
    MEASURED,
    UNMEASURED,
    BodyPieces,
    TooManyPieces,
)

MB = 1024 * 1024


class Pieces:
    """A body of `size` bytes in pieces of `each`, of which every one wakes its reader."""

    def __init__(self, size: int, each: int) -> None:
        self.woken = 0
        self._each = each
        self._body = io.BytesIO(b"x" * size)

    @property
    def taken(self) -> int:
        return self._body.tell()

    def read(self, size: int) -> bytes:
        data = self._body.read(size)
        self.woken += -(-len(data) // self._each)
        return data


def read_all(body: Pieces, *, is_measured: bool) -> int:
    """How many bytes have come; raises TooManyPieces."""
    pieces, size = BodyPieces(is_measured=is_measured, woken=lambda: body.woken), 0
    while data := pieces.read(body, CHUNK):
        size += len(data)
    return size


@pytest.mark.parametrize("is_measured", [True, False])
@pytest.mark.parametrize(("size", "each"), [(50 * MB, 536), (50 * MB, 64 * 1024), (FREE, 1)])
def test_a_body_in_pieces_as_networks_carry_them_comes_whole(size, each, is_measured):
    assert read_all(Pieces(size, each), is_measured=is_measured) == size


@pytest.mark.parametrize(("is_measured", "most"), [(True, MEASURED), (False, UNMEASURED)])
def test_a_body_of_single_bytes_is_given_up_at_once(is_measured, most):
    body = Pieces(50 * MB, 1)
    with pytest.raises(TooManyPieces):
        read_all(body, is_measured=is_measured)
    assert body.taken <= most


def test_a_body_that_begins_well_may_cost_no_more_than_what_has_come_deserves():
    class Worsening(Pieces):
        def read(self, size: int) -> bytes:
            self._each = 64 * 1024 if self.taken < MB else 1
            return super().read(size)

    body = Worsening(50 * MB, 1)
    with pytest.raises(TooManyPieces):
        read_all(body, is_measured=False)
    assert body.woken <= FREE + body.taken // BYTES + UNMEASURED


@pytest.mark.skipif(sys.platform != "linux", reason="others do not count a thread's waits")
def test_what_keeps_the_thread_waiting_counts_by_the_kernels_word():
    class Waiting(Pieces):
        def read(self, size: int) -> bytes:
            for _ in range(min(size, UNMEASURED)):
                time.sleep(0.000_01)
            return super().read(size)

    pieces, body = BodyPieces(is_measured=False), Waiting(MB, 1)
    with pytest.raises(TooManyPieces):
        pieces.read(body, CHUNK)
    assert body.taken == UNMEASURED
