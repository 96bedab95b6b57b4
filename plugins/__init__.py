"""What a tracker author imports. Nothing here knows the application."""

from plugins.contract import (
    ENTRY_POINT_GROUP,
    PROJECT,
    Event,
    EventKind,
    Outcome,
    Pace,
    Request,
    Response,
    Verdict,
    hookimpl,
    mask,
    outcome_by_status,
)

__all__ = [
    "ENTRY_POINT_GROUP",
    "PROJECT",
    "Event",
    "EventKind",
    "Outcome",
    "Pace",
    "Request",
    "Response",
    "Verdict",
    "hookimpl",
    "mask",
    "outcome_by_status",
]
