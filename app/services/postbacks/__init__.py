"""Postbacks: stage, claim, settle, sweep. Nothing else writes them.

A claim is a short transaction that one process at a time may make, so the
requests of a destination are counted exactly over all processes. What it took
is fenced by a lease: a worker that lost it may still record an attempt, but
not move the postback.
"""

from app.services.postbacks.claim import (
    ClaimResult,
    DueDestination,
    claim,
    others_wait,
    suspended_among,
)
from app.services.postbacks.claimed import ClaimedPostback, PostbackUpdate, Progress
from app.services.postbacks.earlier import left_by_report
from app.services.postbacks.in_hand import Lease
from app.services.postbacks.requeue import DUE, TO_SWEEP, kept_since, resend, sweep
from app.services.postbacks.settle import ERASED, AttemptRow, Batch, Health, block, settle
from app.services.postbacks.stage import NewPostback, stage, stage_leased, stage_rest
from app.services.postbacks.supersede import supersede_report
