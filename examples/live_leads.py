"""Connect a bot, track its chat and print its leads live, by the API alone.

GATEPOST=http://127.0.0.1:8000 KEY=1-... python examples/live_leads.py 123456:ABC...
"""

import os
import sys
import time

import requests


def call(method, path, **terms):
    url, key = (os.environ[name].rstrip("/") for name in ("GATEPOST", "KEY"))
    headers = {"Authorization": f"Bearer {key}"}
    told = requests.request(method, f"{url}/api/{path}.json", headers=headers, timeout=30, **terms)
    answer = told.json()
    return answer.get("data") if answer["status"] == "ok" else sys.exit(answer["message"])


bot = call("POST", "bots/add", json={"token": sys.argv[1]})
while not (ours := [one for one in call("GET", "camp/list") if one["bot"] == bot["id"]]):
    if chats := call("GET", "bots/chats", params={"id": bot["id"]}):
        call("POST", "camp/add", json={"bot": bot["id"], "chat": chats[0]["id"]})
    else:
        print(f"Make @{bot['username']} an administrator of your channel or group.", flush=True)
        time.sleep(5)
campaign = ours[0]["id"]
link = call("GET", "camp/link", params={"id": campaign, "click": "test1"})["link"]
print("Follow", link, flush=True)
seen = {}
while True:
    for lead in reversed(call("GET", "leads/list", params={"campaign": campaign, "limit": 200})):
        if seen.get(lead["id"]) != (now := (lead["updated"], lead["status"])):
            seen[lead["id"]] = now
            status = ("wait", "hold", "approve", "cancel", "trash")[lead["status"]]
            who = lead["username"] or lead["subscriber"]
            print(lead["updated"], status, who, lead["click"], flush=True)
    time.sleep(1)
