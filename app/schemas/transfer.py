"""Fields of transfer/*."""

from __future__ import annotations

from app.schemas import fields
from app.schemas.base import Input, Output


class Recipient(Input):
    """Whose token it is."""

    token = fields.Text(128, required=True, not_empty=True)


class TransferTokenOut(Output):
    """`transfer/token`: whoever has it can give bots and campaigns to the account."""

    token = fields.Text()


class BotTransfer(Recipient):
    """A bot with its campaigns, with their leads (1) or with them deleted for good (0)."""

    id = fields.Int(1, required=True)
    leads = fields.Boolean(required=True)


class CampaignTransfer(BotTransfer):
    """A campaign, to that bot of the recipient's, or to any of theirs in the chat."""

    bot = fields.Int(1)


class RecipientOut(Output):
    """`transfer/resolve`. `slots` is how many more campaigns they may have, -1 unlimited."""

    name = fields.Text()
    paid = fields.Boolean()
    slots = fields.Int()
