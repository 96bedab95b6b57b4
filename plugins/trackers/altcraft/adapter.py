"""Altcraft Platform: a profile, optionally its Telegram subscription, and a goal.

Up to four steps an event: `profile` (profiles/import), `goal`
(goals/register), and where the customer names one, `trigger`
(campaigns/triggers/start) and `workflow` (workflows/start). What follows the
profile finds it by the id that the first step answered, else as the customer
says. Source: the vendor's developer guide, v1.1 (guides.altcraft.com, v71 to
current), and for Request-ID its Android SDK. Where it is silent we decided:

- Every event is wanted, even a superseded one: goals count events.
- Retries end an hour before Altcraft forgets a Request-ID (one day, unless an
  installation's owner changed it).
- A failure that is marked as a duplicate was replayed, not tried: the event goes
  once under a new Request-ID, then it ends.
- 404 right after its profile was written is tried three times more, each time
  under a new Request-ID (nothing was done under the old one) and without the
  answered id, in case that profile was deleted. In the mode `goal` it is final.
- A success that is not Altcraft's answer is tried twice more under the same
  Request-ID, since it may have been done.
- 401, 402 and 403 keep the event and stop: its owner mends the token, its role
  or the tariff.
- A goal and an action of one event are both sent. Automation that hangs on
  both starts twice; the probe says so.
- An installation's limit is its owner's secret; 5 requests a second per token,
  unless the customer knows better.
- Values that come out empty are left out, lest they wipe what is known.
- `_regdate` is not written: the profile may be older than our first sight.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema

from plugins.contract import Event, Outcome, Pace, Request, Response, Verdict, hookimpl
from plugins.trackers.altcraft import bodies, tries
from plugins.trackers.altcraft.answers import error_code, judge
from plugins.trackers.altcraft.settings import ACTIONS, GOAL, PER_SECOND, PROFILE, AltcraftSettings

RETRY_SECONDS: Final = 23 * 3600.0
_ERROR: Final = re.compile(r'"error"\s*:\s*"?(-?[0-9]{1,9})\b')


@hookimpl
def settings_schema() -> Schema:
    """Address, token, database, how profiles are found, goals."""
    return AltcraftSettings()


@hookimpl
def build_request(event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
    """The profile, its goal, its automation. Nothing when there is nothing to find it by."""
    found_by = bodies.match(event, settings)
    if found_by is None:
        return ()
    mode, told = settings["mode"], settings["events"][event.kind.value]
    by, steps = _by(event, found_by), []
    if mode != GOAL:
        body = {**found_by, **bodies.profile(event, settings, found_by)}
        steps.append(_call("profile", "profiles/import", body, event, settings))
    if mode != PROFILE and told["goal"]:
        body = {**by, **bodies.goal(event, settings)}
        steps.append(_call("goal", "goals/register", body, event, settings))
    # Settings that were kept before these fields existed lack them.
    if mode == ACTIONS and (number := told.get("trigger")):
        body = bodies.trigger(number, by, event)
        steps.append(_call("trigger", "campaigns/triggers/start", body, event, settings))
    if mode == ACTIONS and (number := told.get("workflow")):
        body = bodies.workflow(number, by, event, settings)
        steps.append(_call("workflow", "workflows/start", body, event, settings))
    return tuple(steps)


@hookimpl
def classify_response(
    response: Response, request: Request, event: Event, settings: Mapping[str, Any]
) -> Outcome:
    """The JSON `error` decides, then the status, then what came before."""
    just_written = settings["mode"] != GOAL
    return tries.weigh(response, event, request.step, just_written=just_written)


@hookimpl
def build_probe(settings: Mapping[str, Any]) -> Request:
    """List the database's fields: proves token, rights and database, changes nothing."""
    return _post("databases/fields_get", {"db_id": settings["db_id"]}, settings)


@hookimpl
def classify_probe(response: Response, settings: Mapping[str, Any]) -> Outcome:
    """Say which custom fields seem to be missing, too."""
    code = error_code(response)
    if code is None and (cut := _ERROR.search(response.text)):
        code = int(cut[1])  # a long list of fields arrives cut, and is no JSON then
    if code != 0:
        outcome = judge(response, "")
        strange = Outcome(Verdict.REJECTED, "the server at this address is not Altcraft")
        return strange if outcome.verdict.is_success else outcome
    if missing := _missing(response, settings):
        return Outcome(Verdict.DELIVERED, f"connected; not in the database: {', '.join(missing)}")
    if twice := _twice(settings):
        said = "connected; automation that hangs on the goal, too, starts twice at"
        return Outcome(Verdict.DELIVERED, f"{said} {', '.join(twice)}")
    return Outcome(Verdict.DELIVERED, "Altcraft accepts the token and knows the database")


@hookimpl
def wants_every_event() -> bool:
    """Goals count events; one that was superseded has happened all the same."""
    return True


@hookimpl
def retry_span() -> float:
    """A Request-ID is remembered for a day; a later retry could count a goal twice."""
    return RETRY_SECONDS


@hookimpl
def pace(settings: Mapping[str, Any]) -> Pace:
    """What the customer says that the installation takes, counted by token."""
    # Settings that were kept before the field existed lack it.
    rate = settings.get("per_second", PER_SECOND)
    return Pace(f"{settings['base_url']} {settings['token']}", rate * 60, max(1, int(rate)))


def _by(event: Event, found_by: Mapping[str, Any]) -> Mapping[str, Any]:
    """How the profile is found once it is written: by the id that was answered, if one was."""
    if "profile" in event.carried:
        return {"matching": "profile_id", "profile_id": event.carried["profile"]}
    return found_by


def _call(
    step: str, method: str, body: Mapping[str, Any], event: Event, settings: Mapping[str, Any]
) -> Request:
    """One step under its own Request-ID; older versions read it as X-Request-ID."""
    key = tries.request_id(event, step)
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
    said = dict(body)
    if settings["auth"] == "header":
        headers["Authorization"] = f"Bearer {settings['token']}"
    else:
        said = {"token": settings["token"], **said}
    return Request(
        "POST",
        f"{settings['base_url']}/api/v1.1/{method}",
        headers=headers,
        body=json.dumps(said).encode(),
        step=step,
        idempotency_key=key,
        secrets=tuple(json.dumps({name: value})[1:-1] for name, value in names.items() if value),
    )


def _missing(response: Response, settings: Mapping[str, Any]) -> list[str]:
    """Custom fields whose name stands nowhere in the list; its shape is not documented."""
    if response.json() is None:
        return []
    named = [settings["status_field"], settings["joined_field"], *settings["field_map"]]
    if settings["matching"] == "custom":
        named.insert(0, settings["field_name"])
    own = dict.fromkeys(name for name in named if name and not name.startswith("_"))
    text = response.text
    return [name for name in own if f'"{name}"' not in text and json.dumps(name) not in text]


def _twice(settings: Mapping[str, Any]) -> list[str]:
    """Events that send both a goal and an action."""
    if settings["mode"] != ACTIONS:
        return []
    return [
        name
        for name, told in settings["events"].items()
        if told["goal"] and (told.get("trigger") or told.get("workflow"))
    ]
