"""What is shown of a lead in a list and alone, and which leads can be asked for."""

from types import SimpleNamespace

import pytest
from marshmallow import ValidationError

from app.domain.attribution import How
from app.domain.lead import State
from app.schemas.leads import LeadDetail, LeadOut, LeadsExport, LeadsList

LEAD = SimpleNamespace(
    id=1, campaign_id=2, subscriber=3, username="ann", click="c1", state=State.HOLD,
    start_time=86_400, join_time=None, updated=86_401, first_name="Ann", last_name="Lee",
    language="en", premium=True, reports=7, how=How.LINK, source_id=None, touched=86_401,
    also_seen="c0",
)  # fmt: skip


def test_a_row_of_the_list_names_the_person_by_number_and_username_only():
    assert LeadOut().dump(LEAD) == {
        "id": 1, "campaign": 2, "subscriber": 3, "username": "ann", "click": "c1", "status": 1,
        "start_time": "1970-01-02 00:00:00", "join_time": "0000-00-00 00:00:00",
        "updated": "1970-01-02 00:00:01", "how": "link", "confidence": "click",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        (How.ORGANIC, ("", "")),
        (How.START, ("start", "click")),
        (How.REQUEST, ("request", "click")),
        (How.FORWARDED, ("forwarded", "source")),
        (How.NAMED, ("named", "source")),
        (How.OTHER, ("other", "")),
    ],
)
def test_a_row_tells_what_is_known_of_where_the_person_came_from(how, shown):
    row = LeadOut().dump(SimpleNamespace(**{**vars(LEAD), "how": how}))
    assert (row["how"], row["confidence"]) == shown


def test_one_lead_is_shown_with_what_came_of_it():
    entry = {"id": 5, "lead_id": 1, "decision": "hold"}
    shown = LeadDetail().dump(SimpleNamespace(lead=LEAD, journal=[entry], postbacks=[]))
    assert LeadOut().dump(LEAD).items() <= shown.items()
    assert (shown["first_name"], shown["premium"]) == ("Ann", True)
    evidence = [shown[name] for name in ("how", "source", "touched", "also_seen")]
    assert evidence == ["link", 0, "1970-01-02 00:00:01", "c0"]
    assert shown["journal"] == [{"id": 5, "lead": 1, "type": "paid", "decision": "hold"}]
    assert shown["postbacks"] == []
    assert "reports" not in shown


@pytest.mark.parametrize("schema", [LeadsExport, LeadsList])
def test_a_filter_takes_every_state_of_a_lead_and_no_other(schema):
    for state in State:
        assert schema().load({"status": str(int(state))})["status"] == state
    for wrong in (min(State) - 1, max(State) + 1):
        with pytest.raises(ValidationError, match="status"):
            schema().load({"status": wrong})


def test_an_export_has_no_pages():
    assert LeadsExport().load({"limit": 2, "offset": 1, "campaign": 5}) == {"campaign": 5}
    assert LeadsList().load({"limit": 2}) == {"limit": 2, "offset": 0}
