"""What an adapter may return: every rule of the border, in one place."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from plugins.contract import (
    TOUCH_FIELDS,
    ConversionKind,
    DeliveryPolicy,
    Event,
    Outcome,
    RateLimit,
    Request,
    TranslatableText,
    Verdict,
    mask,
)
from plugins.host.foreign_code import ForeignCodeFailed, call, describe_error
from plugins.kit.http_headers import METHODS, is_framing, is_name, is_value
from plugins.kit.secrets.typed import encodings, mask_cut
from plugins.kit.url_spelling import AddressRefused, check_url

MAX_BODY: Final = 256 * 1024
MAX_HEADERS: Final = 64
MAX_HEADER_CHARACTERS: Final = 64 * 1024  # names and values together; libcurl sends 1 MB
MAX_STEPS: Final = 16
MAX_STEP: Final = 32
MAX_KEY: Final = 128
MAX_REASON: Final = 300
MAX_STATE_ITEMS: Final = 16
MAX_STATE_CHARACTERS: Final = 1024  # characters of JSON
MAX_STATE_NUMBER: Final = 2**53
MAX_BURST: Final = 1_000_000
MIN_PER_MINUTE: Final = 1 / 60

_PRINTABLE: Final = re.compile(r"[!-~]*")
_UNSTORABLE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


class AdapterFailed(Exception):
    """The adapter raised, took too long or returned nonsense; `reason` says which.

    `slow`: it had to be interrupted, and every such call holds up all others.
    """

    def __init__(self, reason: str, *, slow: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.slow = slow


def check_steps(built: object, event: Event, secrets: tuple[str, ...]) -> tuple[Request, ...]:
    """The steps of one event, complete; raises AdapterFailed."""
    if isinstance(built, Request):
        return (check_request(built, event, secrets, "build_request"),)
    if not isinstance(built, tuple):
        raise AdapterFailed(f"build_request returned {type_name(built)} instead of a Request")
    if len(built) > MAX_STEPS:
        raise AdapterFailed(f"build_request returned more than {MAX_STEPS} steps")
    steps = tuple(check_request(step, event, secrets, "build_request") for step in built)
    if len({step.step for step in steps}) < len(steps):
        raise AdapterFailed("build_request gave two steps the same name")
    return steps


def check_request(
    built: object, event: Event | None, secrets: tuple[str, ...], hook: str
) -> Request:
    """One request with its key and all its secrets; raises AdapterFailed."""
    if not isinstance(built, Request):
        raise AdapterFailed(f"{hook} returned {type_name(built)} instead of a Request")
    if problem := _problem(built):
        raise AdapterFailed(f"{hook} returned a request {problem}")
    key = built.idempotency_key or (event.step_key(built.step) if event else "")
    return Request(
        method=built.method,
        url=built.url,
        headers=built.headers,
        body=built.body,
        step=built.step,
        idempotency_key=key,
        secrets=(*built.secrets, *secrets) if secrets else built.secrets,
    )


def check_outcome(outcome: object, secrets: tuple[str, ...], hook: str) -> Outcome:
    """An outcome whose reason can be stored and shown; raises AdapterFailed."""
    if not isinstance(outcome, Outcome) or not isinstance(outcome.verdict, Verdict):
        raise AdapterFailed(f"{hook} returned {type_name(outcome)} instead of an Outcome")
    wait = outcome.retry_after
    if wait is not None and not is_seconds(wait):
        raise AdapterFailed(f"{hook} returned a retry_after that is no number of seconds")
    if not isinstance(outcome.reason, str) or not isinstance(outcome.disable_destination, bool):
        raise AdapterFailed(f"{hook} returned an Outcome with a wrong type inside")
    reason = sentence(outcome.reason, secrets)
    state = None if outcome.state is None else _checked_state(outcome.state, secrets, hook)
    if state is None and reason == outcome.reason:
        return outcome
    return replace(outcome, reason=reason, state=state)


def _checked_state(state: object, secrets: tuple[str, ...], hook: str) -> dict[str, str | int]:
    """A copy that runs no foreign code, is stored in clear, and comes back as it went."""
    copy = _copied(state)
    if copy is None or len(copy) > MAX_STATE_ITEMS:
        raise AdapterFailed(
            f"{hook} returned a state that is no mapping of at most {MAX_STATE_ITEMS}"
        )
    checked: dict[str, str | int] = {}
    for name, value in copy.items():
        number = type(value) is int and abs(value) <= MAX_STATE_NUMBER
        if not isinstance(name, str) or not (number or isinstance(value, str)):
            raise AdapterFailed(f"{hook} returned a state of other things than texts and numbers")
        checked[_plain_text(name)] = value if type(value) is int else _plain_text(value)
    if len(text := json.dumps(checked)) > MAX_STATE_CHARACTERS:
        raise AdapterFailed(
            f"{hook} returned a state of more than {MAX_STATE_CHARACTERS} characters"
        )
    if mask(text, secrets) != text:
        raise AdapterFailed(f"{hook} returned a state with a secret inside")
    return checked


def _copied(state: object) -> dict[Any, Any] | None:
    """A copy of the mapping, None for anything else. A foreign Mapping may raise or hang."""
    if not isinstance(state, Mapping):
        return None
    try:
        return call(0.2, dict[Any, Any], state)
    except ForeignCodeFailed as failed:
        reason = one_line(f"reading the state raised {describe_error(failed.error)}")
        raise AdapterFailed(reason) from failed.error


def _plain_text(text: str) -> str:
    """A plain str. Half a surrogate pair, which a stranger's JSON may hold, becomes `?`."""
    return str.encode(text, "utf-8", "replace").decode()


