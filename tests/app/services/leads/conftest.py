"""The fixtures of delivery: a clock, and a drain that asks it for the time."""

from tests.support.delivery import clock, deliver

__all__ = ["clock", "deliver"]
