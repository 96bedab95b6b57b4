"""Deep links of a campaign, and warnings about click ids that its trackers cannot use."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import or_, select

from app.errors import BadParameter, translatable
from app.extensions import db
from app.models import Destination, DestinationStatus
from app.services.campaigns import campaigns
from app.services.trackers import url_templates
from plugins.kit.click_ids import click_type_problem
from plugins.kit.signs.notations import filled_in
from plugins.trackers.url_template.lint import ClickFormats, click_formats_of

#: Telegram carries up to so many characters after ?start=, and only these.
LONGEST_PAYLOAD: Final = 64
START_PAYLOAD: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_PAYLOAD}}}")


class TrackerLink(NamedTuple):
    """The link with a tracker's own macro for the click id; without a tracker, as it is."""

    tracker: str
    macro: str
    link: str


class DeepLink(NamedTuple):
    """`link` for one click, or with a macro left in it; `trackers` name their own for {click}."""

    link: str
    trackers: list[TrackerLink]
    warnings: list[str]


def make(account_id: int, campaign_id: int, click: str = "") -> DeepLink:
    """Return the deep link of a campaign. Raises NotFound, or BadParameter for `click`.

    Without `click`, a tracker's macro replaces `{click}`. With `click`, each tracker of the
    campaign that cannot have made such a click id adds a warning. A macro in `click` stays
    as it is, alone or beside text of a click id; trackers that have another one add a warning.
    """
    campaign = campaigns.find(account_id, campaign_id)
    start = f"https://t.me/{campaign['bot_username']}?start={campaign['code']}-"
    _check_payload(campaign["code"], click)
    trackers = _trackers(account_id, campaign_id)
    formats = _formats_of(trackers)
    if click:
        problems = (spelling.problem(click) for spelling in formats)
        return DeepLink(f"{start}{click}", [], [problem for problem in problems if problem])
    links = [
        TrackerLink(spelling.title, spelling.macro, start + spelling.macro)
        for spelling in formats
        if spelling.macro
    ]
    problems = (click_type_problem(settings) for _, settings in trackers)
    unfit = [problem for problem in problems if problem]
    return DeepLink(f"{start}{{click}}", links, list(dict.fromkeys(unfit)))


def click_formats(account_id: int, campaign_id: int) -> list[ClickFormats]:
    """How the trackers that hear of a campaign's events spell a click id, once each."""
    return _formats_of(_trackers(account_id, campaign_id))


def _check_payload(code: str, click: str) -> None:
    if click and not START_PAYLOAD.fullmatch(f"{code}-{filled_in(click, 'x')}"):
        longest = LONGEST_PAYLOAD - len(code) - 1
        raise BadParameter(
            "click",
            translatable(
                "Telegram carries up to %(most)d characters here, of A-Z a-z 0-9 _ and -",
                most=longest,
            ),
        )


def _trackers(account_id: int, campaign_id: int) -> list[tuple[str, dict[str, Any]]]:
    """Tracker and settings of all destinations that hear of the campaign's events."""
    rows = db.session.scalars(
        select(Destination)
        .where(
            Destination.account_id == account_id,
            Destination.status != DestinationStatus.DELETED,
            or_(Destination.campaign_id == campaign_id, Destination.campaign_id.is_(None)),
        )
        .order_by(Destination.id)
    ).all()
    return [(row.tracker, json.loads(row.settings)) for row in url_templates.in_force(rows)]


def _formats_of(trackers: Sequence[tuple[str, dict[str, Any]]]) -> list[ClickFormats]:
    """Return what is known of each tracker's click ids, in the order of connection, once each."""
    by_title: dict[str, ClickFormats] = {}
    for tracker, settings in trackers:
        by_title |= {formats.title: formats for formats in click_formats_of(tracker, settings)}
    return list(by_title.values())
