"""Rows, constraints and indexes. No verbs, no commits."""

from app.models.account import Account, AccountStatus
from app.models.base import Base, table_of
from app.models.bot import Bot, BotChat, BotStatus
from app.models.campaign import Campaign, CampaignDay, CampaignStatus
from app.models.destination import Destination, DestinationStatus, Role
from app.models.journal import Action, JournalEntry
from app.models.lead import Lead, Unreachable
from app.models.message import Message, MessageState
from app.models.postback import Attempt, Postback, PostbackState
from app.models.update import Update, UpdateState

__all__ = [
    "Account",
    "AccountStatus",
    "Action",
    "Attempt",
    "Base",
    "Bot",
    "BotChat",
    "BotStatus",
    "Campaign",
    "CampaignDay",
    "CampaignStatus",
    "Destination",
    "DestinationStatus",
    "JournalEntry",
    "Lead",
    "Message",
    "MessageState",
    "Postback",
    "PostbackState",
    "Role",
    "Unreachable",
    "Update",
    "UpdateState",
    "table_of",
]
