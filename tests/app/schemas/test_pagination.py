import pytest

from app.extensions import db
from app.models import Postback


def _ids(answer):
    return [row["id"] for row in answer["data"]]


def test_a_walk_by_before_is_not_moved_by_new_leads(api, world):
    campaign = world.campaign()
    leads = [world.lead(campaign) for _ in range(5)]
    seen = _ids(api.get("leads/list", limit=2))
    world.lead(campaign)
    while part := _ids(api.get("leads/list", limit=2, before=seen[-1])):
        seen += part
    assert seen == leads[::-1]


def test_a_limit_beyond_the_most_is_cut(api, world):
    campaign = world.campaign()
    for _ in range(3):
        world.lead(campaign)
    assert len(_ids(api.get("leads/list", limit=100000))) == 3


@pytest.mark.parametrize("path", ["leads/list", "postbacks/list", "journal/list"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("limit", "0"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", "1e3"),
        ("limit", ""),
        ("offset", "-1"),
        ("offset", "9" * 30),
        ("from", "2026-01-01"),
        ("to", "NaN"),
        ("before", "0"),
    ],
)
def test_a_wrong_filter_is_named(api, world, path, field, value):
    answer = api.get(path, **{"bot": world.bot(), "chat": -1, field: value})
    assert (answer["error"], answer["field"]) == ("param", field)


def test_filters_of_the_largest_integers_find_nothing(api):
    query = {"from": -(2**63), "to": 2**63 - 1, "offset": 2**63 - 1}
    for path in ("leads/list", "postbacks/list"):
        assert api.get(path, **query) == {"status": "ok", "data": [], "total": 0}
        assert api.get(path, campaign=2**63 - 1)["error"] == "notfound"


def _state(postback):
    db.session.expire_all()
    row = db.session.get(Postback, postback)
    return row.state, row.occurrence


@pytest.mark.parametrize(
    ("verb", "path", "kind"),
    [
        ("get", "leads/get", "lead"),
        ("get", "postbacks/get", "postback"),
        ("post", "postbacks/resend", "postback"),
    ],
)
def test_anothers_object_and_a_missing_one_are_the_same(api, others_world, verb, path, kind):
    if kind == "lead":
        foreign = others_world.lead(others_world.campaign())
    else:
        foreign = others_world.postback(others_world.destination())
    call = getattr(api, verb)
    assert call(path, id=foreign) == call(path, id=10**12)
    assert call(path, id=foreign)["error"] == "notfound"


def test_lists_never_show_anothers_rows(api, others_world):
    campaign = others_world.campaign()
    lead = others_world.lead(campaign)
    dest = others_world.destination()
    postback = others_world.postback(dest, lead_id=lead)
    bot = others_world.bot()
    others_world.entry(bot, -5)
    nothing = {"status": "ok", "data": [], "total": 0}
    assert api.get("leads/list") == nothing
    assert api.get("postbacks/list") == nothing
    for path, query in (
        ("leads/list", {"campaign": campaign}),
        ("leads/list", {"before": lead}),
        ("leads/export", {"campaign": campaign}),
        ("postbacks/list", {"campaign": campaign}),
        ("postbacks/list", {"dest": dest}),
        ("postbacks/list", {"lead": lead}),
        ("postbacks/list", {"before": postback}),
    ):
        missing = dict.fromkeys(query, 10**9)
        assert api.get(path, **query) == api.get(path, **missing)
        assert api.get(path, **query)["error"] == "notfound"
    assert api.get("camp/list") == {"status": "ok", "data": []}
    assert api.get("journal/list", bot=bot, chat=-5)["error"] == "notfound"
    assert api.get("journal/list", bot=10**9, chat=-5)["error"] == "notfound"
    assert api.post("postbacks/resend", dest=dest)["error"] == "notfound"
    assert _state(postback) == (4, 0)
