"""Names of modules, classes, functions, fields and variables that must not come back.

Each has a plain word in its place.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.guards import shape

FORBIDDEN = {
    "modules": """
        bell book bundle_text bundles deed doors drainer embedded embedded_redis envelope
        evil foreign extraction gateways ground history leads_list listing masks notices objects
        outbox pacing paging parcel people_back places probe pusher receipts reckoning reports
        screen schemes shapes slow_clients spans story tallies toasts transfer_handle tryout turns
        upkeep vault visitors ways wire
    """,
    "classes": """
        Book Bundle Catch Chance Charged Checked Claimed Deed Doorbell Drainer Ending Entry
        Happening Kept Listener NoWay Occurrence Odd Owed Parcel Past Phrases Place Places
        Pressed Pusher Reachable Reading Reported Said Screen Sentence Settled Slice Slot Sorted
        Spoken Stamp Standing Tally Told Tried Turns Vault Wanted Watch Way Ways
    """,
    "functions": """
        admit air announce are_back asleep awake call_for_help check_out fingerprint
        forbid_moving freeze give give_ways hand_back hear introduce is_gone let_in
        put_aside put_down put_off put_on ring seal taken_back thaw told_in unseal
        went_back_unseen
    """,
    "fields": """
        carried carry given help_wanted kept known overtaken parked retry_span said told
        wanted wants_every_event
    """,
    "variables": "doors found given kept known one said told wanted what who",
}

#: Names that wait for their plain word. Take out what is gone; add nothing.
STILL_THERE = {
    ("slow_clients", "app/web/slow_clients.py"),
    ("what", "app/services/accounts/notifications.py"),
}


def names() -> Iterator[tuple[str, str, str]]:
    """(kind, name, path) of every name that the product defines."""
    for path, tree in shape.modules().items():
        yield "modules", path.removesuffix("/__init__.py").removesuffix(".py").split("/")[-1], path
        for node in ast.walk(tree):
            for name in _assigned(node):
                yield "variables", name.strip("_"), path
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield "functions", node.name.lstrip("_"), path
            elif isinstance(node, ast.ClassDef):
                yield "classes", node.name.lstrip("_"), path
                for field in node.body:
                    if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                        yield "fields", field.target.id.lstrip("_"), path


def _assigned(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr


@pytest.mark.parametrize("kind", FORBIDDEN)
def test_no_metaphor_is_a_name_again(kind):
    forbidden = set(FORBIDDEN[kind].split())
    back = {(name, path) for of, name, path in names() if of == kind and name in forbidden}
    assert back <= STILL_THERE


def test_what_is_gone_is_not_waited_for():
    assert {(name, path) for _, name, path in names()} >= STILL_THERE
