"""Altcraft Platform: a profile, optionally its Telegram subscription, and a goal.

An event has up to four steps: `profile` (profiles/import), `goal`
(goals/register), and where the customer names one, `trigger`
(campaigns/triggers/start) and `workflow` (workflows/start). The later steps
find the profile by the id that the first step answered, else by the
customer's settings. Source: the vendor's developer guide, v1.1 (guides.altcraft.com, v71 to
current), and for Request-ID its Android SDK. Our decisions where it is silent:

- Every event is wanted, even a superseded one: goals count events.
- Retries end an hour before Altcraft forgets a Request-ID (one day, unless an
  installation's owner changed it).
- A failure that is marked as a duplicate was replayed, not tried: the event is
  sent once under a new Request-ID, then it ends.
- 404 right after its profile was written is tried three times more, each time
  under a new Request-ID (nothing was done under the old one) and without the
  answered id, in case that profile was deleted. In the mode `goal` it is final.
- A success that is not Altcraft's answer is tried twice more under the same
  Request-ID, since it may have been done.
- 401, 402 and 403 keep the event and switch the destination off: its owner mends
  the token, its role or the tariff.
- A goal and an action of one event are both sent. Automation that hangs on
  both starts twice; the probe says so.
- An installation's limit is known to its owner only: 5 requests a second per
  token, unless the customer sets another rate.
- Empty values are left out: they would erase what the profile holds.
- `_regdate` is not written: the profile may be older than the lead.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema

from plugins.contract import (
    DeliveryPolicy,
    Event,
    Outcome,
    RateLimit,
    Request,
    Response,
    Verdict,
    hookimpl,
    translatable,
)
from plugins.kit import macros
from plugins.kit.secrets.typed import secrets_of_fields
from plugins.trackers.altcraft import attempts, bodies
from plugins.trackers.altcraft.answers import error_code, judge
from plugins.trackers.altcraft.settings import ACTIONS, GOAL, PER_SECOND, PROFILE, AltcraftSettings

RETRY_SECONDS: Final = 23 * 3600.0
_ERROR: Final = re.compile(r'"error"\s*:\s*"?(-?[0-9]{1,9})\b')


@hookimpl
def settings_schema() -> Schema:
    """Address, token, database, goals, and how profiles are found."""
    return AltcraftSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
    """The profile, its goal, its automation; nothing where the event has no value to find it by."""
    match = bodies.match(event, settings)
    if match is None:
        return ()
    mode, event_settings = settings["mode"], settings["events"][event.kind.value]
    written_match, steps = _match_of_written(event, match), []
    if mode != GOAL:
        body = {**match, **bodies.profile(event, settings, match)}
        steps.append(_call("profile", "profiles/import", body, event, settings))
    if mode != PROFILE and event_settings["goal"]:
        body = {**written_match, **bodies.goal(event, settings)}
        steps.append(_call("goal", "goals/register", body, event, settings))
    # Settings that were kept before these fields existed lack them.
    if mode == ACTIONS and (number := event_settings.get("trigger")):
        body = bodies.trigger(number, written_match, event)
        steps.append(_call("trigger", "campaigns/triggers/start", body, event, settings))
    if mode == ACTIONS and (number := event_settings.get("workflow")):
        body = bodies.workflow(number, written_match, event, settings)
        steps.append(_call("workflow", "workflows/start", body, event, settings))
    return tuple(steps)


@hookimpl
def touch_fields(settings: Mapping[str, Any]) -> set[str]:
    """What the value to match by and the further fields name as macros."""
    return macros.touch_names(settings["match_value"], *settings["field_map"].values())


@hookimpl
def classify_response(
    response: Response, request: Request, event: Event, settings: Mapping[str, Any]
) -> Outcome:
    """Judge the JSON `error`, then the status, then the answers before this one."""
    just_written = settings["mode"] != GOAL
    return attempts.classify(response, event, request.step, just_written=just_written)


@hookimpl
def build_probe(settings: Mapping[str, Any]) -> Request:
    """List the database's fields: it needs token, rights and database, and changes nothing."""
    return _post("databases/fields_get", {"db_id": settings["db_id"]}, settings)


