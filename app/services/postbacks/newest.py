"""The newest postback of each of some leads: what was told of them last, and how that went."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, Integer, Select, bindparam, func, select

from app.database.direct import among, fetch
from app.database.rows import is_postgresql
from app.extensions import db
from app.models import Lead, Postback

#: So many postbacks of one lead are looked at, as in its history. Few leads have more than ten.
LOOKED_AT: Final = 500


class Newest(NamedTuple):
    """A postback, the event that it told, and its state."""

    id: int
    kind: str
    state: int


@cache  # to make it takes longer than to run it
def _newest(postgresql: bool) -> Select[Any]:
    """Each lead's postbacks are found by the index that begins with the lead, in its order.

    `+ 0` keeps the account's index out of the plan. What is shown of them is looked up one by
    one, as a join would read all postbacks for so many; the limit keeps both steps apart.
    """
    account = bindparam("account", type_=BigInteger)
    own = (
        select(Postback.id)
        .where(Postback.lead_id == Lead.id, Postback.account_id + 0 == account)
        .order_by(Postback.destination_id.desc(), Postback.sequence.desc())
        .limit(LOOKED_AT)
        .correlate(Lead)
        .subquery()
    )
    newest = select(func.max(own.c.id)).correlate(Lead).scalar_subquery()
    leads = select(Lead.id.label("lead_id"), newest.label("newest"))
    leads = leads.where(among(postgresql, Lead.id, "leads"))
    of_lead = leads.limit(bindparam("most", type_=Integer)).subquery()
    shown: list[Any] = [
        select(column).where(Postback.id == of_lead.c.newest).scalar_subquery().label(column.key)
        for column in (Postback.kind, Postback.state)
    ]
    return select(of_lead.c.lead_id, of_lead.c.newest, *shown).where(of_lead.c.newest.is_not(None))


def of_leads(account_id: int, lead_ids: Sequence[int]) -> dict[int, Newest]:
    """Return the newest postback of each of the account's leads that has one, by lead.

    Those to trackers of an earlier owner are not meant.
    """
    if not lead_ids:
        return {}
    connection = db.session.connection()
    values = {"account": account_id, "leads": list(lead_ids), "most": len(lead_ids)}
    rows = fetch(connection, _newest(is_postgresql(connection)), values)
    return {row.lead_id: Newest(row.newest, row.kind, row.state) for row in rows}
