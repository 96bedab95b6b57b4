"""Kinds of secret that a customer may type, and a tracker that says each of them back."""

import base64
import html
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from aiohttp import web


def _ascii(change: Callable[[str], str], text: str) -> str:
    """What `change` makes of the letters of ASCII; no other are looked for both large and small."""
    return "".join(change(one) if one.isascii() else one for one in text)


#: How a tracker may spell what it was sent.
ENCODINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "raw": str,
    "percent": lambda text: quote(text, safe=""),
    "double percent": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "HTML": html.escape,
    "HTML of numbers alone": lambda text: "".join(f"&#{ord(one)}" for one in text),
    "capitals": lambda text: _ascii(str.upper, text),
    "small letters": lambda text: _ascii(str.lower, text),
    "groups": lambda text: " ".join(text[at : at + 4] for at in range(0, len(text), 4)),
    "groups with dashes": lambda text: "-".join(text[at : at + 5] for at in range(0, len(text), 5)),
    "groups in a URL": lambda text: "%20".join(
        quote(text[at : at + 4], safe="") for at in range(0, len(text), 4)
    ),
    "hexadecimal with colons": lambda text: ":".join(f"{byte:02x}" for byte in text.encode()),
}
PARAMETERS: Final = """token access_token accessToken api_key apiKey apikey clientSecret secret
pwd password passwd pass auth sig sign signature hash hmac jwt credential k code custom my_param
hook""".split()  # fmt: skip
WEBHOOK_SECRET: Final = "whsec_" + base64.b64encode(b"Sk91Qz9-signing-secret-of-webhook").decode()


@dataclass(frozen=True, slots=True)
class Planted:
    """One kind of secret: where it is typed, and the settings of `dest/add` that hold it."""

    kind: str
    secret: str
    tracker: str
    settings: dict[str, Any]

    @property
    def mark(self) -> str:
        """The part of the secret that no other text has. It tells also of what was cut."""
        return self.secret[self.secret.index("Sk") :][:7]

    @property
    def spellings(self) -> list[str]:
        """All that must be found nowhere."""
        return [self.mark, *(encode(self.secret) for encode in ENCODINGS.values())]


