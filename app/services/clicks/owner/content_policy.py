"""Whether the Content-Security-Policy of a page lets our script load. Pure."""

from typing import Final
from urllib.parse import urlsplit

#: The directives that may decide about a script, the nearest first.
_DIRECTIVES: Final = ("script-src-elem", "script-src", "default-src")


def allows_script(policy: str, script: str) -> bool:
    """Return whether every policy of the header allows the address `script`.

    A nonce or `strict-dynamic` may allow a tag that is written by the page itself; whether it
    does is not seen in the header, so both count as allowed.
    """
    return all(_allows(part, script) for part in policy.split(","))


def _allows(policy: str, script: str) -> bool:
    directives: dict[str, list[str]] = {}
    for part in policy.split(";"):
        words = part.split()
        if words:  # of a directive that stands twice the first counts
            directives.setdefault(words[0].lower(), words[1:])
    for name in _DIRECTIVES:
        if name in directives:
            return any(_matches(source, script) for source in directives[name])
    return True


def _matches(source: str, script: str) -> bool:
    word = source.lower()
    if word.startswith("'nonce-") or word in {"'strict-dynamic'", "*"}:
        return True
    if word.endswith(":"):
        return script.startswith(word)
    address = urlsplit(script)
    scheme, separator, rest = word.rpartition("://")
    if separator and scheme != address.scheme and (scheme, address.scheme) != ("http", "https"):
        return False
    host, _, path = rest.partition("/")
    host, _, port = host.partition(":")
    if port not in ("", "*", str(address.port or {"https": 443, "http": 80}[address.scheme])):
        return False
    if (
        path
        and f"/{path}" != address.path
        and not (path.endswith("/") and address.path.startswith(f"/{path}"))
    ):
        return False
    name = address.hostname or ""
    return name.endswith(host[1:]) if host.startswith("*.") else name == host
