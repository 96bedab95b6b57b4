"""A private chat whose bot makes invite links, and people who press an ad and come by them."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import select, update

from app.extensions import db
from app.models import Bot, BotChat, Campaign, Click, Invite, InviteKind, InviteState, Source
from app.outbound.telegram import BotApi
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.services.clicks import sources
from app.services.clicks.invites import demand, keeper, pace, pool
from app.services.clicks.open_link import Visitor, open_link
from tests.support.stage import KINDS, Stage, enter_chat, rows_of

_numbers = itertools.count(1)


@dataclass
class Inviting:
    """One chat, one source, and what its visitors do. `now` is the clock of all of them."""

    stage: Stage
    bot_api: Any
    token: str
    chat: Chat
    source: Source
    now: float = field(default_factory=time.time)
    offset: int = 0

    @property
    def calls(self) -> int:
        """How many links Telegram was asked to make."""
        return len(self.bot_api.calls(self.token, "createChatInviteLink"))

    def press(self, query: str = "", *, by: str = "", code: str = "") -> str:
        """A new visitor opens the ad's link, or the one of the mark `by`. Where they are led."""
        code = code or self.source.code
        mark = by or f"{next(_numbers):022}"
        number = next(_numbers)
        address = f"198.51.{number // 250 % 250}.{number % 250}"
        return open_link(code, query.encode(), Visitor(address, mark), self.now).link

    def join(self, person: int, link: str = "", at: float | None = None, **how: Any) -> None:
        """The person comes in, by a link if there is one."""
        how = how or (people.by_link(link) if link else {})
        self.tell(people.join(Person(person), self.chat, int(at or self.now), how=how))

    def ask(self, person: int, link: str = "") -> None:
        """The person asks to be let in."""
        self.tell(people.join_request(Person(person), self.chat, int(self.now), link))

    def start(self, person: int, payload: str, at: float | None = None) -> None:
        """The person starts the bot."""
        self.tell(people.start(Person(person), payload, int(at or self.now)))

    def leave(self, person: int) -> None:
        """The person leaves."""
        self.tell(people.leave(Person(person), self.chat, int(self.now)))

    def tell(self, happened: dict[str, Any]) -> None:
        """Let it happen at Telegram; what the bot is told of it is processed."""
        self.bot_api.push(self.token, happened)
        api = BotApi(self.bot_api.url, self.token)
        for told in api.call("getUpdates", offset=self.offset, allowed_updates=KINDS):
            self.offset = told["update_id"] + 1
            self.stage.play(told)

    def fill(self, rounds: int = 1) -> int:
        """Let the worker make what is missing. How many links lie ready."""
        for _ in range(rounds):
            keeper.make(self.now)
            self.now += 60.0
        return len([row for row in self.invites() if row.state == InviteState.POOL])

    def set(self, model: Any = Source, **values: Any) -> None:
        """Change the source, or the bot, or what is known of the chat."""
        where = {Source: Source.id == self.source.id, Bot: Bot.id == self.stage.bot}
        where[BotChat] = BotChat.bot_id == self.stage.bot
        where[Campaign] = Campaign.id == self.stage.campaign
        db.session.execute(update(model).where(where[model]).values(**values))
        db.session.commit()

    def invites(self) -> list[Invite]:
        return rows_of(select(Invite).order_by(Invite.id))

    def invite(self, link: str) -> Invite:
        return next(row for row in self.invites() if row.link == link)

    def clicks(self) -> list[Click]:
        return rows_of(select(Click).order_by(Click.id))

    def named(self) -> str:
        """The link that the source shares, "" if there is none."""
        named = [row for row in self.invites() if row.kind == InviteKind.NAMED]
        return named[-1].link if named else ""


@pytest.fixture
def make_inviting(
    stage: Stage, bot_api: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Inviting]]:
    """`make_inviting(mode=SourceMode.INVITE)`: a source of a private chat."""
    pace.BUCKETS.forget()
    monkeypatch.setattr(keeper, "_demand", demand.Demand())
    monkeypatch.setitem(pool._away, "until", 0.0)

    def make(**settings: Any) -> Inviting:
        token = enter_chat(stage, bot_api)
        force = settings.pop("force", False)
        source = sources.add(
            stage.account, campaign=stage.campaign, title="Reels", force=force, **settings
        )
        db.session.refresh(source)
        db.session.expunge(source)
        db.session.commit()
        return Inviting(stage, bot_api, token, Chat(stage.chat, "Club"), source)

    yield make
    pace.BUCKETS.forget()
