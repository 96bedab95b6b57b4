"""Muting a campaign silences the events of its leads, and nothing else."""

from app.models import NoticeKind
from plugins.contract import EventKind


def test_the_notices_of_leads_are_named_like_the_events_that_trackers_hear():
    of_leads = {kind.value for kind in NoticeKind if kind.is_of_a_lead}
    assert of_leads == {kind.value for kind in EventKind}
