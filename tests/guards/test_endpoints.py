"""Every endpoint has a guard, and only the endpoints we know of are open to all."""

from __future__ import annotations

import pytest

from app import create_app

#: What anyone may call. Adding to this list is a decision.
PUBLIC = {
    "/c/<code>",
    "/enter/<token>",
    "/login",
    "/login/app",
    "/login/oidc",
    "/login/oidc/back",
    "/login/telegram",
    "/login/wait",
    "/static/<version>/<name>",
    "/t.js",
    "/track/fbp",
    "/track/invite",
    "/track/visit",
    "/in/<key>",
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/v1/<path:path>",
    "/api/auth/poll.json",
    "/api/auth/start.json",
    "/api/docs",
    "/api/openapi.json",
    "/api/pay/acp",
    "/api/pay/check",
}
GUARDS = {"public", "api_key", "api_key_even_unpaid", "session", "signed_in", "changes"}


@pytest.fixture(scope="module")
def views():
    from app.config import Settings

    app = create_app(
        Settings.from_environment(
            {
                "SECRET_KEY": "only for looking at the routes",
                "REDIS_URL": "redis://127.0.0.1:1",
                "DATABASE_URL": "sqlite:///var/never-opened.db",
            }
        )
    )
    return {rule.rule: app.view_functions[rule.endpoint] for rule in app.url_map.iter_rules()}


def test_every_view_has_a_guard(views):
    bare = [rule for rule, view in views.items() if getattr(view, "guard", None) not in GUARDS]
    assert not bare


def test_only_what_must_be_is_public(views):
    assert {rule for rule, view in views.items() if view.guard == "public"} == PUBLIC


def test_everything_under_api_wants_a_key(views):
    open_endpoints = [
        rule
        for rule, view in views.items()
        if rule.startswith("/api/")
        and rule not in PUBLIC
        and not view.guard.startswith(("api_key", "session"))
    ]
    assert not open_endpoints
