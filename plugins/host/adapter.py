"""One adapter behind one face: the border between foreign code and ours.

What an adapter returns is checked here and nowhere else. Whatever goes wrong
inside it comes out as `AdapterFailed` with a reason that can be shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import marshmallow
import pluggy

from plugins.contract import Event, Outcome, Pace, Request, Response, Verdict
from plugins.host import library_messages
from plugins.host.time_limit import TimeUp, time_limit
from plugins.host.validation import (
    AdapterFailed,
    check_outcome,
    check_pace,
    check_request,
    check_steps,
    describe,
    is_seconds,
    kind,
    secrets_in,
    sentence,
)

#: How long one hook may take. They are pure: a millisecond is long.
LIMIT_SECONDS: Final = 2.0


class Adapter:
    """The code that knows one tracker's dialect. Made by the registry.

    Every method but `secrets` calls foreign code and may raise AdapterFailed.
    """

    def __init__(
        self,
        name: str,
        plugins: pluggy.PluginManager,
        *,
        distribution: str = "",
        version: str = "",
        seconds: float = LIMIT_SECONDS,
    ) -> None:
        """`plugins` holds this one plugin only, so that no call can reach another's."""
        self.name = name
        self.distribution = distribution
        self.version = version
        self._seconds = seconds
        self._hooks = {
            hook: caller
            for hook, caller in vars(plugins.hook).items()
            if isinstance(caller, pluggy.HookCaller) and caller.get_hookimpls()
        }
        self._secret_fields: tuple[str, ...] = ()
        schema = self._call("settings_schema")
        if not isinstance(schema, marshmallow.Schema):
            raise AdapterFailed(
                f"settings_schema returned {kind(schema)} instead of a Schema instance"
            )
        with time_limit(seconds):
            library_messages.mark(schema)
        self._schema: marshmallow.Schema = schema
        self._secret_fields = tuple(
            name for name, field in self._schema.fields.items() if field.metadata.get("secret")
        )

    @property
    def schema(self) -> marshmallow.Schema:
        """What a customer must type. To be looked at; `check_settings` loads."""
        return self._schema

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """The names of the settings that must never be shown."""
        return self._secret_fields

    def check_settings(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The settings a customer typed, checked and ready to be kept as JSON.

        Raises marshmallow.ValidationError when they are wrong.
        """
        try:
            with time_limit(self._seconds):
                loaded = json.loads(json.dumps(self._schema.load(raw)))
        except (KeyboardInterrupt, marshmallow.ValidationError):
            raise
        except BaseException as error:
            raise AdapterFailed(sentence(f"settings_schema raised {describe(error)}")) from error
        if not isinstance(loaded, dict):
            raise AdapterFailed(f"settings_schema loaded {kind(loaded)} instead of an object")
        return loaded

    def secrets(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The values that must not be shown, as they are and as URL, form and JSON spell them.

        Shorter than 4 characters they are no secrets, and would mask everything.
        """
        return secrets_in(settings, self._secret_fields)

    def build(self, event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
        """The requests that tell `event`, in order; () when there is nothing to tell."""
        built = self._call("build_request", event=event, settings=MappingProxyType(settings))
        return check_steps(built, event, self.secrets(settings))

    def classify(
        self, response: Response, request: Request, event: Event, settings: Mapping[str, Any]
    ) -> Outcome:
        """What `response` means. Its reason is cleaned, masked and cut."""
        outcome = self._call(
            "classify_response",
            response=response,
            request=request,
            event=event,
            settings=MappingProxyType(settings),
        )
        return check_outcome(outcome, request.secrets, "classify_response")

    def probe(self, settings: Mapping[str, Any]) -> Request | None:
        """The request that tests `settings`, or None when the adapter knows no such test."""
        if "build_probe" not in self._hooks:
            return None
        built = self._call("build_probe", settings=MappingProxyType(settings))
        return check_request(built, None, self.secrets(settings), "build_probe")

    def classify_probe(self, response: Response, settings: Mapping[str, Any]) -> Outcome:
        """Whether the connection is good, by the answer to the probe.

        Nobody tries a probe again: what would park a destination says no here.
        """
        told = self._call("classify_probe", response=response, settings=MappingProxyType(settings))
        outcome = check_outcome(told, self.secrets(settings), "classify_probe")
        return replace(outcome, verdict=Verdict.REJECTED) if outcome.stop else outcome

    def wants_every_event(self, settings: Mapping[str, Any]) -> bool:
        """Whether superseded statuses are delivered too."""
        if "wants_every_event" not in self._hooks:
            return False
        wants = self._call("wants_every_event", settings=MappingProxyType(settings))
        if not isinstance(wants, bool):
            raise AdapterFailed(f"wants_every_event returned {kind(wants)} instead of a bool")
        return wants

    def retry_span(self, settings: Mapping[str, Any]) -> float | None:
        """Seconds after the first try when retries end; None = the whole schedule."""
        return self._seconds_by("retry_span", settings)

    def oldest(self, settings: Mapping[str, Any]) -> float | None:
        """Seconds after an event's time when it is too old to be sent; None = never."""
        return self._seconds_by("oldest", settings)

    def pace(self, settings: Mapping[str, Any]) -> Pace | None:
        """How fast the tracker may be told; None = as fast as it answers."""
        if "pace" not in self._hooks:
            return None
        told = self._call("pace", settings=MappingProxyType(settings))
        return None if told is None else check_pace(told)

    def _seconds_by(self, hook: str, settings: Mapping[str, Any]) -> float | None:
        if hook not in self._hooks:
            return None
        span = self._call(hook, settings=MappingProxyType(settings))
        if span is None:
            return None
        if not is_seconds(span):
            raise AdapterFailed(f"{hook} returned {kind(span)} instead of seconds")
        return float(span)

    def _call(self, hook: str, **arguments: Any) -> Any:
        """Call one hook with every argument it knows (without one, pluggy only warns)."""
        try:
            with time_limit(self._seconds):
                return self._hooks[hook](**arguments)
        except KeyboardInterrupt:
            raise
        # Foreign code raises anything: SystemExit and our own TimeUp, which no
        # `except Exception` sees, must end as a failed attempt like the rest.
        except BaseException as error:
            secrets = self.secrets(arguments.get("settings", {}))
            raise AdapterFailed(
                sentence(f"{hook} raised {describe(error)}", secrets),
                slow=isinstance(error, TimeUp),
            ) from error
