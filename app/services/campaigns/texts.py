"""A campaign's welcome, greeting and buttons as typed: what is refused, and what is warned of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.domain import welcome
from app.errors import BadParameter, translatable
from app.services.trackers import typed_addresses, url_templates
from plugins.kit import macros, spelling


def check_button(url: str) -> None:
    """Raise BadParameter for `button_url` unless a browser can open `url`; "" does."""
    text = url.strip()
    try:
        if text:
            macros.compile_url(text)
    except ValueError as error:
        raise BadParameter("button_url", str(error)) from error
    if fault := spelling.address_fault(text):
        raise BadParameter("button_url", fault)


def emptied_warnings(names: Sequence[str]) -> list[str]:
    """Return a warning about templates that were emptied because another one was sent."""
    if not names:
        return []
    return [
        translatable(
            "%(names)s: emptied, since another template was sent; send all five together",
            names=", ".join(names),
        )
    ]


def warnings(params: Mapping[str, Any]) -> list[str]:
    """What will hardly work of a campaign's texts and URLs, as they were accepted."""
    lines = url_templates.warnings(params.get("urls") or {})
    for name, doubts in (
        ("welcome", _welcome_doubts(params.get("welcome") or "")),
        ("button_text", _button_text_doubts(params.get("button_text") or "")),
        ("button_url", _button_doubts((params.get("button_url") or "").strip())),
        ("greet", _welcome_doubts(params.get("greet") or "")),
        ("greet_button", _button_text_doubts(params.get("greet_button") or "")),
    ):
        lines += (
            translatable("%(name)s: %(doubt)s", name=name, doubt=doubt)
            for doubt in dict.fromkeys(filter(None, doubts))
        )
    return lines


def _welcome_doubts(text: str) -> Iterator[str]:
    if text and welcome.is_empty(text):
        yield translatable("it holds nothing that Telegram would show, so no text goes out")
    yield from spelling.doubts(text)
    yield from spelling.empty_macros(text)
    yield from spelling.touch_macros(text)
    if fault := spelling.macro_fault(text):
        yield fault
    if fault := spelling.entity_fault(text):
        yield fault
    if fault := welcome.markdown_fault(text):
        yield translatable("%(fault)s; the mark there is shown as it is", fault=fault)
    for url in welcome.links(text):
        yield spelling.address_fault(url)
        yield from spelling.doubts(url)
        yield from _link_doubts(url)


def _button_text_doubts(text: str) -> Iterator[str]:
    for macro in spelling.all_macros(text):
        yield translatable(
            "%(macro)s is shown as it stands; the text of a button has no macros", macro=macro
        )
    if fault := spelling.entity_fault(text):
        yield fault


def _button_doubts(url: str) -> Iterator[str]:
    if url:
        yield from spelling.doubts(url)
        yield from spelling.empty_macros(url)
        yield from spelling.touch_macros(url)
        yield from _link_doubts(url)


def _link_doubts(url: str) -> Iterator[str]:
    """Why people who press a link would not get where they should."""
    yield spelling.blank_doubt(url)
    yield spelling.separator_doubt(url)
    if not macros.MACRO.search(url.partition("://")[2].partition("/")[0]):
        if not welcome.is_link(url):
            yield translatable("Telegram takes no link to %(url)s", url=repr(url))
        elif fault := _private_fault(url):
            yield fault


def _private_fault(url: str) -> str:
    try:
        return typed_addresses.public_fault(url) or typed_addresses.host_doubt(url)
    except ValueError:  # a link to tg:// and the like
        return ""
