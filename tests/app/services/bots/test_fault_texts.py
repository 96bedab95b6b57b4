"""Every fault of a bot has a sentence that says what to do, in every language."""

import pytest

from app.models import BotFaultKind
from app.services.bots import fault_texts
from app.translations import LANGUAGES, use_language

CASES = [(kind, False) for kind in BotFaultKind] + [(BotFaultKind.WEBHOOK, True)]


def test_each_fault_has_words_of_its_own_in_each_language(app):
    texts = set()
    for lang in LANGUAGES:
        with use_language(lang), app.test_request_context():
            texts |= {
                fault_texts.describe(kind, bot="b", title="News", gave_up=gave_up)
                for kind, gave_up in CASES
            }
            texts |= {
                fault_texts.describe_end(kind, bot="b", title="News") for kind in BotFaultKind
            }
    assert len(texts) == len(LANGUAGES) * (len(CASES) + len(BotFaultKind))


@pytest.mark.parametrize(("kind", "gave_up"), CASES)
def test_the_bot_is_named_and_the_chat_if_it_is_about_one(app, kind, gave_up):
    text = fault_texts.describe(kind, bot="flowers_bot", title="News", gave_up=gave_up)
    assert "@flowers_bot" in text
    assert ("News" in text) == (kind in (BotFaultKind.RIGHTS, BotFaultKind.INVITE))
    assert "@flowers_bot" in fault_texts.describe_end(kind, bot="flowers_bot", title="News")
