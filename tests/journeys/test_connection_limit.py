"""A database plan with few connections carries the formation that app.json describes."""

import json
import threading
from collections import Counter

import psycopg
import requests
from sqlalchemy import make_url

from tests.journeys.crowd import Sender, crowd
from tests.support import ROOT
from tests.support.waiting import eventually

PLAN = 20  # connections of the plan that app.json asks for
CALLERS = 64
CALLS = 8  # of each caller
PEOPLE = 40
FORMATION = {
    name: variable["value"]
    for name, variable in json.loads((ROOT / "app.json").read_text())["env"].items()
    if "value" in variable
}


def test_a_plan_of_twenty_connections_is_enough(
    start_system, new_database, postgresql_server, tracker
):
    url = make_url(new_database("postgresql").url)
    with psycopg.connect(postgresql_server.get_uri(), autocommit=True) as operator:
        operator.execute(f"CREATE ROLE few LOGIN CONNECTION LIMIT {PLAN}")
        operator.execute(f'ALTER DATABASE "{url.database}" OWNER TO few')
    with_few = url.set(username="few").render_as_string(hide_password=False)
    system = start_system("postgresql", DATABASE_URL=with_few, **FORMATION)
    keys = [system.account(login) for login in ("owner", "second")]
    door = system.open_door(
        keys[0], "902:the-token-of-bot-902", f"{tracker.url}/902/pb?who={{subscriber}}"
    )
    answers: Counter[str] = Counter()

    def call(key: str) -> None:
        with requests.Session() as session:
            for _ in range(CALLS):
                answer = session.get(
                    f"{system.url}/api/leads/list.json",
                    headers={"Authorization": f"Bearer {key}"},
                    timeout=120,
                ).json()
                answers[answer.get("error") or "ok"] += 1

    callers = [
        threading.Thread(target=call, args=[key])
        for key in keys
        for _ in range(CALLERS // len(keys))
    ]
    for caller in callers:
        caller.start()
    members = crowd([door], PEOPLE)
    sender = Sender(system.port, members)
    sender.finish()
    for caller in callers:
        caller.join()
    assert answers == {"ok": CALLERS * CALLS}
    assert sender.refusals == Counter()
    expected = {member.person.id for member in members if member.reports}
    eventually(
        lambda: {int(hit.query["who"]) for hit in tracker.log("/902/")} == expected,
        60,
        "the last postback",
    )
    assert "too many connections" not in system.log_text()
