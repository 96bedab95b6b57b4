import json
from contextlib import suppress
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest
from aiogram.filters.chat_member_updated import JOIN_TRANSITION, LEAVE_TRANSITION
from hypothesis import given
from hypothesis import strategies as st

from app.domain.telegram import updates
from app.domain.telegram.evidence import NO_EVIDENCE, Evidence
from app.domain.telegram.person import Person
from app.domain.telegram.updates import (
    BotBlockedChanged,
    ButtonPressed,
    ChatMoved,
    Ignored,
    LeadEvent,
    LeadEventKind,
    Malformed,
    RightsChanged,
    decode,
    parse,
    read_rights,
)

DATE = 1_790_000_000
ANNA: dict[str, Any] = {
    "id": 7_000_000_001,
    "is_bot": False,
    "first_name": "Anna",
    "last_name": "Low",
    "username": "anna",
    "language_code": "en",
    "is_premium": True,
}
ADMIN = {"id": 5, "is_bot": False, "first_name": "Admin"}
CHANNEL: dict[str, Any] = {"id": -1001234567890, "type": "channel", "title": "My channel"}
STATES: list[dict[str, Any]] = [
    {"status": "creator"},
    {"status": "administrator"},
    {"status": "member"},
    {"status": "restricted", "is_member": True},
    {"status": "restricted", "is_member": False},
    {"status": "left"},
    {"status": "kicked", "until_date": 0},
]


def start(text: Any = "/start abc123-click", **changes: Any) -> dict[str, Any]:
    chat = {"id": ANNA["id"], "type": "private"}
    message = {"message_id": 1, "from": ANNA, "chat": chat, "date": DATE, "text": text}
    return {"update_id": 10, "message": message | changes}


def member(
    old: dict[str, Any], new: dict[str, Any], *, by: dict[str, Any] = ANNA, **changes: Any
) -> dict[str, Any]:
    change = {
        "chat": CHANNEL,
        "from": by,
        "date": DATE,
        "old_chat_member": {"user": ANNA} | old,
        "new_chat_member": {"user": ANNA} | new,
    }
    return {"update_id": 11, "chat_member": change | changes}


def my_member(chat: Any, status: str, **changes: Any) -> dict[str, Any]:
    me = {"id": 99, "is_bot": True, "first_name": "Bot"}
    change = {
        "chat": chat,
        "from": ANNA,
        "date": DATE,
        "old_chat_member": {"user": me, "status": "left"},
        "new_chat_member": {"user": me, "status": status},
    }
    return {"update_id": 12, "my_chat_member": change | changes}


def happening(update: dict[str, Any]) -> LeadEvent:
    reading = parse(update)
    assert isinstance(reading, LeadEvent), reading
    return reading


# decode


def test_an_update_is_decoded() -> None:
    assert decode(b'{"update_id": 0, "x": [1]}') == {"update_id": 0, "x": [1]}


@pytest.mark.parametrize(
    "body",
    [
        b'{"update_id": 1, "text": "\\ud83d"}',
        b'{"update_id": 1, "score": NaN, "other": -Infinity}',
        b'{"update_id": 1, "big": ' + b"9" * 40 + b"}",
        b'{"update_id": 1, "huge": ' + b"9" * 5000 + b"}",
        b'{"update_id": 7, "update_id": 1}',
        b'\xef\xbb\xbf{"update_id": 1}',
    ],
    ids=["lone surrogate", "NaN", "big integer", "huge integer", "repeated key", "byte order mark"],
)
def test_odd_json_is_tolerated(body: bytes) -> None:
    assert decode(body)["update_id"] == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"null",
        b"[]",
        b"{}",
        b'{"update_id": true}',
        b'{"update_id": 1.0}',
        b'{"update_id": "1"}',
        b'{"update_id": -1}',
        b'{"update_id": 9223372036854775808}',
        b"\xff\xfe\xfd",
        b'{"update_id": 1, "x": ' + b"[" * 200_000,
        b'{"update_id": 1, "x": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
        b'{"update_id": 1, "x": "' + b"a" * (1 << 20) + b'"}',
    ],
)
def test_what_is_no_update_is_malformed_with_a_reason(body: bytes) -> None:
    with pytest.raises(Malformed, match=r"\w"):
        decode(body)


@given(st.binary(max_size=200))
def test_decoding_any_bytes_ends_in_an_update_or_malformed(body: bytes) -> None:
    with suppress(Malformed):
        assert isinstance(decode(body)["update_id"], int)


# start


def test_a_start_names_its_campaign_and_click() -> None:
    person = Person(7_000_000_001, "anna", "Anna", "Low", "en", premium=True)
    expected = LeadEvent(LeadEventKind.START, person, None, DATE, 10, code="abc123", click="click")
    assert parse(start()) == expected