def plant(url: str) -> list[Planted]:
    """Every kind, each with a secret of its own, sent to a tracker at `url`."""
    planted: list[Planted] = []

    def add(
        kind: str,
        tracker: str,
        settings: Callable[[str, str], Any],
        rest: str = "TmP4wX7vRk2LcB8n",
        first: str = "",
    ) -> None:
        secret = f"{first}Sk{len(planted):02d}Qz9{rest}"
        planted.append(Planted(kind, secret, tracker, settings(secret, quote(secret, safe=""))))

    def template(kind: str, form: str, **more: Any) -> None:
        rest = "-x/Z+w~7Яk&\"'"
        add(kind, "url_template", lambda _, typed: _urls(url + form.format(typed)) | more, rest)

    for name in PARAMETERS:
        template(f"parameter {name}", f"/pb?c={{{{click}}}}&{name}={{}}")
    template("parameter without a value", "/pb?{}&c={{click}}")
    template("parameter beside a macro", "/pb?c={{click}}&meta={}{{click}}")
    template("before /postback", "/{}/postback?c={{click}}")
    template("a bot's token in a path", "/bot123:{}/sendMessage?text={{click}}")
    template("a webhook whose path is the secret", "/services/T00/B00/{}?c={{click}}")

    def sent(body: str, **settings: Any) -> Callable[[str, str], Any]:
        def fill(secret: str, _: str) -> Any:
            text = json.dumps(settings).replace("SECRET", json.dumps(secret)[1:-1])
            return (
                _urls(f"{url}/pb?c={{click}}") | {"method": "POST", "body": body} | json.loads(text)
            )

        return fill

    rich = "-x/Z+w~7Яk&\"'"
    add("Authorization", "url_template", sent("none", headers={"Authorization": "Bearer SECRET"}))
    add("custom header", "url_template", sent("none", headers={"X-Custom": "SECRET"}), "-/+w~7&\"'")
    add("Cookie", "url_template", sent("none", headers={"Cookie": "sid=SECRET"}))
    add("body by name", "url_template", sent("json", payload={"accessToken": "SECRET"}), rich)
    add("body by value", "url_template", sent("json", payload={"note": "SECRET"}), rich)
    add("body, nested", "url_template", sent("json", payload={"a": {"b": "SECRET"}}), rich)
    add("body, a sentence", "url_template", sent("json", payload={"a": "Hi SECRET there"}), rich)
    add("form by value", "url_template", sent("form", payload={"note": "SECRET"}), rich)
    host = urlsplit(url).netloc
    add(
        "Keitaro's key",
        "url_template",
        lambda secret, _: {"preset": "keitaro", "fields": {"domain": host, "postback_key": secret}},
    )
    add(
        "AlterCPA's key",
        "altercpa_lite",
        lambda secret, _: {"domain": host, "key": secret},
        first="42-",
    )
    add(
        "AdTarget's key",
        "adtarget_capi",
        lambda secret, _: {
            "key": secret,
            "site": "atid_1",
            "base_url": url,
            "events": {"wait": {"type": "Custom"}},
        },
        first="atk_live_12345678_",
    )
    for place in ("body", "header"):
        add(
            f"Altcraft's token in the {place}",
            "altcraft",
            lambda secret, _, place=place: {
                "token": secret,
                "auth": place,
                "db_id": 1,
                "pixel_id": 1,
                "base_url": url,
            },
        )
    add(
        "a field of Altcraft",
        "altcraft",
        lambda secret, _: {
            "token": "0123456789abcdef",
            "db_id": 1,
            "pixel_id": 1,
            "base_url": url,
            "field_map": {"note": secret},
        },
    )
    add(
        "Meta's token",
        "meta_capi",
        lambda secret, _: {"pixel_id": "1234567890", "access_token": secret, "base_url": url},
    )
    add(
        "TikTok's token",
        "tiktok_events",
        lambda secret, _: {
            "pixel_code": "COQDA8RC77U2TMR44LI0",
            "access_token": secret,
            "base_url": url,
        },
    )
    add(
        "Metrica's token",
        "yandex_metrica",
        lambda secret, _: {
            "counter": "2215573",
            "access_token": secret,
            "base_url": url,
            "click_type": "UserId",
        },
    )
    add(
        "webhook's path",
        "webhook",
        lambda _, typed: {"url": f"{url}/hooks/{typed}", "secret": WEBHOOK_SECRET},
        rich,
    )
    return planted  # fmt: skip


def _urls(address: str) -> dict[str, Any]:
    return {"urls": dict.fromkeys(("wait", "hold", "approve", "cancel", "trash"), address)}


class Repeater:
    """A tracker that answers with the secret it was sent, in every encoding.

    First it fails, so that the event is tried again, then it takes what comes. The APIs of
    vendors get an error as they know it, with the secret in its message.
    """

    def __init__(self, planted: Sequence[Planted] = ()) -> None:
        self.planted = list(planted)
        self.heard: Counter[str] = Counter()

    async def start(self, host: str, port: int) -> int:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        body = (await request.read()).decode("utf-8", "replace")
        raw = "\n".join([request.raw_path, *map(str, request.headers.items()), body])
        found = [one.secret for one in self.planted if one.mark in unquote(raw)]
        self.heard.update(found)
        echo = "\n".join(f"no such key {say(one)}" for one in found for say in ENCODINGS.values())
        if "/pb" in request.path or "/postback?" in request.raw_path or "T00" in request.path:
            status = 500 if self.heard[found[0] if found else ""] < 2 else 200
            return web.Response(text=f"{echo}\n{raw}", status=status)
        secret = found[0] if found else ""
        error = {"message": f"no such key {secret}", "code": 1, "error_text": secret, "echo": echo}
        return web.json_response(
            {"status": "error", "error": error if "/v1" in request.path else f"bad key {secret}",
             "message": f"bad key {secret} {'.' * 150} {secret}", "code": 1, "error_text": secret},
            status=400 if self.heard[secret] < 2 else 200,
        )  # fmt: skip
