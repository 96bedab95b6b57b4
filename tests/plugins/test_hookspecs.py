"""The hooks as an author meets them: a few are needed, arguments may be left out, one answers."""

import inspect
from types import SimpleNamespace
from typing import Any

import marshmallow
import pytest

from plugins import hookspecs
from plugins.contract import (
    ConversionKind,
    DeliveryPolicy,
    Outcome,
    Request,
    Response,
    Verdict,
    hookimpl,
)
from plugins.registry import AdapterFailed, make_adapter
from plugins.testing import sample_event

HOOKS = {name: spec for name, spec in vars(hookspecs).items() if hasattr(spec, "gatepost_spec")}


def form() -> marshmallow.Schema:
    return marshmallow.Schema()


NEEDED: dict[str, Any] = {
    "settings_schema": form,
    "build_request": lambda: Request("GET", "https://t.example/"),
    "classify_response": lambda: Outcome(Verdict.DELIVERED),
}


def plugin(**hooks: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: hookimpl(hook) for name, hook in hooks.items()})


def test_the_needed_hooks_are_enough_and_without_arguments():
    adapter = make_adapter("tried", plugin(**NEEDED))
    (request,) = adapter.build(sample_event(), {})
    assert adapter.classify(Response(200), request, sample_event(), {}).verdict.is_success


@pytest.mark.parametrize("hook", ["settings_schema", "build_request", "classify_response"])
def test_each_of_the_needed_hooks_is_missed_by_name(hook: str):
    rest = {name: done for name, done in NEEDED.items() if name != hook}
    with pytest.raises(AdapterFailed, match=f"lacks {hook}"):
        make_adapter("tried", plugin(**rest))


def test_every_hook_is_called_with_all_that_it_names():
    """A hook written with the arguments of its specification, in its order."""
    got: dict[str, dict[str, Any]] = {}

    def written(name: str, answer: Any) -> Any:
        names = ", ".join(inspect.signature(HOOKS[name]).parameters)
        scope: dict[str, Any] = {"got": got, "answer": answer}
        source = f"def {name}({names}):\n  got[{name!r}] = locals()\n  return answer"
        exec(source, scope)  # noqa: S102 - our own names
        return scope[name]

    request, outcome = Request("GET", "https://t.example/"), Outcome(Verdict.DELIVERED)
    answers = {
        "settings_schema": marshmallow.Schema(),
        "build_request": request,
        "classify_response": outcome,
        "build_probe": request,
        "classify_probe": outcome,
        "delivery_policy": DeliveryPolicy(max_event_age=60),
        "conversion_kinds": [ConversionKind.PURCHASE],
        "touch_fields": ["source"],
    }
    assert set(answers) == set(HOOKS)
    adapter = make_adapter(
        "tried", plugin(**{name: written(name, answer) for name, answer in answers.items()})
    )
    event, response, settings = sample_event(), Response(200), {"a": "b"}
    (built,) = adapter.build(event, settings)
    adapter.classify(response, built, event, settings)
    adapter.probe(settings, 1_790_000_000)
    adapter.classify_probe(response, settings)
    assert adapter.delivery_policy(settings).max_event_age == 60
    assert ConversionKind.PURCHASE in adapter.kinds
    assert adapter.touch_fields(settings) == {"source"}
    assert got["build_request"]["event"].id == event.id
    assert dict(got["classify_response"]["settings"]) == settings
    assert got["build_probe"]["now"] == 1_790_000_000
    assert set(got) == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_no_hook_hands_over_an_argument_that_it_does_not_name(hook: str):
    written: dict[str, Any] = {}
    exec(f"def {hook}(clock): return clock", written)  # noqa: S102 - our own names
    with pytest.raises(AdapterFailed, match="clock"):
        make_adapter("tried", plugin(**{**NEEDED, hook: written[hook]}))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_returns_one_answer_and_no_list_of_them(hook: str):
    assert HOOKS[hook].gatepost_spec["firstresult"] is True
