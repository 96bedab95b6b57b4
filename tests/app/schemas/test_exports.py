"""Fields of exports/*: the filters are those of the list that is asked for."""

import pytest
from marshmallow import ValidationError

from app.models import ExportKind, RequestState
from app.schemas.exports import ExportAdd


def test_filters_are_read_as_the_list_reads_them():
    sent = {"kind": "requests", "filters": '{"state": "waiting", "premium": true, "from": 5}'}
    loaded = ExportAdd().load(sent)
    assert loaded["kind"] is ExportKind.REQUESTS
    assert loaded["filters"] == {"state": RequestState.WAITING, "premium": True, "since": 5}
    assert loaded["query"] == "state=waiting&premium=true&from=5"


def test_without_filters_it_is_the_whole_list():
    loaded = ExportAdd().load({"kind": "postbacks"})
    assert loaded == {"kind": ExportKind.DELIVERIES, "filters": {}, "query": ""}


def test_a_wrong_filter_is_named_under_filters():
    with pytest.raises(ValidationError) as caught:
        ExportAdd().load({"kind": "journal", "filters": {"bot": 1}})
    assert list(caught.value.messages["filters"]) == ["chat"]
