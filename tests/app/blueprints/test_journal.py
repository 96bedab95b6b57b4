"""What journal/list shows and asks for."""

from app.models import Action
from tests.support.exports import as_text, exported

NOON = 1_780_000_000


def _ids(answer):
    return [row["id"] for row in answer["data"]]


def test_a_journal_row_has_every_documented_field(api, world):
    bot = world.bot(status=3)
    paid = world.entry(
        bot, -5, lead_id=12, campaign_id=7, username="al", decision="x", arrival=1, link_name="Ads"
    )
    organic = world.entry(bot, -5, action=2, time=NOON + 5)
    world.entry(bot, -6)
    answer = api.get("journal/list", bot=bot, chat=-5)
    assert answer["total"] == 2
    assert _ids(answer) == [organic, paid]
    assert answer["data"][1] == {
        "id": paid,
        "bot": bot,
        "chat": -5,
        "subscriber": 5,
        "username": "al",
        "action": 1,
        "type": "paid",
        "campaign": 7,
        "lead": 12,
        "time": "2026-05-28 20:26:40",
        "how": "link",
        "link_name": "Ads",
    }
    assert (answer["data"][0]["type"], answer["data"][0]["lead"]) == ("organic", 0)
    assert (answer["data"][0]["how"], answer["data"][0]["link_name"]) == ("", "")
    assert _ids(api.get("journal/list", bot=bot, chat=-5, action=2)) == [organic]
    assert _ids(api.get("journal/list", bot=bot, chat=-5, to=NOON)) == [paid]
    for action in (0, max(Action) + 1):
        wrong = api.get("journal/list", bot=bot, chat=-5, action=action)
        assert wrong["field"] == "action"


def test_bot_and_chat_are_named_together(api, world):
    for path in ("journal/list", "journal/export"):
        assert api.get(path, chat=-5)["field"] == "bot"
        missing = api.get(path, bot=world.bot())
        assert missing["field"] == "chat"
        assert missing["message"] == "chat: is required beside bot"


def test_without_bot_and_chat_the_journal_is_that_of_all_bots(
    api, client, account, world, others_world
):
    first = world.entry(world.bot(), -5, time=NOON)
    third = world.entry(world.bot(), -6, action=2, time=NOON + 2)
    second = world.entry(world.bot(status=3), -7, time=NOON + 1)
    others_world.entry(others_world.bot(), -8)
    answer = api.get("journal/list")
    assert answer["total"] == 3
    assert _ids(answer) == [third, second, first]
    assert _ids(api.get("journal/list", before=third, limit=1)) == [second]
    assert _ids(api.get("journal/list", offset=2)) == [first]
    assert _ids(api.get("journal/list", action=2)) == [third]
    found = api.get("journal/list", **{"from": NOON, "to": NOON + 1})
    assert (found["total"], _ids(found)) == (2, [second, first])
    assert exported(client, account, "journal") == as_text(answer["data"])


def test_the_export_of_a_journal_is_its_list_in_csv(api, client, account, world):
    bot = world.bot()
    for number in range(3):
        world.entry(bot, -5, username='a,"b', action=1 + number % 2, time=NOON + number)
    world.entry(bot, -6)
    for chosen in ({}, {"action": 2}, {"from": NOON + 1, "to": NOON + 1}):
        here = {"bot": bot, "chat": -5, **chosen}
        listed = api.get("journal/list", **here)["data"]
        assert listed
        assert exported(client, account, "journal", **here) == as_text(listed)


def test_nobody_exports_the_journal_of_another_account(api, others_world):
    others_world.entry(bot := others_world.bot(), -5)
    assert api.get("journal/export", bot=bot, chat=-5)["error"] == "notfound"
