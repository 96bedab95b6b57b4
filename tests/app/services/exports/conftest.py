"""Files that are asked for and written, of lists that are read by twos."""

import time

import pytest

from app.models import ExportKind
from app.services.exports import prepared
from app.services.lists import parts


@pytest.fixture
def ask(account, monkeypatch):
    """`ask(kind=…, zone=…, campaign=3)`: the id of a new file; of leads where no kind is said."""
    monkeypatch.setattr(parts, "PART", 2)

    def ask(*, of=None, kind=ExportKind.LEADS, zone="UTC", estimate=None, now=None, **filters):
        return prepared.add(
            of or account.id, kind, filters, query="", zone=zone, estimate=estimate,
            now=time.time() if now is None else now,
        )  # fmt: skip

    return ask


@pytest.fixture
def people(world):
    """`people(5)`: so many leads of a new campaign, whose id it returns."""

    def make(count, **fields):
        campaign = world.campaign()
        for number in range(count):
            world.lead(campaign, click=f"click{number}", **fields)
        return campaign

    return make
