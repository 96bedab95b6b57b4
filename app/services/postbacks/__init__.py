"""The outbox: stage, claim, settle, sweep. Nothing else writes postbacks.

A claim is a short transaction that one process at a time may make, so the
places of a destination are counted exactly over all processes. What it took
is fenced by a lease: who lost it may still record an attempt, but not move
the postback.
"""

from app.services.postbacks.claim import ClaimedPostback, DueDestination, claim
from app.services.postbacks.requeue import due, resend, sweep
from app.services.postbacks.settle import (
    ERASED,
    AttemptRow,
    Batch,
    Health,
    PostbackUpdate,
    hold,
    settle,
)
from app.services.postbacks.stage import NewPostback, stage

__all__ = [
    "ERASED",
    "AttemptRow",
    "Batch",
    "ClaimedPostback",
    "DueDestination",
    "Health",
    "NewPostback",
    "PostbackUpdate",
    "claim",
    "due",
    "hold",
    "resend",
    "settle",
    "stage",
    "sweep",
]
