"""Whoever gives says to whom, what, and whether the leads go along."""

import pytest
from marshmallow import ValidationError

from app.schemas.transfer import BotTransfer, CampaignTransfer, Recipient

WHOLE = {"token": "t0ken", "id": "5", "leads": "1"}


@pytest.mark.parametrize("schema", [BotTransfer, CampaignTransfer])
@pytest.mark.parametrize("missing", WHOLE)
def test_what_becomes_of_the_leads_is_never_guessed_nor_anything_else(schema, missing):
    assert schema().load(WHOLE) == {"token": "t0ken", "id": 5, "leads": True}
    with pytest.raises(ValidationError) as caught:
        schema().load({name: value for name, value in WHOLE.items() if name != missing})
    assert caught.value.messages_dict == {missing: ["is required"]}


def test_a_campaign_may_be_given_to_a_certain_bot():
    assert CampaignTransfer().load({**WHOLE, "bot": "7"})["bot"] == 7
    assert "bot" not in BotTransfer().load({**WHOLE, "bot": "7"})


@pytest.mark.parametrize("token", ["", "x" * 129, 7, None])
def test_a_recipient_is_named_by_a_token(token):
    with pytest.raises(ValidationError, match="token"):
        Recipient().load({"token": token})
