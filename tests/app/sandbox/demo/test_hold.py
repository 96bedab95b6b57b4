import io

from app.sandbox.demo import hold
from app.sandbox.demo.output import Output


class System:
    """A system whose worker ends at the second look, or which is interrupted at it."""

    key = "1-key"

    def __init__(self, *, is_interrupted: bool) -> None:
        self._is_interrupted = is_interrupted
        self._looks = 0

    def entry(self) -> str:
        return "http://127.0.0.1:8000/enter/abc"

    def ended_process(self) -> str:
        self._looks += 1
        if self._looks == 2 and self._is_interrupted:
            raise KeyboardInterrupt
        return "worker" if self._looks == 2 else ""


def held(system):
    stream = io.StringIO()
    hold.stay(system, Output(stream))
    return stream.getvalue()


def test_it_says_how_to_get_in_and_stays_until_it_is_interrupted():
    text = held(System(is_interrupted=True))
    assert "http://127.0.0.1:8000/enter/abc" in text
    assert "1-key" in text


def test_it_does_not_wait_for_a_system_that_has_ended():
    held(System(is_interrupted=False))
