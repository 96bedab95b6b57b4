"""blocked/*: in, out, and as CSV."""


def test_people_are_blocked_listed_and_let_go(api):
    assert api.post("blocked/add", person="7", reason="rude")["data"] == {"count": 1}
    assert api.post("blocked/import", csv="8\n@ann")["data"] == {"count": 2}
    answer = api.get("blocked/list")
    assert answer["total"] == 3
    assert [(row["subscriber"], row["username"]) for row in answer["data"]] == [
        (0, "ann"), (8, ""), (7, ""),
    ]  # fmt: skip
    assert api.get("blocked/list", before=answer["data"][1]["id"])["data"][0]["reason"] == "rude"
    assert api.post("blocked/del", id=answer["data"][0]["id"]) == {"status": "ok"}
    assert api.get("blocked/list")["total"] == 2


def test_what_is_exported_can_be_imported_again(api, client, account):
    api.post("blocked/import", csv="8\n@ann")
    bearer = {"Authorization": f"Bearer {account.key}"}
    text = client.get("/api/blocked/export.json", headers=bearer).get_data(as_text=True)
    assert text == "subscriber,username,reason\r\n,ann,\r\n8,,\r\n"
    for row in api.get("blocked/list")["data"]:
        api.post("blocked/del", id=row["id"])
    assert api.post("blocked/import", csv=text)["data"] == {"count": 2}


def test_a_wrong_line_is_named(api):
    answer = api.post("blocked/import", csv="8\na b")
    assert (answer["error"], answer["field"]) == ("param", "csv")
    assert answer["message"] == "csv: line 2: is neither the id nor the username of a person"
