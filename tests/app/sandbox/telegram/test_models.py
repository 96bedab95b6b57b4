"""What the double gives is what Telegram gives: two libraries' models of it take it whole."""

import itertools
from typing import Any

import aiogram.types
import pytest
import telegram
from pydantic import TypeAdapter

from app.sandbox.telegram import people
from app.sandbox.telegram.bot.update_kinds import KINDS
from app.sandbox.telegram.chat_members import STATUSES
from tests.app.sandbox.conftest import TOKEN
from tests.support import bot_api

ANN = people.Person(2**52 - 1, "Ann", "Lee", username="ann", language="de", premium=True)
BO = people.Person(7, "Bo", language="")
CHATS = [people.Chat(-100123, "C", "channel"), people.Chat(-5, "G", "group"),
         people.Chat(-1005, "S", "supergroup")]  # fmt: skip
STARS = {
    "currency": "XTR",
    "total_amount": 5,
    "invoice_payload": "p",
    "telegram_payment_charge_id": "c",
    "provider_payment_charge_id": "",
}


def all_updates() -> list[dict[str, Any]]:
    """At least one of each kind that the double makes, of people with and without all fields."""
    updates = [
        bot_api.migrated(CHATS[1], CHATS[2]),
        bot_api.migrated_from(CHATS[1], CHATS[2]),
    ]
    for person in (ANN, BO):
        updates += [
            people.text(person, "hello"),
            people.start(person, "abc-x"),
            people.successful_payment(person, STARS),
            people.refunded_payment(person, STARS),
            people.bot_blocked(person),
            people.bot_unblocked(person),
        ]
        for chat in CHATS:
            updates += [
                people.join_request(person, chat),
                people.join_request(person, chat, link="https://t.me/+abc", bio="I am new"),
                people.join(person, chat, how=people.by_link("https://t.me/+abc")),
                people.join(person, chat, how=people.BY_REQUEST),
                people.join(person, chat, how=people.BY_FOLDER),
                people.kick(person, chat),
                people.bot_rights(chat, True),
                people.bot_rights(chat, False),
                *(
                    people.member(person, chat, old, new, by=people.ADMIN)
                    for old, new in itertools.product(STATUSES, repeat=2)
                ),
            ]
    return [{"update_id": number} | update for number, update in enumerate(updates, 1)]


def taken(kind: Any, value: Any) -> None:
    """Validate by both libraries; `kind` names a model of both."""
    TypeAdapter(getattr(aiogram.types, kind)).validate_python(value)
    assert getattr(telegram, kind).de_json(value, None) is not None


def test_every_update_is_taken_by_both_libraries() -> None:
    for update in all_updates():
        taken("Update", update)


def test_the_double_knows_every_kind_of_update() -> None:
    assert set(aiogram.types.Update.model_fields) - {"update_id"} == set(KINDS)


@pytest.mark.parametrize(
    ("method", "params", "kind"),
    [
        ("getMe", {}, "User"),
        ("getWebhookInfo", {}, "WebhookInfo"),
        ("sendMessage", {"chat_id": 7, "text": "hi"}, "Message"),
        ("sendMessage", {"chat_id": -1005, "text": "*hi*", "parse_mode": "Markdown"}, "Message"),
        ("sendPhoto", {"chat_id": 7, "photo": "file-id", "caption": "look"}, "Message"),
        ("sendVideo", {"chat_id": 7, "video": "file-id"}, "Message"),
        ("createChatInviteLink", {"chat_id": -1005, "name": "ads"}, "ChatInviteLink"),
        ("createChatInviteLink", {"chat_id": -1005, "member_limit": 1}, "ChatInviteLink"),
    ],
)
def test_every_answer_is_taken_by_both_libraries(
    bot: Any, method: str, params: dict[str, Any], kind: str
) -> None:
    taken(kind, bot(method, **params)["result"])


def test_an_answer_has_what_was_sent(bot: Any) -> None:
    bold = {"type": "bold", "offset": 0, "length": 2}
    sent = bot("sendMessage", chat_id=7, text="hi", entities=[bold])["result"]
    assert sent["entities"] == [bold]
    film = bot("sendVideo", chat_id=7, video="f", caption="hi", caption_entities=[bold])["result"]
    assert (film["caption"], film["caption_entities"]) == ("hi", [bold])
    assert "caption" not in bot("sendVideo", chat_id=7, video="f")["result"]
    assert film["video"]["duration"] > 0


def test_invoices_and_the_checkout_are_taken_by_both_libraries(bot: Any, double: Any) -> None:
    prices = [{"label": "Plan", "amount": 5}]
    terms = {"title": "Plan", "description": "d", "payload": "p", "currency": "XTR"}
    sent = bot("sendInvoice", chat_id=7, prices=prices, **terms)["result"]
    taken("Message", sent)
    double.pay(TOKEN, f"7/{sent['message_id']}", BO)
    [asked] = bot("getUpdates")["result"]
    taken("Update", asked)
    bot("answerPreCheckoutQuery", pre_checkout_query_id=asked["pre_checkout_query"]["id"], ok=True)
    for update in bot("getUpdates")["result"]:
        taken("Update", update)
