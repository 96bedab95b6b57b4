"""Challenges of networks in front of trackers are no answers of the trackers."""

import pytest

from plugins.contract import Response, Verdict
from plugins.host.challenges import outcome_of_challenge
from plugins.registry import Registry
from plugins.testing import sample_event

PAGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>"
KNOWN = Registry.load(entry_points=())


JSON_OF_DATADOME = b'{"url":"https://geo.captcha-delivery.com/captcha/?initialCid=x"}'
IMPERVA = b'<html><iframe src="/_Incapsula_Resource?x">Incapsula incident ID: 1-2</iframe></html>'
BUNNY = b'<html><script src="/.bunny-shield/assets/shield-challenge.js"></script></html>'


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {}, IMPERVA),
        (403, {"x-iinfo": "1-2"}, IMPERVA),
        (403, {"server": "DataDome"}, JSON_OF_DATADOME),
        (401, {}, b"<html><script src='https://ct.captcha-delivery.com/c.js'></script></html>"),
        (403, {"server": "BunnyCDN-DE1-864"}, PAGE),
        (200, {"server": "BunnyCDN-DE1-864"}, BUNNY),
        (401, {"server": "QRATOR"}, PAGE),
        (403, {"server": "QRATOR"}, PAGE),
        (403, {"server": "AkamaiGHost"}, b"<HTML><HEAD><TITLE>Access Denied</TITLE></HEAD></HTML>"),
        (403, {"server": "Sucuri/Cloudproxy"}, PAGE),
        (403, {"x-sucuri-block": "FBP007"}, b""),
        (429, {"server": "cloudflare"}, PAGE),
        (429, {"server": "ddos-guard"}, PAGE),
        (200, {}, b"<html><script>var sucuri_cloudproxy_js='',S='x';</script></html>"),
        (403, {"server": "cloudflare"}, JSON_OF_DATADOME),
        (200, {}, b"<html><script>window._cf_chl_opt={}</script></html>"),
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
        (200, {"x-iinfo": "1-2"}, b"OK"),
        (200, {"x-iinfo": "1-2"}, b"<html><script src='/_Incapsula_Resource?x'></script></html>"),
        (200, {"server": "QRATOR"}, PAGE),
        (401, {"server": "QRATOR"}, b"wrong key"),
        (403, {"server": "AkamaiGHost"}, b'{"error":"key"}'),
        (503, {"server": "AkamaiGHost"}, PAGE),
        (200, {"server": "BunnyCDN-DE1-864"}, b"OK"),
        (200, {"x-sucuri-id": "1"}, b"OK"),
        (200, {"server": "Sucuri/Cloudproxy", "x-sucuri-block": ""}, b"OK"),
        (200, {}, b'{"note":"captcha-delivery.com"}'),
    ],
)
def test_anything_else_is_the_adapters_to_judge(status, headers, body):
    assert outcome_of_challenge(Response(status, headers, body)) is None


@pytest.mark.parametrize(
    ("headers", "body", "network"),
    [
        ({"x-amzn-waf-action": "captcha"}, b"", "AWS WAF"),
        ({"server": "QRATOR"}, PAGE, "QRATOR"),
        ({}, JSON_OF_DATADOME, "DataDome"),
        ({}, IMPERVA, "Imperva"),
    ],
)
def test_a_challenge_says_whose_it_is_and_what_to_do(headers, body, network):
    outcome = outcome_of_challenge(Response(403, headers, body))
    assert outcome
    assert network in outcome.reason
    assert "let our requests through there" in outcome.reason


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
