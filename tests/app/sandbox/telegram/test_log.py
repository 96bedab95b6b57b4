"""The log tells who called what, and what was sent."""

from app.sandbox.telegram.log import Call, Log


def test_calls_are_told_by_bot_and_method_oldest_first():
    log = Log()
    calls = [
        Call(1.0, "1:a", "getMe", {}),
        Call(2.0, "2:b", "getMe", {}),
        Call(3.0, "1:a", "x", {}),
    ]
    for call in calls:
        log.add_call(call)
    assert log.calls() == calls
    assert log.calls("1:a") == [calls[0], calls[2]]
    assert log.calls(None, "getMe") == calls[:2]
    assert log.calls("2:b", "x") == []


def test_messages_are_told_by_bot(bot, double):
    double.add_bot("9:z", "other_bot")
    bot("sendMessage", chat_id=77, text="hello")
    assert [message.text for message in double.sent()] == ["hello"]
    assert double.sent("9:z") == []
