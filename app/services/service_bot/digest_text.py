"""The text and the buttons of a digest, in the language in use. Plain text, no markup."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.config import current_settings
from app.domain.tariffs import FREE, PLANS
from app.models import BotFaultKind, NoticeKind
from app.services.bots import fault_texts
from app.services.service_bot import APPROVE, MUTE, security_text
from app.translations import gettext, ngettext

#: Lines of one message; each is of some 350 characters at most, of Telegram's 4096.
LINES: Final = 10
BUTTONS: Final = 5
LONGEST_BUTTON: Final = 40


@dataclass(slots=True)
class Topic:
    """One line of a digest: a campaign and its counts, or one notice of another kind."""

    campaign_id: int = 0
    title: str = ""
    counts: Counter[NoticeKind] = field(default_factory=Counter)
    kind: NoticeKind | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


def render(topics: Sequence[Topic]) -> str:
    """Return one line for each topic, as many as fit, and how many more there are."""
    lines = [_line(topic) for topic in topics[:LINES]]
    if len(topics) > LINES:
        left = len(topics) - LINES
        lines.append(ngettext("And %(num)d more.", "And %(num)d more.", left))
    return "\n".join(lines)


def keyboard(topics: Sequence[Topic]) -> list[list[dict[str, str]]]:
    """Return the rows of buttons: to undo logins, and to mute the first campaigns."""
    campaigns = [topic for topic in topics[:LINES] if topic.campaign_id]
    rows = security_text.buttons([topic.about for topic in topics[:LINES] if topic.kind])
    rows += _approvals(topics[:LINES])
    for topic in campaigns[:BUTTONS]:
        label = _short(gettext("Mute %(title)s", title=topic.title))
        rows.append([{"text": label, "callback_data": f"{MUTE}:{topic.campaign_id}"}])
    return rows


def _approvals(topics: Sequence[Topic]) -> list[list[dict[str, str]]]:
    """For each campaign in which people wait: let all in, and open the list."""
    rows = []
    waiting = [topic.about for topic in topics if topic.kind is NoticeKind.REQUESTS]
    public_url = current_settings().public_url
    for about in waiting[:BUTTONS]:
        number = about["campaign"]
        label = _short(gettext("Let all into %(title)s", title=about["title"]))
        row = [{"text": label, "callback_data": f"{APPROVE}:{number}"}]
        if public_url:
            url = f"{public_url}/requests?campaign={number}"
            row.append({"text": gettext("Open the list"), "url": url})
        rows.append(row)
    return rows


def _short(label: str) -> str:
    return label if len(label) <= LONGEST_BUTTON else label[: LONGEST_BUTTON - 1] + "…"


def _line(topic: Topic) -> str:
    if topic.kind is NoticeKind.REQUESTS:
        return _waiting(topic.about)
    match topic.kind:
        case None:
            parts = [_count(kind, topic.counts[kind]) for kind in _ORDER if topic.counts[kind]]
            return f"{topic.title}: {', '.join(parts)}"
        case NoticeKind.EXPIRY | NoticeKind.PAYMENT:
            is_payment = topic.kind is NoticeKind.PAYMENT
            return (_payment if is_payment else _expiry)(topic.about)
        case NoticeKind.SESSION | NoticeKind.KEY | NoticeKind.TRANSFER:
            return security_text.describe(topic.kind, topic.about)
        case NoticeKind.OVER:
            return fault_texts.describe_end(BotFaultKind(topic.about["fault"]), **_bot(topic.about))
        case _:
            gave_up = topic.about.get("gave_up", False)
            kind = BotFaultKind(topic.kind.value)
            return fault_texts.describe(kind, **_bot(topic.about), gave_up=gave_up)


_ORDER: Final = (
    NoticeKind.APPROVE,
    NoticeKind.HOLD,
    NoticeKind.WAIT,
    NoticeKind.CANCEL,
    NoticeKind.TRASH,
)


def _count(kind: NoticeKind, num: int) -> str:
    match kind:
        case NoticeKind.APPROVE:
            return ngettext("%(num)d new subscriber", "%(num)d new subscribers", num)
        case NoticeKind.HOLD:
            return ngettext("%(num)d request to join", "%(num)d requests to join", num)
        case NoticeKind.WAIT:
            return ngettext("%(num)d opened the bot", "%(num)d opened the bot", num)
        case NoticeKind.CANCEL:
            return ngettext("%(num)d left", "%(num)d left", num)
        case _:
            return ngettext("%(num)d removed", "%(num)d removed", num)


def _waiting(about: Mapping[str, Any]) -> str:
    return ngettext(
        "%(title)s: %(num)d person waits to be let in",
        "%(title)s: %(num)d people wait to be let in",
        about["count"],
        title=about["title"],
    )


def _payment(about: Mapping[str, Any]) -> str:
    return gettext(
        "Thank you for the payment. Your plan %(plan)s runs until %(until)s UTC.",
        **_plan(about),
    )


def _expiry(about: Mapping[str, Any]) -> str:
    return ngettext(
        "Your plan %(plan)s ends in %(num)d day, on %(until)s UTC. Renew it to go on.",
        "Your plan %(plan)s ends in %(num)d days, on %(until)s UTC. Renew it to go on.",
        about["days"],
        **_plan(about),
    )


def _bot(about: Mapping[str, Any]) -> dict[str, str]:
    return {"bot": about["bot"], "title": about.get("title", "")}


def _plan(about: Mapping[str, Any]) -> dict[str, str]:
    plan = PLANS.get(about["tariff"], PLANS[FREE])
    until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(about["until"]))
    return {"plan": plan.name, "until": until}
