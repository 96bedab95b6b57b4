"""Campaigns: everything `camp/*` does."""

import secrets
import string
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError

from app.domain import tariffs
from app.domain.media.limits import CAPTION
from app.errors import BadParameter, ChatTaken, NotAdminThere, NotFound, PlanLimit, translatable
from app.extensions import db
from app.models import Bot, BotChat, Campaign, CampaignDay, CampaignStatus
from app.services.accounts import accounts, quotas
from app.services.accounts.quotas import Quota
from app.services.bots import rights
from app.services.campaigns import media
from app.services.campaigns import texts as campaign_texts
from app.services.lists import ownership
from app.services.trackers import url_templates

CODE_ALPHABET: Final = string.ascii_lowercase + string.digits
CODE_LENGTH: Final = 6  # "login" is reserved for the login bridge, and shorter
CODE_TRIES: Final = 20
#: Media of a campaign, and the text below each.
_SHOWN_WITH: Final = {"media": "welcome", "greet_media": "greet"}
_COUNTERS: Final = ("starts", "confirms", "unsubs")
_OF_WELCOME: Final = frozenset(("welcome", "media", "button_text", "button_url"))
_TITLES: Final[Any] = (
    select(Campaign.id, Campaign.chat_title)
    .where(Campaign.account_id == bindparam("account"), Campaign.living)
    .order_by(Campaign.id.desc())
)


