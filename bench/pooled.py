"""Fills the pools of a running installation with invite links, and makes a source for each bot.

Prints the codes of the sources as one line of JSON. Run by `bench.presses` with the system's
environment. Telegram makes 20 links a minute for a chat, so that a pool is filled beforehand.
"""

import argparse
import json
import secrets
import time

from sqlalchemy import select, update

from app import create_app
from app.domain.telegram.evidence import Evidence
from app.extensions import db
from app.models import BotChat, Campaign, Invite, InviteKind, InviteState, Source, SourceMode

DAY = 86_400


def main() -> None:
    """Make the sources and their links."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--links", type=int, required=True, help="of each bot")
    asked = parser.parse_args()
    with create_app().app_context():
        db.session.execute(update(BotChat).values(can_invite=True))
        campaigns = db.session.scalars(select(Campaign).order_by(Campaign.id)).all()
        sources = [_source(campaign) for campaign in campaigns]
        db.session.add_all(sources)
        for campaign in campaigns:
            db.session.add_all([_link(campaign) for _ in range(asked.links)])
            db.session.flush()
        codes = [source.code for source in sources]
        db.session.commit()
    print(json.dumps(codes))


def _source(campaign: Campaign) -> Source:
    return Source(
        account_id=campaign.account_id,
        campaign_id=campaign.id,
        code=f"{campaign.id:08}",
        title="An ad",
        click_param="click",
        mode=SourceMode.INVITE,
        created=int(time.time()),
    )


def _link(campaign: Campaign) -> Invite:
    now, link = int(time.time()), f"https://t.me/+{secrets.token_urlsafe(12)}"
    return Invite(
        bot_id=campaign.bot_id,
        chat_id=campaign.chat_id,
        link_key=Evidence(link=link).link_key,
        link=link,
        kind=InviteKind.SINGLE,
        state=InviteState.POOL,
        made=now,
        expires=now + 7 * DAY,
    )


if __name__ == "__main__":
    main()
