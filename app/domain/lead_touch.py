"""What a touch changes of a lead: its click, its source, and how both are known."""

from dataclasses import replace

from app.domain.attribution import NO_TOUCH, How, Touch, deciding
from app.domain.clicks.click_ids import is_unreplaced
from app.domain.lead import Lead, Words
from app.domain.telegram.updates import LeadEvent


def touch_of(start: LeadEvent) -> Touch:
    """Return the touch of a start; one without a usable click is none."""
    if not start.click or is_unreplaced(start.click):
        return NO_TOUCH
    return Touch(How.START, start.date, start.click, start.source_id, start.click_id)


def with_touch(lead: Lead, touch: Touch | None) -> Lead:
    """Return the lead after a touch: with its click and source if it decides over the earlier one.

    The click of a start that a link overrules stays as `also_seen`.
    """
    if touch is None:
        return lead
    before = Touch(lead.how, lead.touched, lead.click, lead.source_id, lead.click_id)
    after = deciding(before, touch)
    overruled = touch if after is before else before
    also_seen = "" if after.how is How.START else lead.also_seen
    if overruled.how is How.START is not after.how and overruled.click != after.click:
        also_seen = overruled.click
    return replace(
        lead,
        click=after.click,
        source_id=after.source_id,
        click_id=after.click_id,
        how=after.how,
        touched=after.at,
        also_seen=also_seen,
    )


def note_of_start(start: LeadEvent, click: str) -> str:
    """What the journal adds if a start brings no click; `click` is the lead's own."""
    if start.token and not start.click:
        note = Words.NO_CLICK_OF_TOKEN
    elif is_unreplaced(start.click):
        note = Words.UNREPLACED
    elif click and not start.click:
        note = Words.NO_CLICK
    else:
        return ""
    return f"; {Words.EARLIER_STAYS % {'note': note} if click else note}"
