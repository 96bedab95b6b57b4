"""Init data of a Mini App, as Telegram makes it."""

import json
import time
from typing import Any
from urllib.parse import urlencode

from app.domain.telegram.init_data import sign
from app.sandbox.telegram.people import Person
from tests.support.desk import TOKEN


def init_data(person: Person, *, token: str = TOKEN, **fields: Any) -> str:
    """What the app of the bot with `token` is opened with by `person`; `fields` replace."""
    signed = {
        "query_id": f"AAH{time.time_ns()}",
        "user": json.dumps(person.user(), ensure_ascii=False),
        "auth_date": str(int(time.time())),
        "signature": "not looked at",
        **fields,
    }
    return urlencode({**signed, "hash": sign(signed, token)})
