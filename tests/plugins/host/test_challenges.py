"""Challenges of networks in front of trackers are no answers of the trackers."""

from __future__ import annotations

import pytest

from plugins.contract import Response, Verdict
from plugins.host.challenges import outcome_of_challenge
from plugins.registry import Registry
from plugins.testing import sample_event

PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
KNOWN = Registry.load(entry_points=())


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {"cf-mitigated": "challenge"}, PAGE),
        (403, {"cf-mitigated": "Challenge", "server": "cloudflare"}, b""),
        (503, {"server": "cloudflare", "retry-after": "7"}, PAGE),
        (403, {"server": "cloudflare"}, PAGE),
        (403, {"server": "ddos-guard"}, PAGE),
        (403, {"x-vercel-mitigated": "challenge"}, b""),
        (202, {"x-amzn-waf-action": "challenge"}, b""),
        (405, {"x-amzn-waf-action": "captcha"}, PAGE),
    ],
)
def test_a_challenge_is_tried_again(status, headers, body):
    response = Response(status, headers, body)
    outcome = outcome_of_challenge(response)
    assert outcome
    assert outcome.verdict is Verdict.RETRY
    assert not outcome.disable_destination
    assert outcome.retry_after == response.retry_after
    assert str(status) in outcome.reason


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {}, PAGE),
        (403, {"server": "nginx"}, PAGE),
        (403, {"server": "cloudflare"}, b"wrong key"),
        (404, {"server": "cloudflare"}, PAGE),
        (200, {"server": "cloudflare"}, b"OK"),
        (403, {"cf-mitigated": "block"}, b""),
    ],
)
def test_anything_else_is_the_adapters_to_judge(status, headers, body):
    assert outcome_of_challenge(Response(status, headers, body)) is None


def test_no_adapter_takes_a_challenge_for_a_wrong_key():
    adapter = KNOWN.get("url_template")
    fields = {"domain": "t.example.com", "token": "0123456789abcdef0123456789abcdef"}
    settings = adapter.check_settings({"preset": "scaleo", "fields": fields})
    (request,) = adapter.build(sample_event(), settings)
    for headers, verdict in (
        ({}, Verdict.REJECTED),
        ({"cf-mitigated": "challenge"}, Verdict.RETRY),
    ):
        response = Response(403, headers, PAGE)
        assert adapter.classify(response, request, sample_event(), settings).verdict is verdict


def test_a_probe_that_met_a_challenge_found_no_good_connection():
    adapter = KNOWN.get("altercpa_lite")
    settings = adapter.check_settings({"domain": "t.example.com", "key": "0123456789abcdef"})
    outcome = adapter.classify_probe(Response(202, {"x-amzn-waf-action": "challenge"}), settings)
    assert outcome.verdict is Verdict.RETRY
