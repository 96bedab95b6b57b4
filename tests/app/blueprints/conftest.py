"""Delivery for tests that follow an event from the door to the tracker."""

from tests.support.delivery import clock, deliver

__all__ = ["clock", "deliver"]
