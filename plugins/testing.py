"""The conformance suite that built-in adapters and strangers' run alike.

    class TestMyTracker(AdapterContract):
        adapter = make_adapter("my_tracker", my_module)
        example_settings = {"token": "abc123"}
        success_sample = Response(200, {}, b'{"ok": true}')
        failure_sample = Response(200, {}, b'{"error": "key"}')

Needs pytest to be run, imports nothing of it. What it checks is what Gatepost
relies on: see each test's name.
"""

# ruff: noqa: S101  # a test suite that is shipped

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from plugins.contract import (
    TOUCH_FIELDS,
    ConversionKind,
    Event,
    EventKind,
    Outcome,
    Request,
    Response,
)
from plugins.host.adapter import Adapter
from plugins.host.purity import watched
from plugins.samples import BODIES, HOSTILE, NOW, STATUSES, sample_event

__all__ = ["BODIES", "HOSTILE", "NOW", "STATUSES", "AdapterContract", "sample_event"]


class AdapterContract:
    """Subclass it in a test module and set the first three attributes; samples are what you saw.

    `adapter` comes from `plugins.registry.make_adapter(name, module)` or from
    `Registry.load().get(name)`; `example_settings` is what a customer would
    type; `success_sample` is an answer by which the tracker takes an event.
    Where steps are answered differently, `success_samples` has an answer by
    the step's name. `failure_sample` is an answer that must be no success, and
    `probe_sample` one by which the probe finds the settings good.
    """

    adapter: ClassVar[Adapter]
    example_settings: ClassVar[dict[str, Any]]
    success_sample: ClassVar[Response]
    success_samples: ClassVar[Mapping[str, Response]] = {}
    failure_sample: ClassVar[Response | None] = None
    probe_sample: ClassVar[Response | None] = None

    def requests(self, event: Event) -> tuple[Request, ...]:
        """Build `event` with the example settings."""
        return self.adapter.build(event, self.settings())

    def settings(self) -> dict[str, Any]:
        """Return the example settings as they are kept."""
        return self.adapter.check_settings(self.example_settings)

    def test_the_example_settings_are_valid_and_stay_so_when_kept(self) -> None:
        """What the schema gives back it must accept again: settings are edited."""
        settings = self.settings()
        assert self.adapter.check_settings(settings) == settings

    def test_some_event_is_sent(self) -> None:
        """An adapter that never sends is misconfigured."""
        assert any(self.requests(sample_event(kind)) for kind in self.adapter.kinds)

    def test_the_same_event_gives_the_same_requests(self) -> None:
        """A retry must be recognisable as one."""
        for kind in self.adapter.kinds:
            assert self.requests(sample_event(kind)) == self.requests(sample_event(kind))

    def test_a_retry_goes_under_the_same_keys(self) -> None:
        """Time passes and tries are counted; the key must stay, or a retry counts twice."""
        for kind in self.adapter.kinds:
            event = sample_event(kind)
            later = replace(event, now=event.now + 3600, tries=3)
            assert _keys(self.requests(event)) == _keys(self.requests(later))

    def test_every_request_has_its_own_key_and_step(self) -> None:
        """The key of a step is the same on every retry, and no other step's."""
        for kind in self.adapter.kinds:
            steps = self.requests(sample_event(kind))
            assert len({step.idempotency_key for step in steps}) == len(steps)
            assert all(step.idempotency_key for step in steps)

    def test_optional_fields_of_an_event_may_be_missing(self) -> None:
        """People have no username; a lead that never joined has no join time."""
        texts = "click username first_name last_name title language value currency name"
        bare: dict[str, Any] = dict.fromkeys(texts.split(), "")
        for kind in self.adapter.kinds:
            self.requests(sample_event(kind, **bare, joined=None, premium=False, touch={}))

    def test_hostile_text_stays_in_its_place(self) -> None:
        """No stranger's text changes where a request goes or what else it says."""
        for kind in self.adapter.kinds:
            plain = self.requests(sample_event(kind))
            for text in HOSTILE:
                hostile = self.requests(_with_text(kind, text))
                assert len(hostile) == len(plain)
                for expected, request in zip(plain, hostile, strict=True):
                    assert _skeleton(request) == _skeleton(expected), (
                        f"{text!r} changed the request"
                    )

    def test_secrets_are_masked(self) -> None:
        """No secret setting is readable in what people see of a request."""
        secrets = self.adapter.secrets(self.settings())
        for kind in self.adapter.kinds:
            for request in self.requests(sample_event(kind)):
                assert not [secret for secret in secrets if secret in request.redacted()]

    def test_its_own_success_is_delivered(self) -> None:
        """The sample of a success is read as one, step by step, with the state of those before."""
        for kind in self.adapter.kinds:
            event = sample_event(kind)
            for number, request in enumerate(self.requests(event)):
                sent = self.requests(event)[number]
                assert sent.step == request.step
                answer = self.success_of(sent)
                outcome = self.adapter.classify(answer, sent, event, self.settings())
                assert outcome.verdict.is_success, (sent.step, outcome)
                if outcome.state is not None:
                    event = replace(event, state=json.loads(json.dumps(dict(outcome.state))))

    def test_its_own_failure_is_not_delivered(self) -> None:
        """The sample of a failure, where there is one, is no success of any step, and says why."""
        if self.failure_sample is None:
            return
        event = self.some_event()
        for request in self.requests(event):
            outcome = self.adapter.classify(self.failure_sample, request, event, self.settings())
            assert not outcome.verdict.is_success, (request.step, outcome)
            assert outcome.reason, request.step

    def success_of(self, request: Request) -> Response:
        """Return the answer by which the tracker takes this step."""
        return self.success_samples.get(request.step) or self.success_sample

    def test_every_answer_gets_an_outcome(self) -> None:
        """Servers answer anything: empty, binary, HTML, broken JSON, a megabyte."""
        event, settings = self.some_event(), self.settings()
        request = self.requests(event)[0]
        for status in STATUSES:
            for body in BODIES:
                answer = Response(status, {"retry-after": "soon"}, body)
                outcome = self.adapter.classify(answer, request, event, settings)
                assert isinstance(outcome, Outcome)

    def test_the_state_changes_no_steps(self) -> None:
        """It comes back from storage, and may change what a step says, not which there are."""
        event = self.some_event()
        requests = self.requests(event)
        for request in requests:
            for answer in self._answers():
                outcome = self.adapter.classify(answer, request, event, self.settings())
                state = json.loads(json.dumps(dict(outcome.state or {})))
                again = self.requests(replace(event, state=state))
                assert [step.step for step in again] == [step.step for step in requests]
                assert again == self.requests(replace(event, state=state))

    def _answers(self) -> Iterator[Response]:
        """Its success, and failures as many vendors tell them."""
        yield self.success_sample
        yield from self.success_samples.values()
        for status in STATUSES:
            yield Response(status, {}, b"")
            yield Response(status, {}, b'{"error": 404, "status": "error"}')

    def test_a_probe_and_its_answers_are_understood(self) -> None:
        """Where the adapter has a probe, its sample is good, and any answer gets an outcome."""
        settings = self.settings()
        if self.adapter.probe(settings, NOW) is None:
            assert self.probe_sample is None, "there is no probe that it could answer"
            return
        if self.probe_sample is not None:
            outcome = self.adapter.classify_probe(self.probe_sample, settings)
            assert outcome.verdict.is_success, outcome
        for status in STATUSES:
            for body in BODIES:
                self.adapter.classify_probe(Response(status, {}, body), settings)

    def test_the_delivery_policy_can_be_followed(self) -> None:
        """`delivery_policy` returns a `DeliveryPolicy` with values in range."""
        self.adapter.delivery_policy(self.settings())

    def test_hooks_touch_neither_network_nor_files_nor_clock(self) -> None:
        """Adapters describe; only the transport acts. Imports inside hooks count too."""
        event, settings = self.some_event(), self.settings()
        request = self.adapter.build(event, settings)[0]  # what is cached may be read now
        self.adapter.classify(self.success_of(request), request, event, settings)
        self.adapter.probe(settings, NOW)
        with watched() as seen:
            self.adapter.build(event, settings)
            self.adapter.classify(self.success_of(request), request, event, settings)
            self.adapter.probe(settings, NOW)
        assert not seen, f"a hook did more than describe: {seen}"

    def test_it_asks_for_known_fields_of_a_click(self) -> None:
        """`touch_fields` names some of `TOUCH_FIELDS`, or is left out."""
        assert self.adapter.touch_fields(self.settings()) <= set(TOUCH_FIELDS)

    def some_event(self) -> Event:
        """Return a sample event that this adapter sends."""
        for kind in self.adapter.kinds:
            if self.requests(sample_event(kind)):
                return sample_event(kind)
        raise AssertionError("the adapter sends no event with the example settings")


#: The fields of a touch that Gatepost writes itself, so that no stranger's text is in them.
_OUR_OWN = {"how": "link", "source": "abcd1234", "click_token": "a1B2c3D4e5F6g7H8"}


def _with_text(kind: EventKind | ConversionKind, text: str) -> Event:
    return sample_event(
        kind,
        click=text,
        username=text,
        first_name=text,
        last_name=text,
        title=text,
        language=text[:16],
        name=text[:40] if isinstance(kind, ConversionKind) else "",
        touch={**dict.fromkeys(TOUCH_FIELDS, text), **_OUR_OWN},
    )


def _skeleton(request: Request) -> tuple[Any, ...]:
    """Everything of a request that no value may change."""
    parts = urlsplit(request.url)
    dots = (".", "..")
    segments = [
        part for part in parts.path.lower().replace("%2e", ".").split("/") if part not in dots
    ]
    return (
        request.method,
        request.step,
        parts.scheme,
        parts.netloc,
        len(segments),
        [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)],
        sorted(request.headers),
    )


def _keys(requests: tuple[Request, ...]) -> list[tuple[str, str]]:
    return [(step.step, step.idempotency_key) for step in requests]