@pytest.mark.parametrize(
    ("text", "code", "click"),
    [
        ("/start", "", ""),
        ("/start ", "", ""),
        ("/start abc123", "abc123", ""),
        ("/start abc123-", "abc123", ""),
        ("/start abc123-a-b-c", "abc123", "a-b-c"),
        ("/start -x", "", "x"),
        ("/start@my_bot abc123-x", "abc123", "x"),
        ("/start   abc123-x  ", "abc123", "x"),
        ("/start\nabc123-x", "abc123", "x"),
        ("/start a\x00bc123-\ud83dx", "abc123", "x"),
        ("/start ../../etc", "../../etc", ""),
        ("/start abc123-" + "c" * 300, "abc123", "c" * 249),
    ],
)
def test_the_payload_is_split_at_the_first_dash(text: str, code: str, click: str) -> None:
    found = happening(start(text))
    assert (found.code, found.click) == (code, click)


@pytest.mark.parametrize("text", ["/started abc", "/help", "start", " /start", "", None, 5])
def test_a_text_that_is_no_start_is_ignored(text: Any) -> None:
    assert parse(start(text)) == Ignored("message: no /start")


def test_a_start_in_a_group_is_ignored() -> None:
    group = {"id": -5, "type": "group"}
    assert parse(start("/start@bot abc", chat=group)) == Ignored("message: not in a private chat")


def test_names_are_cleaned_and_cut_to_their_columns() -> None:
    odd = {"username": "u" * 99, "first_name": "\x00\ud800A" * 80, "last_name": 5}
    found = happening(start(**{"from": ANNA | odd | {"language_code": "x" * 40}})).person
    assert (found.username, found.first_name) == ("u" * 64, "A" * 64)
    assert (found.last_name, found.language) == ("", "x" * 16)


@pytest.mark.parametrize(
    "date", [None, True, "1790000000", 1.5, 0, -1, 1 << 63, 253_402_300_800], ids=str
)
def test_an_odd_date_is_ignored(date: Any) -> None:
    assert isinstance(parse(start(date=date)), Ignored)


@pytest.mark.parametrize("user_id", [None, True, "7", 7.0, 0, -7, 1 << 63], ids=str)
def test_an_odd_person_is_ignored(user_id: Any) -> None:
    assert isinstance(parse(start(**{"from": ANNA | {"id": user_id}})), Ignored)


def test_ids_of_52_bits_and_negative_chats_are_kept_exactly() -> None:
    big = (1 << 52) - 1
    user = ANNA | {"id": big}
    change = {"chat": {"id": -big, "type": "supergroup"}, "from": user, "date": DATE}
    found = happening({"update_id": (1 << 63) - 1, "chat_join_request": change})
    assert (found.person.id, found.chat, found.update_id) == (big, -big, (1 << 63) - 1)


# membership


def test_a_join_request_is_a_request() -> None:
    change = {"chat": CHANNEL, "from": ANNA, "date": DATE, "user_chat_id": ANNA["id"]}
    found = happening({"update_id": 9, "chat_join_request": change})
    assert (found.kind, found.chat, found.person.username) == (
        LeadEventKind.REQUEST,
        CHANNEL["id"],
        "anna",
    )


@pytest.mark.parametrize("new", STATES, ids=str)
@pytest.mark.parametrize("old", STATES, ids=str)
def test_joins_and_leaves_agree_with_aiogram(old: dict[str, Any], new: dict[str, Any]) -> None:
    joins = JOIN_TRANSITION.check(old=_member(old), new=_member(new))
    leaves = LEAVE_TRANSITION.check(old=_member(old), new=_member(new))
    reading = parse(member(old, new))
    if not joins and not leaves:
        assert reading == Ignored("chat_member: no change of membership")
        return
    assert isinstance(reading, LeadEvent)
    assert (reading.kind is LeadEventKind.JOIN) == joins
    assert reading.was_member == leaves


def _member(member: dict[str, Any]) -> Any:
    """As much of a chat member as aiogram's transitions look at."""
    return SimpleNamespace(status=member["status"], is_member=member.get("is_member"))


@pytest.mark.parametrize(
    ("new", "by", "kind"),
    [
        ({"status": "left"}, ANNA, LeadEventKind.LEAVE),
        ({"status": "left"}, ADMIN, LeadEventKind.KICK),
        ({"status": "kicked"}, ADMIN, LeadEventKind.KICK),
        ({"status": "kicked"}, ANNA, LeadEventKind.KICK),
        ({"status": "restricted", "is_member": False}, ANNA, LeadEventKind.LEAVE),
        ({"status": "restricted", "is_member": False}, ADMIN, LeadEventKind.KICK),
    ],
)
def test_who_acted_tells_a_leave_from_a_kick(
    new: dict[str, Any], by: dict[str, Any], kind: LeadEventKind
) -> None:
    assert happening(member({"status": "member"}, new, by=by)).kind is kind


