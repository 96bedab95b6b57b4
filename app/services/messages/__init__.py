"""What our bots say to people: claim, send, settle, at Telegram's pace.

A message has no idempotency key, so one whose answer got lost is repeated
once and then left UNCERTAIN. Paces, flood waits and people who may not be
written to live in the database: all processes obey them, also tomorrow.
"""

from app.services.messages.claim import due
from app.services.messages.loop import send

__all__ = ["due", "send"]