def check_policy(policy: object) -> DeliveryPolicy:
    """Return `policy` if delivery can follow it; raises AdapterFailed."""
    hook = "delivery_policy"
    if not isinstance(policy, DeliveryPolicy):
        raise AdapterFailed(f"{hook} returned {type_name(policy)} instead of a DeliveryPolicy")
    for name in ("retry_window", "max_event_age"):
        value = getattr(policy, name)
        if value is not None and not is_seconds(value):
            raise AdapterFailed(f"{hook} returned a {name} that is no number of seconds")
    if not isinstance(policy.send_superseded, bool):
        raise AdapterFailed(f"{hook} returned a send_superseded that is neither True nor False")
    if policy.rate_limit is not None:
        _check_rate_limit(policy.rate_limit, hook)
    return policy


def check_conversion_kinds(kinds: object) -> tuple[ConversionKind, ...]:
    """Return `kinds` in their own order, each once; raises AdapterFailed."""
    is_text = isinstance(kinds, str)
    names = list(kinds) if isinstance(kinds, Iterable) and not is_text else [None]
    if not all(isinstance(name, ConversionKind) for name in names):
        raise AdapterFailed("conversion_kinds returned something else than kinds of conversions")
    return tuple(kind for kind in ConversionKind if kind in names)


def check_touch_fields(names: object) -> frozenset[str]:
    """Return the names of a touch's fields; raises AdapterFailed."""
    is_text = isinstance(names, str)
    asked = list(names) if isinstance(names, Iterable) and not is_text else [None]
    fields = frozenset(name for name in TOUCH_FIELDS if name in asked)
    if not all(name in TOUCH_FIELDS for name in asked):
        raise AdapterFailed("touch_fields returned something else than names of TOUCH_FIELDS")
    return fields


def _check_rate_limit(limit: object, hook: str) -> None:
    if not isinstance(limit, RateLimit) or not isinstance(limit.key, str):
        raise AdapterFailed(f"{hook} returned a rate_limit that is no RateLimit with a text as key")
    if not is_seconds(limit.per_minute) or limit.per_minute < MIN_PER_MINUTE:
        raise AdapterFailed(f"{hook} returned a per_minute that is less than one an hour")
    if type(limit.burst) is not int or not 1 <= limit.burst <= MAX_BURST:
        raise AdapterFailed(
            f"{hook} returned a burst that is no whole number from 1 to {MAX_BURST}"
        )


