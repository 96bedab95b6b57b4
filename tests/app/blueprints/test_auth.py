"""A login is polled by anyone, and a session is ended by itself only."""

NONCE = "n" * 20


def test_a_poll_needs_no_key_and_its_answer_is_kept_by_nobody(client):
    response = client.get("/api/auth/poll.json", query_string={"nonce": NONCE})
    assert response.get_json() == {"status": "ok", "pending": True}
    assert response.headers["Cache-Control"] == "no-store"


def test_the_cookie_is_for_this_browser_and_no_script(client, change_settings):
    change_settings(public_url="https://gate.example")
    response = client.get("/api/auth/poll.json", query_string={"nonce": NONCE})
    (cookie,) = response.headers.getlist("Set-Cookie")
    for attribute in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/api/auth"):
        assert attribute in cookie
    again = client.get("/api/auth/poll.json", query_string={"nonce": "another-nonce-here"})
    assert "Set-Cookie" not in again.headers


def test_a_nonce_of_a_wrong_form_is_named(client):
    answer = client.get("/api/auth/poll.json", query_string={"nonce": "short"}).get_json()
    assert (answer["error"], answer["field"]) == ("param", "nonce")


def test_a_logout_ends_the_session_that_asks_and_with_everywhere_all_of_them(api, new_session):
    first, second, third = new_session(), new_session(), new_session()
    assert api(first).post("auth/logout") == {"status": "ok"}
    assert api(first).post("auth/logout")["error"] == "key"
    assert api(second).post("auth/logout", everywhere=1) == {"status": "ok"}
    assert api(third).get("profile/login")["error"] == "key"


def test_a_key_cannot_log_out(api):
    assert api.post("auth/logout")["error"] == "key"
    assert api.get("profile/info")["status"] == "ok"