@hookimpl
def classify_probe(response: Response, settings: Mapping[str, Any]) -> Outcome:
    """Accept a list of fields; name the custom fields that seem to be missing from it."""
    code = error_code(response)
    if code is None and (cut := _ERROR.search(response.text)):
        code = int(cut[1])  # a long list of fields arrives cut, and is no JSON then
    if code != 0:
        outcome = judge(response, "")
        if outcome.verdict.is_success:
            return Outcome(
                Verdict.REJECTED, translatable("the server at this address is not Altcraft")
            )
        return outcome
    if missing := _missing(response, settings):
        return Outcome(
            Verdict.DELIVERED,
            translatable("connected; not in the database: %(names)s", names=", ".join(missing)),
        )
    if names := _goal_and_action(settings):
        reason = translatable(
            "connected; automation that hangs on the goal, too, starts twice at %(names)s",
            names=", ".join(names),
        )
        return Outcome(Verdict.DELIVERED, reason)
    return Outcome(
        Verdict.DELIVERED, translatable("Altcraft accepts the token and knows the database")
    )


@hookimpl
def delivery_policy(settings: Mapping[str, Any]) -> DeliveryPolicy:
    """Goals count events, so superseded ones are sent too.

    A Request-ID is remembered for a day; a later retry could count a goal twice.
    The customer says what the installation takes; it is counted by token.
    """
    # Settings that were kept before the field existed lack it.
    rate = settings.get("per_second", PER_SECOND)
    key = f"{settings['base_url']} {settings['token']}"
    return DeliveryPolicy(
        retry_window=RETRY_SECONDS,
        rate_limit=RateLimit(key, rate * 60, max(1, int(rate))),
        send_superseded=True,
    )


def _match_of_written(event: Event, match: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the steps after the profile find it: by the id that its step answered, if it did."""
    if "profile" in event.state:
        return {"matching": "profile_id", "profile_id": event.state["profile"]}
    return match


def _call(
    step: str, method: str, body: Mapping[str, Any], event: Event, settings: Mapping[str, Any]
) -> Request:
    """One step under its own Request-ID; older versions read it as X-Request-ID."""
    key = attempts.request_id(event, step)
    return _post(method, body, settings, step=step, key=key)


def _post(
    method: str,
    body: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    step: str = "",
    key: str = "",
) -> Request:
    headers = {"Content-Type": "application/json"}
    names = {name: body.get("data", {}).get(name) for name in ("_fname", "_lname")}
    if key:
        headers |= {"Request-ID": key, "X-Request-ID": key}
    payload = dict(body)
    if settings["auth"] == "header":
        headers["Authorization"] = f"Bearer {settings['token']}"
    else:
        payload = {"token": settings["token"], **payload}
    return Request(
        "POST",
        f"{settings['base_url']}/api/v1.1/{method}",
        headers=headers,
        body=json.dumps(payload).encode(),
        step=step,
        idempotency_key=key,
        secrets=(
            *(json.dumps({name: value})[1:-1] for name, value in names.items() if value),
            *secrets_of_fields(settings["field_map"]),
        ),
    )


def _missing(response: Response, settings: Mapping[str, Any]) -> list[str]:
    """Custom fields whose name stands nowhere in the list; its shape is not documented."""
    if response.json() is None:
        return []
    named = [settings["status_field"], settings["joined_field"], *settings["field_map"]]
    if settings["matching"] == "custom":
        named.insert(0, settings["field_name"])
    custom = dict.fromkeys(name for name in named if name and not name.startswith("_"))
    text = response.text
    return [name for name in custom if f'"{name}"' not in text and json.dumps(name) not in text]


def _goal_and_action(settings: Mapping[str, Any]) -> list[str]:
    """The names of events that send both a goal and an action."""
    if settings["mode"] != ACTIONS:
        return []
    return [
        name
        for name, event in settings["events"].items()
        if event["goal"] and (event.get("trigger") or event.get("workflow"))
    ]
