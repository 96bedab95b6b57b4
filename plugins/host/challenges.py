"""Challenges: answers by which a network in front of a tracker asks for a browser.

The tracker has not heard of the request, so no adapter is asked what they mean.
Sources: Cloudflare's, Vercel's and AWS WAF's documents for their headers. Cloudflare's
older pages and DDoS-Guard's are known by the Server header, the status and the page.
"""

from __future__ import annotations

from typing import Final

from plugins.contract import Outcome, Response, Verdict, translatable

_HEADERS: Final = ("cf-mitigated", "x-vercel-mitigated", "x-amzn-waf-action")
_CHALLENGES: Final = ("challenge", "captcha")
_SERVERS: Final = ("cloudflare", "ddos-guard")


def outcome_of_challenge(response: Response) -> Outcome | None:
    """Another try, if `response` is a challenge; else None."""
    if not _is_challenge(response):
        return None
    reason = translatable(
        "HTTP %(status)d: a protection page in front of the tracker answered; "
        "let our requests through there",
        status=response.status,
    )
    return Outcome(Verdict.RETRY, reason, response.retry_after)


def _is_challenge(response: Response) -> bool:
    headers = response.headers
    if any(headers.get(name, "").strip().lower() in _CHALLENGES for name in _HEADERS):
        return True
    is_guard = headers.get("server", "").strip().lower() in _SERVERS
    return is_guard and response.status in (403, 503) and response.unreadable != ""
