"""Other processes drive the double over HTTP."""

from app.sandbox.telegram import people
from tests.app.sandbox.conftest import TOKEN

ANN = people.Person(77, username="ann")
BEN = people.Person(78)
CHANNEL = people.Chat(-1001234567890, "A channel")


def test_other_processes_drive_it_over_http(double, session):
    base, token = f"{double.url}/sandbox", "9:z"

    def post(path, **body):
        return session.post(f"{base}/{path}", json={"token": token, **body}, timeout=60)

    assert post("bots", username="new_bot").ok
    assert post("push", update=people.start(ANN)).json()[0] > 0
    assert session.get(f"{base}/pending", params={"token": token}, timeout=60).json() == 1
    assert post("fail", method="sendMessage", fault="blocked").ok
    assert post("fail", method="sendMessage", fault="gremlins").status_code == 400
    send = f"{double.url}/bot{token}/sendMessage"
    assert session.post(send, json={"chat_id": 1, "text": "x"}, timeout=60).status_code == 403
    assert session.post(send, json={"chat_id": 1, "text": "x"}, timeout=60).ok
    assert [one["text"] for one in session.get(f"{base}/sent", timeout=60).json()] == ["x"]
    assert session.get(f"{base}/state", timeout=60).json() == {"violations": [], "failures": {}}


def test_requests_are_shown_and_withdrawn_over_http(double, session):
    base, query = f"{double.url}/sandbox", {"token": TOKEN, "chat": CHANNEL.id}

    def waiting():
        return session.get(f"{base}/requests", params=query, timeout=60).json()

    double.push(TOKEN, people.join_request(BEN, CHANNEL))
    assert waiting() == [BEN.id]
    body = {**query, "person": BEN.id}
    answers = [session.post(f"{base}/withdraw", json=body, timeout=60).json() for _ in range(2)]
    assert (answers, waiting()) == ([True, False], [])
    assert session.get(f"{base}/requests", params={"token": TOKEN}, timeout=60).status_code == 400
