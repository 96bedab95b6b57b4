"""Connect a bot, track its chat, print its leads live: the API alone, no package needed.

GATEPOST=http://127.0.0.1:8000 KEY=1-... python examples/live_leads.py 123456:ABC...
"""

import json
import os
import sys
import time
from urllib.parse import urlencode
from urllib.request import Request, urlopen


def call(path, body=None, **query):
    url = f"{os.environ['GATEPOST'].rstrip('/')}/api/{path}.json?{urlencode(query)}"
    headers = {"Authorization": f"Bearer {os.environ['KEY']}", "Content-Type": "application/json"}
    request = Request(url, json.dumps(body).encode() if body else None, headers)
    with urlopen(request, timeout=30) as answer:
        told = json.load(answer)
    return told.get("data") if told["status"] == "ok" else sys.exit(f"{path}: {told['message']}")


def watch(token):
    bot = call("bots/add", {"token": token})
    while not (ours := [one for one in call("camp/list") if one["bot"] == bot["id"]]):
        if chats := call("bots/chats", id=bot["id"]):
            call("camp/add", {"bot": bot["id"], "chat": chats[0]["id"]})
        else:
            print(f"Make @{bot['username']} an administrator of your channel or group.", flush=True)
            time.sleep(5)
    print("Follow", call("camp/link", id=ours[0]["id"], click="test1")["link"], flush=True)
    seen = {}
    while True:
        for lead in reversed(call("leads/list", campaign=ours[0]["id"], limit=200)):
            if seen.get(lead["id"]) != (now := (lead["updated"], lead["status"])):
                seen[lead["id"]] = now
                status = ("wait", "hold", "approve", "cancel", "trash")[lead["status"]]
                who = lead["username"] or lead["subscriber"]
                print(lead["updated"], status, who, lead["click"], flush=True)
        time.sleep(1)


try:
    watch(sys.argv[1])
except (IndexError, KeyError):
    sys.exit(__doc__)
except OSError as error:
    sys.exit(f"no answer: {error}")
except KeyboardInterrupt:
    print("Stopped; the bot and its campaign go on.")
