"""Decisions are told to Telegram once, in their order, and every answer is understood."""

import time
from contextlib import closing

import pytest

from app.domain.join_requests.rules import Verdict
from app.domain.lead import State
from app.models import Account, Action, Bot, DecidedBy, DeskMode, NoticeKind, RequestState
from app.outbound.transport import Transport
from app.sandbox.telegram import faults, people
from app.sandbox.telegram.people import Chat, Person
from app.services import pending_work
from app.services.join_requests.telling import sender
from app.services.messages import loop
from tests.support.bot_api import heal
from tests.support.waiting import eventually

APPROVE, DECLINE = "approveChatJoinRequest", "declineChatJoinRequest"


def test_who_is_approved_is_let_in_and_seen_to_join(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    assert asking.decide() == 1
    assert asking.state(7) is RequestState.APPROVED
    asking.listen()
    row = asking.row(7)
    assert (row.state, row.decided_by) == (RequestState.JOINED, DecidedBy.RULE)
    assert asking.approved() == [7]
    ((action, person, words),) = asking.decisions()
    assert (action, person) == (Action.APPROVED, 7)
    assert words.startswith("approved by the desk, ")


def test_an_approved_person_is_a_lead_that_asks_until_the_join_is_seen(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.tell(people.start(Person(7), f"{asking.stage.code}-c1", int(asking.now)))
    asking.ask(7)
    asking.decide()
    assert asking.state(7) is RequestState.APPROVED
    assert (asking.stage.lead(7).state, asking.stage.kinds()) == (State.HOLD, ["wait", "hold"])
    asking.listen()
    assert (asking.stage.lead(7).state, asking.stage.kinds()[-1]) == (State.APPROVE, "approve")


def test_each_of_a_crowd_is_greeted_before_they_are_let_in_once_within_telegrams_pace(
    make_asking, monkeypatch
):
    asking = make_asking(DeskMode.ALL, greet="Hi")
    times: list[float] = []  # by the sender's clock: what is under way may be held up together
    claim = loop.claim

    def noting(connection, *, now, **options):
        result = claim(connection, now=now, **options)
        times.extend([now] * len(result.messages))
        return result

    monkeypatch.setattr(loop, "claim", noting)
    crowd = range(1000, 1060)
    for person in crowd:
        update = people.join_request(Person(person), asking.chat, int(time.time()))
        asking.bot_api.push(asking.token, update)
    asking.listen()
    end = time.monotonic() + 400
    while len(asking.approved()) < len(crowd) and time.monotonic() < end:
        asking.greet()
        asking.now = now = time.time()
        times.extend([now] * asking.decide())
    calls = [
        call for call in asking.bot_api.calls(asking.token)
        if call.method in {"sendMessage", APPROVE}
    ]  # fmt: skip
    for person in crowd:
        names = [call.method for call in calls if person in _people_of(call)]
        assert names == ["sendMessage", APPROVE]
    assert len(times) == len(calls)
    assert not [start for start, later in zip(times, times[30:], strict=False) if later - start < 1]


def _people_of(call):
    return {int(call.params.get("chat_id", 0)), int(call.params.get("user_id", 0))}


def test_a_rule_and_its_delay_stand_in_the_journal(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.DECLINE, 3, delay_from=60, delay_to=60)
    asking.ask(7)
    assert asking.decide() == 0
    asking.now += 60
    assert asking.decide() == 1
    assert asking.declined() == [7]
    assert asking.state(7) is RequestState.DECLINED
    ((action, _, words),) = asking.decisions()
    assert action == Action.DECLINED
    seconds = int(asking.now - 1) - asking.row(7).asked
    assert words == f"declined by rule 3, {seconds} s after the request"


def test_the_greeting_goes_first_and_a_refused_one_holds_nobody_up(make_asking):
    asking = make_asking(DeskMode.ALL, greet="Hi")
    asking.ask(7)
    asking.ask(8)
    asking.bot_api.fail(asking.token, "sendMessage", faults.NEVER_STARTED, 1, chat=8)
    asking.now += 5
    assert asking.decide() == 0
    asking.greet()
    assert asking.decide(2) == 2
    assert sorted(asking.approved()) == [7, 8]
    assert [message.chat_id for message in asking.bot_api.sent(asking.token)] == [7]
    states = {message.chat_id: (message.state, message.reason) for message in asking.greetings()}
    assert states[7][0] == 2
    assert states[8] == (3, "403: Forbidden: bot can't initiate conversation with a user")
    asking.tell(people.start(Person(8), asking.stage.code, int(asking.now)))


@pytest.mark.parametrize(
    ("fault", "state", "by"),
    [
        (faults.REQUEST_SETTLED, RequestState.GONE, DecidedBy.NOBODY),
        (faults.ALREADY_INSIDE, RequestState.JOINED, DecidedBy.OTHER_ADMIN),
        (faults.CHANNELS_TOO_MUCH, RequestState.FAILED, DecidedBy.RULE),
        (faults.refuse(400, "Bad Request: USER_ID_INVALID"), RequestState.FAILED, DecidedBy.RULE),
        (faults.refuse(400, "Bad Request: never heard"), RequestState.FAILED, DecidedBy.RULE),
    ],
    ids=["withdrawn", "inside", "too many chats", "no such person", "unknown"],
)
def test_a_final_answer_ends_the_request(make_asking, fault, state, by):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.fail(asking.token, APPROVE, fault, -1)
    asking.decide(5, seconds=400)
    row = asking.row(7)
    assert (row.state, row.decided_by, row.reason) == (state, by, fault.description)
    assert asking.approved() == [7]
    assert asking.decisions() == []


def test_a_withdrawn_request_is_gone(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.withdraw(asking.token, Person(7), asking.chat)
    asking.decide()
    assert asking.state(7) is RequestState.GONE


def test_no_answer_is_tried_again_and_the_second_call_finds_it_done(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.fail(asking.token, APPROVE, faults.RESET, 1)
    asking.decide()
    row = asking.row(7)
    assert (row.state, row.tries) == (RequestState.SCHEDULED, 1)
    assert row.due == pytest.approx(asking.now, abs=0.01)
    asking.decide()
    assert asking.approved() == [7, 7]
    row = asking.row(7)
    assert (row.state, row.decided_by) == (RequestState.JOINED, DecidedBy.RULE)
    asking.listen()
    assert asking.state(7) is RequestState.JOINED


def test_a_fault_of_telegrams_own_is_tried_again_ever_more_slowly(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.fail(asking.token, APPROVE, faults.BAD_GATEWAY, 3)
    made = [asking.decide() for _ in range(40)]
    assert [index for index, calls in enumerate(made) if calls] == [0, 1, 6, 36]
    assert asking.state(7) is RequestState.APPROVED


def test_a_flood_wait_is_obeyed_and_no_try_is_counted(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.fail(asking.token, APPROVE, faults.flood(60), 1)
    assert asking.decide() == 1
    assert (asking.row(7).state, asking.row(7).tries) == (RequestState.SCHEDULED, 0)
    assert asking.decide(50) == 0
    assert asking.decide(20) == 1
    assert asking.state(7) is RequestState.APPROVED


def test_lost_rights_stop_this_chat_tell_the_owner_once_and_go_on_by_themselves(
    make_asking, change_settings
):
    change_settings(service_bot_token="70:token-of-the-service-bot")
    asking = make_asking(DeskMode.ALL)
    asking.set(Account, tg_id=5005)
    for person in range(7, 27):
        asking.ask(person)
    asking.decide()
    first = len(asking.approved())
    asking.bot_api.fail(asking.token, APPROVE, faults.NO_REQUEST_RIGHTS, -1)
    asking.decide()
    refused = len(asking.approved()) - first
    assert 0 < refused <= 6
    assert asking.decide(5) == 0
    waiting = [row for row in asking.rows() if row.state == RequestState.SCHEDULED]
    assert len(waiting) == 20 - first
    assert {row.tries for row in waiting} == {0}
    assert asking.notices() == [NoticeKind.INVITE]
    heal(asking.bot_api, asking.token)
    bot = Person(int(asking.token.partition(":")[0]), "Bot", is_bot=True)
    asking.tell(people.bot_rights(asking.chat, True, int(asking.now) + 1, bot=bot))
    asking.decide(10)
    asking.listen()
    assert {row.state for row in asking.rows()} == {RequestState.JOINED}
    assert sorted(asking.approved()[first + refused :]) == sorted(row.subscriber for row in waiting)
    assert asking.notices() == [NoticeKind.INVITE, NoticeKind.OVER]


def test_a_dead_token_pauses_the_bot_and_the_request_waits(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.fail(asking.token, APPROVE, faults.UNAUTHORIZED, 1)
    asking.decide(3)
    assert asking.approved() == [7]
    assert asking.state(7) is RequestState.SCHEDULED
    asking.set(Bot, paused="")
    asking.decide()
    assert asking.state(7) is RequestState.APPROVED


def test_a_group_that_moved_is_decided_under_its_new_id(make_asking):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    new = Chat(asking.stage.chat - 5, "Club")
    asking.bot_api.fail(asking.token, APPROVE, faults.moved(new.id), 1)
    asking.decide()
    row = asking.row(7)
    assert (row.state, row.chat_id) == (RequestState.SCHEDULED, new.id)


def test_a_thousand_at_once_are_all_let_in_once_and_no_faster_than_allowed(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.APPROVE)
    crowd = range(1000, 2000)
    for person in crowd:
        asking.bot_api.push(
            asking.token, people.join_request(Person(person), asking.chat, int(asking.now))
        )
    for _ in range(10):
        asking.listen()
    made = []
    while len(made) < 400 and (calls := asking.decide(seconds=0.3)):
        made.append(calls)
    assert max(made) <= 6
    assert sorted(asking.approved()) == list(crowd)
    assert {row.state for row in asking.rows()} == {RequestState.APPROVED}


def test_a_bot_for_which_telegram_hangs_keeps_no_other_bot_waiting(make_asking, world):
    asking = make_asking(DeskMode.ALL)
    asking.ask(7)
    asking.bot_api.fail(asking.token, APPROVE, faults.HANG, 1)
    asking.bot_api.add_bot("99:another-bot", "another_bot")
    other = world.campaign(
        bot_id=world.bot(tg_id=99, token="99:another-bot", webhook_path="another"),
        desk=DeskMode.ALL,
    )
    scheduled = {"state": RequestState.SCHEDULED, "action": Verdict.APPROVE, "due": asking.now}
    world.request(other, subscriber=8, **scheduled)
    with closing(sender.Teller(Transport(trusted=True, total_seconds=8.0))) as teller:

        def is_gone(person):
            return teller.round(asking.now, 0.1) == 0 and asking.state(person) is RequestState.GONE

        assert teller.round(asking.now, 0.1) == 2
        eventually(lambda: is_gone(8), 20, "the answer of the other bot")
        assert asking.state(7) is RequestState.SENDING
        asking.ask(9)
        world.request(other, subscriber=10, **scheduled)
        assert teller.round(asking.now, 0.1) == 1  # the bot that hangs gets no more
        eventually(lambda: is_gone(10), 20, "the answer of the other bot")
        teller.round(asking.now, 60.0)
        assert (asking.state(7), teller.in_flight) == (RequestState.SCHEDULED, 0)
        asking.now += 2
        assert teller.round(asking.now, 60.0) == 2
    assert (asking.state(7), asking.state(9)) == (RequestState.APPROVED, RequestState.APPROVED)


def test_who_has_nothing_to_tell_asks_the_database_nothing(make_asking, monkeypatch):
    asking = make_asking(DeskMode.ALL)
    with closing(sender.Teller()) as teller:
        rounds = []
        monkeypatch.setattr(teller, "round", lambda now: rounds.append(now) or len(rounds) == 1)
        sender.has_work.set()
        for later in (0, 1, 2, 3, 4, 9):
            teller.work(asking.now + later)
        assert [now - asking.now for now in rounds] == pytest.approx([0, 1, 2])


def test_the_clock_finds_what_is_to_be_told(make_asking):
    asking = make_asking(DeskMode.RULES)
    asking.rule(Verdict.APPROVE, delay_from=100, delay_to=100)
    asking.ask(7)
    assert not pending_work.look(asking.now).decisions
    assert pending_work.look(asking.now + 101).decisions
