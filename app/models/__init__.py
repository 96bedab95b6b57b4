"""Rows, constraints and indexes. No verbs, no commits."""

from app.models.account import Account, AccountStatus
from app.models.base import Base, table_of
from app.models.bot import Bot, BotChat, BotStatus
from app.models.campaign import (
    Campaign,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    CampaignStatus,
)
from app.models.destination import Destination, DestinationStatus, Role
from app.models.journal import Action, JournalEntry
from app.models.lead import Lead, Unreachable
from app.models.message import Message, MessageState
from app.models.notice import Notice, NoticeKind
from app.models.postback import Attempt, Postback, PostbackState
from app.models.session import Login, Session
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
    "CampaignCohort",
    "CampaignDay",
    "CampaignQuarter",
    "CampaignStatus",
    "Destination",
    "DestinationStatus",
    "JournalEntry",
    "Lead",
    "Login",
    "Message",
    "MessageState",
    "Notice",
    "NoticeKind",
    "Postback",
    "PostbackState",
    "Role",
    "Session",
    "Unreachable",
    "Update",
    "UpdateState",
    "table_of",
]
