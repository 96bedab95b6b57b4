"""An account of any size, straight in the database, for `bench.api`."""

import json
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.crypto import hash_secret, new_secret
from app.extensions import db
from app.models import Account, Bot, Campaign, Destination, Source
from app.services.lists import row_counts

CAMPAIGNS = 10
DESTINATIONS = 3
DAYS = 90

# One lead in 50 was kicked, one in 20 has Premium, one postback in 500 has failed. The newest are
# the last.
_LEADS = text("""
    INSERT INTO lead (account_id, campaign_id, bot_id, subscriber, username, first_name,
                      last_name, language, premium, click, state, start_time, join_time,
                      updated, last_start_at, last_start_update_id, last_membership_at,
                      last_membership_update_id, held, reports, source_id, how)
    SELECT :account, :campaign + n % :campaigns, :bot, 7000000000 + n, 'user' || n, 'Ann', 'Lee',
           CASE WHEN n % 1000 = 0 THEN 'fi' WHEN n % 4 = 0 THEN 'ru' ELSE 'en' END, n % 20 = 0,
           'click' || n, CASE WHEN n % 50 = 0 THEN 4 WHEN n % 3 = 0 THEN 0 ELSE 2 END,
           t, t + 60, t + 60, t, n, t + 60, n, false, 3,
           :source + n % :campaigns, n % 3
    FROM (SELECT n, :now - (:rows - CAST(n AS bigint)) * :span / :rows AS t
          FROM generate_series(1, :rows) n) s
""")
_JOURNAL = text("""
    INSERT INTO journal (account_id, bot_id, chat_id, campaign_id, lead_id, subscriber, username,
                         action, time, update_id, decision)
    SELECT :account, :bot, :chat - n / 3 % :campaigns, :campaign + n / 3 % :campaigns,
           CASE WHEN n % 9 = 0 THEN NULL ELSE n / 3 + 1 END, 7000000000 + n / 3, 'user' || n / 3,
           CASE WHEN n % 150 = 0 THEN 3 WHEN n % 3 = 0 THEN 5 ELSE 1 END,
           :now - (3 * :rows - CAST(n AS bigint)) * :span / (3 * :rows), n, 'approve, reported'
    FROM generate_series(1, 3 * :rows) n
""")
_POSTBACKS = text("""
    INSERT INTO postback (account_id, campaign_id, lead_id, destination_id, sequence, kind, event,
                          state, reason, occurrence, tries, steps, due, created, settled)
    SELECT :account, :campaign + n / 3 % :campaigns, n / 3 + 1, :destination + n % :destinations,
           1, CASE WHEN n % 2 = 0 THEN 'wait' ELSE 'approve' END, :event,
           CASE WHEN n % 500 = 0 THEN 4 ELSE 2 END, '', 0, 1, 1, t, t, t + 0.2
    FROM (SELECT n, :now - (3.0 * :rows - n) * :span / (3 * :rows) AS t
          FROM generate_series(0, 3 * :rows - 1) n) s
""")
# One postback in 20 was answered 503 and tried again; the last attempt of one in 500 has failed.
_ATTEMPTS = text("""
    INSERT INTO attempt (postback_id, occurrence, number, step, started, ms, request, status,
                         answer, verdict, reason, key)
    SELECT p.id, 0, try, '', p.created + try, 20 + (p.id * 7 + try) % 480,
           'GET http://127.0.0.1:1/?click=click' || p.lead_id,
           CASE WHEN try = 1 THEN CASE WHEN p.state = 4 THEN 404 ELSE 200 END ELSE 503 END, 'ok',
           CASE WHEN try = 1 THEN CASE WHEN p.state = 4 THEN 'failed' ELSE 'delivered' END
                ELSE 'retry' END,
           CASE WHEN try = 1 THEN '' ELSE 'HTTP 503' END, ''
    FROM postback p, generate_series(0, 1) try
    WHERE p.account_id = :account AND (try = 1 OR p.id % 20 = 0)
    ORDER BY p.id, try
""")
_CLICKS = text("""
    INSERT INTO click (account_id, source_id, campaign_id, token, visitor, created, pressed,
                       external, referrer, ids, utm, subs, ad, flags, lead_id)
    SELECT :account, :source + n % :campaigns, :campaign + n % :campaigns,
           lpad(CAST(n AS text), 16, '0'), '', t, t, '', '', '{}',
           '{"source":"fb","campaign":"c' || n % 40 || '"}', '{"sub1":"s' || n % 500 || '"}',
           '{"ad_id":"' || n % 90 || '"}', 0, n
    FROM (SELECT n, :now - (:rows - CAST(n AS bigint)) * :span / :rows AS t
          FROM generate_series(1, :rows) n) s
""")
_COUNTERS = [
    text("""
    INSERT INTO source_day (source_id, day, clicks, repeats, previews, paused)
    SELECT :source + c, :now / 86400 - d, 100, 5, 6, 0
    FROM generate_series(0, :campaigns - 1) c, generate_series(0, :days) d
"""),
    text("""
    INSERT INTO join_day (campaign_id, source_id, day, kind, joins)
    SELECT :campaign + c, :source + c, :now / 86400 - d, 2, 60
    FROM generate_series(0, :campaigns - 1) c, generate_series(0, :days) d
"""),
    text("""
    INSERT INTO campaign_day (campaign_id, day, starts, holds, confirms, unsubs)
    SELECT :campaign + c, :now / 86400 - d, 100, 50, 60, 9
    FROM generate_series(0, :campaigns - 1) c, generate_series(0, :days) d
"""),
    text("""
    INSERT INTO campaign_quarter (campaign_id, quarter, starts, holds, confirms, unsubs)
    SELECT :campaign + c, :now / 900 - q, 100, 50, 60, 9
    FROM generate_series(0, :campaigns - 1) c, generate_series(0, :days * 96) q
"""),
    text("""
    INSERT INTO campaign_cohort (campaign_id, join_day, age_day, "left")
    SELECT :campaign + c, :now / 86400 - d, age, 3
    FROM generate_series(0, :campaigns - 1) c, generate_series(0, :days) d,
         generate_series(0, 31) age WHERE age <= d
"""),
]


