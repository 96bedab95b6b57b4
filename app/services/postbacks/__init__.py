"""The outbox: stage, claim, settle, sweep. Nothing else writes postbacks.

A claim is a short transaction that one process at a time may make, so the
places of a destination are counted exactly over all processes. What it took
is fenced by a lease: who lost it may still record an attempt, but not move
the postback.
"""

from app.services.postbacks.claim import Claimed, Wanted, claim
from app.services.postbacks.requeue import due, resend, sweep
from app.services.postbacks.settle import ERASED, Batch, Health, Settled, Tried, hold, settle
from app.services.postbacks.stage import Owed, stage

__all__ = [
    "ERASED",
    "Batch",
    "Claimed",
    "Health",
    "Owed",
    "Settled",
    "Tried",
    "Wanted",
    "claim",
    "due",
    "hold",
    "resend",
    "settle",
    "stage",
    "sweep",
]
