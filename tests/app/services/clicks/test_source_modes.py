"""What a source may be set to, and what its owner is warned of."""

import pytest

from app.errors import BadParameter
from app.models import SourceFallback, SourceMode
from app.services.clicks import source_modes

BY_LINK = [SourceMode.INVITE, SourceMode.REQUEST, SourceMode.NAMED]


@pytest.fixture
def campaign(world):
    """`campaign(username="club")`: a campaign whose chat is known so."""

    def make(**chat):
        bot = world.bot(username="trackbot")
        chat_id = world.chat(bot, **chat) if chat else -5
        return world.campaign(bot_id=bot, chat_id=chat_id)

    return make


@pytest.mark.parametrize("mode", SourceMode)
def test_links_of_a_public_chat_are_refused_unless_they_are_forced(campaign, mode):
    public = campaign(username="club")
    if mode in BY_LINK:
        with pytest.raises(BadParameter, match="public"):
            source_modes.check(public, mode, force=False)
        source_modes.check(public, mode, force=True)
        assert "Telegram does not tell" in source_modes.warnings(public, mode, 1)[0]
    else:
        source_modes.check(public, mode, force=False)
        assert source_modes.warnings(public, mode, 1) == []


@pytest.mark.parametrize("mode", SourceMode)
def test_a_private_chat_may_have_every_kind(campaign, mode):
    private = campaign(title="Club")
    source_modes.check(private, mode, force=False)
    assert source_modes.warnings(private, mode, SourceFallback.NAMED) == []


@pytest.mark.parametrize("chat", [{"can_invite": False}, {"is_admin": False}])
@pytest.mark.parametrize("mode", BY_LINK)
def test_a_bot_without_the_right_is_warned_of_by_its_name(campaign, chat, mode):
    (warning,) = source_modes.warnings(campaign(**chat), mode, SourceFallback.START)
    assert warning.startswith("@trackbot may not invite")


def test_a_named_fallback_needs_the_right_too_and_a_start_link_never(campaign):
    lacking = campaign(can_invite=False)
    assert source_modes.warnings(lacking, SourceMode.AUTO, SourceFallback.NAMED)
    assert not source_modes.warnings(lacking, SourceMode.START, SourceFallback.NAMED)


def test_what_is_not_known_of_a_chat_is_not_warned_of(campaign):
    assert source_modes.warnings(campaign(), SourceMode.INVITE, SourceFallback.START) == []
