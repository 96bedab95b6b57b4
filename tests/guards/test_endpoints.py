"""Every endpoint has a guard, and only the endpoints we know of are open to all."""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from app import create_app, logs
from app.crypto import new_secret
from app.services.accounts.concurrent_calls import LASTING_ENDPOINTS
from app.services.accounts.rate_limits import EXPENSIVE_ENDPOINTS, OUTBOUND, WORKING_ENDPOINTS

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


def test_a_path_that_opens_something_by_itself_is_masked_in_every_log_line(views):
    secret = new_secret(18)
    named = {"<key>": secret, "<token>": secret, "<secret>": secret}
    paths = [
        re.sub("<[a-z]+>", lambda part: named.get(part[0], "x"), rule)
        for rule, view in views.items()
        if view.guard == "public"
    ]
    secrets = [path for path in paths if secret in path]
    assert len(secrets) >= 2
    assert [path for path in secrets if secret in logs.mask(f'{{"path": "{path}"}}')] == []


def test_everything_under_api_wants_a_key(views):
    open_endpoints = [
        rule
        for rule, view in views.items()
        if rule.startswith("/api/")
        and rule not in PUBLIC
        and not view.guard.startswith(("api_key", "session"))
    ]
    assert not open_endpoints


def test_whatever_asks_another_server_is_bounded_at_once_and_by_the_minute():
    asking = {name for name, limit in EXPENSIVE_ENDPOINTS.items() if limit is OUTBOUND}
    assert asking <= set(LASTING_ENDPOINTS)
    assert {"media.remove", "media.upload"} <= set(LASTING_ENDPOINTS) & set(EXPENSIVE_ENDPOINTS)


def test_what_the_api_limits_is_limited_alike_where_a_screen_does_it(views):
    by_name = {
        f"{sys.modules[view.__module__].blueprint.name}.{view.__name__}": view
        for view in map(inspect.unwrap, views.values())
        if view.__module__.startswith("app.blueprints.")
    }
    named = {*EXPENSIVE_ENDPOINTS, *LASTING_ENDPOINTS, *WORKING_ENDPOINTS}
    limited = {
        function: name
        for name in named
        for function in _services(sys.modules[by_name[name].__module__], by_name[name])
    }
    unlimited = []
    for module in {sys.modules[view.__module__] for view in map(inspect.unwrap, views.values())}:
        if not module.__name__.startswith("app.dashboard.views."):
            continue
        source = inspect.getsource(module)
        counted = [_limits(name) for name in re.findall(r'"(\w+\.\w+)"', source)]
        for function in _services(module, module):
            name = limited.get(function)
            if name and _limits(name) not in counted:
                unlimited.append((module.__name__, name))
    assert unlimited == []
    assert len(limited) > 10


def _limits(name: str) -> tuple[object, ...]:
    limits = (EXPENSIVE_ENDPOINTS, LASTING_ENDPOINTS, WORKING_ENDPOINTS)
    return tuple(limit.get(name) for limit in limits)


def _services(module: ModuleType, part: Any) -> Iterator[object]:
    """The functions of services that a part of a module calls by `service.function`."""
    for node in ast.walk(ast.parse(inspect.getsource(part))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)):
                service = getattr(module, name, None)
                if isinstance(service, ModuleType) and ".services." in service.__name__:
                    yield getattr(service, attribute)
