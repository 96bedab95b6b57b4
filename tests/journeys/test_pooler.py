"""PostgreSQL behind pgbouncer: nothing is refused, quarantined or said twice."""

from collections import Counter

from app.models import MessageState, UpdateState
from tests.journeys.crowd import Sender, crowd
from tests.support.pooler import needs_pgbouncer, pooled
from tests.support.waiting import eventually

PEOPLE = 80


@needs_pgbouncer
def test_a_crowd_passes_through_a_pooler(start_system, new_database, tracker, bot_api):
    with pooled(new_database("postgresql").url) as url:
        system = start_system("postgresql", DATABASE_URL=url)
        key = system.account("owner")
        token = "901:the-token-of-bot-901"
        door = system.open_door(
            key, token, f"{tracker.url}/901/pb?status={{status}}&who={{subscriber}}",
            welcome="Welcome, {subscriber}",
        )  # fmt: skip
        members = crowd([door], PEOPLE)
        sender = Sender(system.port, members)
        sender.finish()
        expected = Counter(
            (member.person.id, status) for member in members for status in member.reports
        )

        def reported() -> Counter[tuple[int, str]]:
            hits = tracker.log("/901/")
            return Counter((int(hit.query["who"]), hit.query["status"]) for hit in hits)

        eventually(lambda: reported() >= expected, 60, "the last postback")
        assert reported() == expected
        assert sender.refusals == Counter()

        greeted = "SELECT count(*) FROM message WHERE state = :state"
        eventually(
            lambda: system.one(greeted, state=int(MessageState.SENT)) == PEOPLE,
            60,
            "the last welcome",
        )
        said = Counter(call.params["chat_id"] for call in bot_api.calls(token, "sendMessage"))
        assert {member.person.id: said[member.person.id] for member in members} == {
            member.person.id: 1 for member in members
        }
        stuck = "SELECT count(*) FROM telegram_update WHERE state = :state"
        assert system.one(stuck, state=int(UpdateState.QUARANTINED)) == 0
