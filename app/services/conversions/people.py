"""Whose conversion it is: the lead that a report names."""

from typing import Any, Final, NamedTuple

from sqlalchemy import select, text

from app.domain.conversions.report import Report
from app.errors import NotFound
from app.extensions import db
from app.models import Campaign, Conversion, Lead


class Sender(NamedTuple):
    """Who reports: an account by its API, or by the key `key_id`; perhaps for one campaign."""

    account_id: int
    key_id: int = 0
    campaign_id: int | None = None


def lead_of_click(account: str, click: str, campaign: str) -> str:
    """SQL: the newest lead with a click, by its own click id or through a stored click.

    The arguments are parts of SQL. Its result is NULL where there is no such lead.
    """
    own = f"({campaign} IS NULL OR campaign_id = {campaign})"
    return f"""coalesce(
        (SELECT max(id) FROM lead
         WHERE account_id = {account} AND click = {click} AND click <> '' AND {own}),
        (SELECT max(lead_id) FROM click
         WHERE account_id = {account} AND external = {click} AND external <> ''
            AND lead_id IS NOT NULL AND {own}),
        (SELECT lead_id FROM click
         WHERE token = {click} AND account_id = {account} AND {own})
    )"""  # noqa: S608 - parts of our own


def lead_of_person(account: str, subscriber: str, campaign: str) -> str:
    """SQL: the newest lead of a person. Arguments and result are as those of `lead_of_click`."""
    return f"""(
        SELECT max(lead.id) FROM lead
        WHERE lead.subscriber = {subscriber} AND lead.account_id + 0 = {account}
            AND lead.campaign_id IN (
                SELECT campaign.id FROM campaign WHERE campaign.account_id = {account}
                    AND ({campaign} IS NULL OR campaign.id = {campaign})
            )
    )"""  # noqa: S608 - parts of our own


_BY_CLICK: Final = text(
    "SELECT " + lead_of_click(":account", ":click", "CAST(:campaign AS BIGINT)")
)


def find(sender: Sender, report: Report) -> int | None:
    """The id of the lead, or None if its click or its person may yet come.

    Raises NotFound where a lead or a person is named that this account does not have.
    """
    if report.lead is not None:
        return _required(_lead(sender, Lead.id == report.lead))
    if report.subscriber is not None:
        lead_id = _lead(sender, Lead.subscriber == report.subscriber)
        return lead_id if lead_id or report.click or report.may_wait else _required(None)
    if report.click:
        return _by_click(sender, report.click)
    return _required(_by_tid(sender, report.tid))


def newest_lead(sender: Sender, subscriber: int) -> int | None:
    """The id of the newest lead of a person, or None."""
    return _lead(sender, Lead.subscriber == subscriber)


def _by_click(sender: Sender, click: str) -> int | None:
    params = {"account": sender.account_id, "click": click, "campaign": sender.campaign_id}
    lead_id: int | None = db.session.connection().scalar(_BY_CLICK, params)
    return lead_id


def _lead(sender: Sender, condition: Any) -> int | None:
    own = select(Campaign.id).where(Campaign.account_id == sender.account_id)
    if sender.campaign_id is not None:
        own = own.where(Campaign.id == sender.campaign_id)
    newest = select(Lead.id).where(
        condition,
        Lead.campaign_id.in_(own),
        Lead.account_id + 0 == sender.account_id,  # see `erasure`
        Lead.subscriber > 0,
    )
    return db.session.scalar(newest.order_by(Lead.id.desc()).limit(1))


def _by_tid(sender: Sender, tid: str) -> int | None:
    """The lead of an earlier event with this id: a refund may name nothing else."""
    earlier = select(Conversion.lead_id).where(
        Conversion.account_id == sender.account_id,
        Conversion.key_id == sender.key_id,
        Conversion.tid == tid,
        Conversion.lead_id.is_not(None),
    )
    return db.session.scalar(earlier.limit(1))


def _required(lead_id: int | None) -> int:
    if lead_id is None:
        raise NotFound
    return lead_id
