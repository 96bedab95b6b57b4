"""Fields of transfer/*."""

from app.models import TransferState
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


class TransferOut(Output):
    """A row of `transfer/list`. Either `bot` or `camp` is the id of what is given, the other 0.

    `name` is the other account. A pending one takes effect when it is `due`. `error` is the
    code that a failed one would be answered with.
    """

    id = fields.Int(attribute="transfer.id")
    incoming = fields.Boolean()
    name = fields.Text()
    bot = fields.Int(attribute="transfer.bot_id", null_as=0)
    camp = fields.Int(attribute="transfer.campaign_id", null_as=0)
    title = fields.Text(attribute="transfer.title")
    leads = fields.Boolean(attribute="transfer.with_leads")
    state = fields.EnumName(TransferState, attribute="transfer.state")
    error = fields.Text(attribute="transfer.reason")
    created = fields.UtcText(attribute="transfer.created")
    due = fields.UtcText(attribute="transfer.due")
    settled = fields.UtcText(attribute="transfer.settled")
