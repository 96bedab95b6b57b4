"""Makes the benchmark's account, bots and campaigns, straight in the database.

Prints the doors as one line of JSON. Run by `bench.system` with the system's
environment, after the migrations.
"""

import argparse
import json
import time

from app import create_app
from app.crypto import hash_secret, new_secret
from app.extensions import cipher, db
from app.models import Account, Bot, BotChat, Campaign, Destination
from app.models.destination import Role
from app.services.bots import webhooks
from bench.audience import Door, doors_to_json
from plugins.contract import EventKind

ALL_EVENTS = (1 << len(EventKind)) - 1
PUBLIC_BOT = 1_000_000
CHANNEL = -1_001_000_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bots", type=int, required=True)
    parser.add_argument("--template", required=True)
    asked = parser.parse_args()
    app = create_app()
    with app.app_context():
        account = _account()
        doors = [_door(account, n, asked.template) for n in range(asked.bots)]
        db.session.commit()
    print(doors_to_json(doors))


def _account() -> int:
    now = int(time.time())
    account = Account(
        login="bench",
        name="Benchmark",
        key_hash=hash_secret(new_secret()),
        tariff="tiger",
        paid_until=now + 30 * 86400,
        created=now,
    )
    db.session.add(account)
    db.session.flush()
    return account.id


def _door(account: int, number: int, template: str) -> Door:
    now, path = int(time.time()), new_secret()
    bot = Bot(
        account_id=account,
        tg_id=PUBLIC_BOT + number,
        username=f"bench_{number}_bot",
        name=f"Bench {number}",
        token=f"{PUBLIC_BOT + number}:bench-token",
        webhook_path=path,
        webhook_url=webhooks.registered(path),
        created=now,
    )
    db.session.add(bot)
    db.session.flush()
    chat, code = CHANNEL - number, f"b{number:05d}"
    _campaign(bot, chat, code, template)
    return Door(bot.tg_id, path, cipher.webhook_secret(path), code, chat)


def _campaign(bot: Bot, chat: int, code: str, template: str) -> None:
    now = int(time.time())
    campaign = Campaign(
        account_id=bot.account_id,
        bot_id=bot.id,
        chat_id=chat,
        chat_title="A channel worth joining",
        code=code,
        created=now,
    )
    rights = BotChat(
        bot_id=bot.id,
        chat_id=chat,
        title=campaign.chat_title,
        type="channel",
        is_admin=True,
        changed=now,
    )
    db.session.add_all([campaign, rights])
    db.session.flush()
    urls = {kind.value: template for kind in EventKind}
    destination = Destination(
        account_id=bot.account_id,
        campaign_id=campaign.id,
        role=Role.TEMPLATE,
        tracker="url_template",
        settings=json.dumps({"urls": urls, "method": "GET"}),
        events=ALL_EVENTS,
        created=now,
    )
    db.session.add(destination)


if __name__ == "__main__":
    main()
