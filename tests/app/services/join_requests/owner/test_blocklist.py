"""Who is blocked in an account: once, by id or by name, and in no other account."""

import pytest

from app.errors import BadParameter, NotFound, PlanLimit
from app.services.join_requests.owner import blocklist
from app.services.lists import parts


def people(account_id):
    return [(row.subscriber, row.username) for row in blocklist.listed(account_id).rows]


def test_a_person_is_blocked_once(app, account, other):
    assert blocklist.add(account.id, " 7 ", "rude") == 1
    assert blocklist.add(account.id, "7") == 0
    assert blocklist.add(account.id, "@Ann") == 1
    assert blocklist.add(account.id, "ann") == 0
    assert people(account.id) == [(None, "ann"), (7, None)]
    assert people(other.id) == []


def test_a_list_adds_those_who_were_not_there(app, account):
    blocklist.add(account.id, "7")
    assert blocklist.add_all(account.id, "7\n8\n@ann,,rude\n8") == 2
    assert people(account.id) == [(None, "ann"), (8, None), (7, None)]


def test_an_id_is_blocked_whose_name_was_blocked_before_and_the_other_way_round(app, account):
    blocklist.add_all(account.id, "@ann\n8")
    assert blocklist.add_all(account.id, "7,ann\n8,bob\n7,bob") == 2
    assert people(account.id) == [(None, "bob"), (7, None), (8, None), (None, "ann")]
    assert blocklist.add_all(account.id, "7,ann\n8,bob\n9,bob\n9,carl\n9,carl") == 2
    assert people(account.id)[:2] == [(None, "carl"), (9, None)]


def test_a_list_with_a_wrong_line_adds_nobody(app, account):
    with pytest.raises(BadParameter) as caught:
        blocklist.add_all(account.id, "8\na b")
    assert caught.value.field == "csv"
    with pytest.raises(BadParameter) as caught:
        blocklist.add(account.id, "a b")
    assert caught.value.field == "person"
    assert people(account.id) == []


def test_only_an_own_entry_is_removed(app, account, other):
    blocklist.add(account.id, "7")
    (row,) = blocklist.listed(account.id).rows
    with pytest.raises(NotFound):
        blocklist.remove(other.id, row.id)
    blocklist.remove(account.id, row.id)
    assert people(account.id) == []


def test_an_account_blocks_no_more_than_its_share(app, account, monkeypatch):
    monkeypatch.setattr(blocklist, "MOST", 2)
    blocklist.add_all(account.id, "7\n8")
    with pytest.raises(PlanLimit):
        blocklist.add(account.id, "9")


def test_an_export_reads_all_of_them_by_parts(live_app, account, monkeypatch):
    monkeypatch.setattr(parts, "PART", 2)
    blocklist.add_all(account.id, "1\n2\n3\n4\n5")
    read = [[row.subscriber for row in rows] for rows in blocklist.read_all(account.id)]
    assert read == [[5, 4], [3, 2], [1]]
