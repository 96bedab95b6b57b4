"""A list as a file takes a place among the account's exports, and gives it back."""

import pytest

from app.services.accounts.concurrent_calls import EXPORTS


@pytest.mark.parametrize(("path", "name"), [("leads", "leads.csv"), ("events", "events.csv")])
def test_a_file_has_a_name_and_its_place_is_free_when_it_was_read(
    client, account, monkeypatch, path, name
):
    held = []
    begin = EXPORTS.begin

    def counted(account_id):
        held.append(account_id)
        end = begin(account_id)
        return lambda: (held.clear(), end())

    monkeypatch.setattr(EXPORTS, "begin", counted)
    answer = client.get(
        f"/api/{path}/export.json", headers={"Authorization": f"Bearer {account.key}"}
    )
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert held == [account.id]
    assert answer.get_data(as_text=True).startswith("id,")
    answer.close()
    assert held == []
