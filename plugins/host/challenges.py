"""Challenges: answers by which a network in front of a tracker asks for a browser.

The tracker has not heard of the request, so no adapter is asked what they mean.
Sources, read in November 2026: the documents of Cloudflare, Vercel and AWS WAF for their
headers; docs.qrator.net (technologies/tracking-cookie) for QRATOR's 401 and 403;
EnableSecurity/wafw00f for the Server headers and for Sucuri's; pages that others have met
and published for the marks in the pages of DataDome, Imperva, Bunny, Sucuri and Cloudflare.
How Akamai asks by script, and what DDoS-Guard says under 200, is documented nowhere that we
know of: the one is known by its refusals, the other is a page like any other.
"""

from typing import Final, NamedTuple

from plugins.contract import Outcome, Response, Verdict, translatable

#: A header, the values by which it marks a challenge (any value if none), and the network.
_HEADERS: Final = (
    ("cf-mitigated", ("challenge",), "Cloudflare"),
    ("x-vercel-mitigated", ("challenge",), "Vercel"),
    ("x-amzn-waf-action", ("challenge", "captcha"), "AWS WAF"),
    ("x-sucuri-block", (), "Sucuri"),
)
#: What stands in pages for browsers, in small letters, and who writes it. Imperva's and
#: Cloudflare's other scripts stand in pages that they let through as well.
_MARKS: Final = (
    ("_cf_chl_opt", "Cloudflare"),
    ("captcha-delivery.com", "DataDome"),
    ("incapsula incident id", "Imperva"),
    ("bunny-shield", "Bunny"),
    ("sucuri_cloudproxy_js", "Sucuri"),
)


class _Guard(NamedTuple):
    """A network that answers by itself with a page, under its own Server header."""

    server: str
    network: str
    statuses: tuple[int, ...]


_GUARDS: Final = (
    _Guard("cloudflare", "Cloudflare", (403, 429, 503)),
    _Guard("ddos-guard", "DDoS-Guard", (403, 429, 503)),
    _Guard("qrator", "QRATOR", (401, 403, 429)),
    _Guard("akamaighost", "Akamai", (403, 429)),
    _Guard("bunnycdn", "Bunny", (403, 429, 503)),
    _Guard("sucuri", "Sucuri", (403, 429, 503)),
)


def outcome_of_challenge(response: Response) -> Outcome | None:
    """Another try, if `response` is a challenge; else None."""
    network = _network(response)
    if not network:
        return None
    reason = translatable(
        "HTTP %(status)d: a protection page of %(network)s in front of the tracker answered; "
        "let our requests through there",
        status=response.status,
        network=network,
    )
    return Outcome(Verdict.RETRY, reason, response.retry_after)


def _network(response: Response) -> str:
    """The network that challenges us; "" if none does."""
    headers = response.headers
    for name, values, network in _HEADERS:
        value = headers.get(name, "").strip().lower()
        if value and (not values or value in values):
            return network
    if response.status < 400 and not response.unreadable:
        return ""
    server = headers.get("server", "").strip().lower()
    for guard in _GUARDS if response.unreadable else ():
        if server.startswith(guard.server) and response.status in guard.statuses:
            return guard.network
    text = response.text.casefold()
    return next((network for mark, network in _MARKS if mark in text), "")
