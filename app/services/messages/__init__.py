"""Messages of our bots: claimed, sent and settled within Telegram's rate limits.

The Bot API has no idempotency key, so a message without an answer is sent
once more and then left UNCERTAIN. Rates, flood waits and unreachable people
are stored in the database, so that all processes respect them.
"""

from app.services.messages.claim import DUE, due_at
from app.services.messages.loop import send

__all__ = ["DUE", "due_at", "send"]
