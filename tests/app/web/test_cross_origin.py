"""Pages of named origins call the API with a key; pages of others cannot read an answer."""

import pytest

from app.config import BadSetting, Settings

NAMED = "https://panel.example"
ASKS = {"Access-Control-Request-Method": "POST", "Origin": NAMED}


@pytest.fixture
def named(change_settings):
    change_settings(cors_origins=(NAMED, "http://localhost:5173"))


def test_a_page_of_a_named_origin_may_ask_and_read(client, account, named):
    preflight = client.options("/api/camp/add.json", headers=ASKS)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == NAMED
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]
    headers = {"Origin": NAMED, "Authorization": f"Bearer {account.key}"}
    answer = client.get("/api/camp/list.json", headers=headers)
    assert answer.get_json()["status"] == "ok"
    assert answer.headers["Access-Control-Allow-Origin"] == NAMED
    assert "Origin" in answer.headers["Vary"]
    refused = client.get("/api/camp/list.json", headers={"Origin": NAMED})
    assert refused.headers["Access-Control-Allow-Origin"] == NAMED, "also why it was refused"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{NAMED}.evil.example", "null", "", "HTTPS://PANEL.EXAMPLE"]
)
def test_a_page_of_another_origin_reads_nothing(client, account, named, origin):
    headers = {"Origin": origin, "Authorization": f"Bearer {account.key}"}
    for answer in (
        client.get("/api/camp/list.json", headers=headers),
        client.options("/api/camp/add.json", headers=ASKS | {"Origin": origin}),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_cookies_are_of_no_use_to_any_page_and_other_paths_are_not_opened(client, named):
    for path in ("/api/camp/list.json", "/login", "/metrics"):
        answer = client.get(path, headers={"Origin": NAMED})
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert ("Access-Control-Allow-Origin" in answer.headers) == path.startswith("/api/")


def test_without_the_setting_nothing_is_said(client):
    answer = client.options("/api/camp/add.json", headers=ASKS)
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]
    assert answer.get_json()["error"] == "func"


@pytest.mark.parametrize(
    "text", ["*", "panel.example", "https://panel.example/", "https://a.example/x", "null",
             "https://u@a.example", "ftp://a.example", "https://a.example?x"],
)  # fmt: skip
def test_what_is_no_origin_ends_the_start_by_name(text):
    needed = {"REDIS_URL": "redis://localhost", "SECRET_KEY": "0123456789abcdef"}
    with pytest.raises(BadSetting, match=r"^CORS_ORIGINS: "):
        Settings.from_environment(needed | {"CORS_ORIGINS": text})
    both = Settings.from_environment(needed | {"CORS_ORIGINS": "https://a.example, http://b:81"})
    assert both.cors_origins == ("https://a.example", "http://b:81")