@dataclass(frozen=True, slots=True)
class Seeded:
    """Who may ask, and for what."""

    key: str
    rows: int
    now: int
    bot: int
    chat: int
    campaign: int
    destination: int
    source: int


def fill(rows: int) -> Seeded:
    """An account with so many leads and clicks, and three times the journal and postbacks."""
    now, secret = int(time.time()), new_secret()
    account = Account(
        login="large",
        name="Large",
        key_hash=hash_secret(secret),
        tariff="tiger",
        paid_until=now + 30 * 86_400,
        created=now,
    )
    db.session.add(account)
    db.session.flush()
    bot = Bot(
        account_id=account.id,
        tg_id=7_000_000_001,
        username="large_bot",
        name="Large",
        token="1:x",
        webhook_path="large",
        created=now,
    )
    db.session.add(bot)
    db.session.flush()
    campaigns = [_campaign(account.id, bot.id, number, now) for number in range(CAMPAIGNS)]
    ways = [_destination(account.id, now) for _ in range(DESTINATIONS)]
    db.session.add_all([*campaigns, *ways])
    db.session.flush()
    sources = [_source(account.id, one.id, now) for one in campaigns]
    db.session.add_all(sources)
    db.session.flush()
    seeded = Seeded(
        f"{account.id}-{secret}",
        rows,
        now,
        bot.id,
        max(one.chat_id for one in campaigns),
        min(one.id for one in campaigns),
        min(one.id for one in ways),
        min(one.id for one in sources),
    )
    _rows(account.id, seeded)
    return seeded


def _rows(account: int, seeded: Seeded) -> None:
    terms: dict[str, Any] = {
        "account": account,
        "rows": seeded.rows,
        "now": seeded.now,
        "bot": seeded.bot,
        "chat": seeded.chat,
        "campaign": seeded.campaign,
        "campaigns": CAMPAIGNS,
        "destination": seeded.destination,
        "destinations": DESTINATIONS,
        "source": seeded.source,
        "days": DAYS,
        "span": DAYS * 86_400,
        "event": json.dumps({"kind": "wait", "click": "click"}),
    }
    for statement in (_LEADS, _JOURNAL, _POSTBACKS, _ATTEMPTS, _CLICKS, *_COUNTERS):
        db.session.execute(statement, terms)
    db.session.commit()
    row_counts.compact()  # as the worker's clock does
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _campaign(account: int, bot: int, number: int, now: int) -> Campaign:
    return Campaign(
        account_id=account,
        bot_id=bot,
        chat_id=-1_001_000_000 - number,
        chat_title=f"Channel {number}",
        code=f"large{number}",
        created=now,
    )


def _source(account: int, campaign: int, now: int) -> Source:
    return Source(
        account_id=account,
        campaign_id=campaign,
        code=f"src{campaign:05}",
        title=f"Ad {campaign}",
        click_param="click",
        created=now,
    )


def _destination(account: int, now: int) -> Destination:
    settings = json.dumps({"urls": {"wait": "http://127.0.0.1:1/"}, "method": "GET"})
    return Destination(
        account_id=account, tracker="url_template", settings=settings, events=31, created=now
    )
