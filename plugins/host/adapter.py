"""One adapter behind one face: the border between foreign code and ours.

What an adapter returns is checked here and nowhere else. Whatever goes wrong
inside it comes out as `AdapterFailed` with a reason that can be shown.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import marshmallow
import pluggy

from plugins.contract import (
    ConversionKind,
    DeliveryPolicy,
    Event,
    EventKind,
    Outcome,
    Request,
    Response,
    Verdict,
)
from plugins.host import library_messages
from plugins.host.challenges import outcome_of_challenge
from plugins.host.foreign_code import ForeignCodeFailed, call, describe_error, run_limited
from plugins.host.validation import (
    MAX_REASON,
    AdapterFailed,
    check_conversion_kinds,
    check_outcome,
    check_policy,
    check_request,
    check_steps,
    check_touch_fields,
    one_line,
    secrets_in,
    type_name,
)

#: Fields of a touch that are deleted after days, and so are masked in the log of attempts.
PERSONAL: Final = ("ip", "ua")
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
        self._functions = {hook: _only_function(caller) for hook, caller in self._hooks.items()}
        self._secret_fields: tuple[str, ...] = ()
        schema = self._call("settings_schema")
        if not isinstance(schema, marshmallow.Schema):
            raise AdapterFailed(
                f"settings_schema returned {type_name(schema)} instead of a Schema instance"
            )
        run_limited(seconds, library_messages.make_translatable, schema)
        self._schema: marshmallow.Schema = schema
        self._secret_fields = tuple(
            name for name, field in self._schema.fields.items() if field.metadata.get("secret")
        )
        self._conversion_kinds: tuple[ConversionKind, ...] = ()
        if "conversion_kinds" in self._hooks:
            self._conversion_kinds = check_conversion_kinds(self._call("conversion_kinds"))

    @property
    def schema(self) -> marshmallow.Schema:
        """What a customer must type, to be shown. `check_settings` loads with it."""
        return self._schema

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """The names of the settings that must never be shown."""
        return self._secret_fields

    @property
    def kinds(self) -> tuple[EventKind | ConversionKind, ...]:
        """The kinds of events that it is asked about, in the order of `ALL_KINDS`."""
        return (*EventKind, *self._conversion_kinds)

    def check_settings(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The settings a customer typed, checked and ready to be kept as JSON.

        Raises marshmallow.ValidationError when they are wrong.
        """
        try:
            loaded = call(self._seconds, _load, self._schema, raw)
        except ForeignCodeFailed as failed:
            if isinstance(failed.error, marshmallow.ValidationError):
                raise failed.error from None
            reason = one_line(f"settings_schema raised {describe_error(failed.error)}")
            raise AdapterFailed(reason) from failed.error
        if not isinstance(loaded, dict):
            raise AdapterFailed(f"settings_schema loaded {type_name(loaded)} instead of an object")
        return loaded

    def secrets(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The values that must not be shown, as they are and as URL, form and JSON spell them.

        Shorter than 4 characters they are no secrets, and would mask everything.
        """
        return secrets_in(settings, self._secret_fields)

    def build(self, event: Event, settings: Mapping[str, Any]) -> tuple[Request, ...]:
        """The requests that tell `event`, in order; () when there is nothing to tell.

        A person's address and browser are masked like secrets: the log of attempts outlives them.
        """
        if event.kind not in self.kinds:
            return ()
        built = self._call("build_request", event=event, settings=MappingProxyType(settings))
        secrets = self.secrets(settings)
        if event.touch:
            secrets += secrets_in(event.touch, PERSONAL)
        return check_steps(built, event, secrets)

    def classify(
        self, response: Response, request: Request, event: Event, settings: Mapping[str, Any]
    ) -> Outcome:
        """What `response` means. Its reason is cleaned, masked and cut."""
        if challenge := outcome_of_challenge(response):
            return challenge
        outcome = self._call(
            "classify_response",
            response=response,
            request=request,
            event=event,
            settings=MappingProxyType(settings),
        )
        return check_outcome(outcome, request.secrets, "classify_response")

    def probe(self, settings: Mapping[str, Any], now: int) -> Request | None:
        """The request that tests `settings` at `now`, or None where there is no such test."""
        if "build_probe" not in self._hooks:
            return None
        built = self._call("build_probe", settings=MappingProxyType(settings), now=now)
        return check_request(built, None, self.secrets(settings), "build_probe")

    def classify_probe(self, response: Response, settings: Mapping[str, Any]) -> Outcome:
        """Whether the connection is good, by the answer to the probe.

        A probe is not repeated, so `disable_destination` makes the verdict REJECTED.
        """
        if challenge := outcome_of_challenge(response):
            return challenge
        answer = self._call(
            "classify_probe", response=response, settings=MappingProxyType(settings)
        )
        outcome = check_outcome(answer, self.secrets(settings), "classify_probe")
        return (
            replace(outcome, verdict=Verdict.REJECTED) if outcome.disable_destination else outcome
        )

    def delivery_policy(self, settings: Mapping[str, Any]) -> DeliveryPolicy:
        """How events are delivered with `settings`; the defaults without the hook."""
        if "delivery_policy" not in self._hooks:
            return DeliveryPolicy()
        return check_policy(self._call("delivery_policy", settings=MappingProxyType(settings)))

    def touch_fields(self, settings: Mapping[str, Any]) -> frozenset[str]:
        """What of a click it wants to hear with `settings`; nothing without the hook."""
        if "touch_fields" not in self._hooks:
            return frozenset()
        return check_touch_fields(self._call("touch_fields", settings=MappingProxyType(settings)))

    def _call(self, hook: str, **arguments: Any) -> Any:
        """Call one hook with every argument it knows (without one, pluggy only warns)."""
        try:
            if only := self._functions[hook]:
                function, names = only
                return call(self._seconds, function, *[arguments[name] for name in names])
            return call(self._seconds, self._hooks[hook], **arguments)
        except ForeignCodeFailed as failed:
            secrets = self.secrets(arguments.get("settings", {}))
            reason = f"{hook} raised {one_line(describe_error(failed.error), secrets)}"
            raise AdapterFailed(reason[:MAX_REASON], slow=failed.slow) from failed.error


def _load(schema: marshmallow.Schema, raw: Mapping[str, Any]) -> Any:
    """Load settings and copy them, so that they are kept as JSON."""
    return json.loads(json.dumps(schema.load(raw)))


def _only_function(caller: pluggy.HookCaller) -> tuple[Callable[..., Any], Sequence[str]] | None:
    """The one plain function behind a hook and its arguments; None if pluggy must call it.

    Most hooks are one function, and pluggy's call would take longer than the function does.
    """
    implementations = caller.get_hookimpls()
    if len(implementations) != 1 or not (caller.spec and caller.spec.opts.get("firstresult")):
        return None
    only = implementations[0]
    if only.hookwrapper or only.wrapper:
        return None
    return only.function, only.argnames
