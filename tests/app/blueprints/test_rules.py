"""rules/*: set as a whole, listed, tried."""


def test_rules_are_set_listed_and_tried(api, world):
    campaign = world.campaign()
    request = world.request(campaign, subscriber=7, premium=True)
    rules = [{"action": "approve", "conditions": {"premium": True}, "delay_to": 60}]
    set_ = api.post("rules/set", campaign=campaign, rules=rules)["data"]
    assert set_ == api.get("rules/list", campaign=campaign)["data"]
    assert set_ == [
        {
            "id": set_[0]["id"], "position": 1, "conditions": {"premium": True},
            "action": "approve", "otherwise": "hold", "delay_from": 0, "delay_to": 60,
            "note": "", "hits": 0, "enabled": True,
        }
    ]  # fmt: skip
    assert api.post("rules/try", campaign=campaign)["data"] == [
        {
            "id": request, "subscriber": 7, "username": "alice", "state": "waiting",
            "action": "approve", "position": 1,
        }
    ]  # fmt: skip
    tried = api.post("rules/try", campaign=campaign, rules=[])["data"]
    assert (tried[0]["action"], tried[0]["position"]) == ("hold", 0)


def test_another_accounts_campaign_is_not_found(api, others_world):
    theirs = others_world.campaign()
    assert api.get("rules/list", campaign=theirs)["error"] == "notfound"
    assert api.post("rules/set", campaign=theirs, rules=[])["error"] == "notfound"
    assert api.post("rules/try", campaign=theirs)["error"] == "notfound"
