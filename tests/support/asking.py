"""A chat with a desk, people who ask to be let in, and what Telegram and the desk make of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import (
    Account,
    Bot,
    BotChat,
    Campaign,
    DeskMode,
    JoinRequest,
    JournalEntry,
    Message,
    MessageLane,
    Notice,
    RequestRule,
    RequestState,
)
from app.outbound.telegram import BotApi
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.services import messages
from app.services.clicks.invites import pace
from app.services.join_requests.telling import sender
from app.services.leads import process
from tests.support.stage import KINDS, Stage, enter_chat, rows_of


@dataclass
class Asking:
    """One chat whose people ask to be let in. `now` is the clock of the desk."""

    stage: Stage
    bot_api: Any
    token: str
    chat: Chat
    now: float = field(default_factory=time.time)
    offset: int = 0

    def ask(self, person: int | Person, *, link: str = "", bio: str = "", at: int = 0) -> None:
        """The person asks, by a link if there is one."""
        who = person if isinstance(person, Person) else Person(person)
        self.tell(people.join_request(who, self.chat, at or int(self.now), link, bio))

    def join(self, person: int, **how: Any) -> None:
        """Somebody lets the person in."""
        self.tell(people.join(Person(person), self.chat, int(self.now), people.ADMIN, **how))

    def tell(self, *happened: dict[str, Any]) -> None:
        """Let it happen at Telegram; what the bot is told of it is processed."""
        for each in happened:
            self.bot_api.push(self.token, each)
        self.listen()

    def listen(self) -> None:
        """Process what Telegram has to tell: so the bot hears of those it approved."""
        api = BotApi(self.bot_api.url, self.token)
        for told in api.call("getUpdates", offset=self.offset, allowed_updates=KINDS):
            self.offset = told["update_id"] + 1
            self.stage.receive(told)
        process.process_updates(seconds=60)
        self.now = max(self.now, time.time())

    def decide(self, rounds: int = 1, *, seconds: float = 1.0) -> int:
        """Let the desk tell Telegram its decisions. Returns how many calls it made."""
        calls = 0
        for _ in range(rounds):
            calls += sender.tell(self.now)
            self.now += seconds
        return calls

    def greet(self) -> None:
        """Let the greetings go out."""
        messages.send(seconds=60)

    def set(self, model: Any = Campaign, **values: Any) -> None:
        """Change the campaign, the bot, what is known of the bot in the chat, or the account."""
        where = {
            Campaign: Campaign.id == self.stage.campaign,
            Bot: Bot.id == self.stage.bot,
            BotChat: BotChat.bot_id == self.stage.bot,
            Account: Account.id == self.stage.account,
        }
        db.session.execute(update(model).where(where[model]).values(**values))
        db.session.commit()

    def rule(self, action: int, position: int = 1, **fields: Any) -> int:
        """A rule of the desk; `conditions` as a dict."""
        conditions = orjson.dumps(fields.pop("conditions", {})).decode()
        row = RequestRule(
            campaign_id=self.stage.campaign, position=position, action=action,
            conditions=conditions, **fields,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()
        number = row.id
        db.session.commit()
        return number

    def rows(self) -> list[JoinRequest]:
        """All requests, oldest first."""
        return rows_of(select(JoinRequest).order_by(JoinRequest.id))

    def row(self, person: int) -> JoinRequest:
        """The newest request of a person."""
        return next(row for row in reversed(self.rows()) if row.subscriber == person)

    def state(self, person: int) -> RequestState:
        """Where the newest request of a person stands."""
        return RequestState(self.row(person).state)

    def greetings(self) -> list[Message]:
        """The urgent messages, oldest first."""
        wanted = select(Message).where(Message.lane == MessageLane.URGENT)
        return rows_of(wanted.order_by(Message.id))

    def decisions(self) -> list[tuple[int, int, str]]:
        """Action, person and words of the journal's entries about decisions."""
        rows = rows_of(select(JournalEntry).where(JournalEntry.action >= 8))
        return [(row.action, row.subscriber, row.decision) for row in rows]

    def notices(self) -> list[str]:
        """The kinds of what the owner is told, the oldest first."""
        return [row.kind for row in rows_of(select(Notice).order_by(Notice.id))]

    def approved(self) -> list[int]:
        """Whom Telegram was told to let in, in this order, refused calls too."""
        return [_person(call) for call in self.bot_api.calls(self.token, "approveChatJoinRequest")]

    def declined(self) -> list[int]:
        """Whom Telegram was told not to let in."""
        return [_person(call) for call in self.bot_api.calls(self.token, "declineChatJoinRequest")]


def _person(call: Any) -> int:
    return int(call.params["user_id"])


@pytest.fixture
def make_asking(stage: Stage, bot_api: Any) -> Iterator[Callable[..., Asking]]:
    """`make_asking(desk=DeskMode.RULES)`: a chat whose desk is as the campaign's columns say."""
    pace.BUCKETS.forget()

    def make(desk: DeskMode = DeskMode.OFF, **columns: Any) -> Asking:
        token = enter_chat(stage, bot_api)
        asking = Asking(stage, bot_api, token, Chat(stage.chat, "Club"))
        asking.set(desk=desk, **columns)
        return asking

    yield make
    pace.BUCKETS.forget()
