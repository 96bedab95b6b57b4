"""One place in Telegram under its three addresses. Pure."""

from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

_HOST: Final = "https://t.me/"


class Addresses(NamedTuple):
    """`web` is the link itself, `app` opens the app without a page, `spare` has another host."""

    web: str
    app: str
    spare: str


def of_link(link: str) -> Addresses:
    """Return the addresses of a link of ours to a bot's start or of an invite link."""
    parts = urlsplit(link)
    name = parts.path.strip("/")
    spare = link.replace(_HOST, "https://telegram.me/", 1)
    if name.startswith(("+", "joinchat/")):
        code = name.removeprefix("+").removeprefix("joinchat/")
        return Addresses(link, f"tg://join?invite={quote(code, safe='')}", spare)
    query = f"&{parts.query}" if parts.query else ""
    return Addresses(link, f"tg://resolve?domain={quote(name, safe='')}{query}", spare)