def new_code() -> str:
    """A campaign's public code. Two billion of them: a collision is tried again."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def listed(account_id: int, *, limit: int | None = None, offset: int = 0) -> Sequence[Row[Any]]:
    """The campaigns that are not deleted, newest first, with bot and counters.

    All of them without `limit`. Campaigns of a deleted bot are among them: they do nothing
    until it is restored.
    """
    rows = _rows(account_id).order_by(Campaign.id.desc())
    return db.session.execute(rows.limit(limit).offset(offset)).all()


def titles(account_id: int) -> Sequence[Row[Any]]:
    """`id` and `chat_title` of those that are not deleted, newest first."""
    return db.session.execute(_TITLES, {"account": account_id}).all()


def with_welcome_fault(account_id: int) -> Sequence[Row[Any]]:
    """`id`, `chat_title` and `welcome_fault` of those whose welcome lacks something."""
    columns: list[Any] = [Campaign.id, Campaign.chat_title, Campaign.welcome_fault]
    mine = select(*columns).where(Campaign.account_id == account_id, Campaign.living)
    return db.session.execute(mine.where(Campaign.welcome_fault != "")).all()


def find(account_id: int, campaign_id: int) -> Mapping[str, Any]:
    """One campaign by public field names, with its own five templates. Raises NotFound."""
    row = db.session.execute(_rows(account_id).where(Campaign.id == campaign_id)).first()
    if row is None:
        raise NotFound
    return {**row._mapping, **url_templates.read(account_id, campaign_id)}  # noqa: SLF001 - public in SQLAlchemy


def add(
    account_id: int,
    *,
    bot: int,
    chat: int,
    urls: Mapping[str, str] | None = None,
    **texts: Any,
) -> Campaign:
    """Track `chat` through `bot`. `urls` are `pb_*`, `texts` columns of Campaign. Commits.

    Raises NotFound, NotAdminThere, ChatTaken, PlanLimit or BadParameter.
    """
    _check_button(texts)
    templates = url_templates.checked(urls or {})
    account = accounts.lock(account_id)  # two at once must not both be the last one allowed
    title = _title_of(account_id, bot, chat)
    for media_name, text_name in _SHOWN_WITH.items():
        if code := texts.get(media_name):
            _check_owner(account_id, code, media_name)
            _check_caption(texts.get(text_name, ""), text_name)
    if _is_tracked(chat):
        raise ChatTaken
    _check_limit(account_id, account.tariff)
    campaign = _insert(
        chat,
        **texts,
        account_id=account_id,
        bot_id=bot,
        chat_title=title,
        created=int(time.time()),
    )
    url_templates.write(account_id, campaign.id, templates)
    rights.review(bot, time.time(), chat)
    db.session.commit()
    return campaign


def edit(
    account_id: int, campaign_id: int, *, urls: Mapping[str, str] | None = None, **texts: Any
) -> list[str]:
    """Change the columns named in `texts`; with `urls`, rewrite all five templates. Commits.

    Returns the templates that this emptied because `urls` did not name them.
    Raises NotFound or BadParameter.
    """
    _check_button(texts)
    templates = None if urls is None else url_templates.checked(urls)
    if not _SHOWN_WITH.keys().isdisjoint(texts):
        accounts.lock(account_id)  # the media must not be deleted meanwhile
    campaign = _locked(account_id, campaign_id)
    for media_name, text_name in _SHOWN_WITH.items():
        if media_name in texts or text_name in texts:
            before = getattr(campaign, media_name)
            code = texts.get(media_name, before)
            if code and code != before:  # what it has already may be from another account
                _check_owner(account_id, code, media_name)
            if code:
                _check_caption(texts.get(text_name, getattr(campaign, text_name)), text_name)
    for name, value in texts.items():
        setattr(campaign, name, value)
    if not _OF_WELCOME.isdisjoint(texts):
        campaign.welcome_fault = ""
    emptied = []
    if urls is not None and templates is not None:
        before = url_templates.read(account_id, campaign_id)
        emptied = [name for name, url in before.items() if url and name not in urls]
        url_templates.write(account_id, campaign_id, templates)
    db.session.commit()
    return emptied


def pause(account_id: int, campaign_id: int, *, paused: bool) -> None:
    """Pause or resume. A paused campaign creates no leads, reports nothing and sends no welcome.

    Raises NotFound, or PlanLimit when the plan allows no more to be active: an
    account that came down from a larger plan has more campaigns than it may run.
    """
    account = accounts.lock(account_id)
    campaign = _locked(account_id, campaign_id)
    if not paused and campaign.status == CampaignStatus.PAUSED:
        _check_active(account_id, account.tariff)
    campaign.status = CampaignStatus.PAUSED if paused else CampaignStatus.ACTIVE
    db.session.commit()


def pause_surplus(account_id: int, plan: tariffs.Plan) -> None:
    """Pause what an account has beyond its plan, the newest first. No commit."""
    if plan.campaigns == tariffs.UNLIMITED:
        return
    living = (
        select(Campaign.id)
        .where(Campaign.account_id == account_id, Campaign.living)
        .order_by(Campaign.status, Campaign.id)
        .offset(plan.campaigns)
    )
    surplus = db.session.scalars(living).all()
    db.session.execute(
        update(Campaign).where(Campaign.id.in_(surplus)).values(status=CampaignStatus.PAUSED)
    )


def remove(account_id: int, campaign_id: int) -> None:
    """Delete softly: leads, journal and counters stay, and the chat is free again."""
    campaign = _locked(account_id, campaign_id)
    campaign.status = CampaignStatus.DELETED
    db.session.flush()
    rights.review(campaign.bot_id, time.time(), campaign.chat_id)
    db.session.commit()


def _rows(account_id: int) -> Select[Any]:
    sums = (
        select(
            CampaignDay.campaign_id,
            *(func.sum(CampaignDay.__table__.c[name]).label(name) for name in _COUNTERS),
        )
        .join(Campaign, Campaign.id == CampaignDay.campaign_id)
        .where(Campaign.account_id == account_id)
        .group_by(CampaignDay.campaign_id)
        .subquery()
    )
    return (
        select(
            *Campaign.__table__.c,
            Campaign.bot_id.label("bot"),
            Campaign.chat_id.label("chat"),
            Bot.username.label("bot_username"),
            Bot.status.label("bot_status"),
            *(func.coalesce(sums.c[name], 0).label(name) for name in _COUNTERS),
        )
        .join(Bot, Bot.id == Campaign.bot_id)
        .outerjoin(sums, sums.c.campaign_id == Campaign.id)
        .where(Campaign.account_id == account_id, Campaign.living)
    )


def _locked(account_id: int, campaign_id: int) -> Campaign:
    return ownership.find(Campaign, account_id, campaign_id, Campaign.living, locked=True)


def _title_of(account_id: int, bot_id: int, chat_id: int) -> str:
    ownership.find(Bot, account_id, bot_id, Bot.living, locked=True)
    title = db.session.scalar(
        select(BotChat.title).where(
            BotChat.bot_id == bot_id, BotChat.chat_id == chat_id, BotChat.is_admin
        )
    )
    if title is None:
        raise NotAdminThere
    return title


def _is_tracked(chat_id: int) -> bool:
    living = select(Campaign.id).where(Campaign.chat_id == chat_id, Campaign.living)
    return db.session.scalar(living) is not None


def _check_limit(account_id: int, tariff: str) -> None:
    allowed = tariffs.PLANS[tariff].campaigns
    if allowed != tariffs.UNLIMITED and accounts.living_campaigns(account_id) >= allowed:
        raise PlanLimit
    quotas.check(account_id, Quota.CAMPAIGNS)


def _check_active(account_id: int, tariff: str) -> None:
    active = select(func.count()).where(
        Campaign.account_id == account_id, Campaign.status == CampaignStatus.ACTIVE
    )
    if tariffs.free_slots(tariff, db.session.scalar(active) or 0) == 0:
        raise PlanLimit(translatable("the plan allows no more active campaigns"))


def _check_button(texts: Mapping[str, Any]) -> None:
    if texts.get("button_url"):
        campaign_texts.check_button(texts["button_url"])


def _check_owner(account_id: int, code: str, media_name: str) -> None:
    if not media.belongs(account_id, code):
        raise BadParameter(media_name, translatable("there is no such media; upload it first"))


def _check_caption(text: str, text_name: str) -> None:
    if len(text) > CAPTION:
        longest = translatable("with media Telegram takes %(most)d characters", most=CAPTION)
        raise BadParameter(text_name, longest)


def _insert(chat: int, **values: Any) -> Campaign:
    """Insert under a fresh code. Raises ChatTaken if another call was faster."""
    for _ in range(CODE_TRIES):
        campaign = Campaign(code=new_code(), chat_id=chat, **values)
        try:
            with db.session.begin_nested():
                db.session.add(campaign)
        except IntegrityError:
            if _is_tracked(chat):
                raise ChatTaken from None
        else:
            return campaign
    raise RuntimeError("no free campaign code was found")
