"""From a preset, its fields and a customer's own words to the settings of `url_template`."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError

from plugins.contract import EventKind, translatable
from plugins.kit import macros, spelling
from plugins.kit.secrets.names import is_secret_name
from plugins.trackers.url_template.presets import WORD_LIST, Mode, Preset, find

#: An id of a conversion that has the event's word in it.
_ID_BY_WORD: Final = "{lead}-{status}"


def expand(
    key: str, mode: str, fields: Mapping[str, Any], statuses: Mapping[str, str]
) -> dict[str, Any]:
    """The settings of `url_template` for this tracker, as they are stored.

    Secret fields stay in the URLs by name, such as `{postback_key}`, so that the URLs
    can be shown; the other fields are filled in. `statuses` are the customer's own
    words for {status}; an empty word sends nothing for its event. Raises ValidationError.
    """
    preset = find(key)
    mode = mode or next(iter(preset.modes))
    if mode not in preset.modes:
        raise ValidationError(
            {"mode": [translatable("must be one of: %(choices)s", choices=", ".join(preset.modes))]}
        )
    values = _check_fields(preset, fields)
    usual = preset.modes[mode].statuses
    words = _words(preset.modes[mode], statuses)
    fill_in = _Filler(values, usual, words)
    return {
        "preset": key,
        "mode": mode,
        "fields": values,
        "statuses": {kind.value: word for kind, word in words.items() if word != usual[kind]},
        "urls": {
            kind.value: fill_in(preset.modes[mode].urls[kind], word) if word else ""
            for kind, word in words.items()
        }
        | _conversion_urls(preset.modes[mode], values),
        "method": preset.method,
        "body": preset.body,
        "payload": {
            name: value for name, value in preset.payload.items() if not _is_empty(value, values)
        },
        "headers": dict(preset.headers),
        "needs_click": preset.click.required,
    }


def _conversion_urls(mode: Mode, values: Mapping[str, str]) -> dict[str, str]:
    fill_in = _Filler(values, {}, {})
    return {kind.value: fill_in(url, "{status}") for kind, url in mode.conversions.items()}


def _words(mode: Mode, statuses: Mapping[str, str]) -> dict[EventKind, str]:
    """The word of each event, the customer's before the usual one. Raises ValidationError."""
    words = dict(mode.statuses)
    problems: dict[str, list[str]] = {}
    for name, word in statuses.items():
        if name not in mode.statuses:
            problems[name] = [translatable("this tracker is not told this event")]
        elif problem := _word_problem(mode, word):
            problems[name] = [problem]
        else:
            words[EventKind(name)] = word
    problems = problems or _ambiguous_words(mode, words, statuses)
    if problems:
        raise ValidationError({"statuses": problems})
    return words


def _word_problem(mode: Mode, word: str) -> str:
    """Why the tracker cannot file `word`; "" if it can."""
    if word and mode.takes and word not in mode.takes:
        return translatable("this tracker takes: %(words)s", words=", ".join(mode.takes))
    if macros.MACRO.search(word):
        return translatable("a macro cannot stand for a status")
    if fault := spelling.address_fault(macros.in_query(word)):
        return fault
    if "," in word and mode.lists:
        return translatable("this tracker takes no word with a comma")
    return ""


def _ambiguous_words(
    mode: Mode, words: Mapping[EventKind, str], statuses: Mapping[str, str]
) -> dict[str, list[str]]:
    """Problems of the customer's words that would make one of two events."""
    problems: dict[str, list[str]] = {}
    for kind in words:
        for other in words:
            if statuses.get(kind.value) and _is_mixed_up(mode, words, kind, other):
                reason = translatable(
                    "the tracker could not tell it from %(event)s, which has the same word",
                    event=other.value,
                )
                problems[kind.value] = [reason]
    return problems


def _is_mixed_up(
    mode: Mode, words: Mapping[EventKind, str], kind: EventKind, other: EventKind
) -> bool:
    """Whether the tracker would take `kind` for `other`, by the words that they go out with.

    They are in two of its lists, they are a part of the conversion's id, or one of them is
    the approval. Where the tracker has its own words, it is the usual one that approves.
    """
    if kind is other or not words[kind] or not words[other]:
        return False
    approval = EventKind.APPROVE
    if mode.takes and other is approval and words[kind] == mode.statuses[approval]:
        return True
    if words[kind] != words[other] or mode.statuses[kind] == mode.statuses[other]:
        return False
    if mode.lists.get(kind) != mode.lists.get(other):
        return True
    is_in_id = all(_ID_BY_WORD in mode.urls[event] for event in (kind, other))
    return is_in_id or (not mode.takes and approval in (kind, other))


def _check_fields(preset: Preset, fields: Mapping[str, Any]) -> dict[str, str]:
    problems: dict[str, list[str]] = {}
    values: dict[str, str] = {}
    names = [field.name for field in preset.fields]
    for name in fields:
        if name not in names:
            problems[name] = [
                translatable(
                    "is unknown; %(title)s asks for: %(names)s",
                    title=preset.title,
                    names=", ".join(names) or translatable("nothing"),
                )
            ]
    for field in preset.fields:
        try:
            values[field.name] = field.check(fields.get(field.name))
        except ValidationError as error:
            problems[field.name] = list(error.messages)
    if problems:
        raise ValidationError({"fields": problems})
    return values


class _Filler:
    """Fills the URLs of one mode: fields, the word of the event, the words of the others.

    `{no_payout}` is 0 where the customer gave a payout, so that an event without money
    takes back what the conversion had; without one the sum is the tracker's to decide.
    `{status_approve}` and the like are the words that other events go out with. In a
    list of them an event that is not sent has no word; elsewhere it has its usual one.
    """

    def __init__(
        self,
        values: Mapping[str, str],
        usual: Mapping[EventKind, str],
        words: Mapping[EventKind, str],
    ) -> None:
        self._values = {**values, "no_payout": "0" if values.get("payout") else ""}
        self._words = {f"{{status_{kind.value}}}": word for kind, word in words.items()}
        self._usual = {f"{{status_{kind.value}}}": word for kind, word in usual.items()}

    def __call__(self, url: str, status: str) -> str:
        """Fill in `url`; a parameter whose optional field or list is empty is left out."""
        address, mark, query = url.partition("?")
        pairs = filter(None, map(self._pair, query.split("&")))
        text = f"{address}{mark}{'&'.join(pairs)}"
        for name, value in self._values.items():
            if name == "domain":
                text = text.replace("{domain}", value)
            elif not is_secret_name(name):
                text = text.replace(f"{{{name}}}", macros.in_query(value))
        for name, usual in self._usual.items():
            text = text.replace(name, macros.in_query(self._words[name] or usual))
        return text.replace("{status}", macros.in_query(status))

    def _pair(self, pair: str) -> str:
        """`pair` with its list of words filled in, each once; "" if there is nothing to send."""
        parameter, _, value = pair.partition("=")
        if _is_empty(pair, self._values):
            return ""
        if not WORD_LIST.fullmatch(value):
            return pair
        words = dict.fromkeys(self._words[name] for name in value.split(","))
        text = ",".join(macros.in_query(word) for word in words if word)
        return f"{parameter}={text}" if text else ""


def _is_empty(value: object, values: Mapping[str, str]) -> bool:
    """Whether `value` holds a field that the customer left empty."""
    return isinstance(value, str) and any(
        not text and f"{{{name}}}" in value for name, text in values.items()
    )
