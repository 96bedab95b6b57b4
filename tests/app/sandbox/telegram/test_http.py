"""From HTTP to parameters."""

import pytest

from tests.app.sandbox.conftest import TOKEN


@pytest.mark.parametrize("how", ["json", "form", "multipart", "query"])
def test_parameters_come_in_every_way(double, session, how):
    url, params = f"{double.url}/bot{TOKEN}/sendMessage", {"chat_id": "77", "text": "hello"}
    ways = {
        "json": {"json": params},
        "form": {"data": params},
        "multipart": {"files": {name: (None, value) for name, value in params.items()}},
        "query": {"params": params},
    }
    assert session.post(url, timeout=5, **ways[how]).json()["ok"]
    assert [(one.chat_id, one.text) for one in double.sent(TOKEN)] == [(77, "hello")]