def test_a_join_belongs_to_the_member_and_not_to_the_admin_who_added_them() -> None:
    found = happening(member({"status": "left"}, {"status": "member"}, by=ADMIN))
    assert (found.kind, found.person.id) == (LeadEventKind.JOIN, ANNA["id"])


def test_a_bot_that_joins_is_no_lead() -> None:
    bot: dict[str, Any] = {"id": 99, "is_bot": True, "first_name": "Other bot"}
    new = {"status": "member", "user": bot}
    assert parse(member({"status": "left"}, new)) == Ignored("chat_member: a bot, not a person")


def test_an_unknown_member_status_is_ignored() -> None:
    reading = parse(member({"status": "left"}, {"status": "hologram"}))
    assert reading == Ignored("chat_member: unknown member status")


# evidence


LINK = {
    "invite_link": "https://t.me/+AbC",
    "name": "Ads, June",
    "creator": {"id": 99, "is_bot": True, "first_name": "Bot"},
    "creates_join_request": True,
}


def test_a_join_through_a_link_says_which() -> None:
    found = happening(member({"status": "left"}, {"status": "member"}, invite_link=LINK)).evidence
    assert found == Evidence("https://t.me/+AbC", "Ads, June", 99)


def test_a_request_says_where_the_bot_may_write_and_who_the_person_says_to_be() -> None:
    more = {"user_chat_id": 1 << 51, "bio": "I read", "query_id": "q1", "invite_link": LINK}
    change = {"chat": CHANNEL, "from": ANNA, "date": DATE, **more}
    assert happening({"update_id": 9, "chat_join_request": change}).evidence == Evidence(
        "https://t.me/+AbC", "Ads, June", 99, requested=True,
        user_chat=1 << 51, bio="I read", query="q1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("via_join_request", Evidence(requested=True)),
        ("via_chat_folder_invite_link", Evidence(via_folder=True)),
    ],
)
def test_a_join_without_a_link_says_if_it_was_by_request_or_folder(
    field: str, expected: Evidence
) -> None:
    new = {"status": "member"}
    assert happening(member({"status": "left"}, new, **{field: True})).evidence == expected
    assert happening(member({"status": "left"}, new, **{field: "yes"})).evidence is NO_EVIDENCE


_ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=400),
    st.lists(st.text(max_size=3), max_size=2), st.just("https://t.me/+AbC…"), st.just("x" * 5000),
)  # fmt: skip
_EVIDENCE_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "invite_link": _ODD
        | st.fixed_dictionaries(
            {},
            optional={
                "invite_link": _ODD,
                "name": _ODD,
                "creator": _ODD | st.fixed_dictionaries({}, optional={"id": _ODD}),
            },
        ),
        "via_join_request": _ODD,
        "via_chat_folder_invite_link": _ODD,
        "user_chat_id": _ODD,
        "bio": _ODD,
        "query_id": _ODD,
    },
)


@given(_EVIDENCE_FIELDS)
def test_whatever_stands_in_evidence_the_event_counts(odd: dict[str, Any]) -> None:
    joined = happening(member({"status": "left"}, {"status": "member"}, **odd))
    assert joined.kind is LeadEventKind.JOIN
    request = {"chat": CHANNEL, "from": ANNA, "date": DATE, **odd}
    for evidence in (
        joined.evidence,
        happening({"update_id": 9, "chat_join_request": request}).evidence,
    ):
        assert len(evidence.link) <= 255
        assert len(evidence.link_name) <= 32
        assert len(evidence.bio) <= 140
        assert len(evidence.query) <= 64
        assert 0 <= evidence.user_chat < 1 << 63
        assert evidence.link_key is None or len(evidence.link_key) == 32


# the bot itself


@pytest.mark.parametrize(("status", "reachable"), [("member", True), ("kicked", False)])
def test_blocking_the_bot_makes_a_person_unreachable(status: str, reachable: bool) -> None:
    reading = parse(my_member({"id": ANNA["id"], "type": "private"}, status))
    assert isinstance(reading, BotBlockedChanged)
    assert (reading.reachable, reading.person.id, reading.date) == (reachable, ANNA["id"], DATE)


@pytest.mark.parametrize("status", [state["status"] for state in STATES])
def test_the_rights_of_the_bot_follow_its_status(status: str) -> None:
    is_admin = status in ("creator", "administrator")
    expected = RightsChanged(-1001234567890, "My channel", "channel", is_admin, is_admin, DATE)
    assert parse(my_member(CHANNEL, status)) == expected


