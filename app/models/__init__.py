"""Rows, constraints and indexes. No verbs, no commits."""

from app.models import column_statistics
from app.models.account import Account, AccountStatus, HiddenItem, ReplacedKey
from app.models.base import Base, table_of
from app.models.bot import (
    WEBHOOK_ERROR_FRESH,
    Bot,
    BotChat,
    BotFault,
    BotFaultKind,
    BotStatus,
)
from app.models.campaign import (
    Campaign,
    CampaignCohort,
    CampaignDay,
    CampaignQuarter,
    CampaignStatus,
    DeskMode,
    GreetOn,
    JoinDay,
)
from app.models.click import Click, Source, SourceDay, SourceFallback, SourceMode, SourceStatus
from app.models.conversion import (
    Conversion,
    ConversionDay,
    EventKey,
    IdempotencyKey,
    ReplacedEventKey,
)
from app.models.destination import Destination, DestinationStatus, Role
from app.models.export import Export, ExportKind, ExportPart, ExportState
from app.models.invite import Invite, InviteKind, InviteState
from app.models.join_request import (
    Blocked,
    DecidedBy,
    JoinRequest,
    RequestRule,
    RequestState,
)
from app.models.journal import Action, JournalEntry
from app.models.lead import Lead, Unreachable
from app.models.media import Media, MediaFile, MediaPart
from app.models.message import Message, MessageLane, MessageState
from app.models.notice import Notice, NoticeKind
from app.models.payment import Payment, PaymentState
from app.models.postback import Attempt, Postback, PostbackState
from app.models.session import Login, Session
from app.models.site import Site
from app.models.tally import JournalTally, LeadTally, PostbackTally
from app.models.tally_triggers import Span
from app.models.transfer import Transfer, TransferState, TransferToken
from app.models.update import Update, UpdateState
