"""Whether the policy of a page lets our script load."""

import pytest

from app.services.clicks.owner.content_policy import allows_script

SCRIPT = "https://gatepost.example/t.js"


@pytest.mark.parametrize(
    "policy",
    [
        "",
        ";;",
        "img-src 'none'",
        "script-src https://gatepost.example",
        "script-src https://gatepost.example:443",
        "script-src gatepost.example",
        "script-src http://gatepost.example",
        "script-src *.example",
        "script-src https:",
        "default-src *",
        "default-src 'none'; SCRIPT-SRC https://gatepost.example/t.js",
        "script-src 'none'; script-src-elem https://gatepost.example/",
        "script-src 'nonce-abc'",
        "script-src 'strict-dynamic'",
        "img-src 'none', script-src https:",
    ],
)
def test_what_names_the_host_allows_it(policy):
    assert allows_script(policy, SCRIPT)


@pytest.mark.parametrize(
    "policy",
    [
        "default-src 'none'",
        "script-src 'self'",
        "script-src https://other.example",
        "script-src https://gatepost.example:8443",
        "script-src https://gatepost.example/other.js",
        "script-src *.gatepost.example",
        "script-src data:",
        "script-src 'self'; script-src https:",
        "script-src https:, default-src 'none'",
        "script-src",
    ],
)
def test_what_does_not_refuses_it(policy):
    assert not allows_script(policy, SCRIPT)
