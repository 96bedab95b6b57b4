"""A campaign is told what keeps it from working."""

from app.extensions import db
from app.models import BotFaultKind
from app.services.bots import campaign_faults, faults
from app.services.campaigns import campaigns


def test_a_fault_in_another_chat_does_not_concern_a_campaign(account, world):
    bot = world.bot()
    here, elsewhere = (world.campaign(bot_id=bot, chat_id=chat) for chat in (-5, -6))
    faults.begin(bot, BotFaultKind.INVITE, 5, chat_id=-5, title="Here")
    faults.begin(bot, BotFaultKind.POLLING, 6)
    db.session.commit()
    found = [campaigns.find(account.id, number) for number in (here, elsewhere)]
    told = [[fault.kind for fault in row["faults"]] for row in campaign_faults.with_faults(found)]
    assert told == [["invite", "polling"], ["polling"]]