@pytest.mark.parametrize(
    ("member", "rights"),
    [
        ({"status": "administrator", "can_invite_users": True}, (True, True)),
        ({"status": "administrator", "can_invite_users": False}, (True, False)),
        ({"status": "administrator"}, (True, True)),
        ({"status": "creator", "can_invite_users": False}, (True, True)),
        ({"status": "member", "can_invite_users": True}, (False, False)),
        ({"status": "left"}, (False, False)),
        ({}, (False, False)),
    ],
)
def test_the_right_to_invite_is_read_beside_that_of_an_administrator(
    member: dict[str, Any], rights: tuple[bool, bool]
) -> None:
    assert read_rights(member) == rights


def test_a_chat_without_a_title_has_an_empty_one() -> None:
    reading = parse(my_member({"id": -3, "type": "group"}, "member"))
    assert reading == RightsChanged(-3, "", "group", is_admin=False, can_invite=False, date=DATE)


# chats that move


def test_both_ends_of_a_migration_tell_the_same() -> None:
    group, super_group = {"id": -5, "type": "group"}, {"id": -1005, "type": "supergroup"}
    moved = ChatMoved(-5, -1005)
    assert parse(start(chat=group, migrate_to_chat_id=-1005)) == moved
    assert parse(start(chat=super_group, migrate_from_chat_id=-5)) == moved


@pytest.mark.parametrize("target", [True, "x", None, 0.5, -5, 1 << 63])
def test_an_odd_migration_is_ignored(target: Any) -> None:
    group = {"id": -5, "type": "group"}
    assert isinstance(parse(start(chat=group, migrate_to_chat_id=target)), Ignored)


# everything else


def press(**changes: Any) -> dict[str, Any]:
    query = {"id": "4382bfdwdsb323b2d9", "from": ANNA, "chat_instance": "1", "data": "mute:7"}
    return {"update_id": 12, "callback_query": query | changes}


def test_a_pressed_button_says_who_pressed_what() -> None:
    reading = parse(press())
    assert isinstance(reading, ButtonPressed)
    assert (reading.person.id, reading.data) == (ANNA["id"], "mute:7")
    assert reading.query == "4382bfdwdsb323b2d9"


@pytest.mark.parametrize("data", [None, 7, ["mute:7"], {}])
def test_a_button_without_text_carries_nothing(data: Any) -> None:
    reading = parse(press(data=data))
    assert isinstance(reading, ButtonPressed)
    assert not reading.data


@pytest.mark.parametrize("update", [{}, {"update_id": 1}, {"update_id": 1, "oracle": {}}])
def test_an_unknown_kind_of_update_is_ignored(update: dict[str, Any]) -> None:
    reading = parse(update)
    assert isinstance(reading, Ignored)
    assert reading.reason.endswith("not a kind we follow")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["private", "channel", "member", "left", "kicked", "restricted", "/start x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
SAMPLES = [
    start(),
    start(chat={"id": -5, "type": "group"}, migrate_to_chat_id=-6),
    member({"status": "left"}, {"status": "restricted", "is_member": True}),
    my_member(CHANNEL, "administrator"),
    my_member({"id": 7, "type": "private"}, "kicked"),
    {"update_id": 9, "chat_join_request": {"chat": CHANNEL, "from": ANNA, "date": DATE}},
    press(),
]


def paths(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    return [path] * bool(path) + [found for key, v in inner for found in paths(v, (*path, key))]


@given(data=st.data(), junk=JSON)
def test_a_wrong_value_anywhere_is_read_without_an_exception(
    data: st.DataObject, junk: Any
) -> None:
    update = json.loads(json.dumps(data.draw(st.sampled_from(SAMPLES))))
    *way, last = data.draw(st.sampled_from(paths(update)))
    place = update
    for key in way:
        place = place[key]
    if data.draw(st.booleans()):
        place[last] = junk
    else:
        del place[last]
    reading = parse(update)
    assert isinstance(reading, updates.ParsedUpdate)
    for text in _texts(reading):
        assert "\0" not in text.encode().decode()


@given(st.dictionaries(st.text(), JSON) | st.dictionaries(st.sampled_from(list(SAMPLES[0])), JSON))
def test_any_object_is_read_without_an_exception(update: dict[str, Any]) -> None:
    assert isinstance(parse(update), updates.ParsedUpdate)


def _texts(value: Any) -> list[str]:
    texts = [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, LeadEvent | BotBlockedChanged | ButtonPressed):
        texts += _texts(value.person)
    return [text for text in texts if isinstance(text, str)]