def is_seconds(value: object) -> bool:
    """Whether `value` is a finite number of seconds, zero or more."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value >= 0
    )


def one_line(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Foreign text as one line that any database stores, masked and cut."""
    return mask_cut(_UNSTORABLE.sub(" ", text[: MAX_REASON * 4]), secrets).strip()[:MAX_REASON]


def sentence(text: str, secrets: tuple[str, ...] = ()) -> str:
    """A sentence as one line for people: what is foreign in it is masked, not our own words.

    Of a text that `translatable` has made only the terms are foreign: a customer's key may be
    part of a word of ours, and the sentence says no less for that. Any other is foreign whole.
    """
    if type(text) is not TranslatableText or one_line(text.template) != text.template:
        return one_line(text, secrets)
    if not text.terms:
        return text
    terms = {name: _shown_term(term, secrets) for name, term in text.terms.items()}
    if any(term is None for term in terms.values()):
        return one_line(text, secrets)
    shown = TranslatableText(text.template, **terms)
    return shown if len(shown) <= MAX_REASON else shown[:MAX_REASON]


def _shown_term(term: object, secrets: tuple[str, ...]) -> object:
    """A term of a sentence, masked; None for a number that is a secret, since no mask is one."""
    if isinstance(term, str):
        return sentence(term, secrets)
    return term if one_line(str(term), secrets) == str(term) else None


def type_name(value: object) -> str:
    """The name of a wrong value's type; "nothing" for None."""
    return "nothing" if value is None else type(value).__name__


def _problem(request: Request) -> str | None:  # noqa: PLR0911  # a list of rules
    url, body, step = request.url, request.body, request.step
    if request.method not in METHODS:
        return "with an unknown method"
    if not isinstance(url, str) or not _PRINTABLE.fullmatch(url):
        return "whose address is not an absolute http or https URL in printable ASCII"
    try:
        check_url(url)
    except AddressRefused as error:
        return f"whose address cannot be called: {error.reason}"
    if not isinstance(body, bytes) or len(body) > MAX_BODY:
        return f"whose body is not bytes, or more than {MAX_BODY} of them"
    if not isinstance(step, str) or len(step) > MAX_STEP or not _PRINTABLE.fullmatch(step):
        return f"whose step name is not a word of at most {MAX_STEP} characters"
    key = request.idempotency_key
    if not isinstance(key, str) or len(key) > MAX_KEY or not _PRINTABLE.fullmatch(key):
        return f"whose idempotency key is not a word of at most {MAX_KEY} characters"
    if not isinstance(request.secrets, tuple) or not all(
        isinstance(secret, str) for secret in request.secrets
    ):
        return "whose secrets are not a tuple of texts"
    return _headers_problem(request.headers) if request.headers else None


def _headers_problem(headers: object) -> str | None:
    if not isinstance(headers, Mapping) or len(headers) > MAX_HEADERS:
        return f"whose headers are not a mapping of at most {MAX_HEADERS}"
    for name, value in headers.items():
        if not isinstance(name, str) or not is_name(name):
            return "with a header name that HTTP does not allow"
        if is_framing(name):
            return f"with the header {name}, which the transport sets"
        if not isinstance(value, str) or not is_value(value):
            return "with a header value that HTTP does not allow"
    if sum(len(name) + len(value) for name, value in headers.items()) > MAX_HEADER_CHARACTERS:
        return f"whose headers have more than {MAX_HEADER_CHARACTERS} characters"
    return None


def secrets_in(settings: Mapping[str, Any], fields: tuple[str, ...]) -> tuple[str, ...]:
    """The encodings of all secret `fields` of `settings`, each once."""
    if not fields:
        return ()
    return tuple(dict.fromkeys(text for name in fields for text in encodings(settings.get(name))))
