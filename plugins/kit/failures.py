"""What counts as a stated failure, whatever the status: in JSON, in XML and in plain words.

One reading for all trackers whose own words are not known. It looks for:

* a flag that says no: `success`, `ok` or `valid` that is false, 0 or "no";
* a word for a failure under `status`, `result`, `state` or `code`, and a code that HTTP or a
  program uses for one (400 to 599, below zero);
* anything but nothing under `error`, `errors` and their kin: null, false, 0, "", [], {} and
  "none" or "ok" are nothing;
* "rejected" and its kin with a reason beside it: alone it may be our own status, repeated;
* where the object does not say that it went well, a message that tells of a failure;
* the same one level deeper, such as in `data` or `response`.

Beside `success` that is true, `received`, `valid` and the like are counts and parts.

XML is read by its elements and attributes. A plain text tells of a failure that begins with a
word for one, or has such a word and none for a success.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from plugins.contract import Response
from plugins.kit.json_bodies import json_objects

_FLAGS: Final = frozenset(
    {
        "success", "ok", "successful", "issuccess", "valid", "accepted", "done", "delivered",
        "received", "recorded", "processed", "saved",
    }
)  # fmt: skip
#: Flags of the answer as a whole; the others may count things, or tell of a part.
_MAIN_FLAGS: Final = frozenset({"success", "ok", "successful", "issuccess"})
_STATES: Final = frozenset({"status", "result", "state", "code", "outcome", "type", "response"})
_CODES: Final = frozenset({"code", "status", "statuscode", "httpcode", "httpstatus"})
_ERRORS: Final = frozenset(
    {
        "error", "errors", "err", "errormessage", "errormsg", "errmsg", "errordescription",
        "errorcode", "errcode", "errno", "errordetails", "exception", "fault", "failure",
        "failed", "haserror", "haserrors", "iserror",
    }
)  # fmt: skip
_MESSAGES: Final = frozenset(
    {"message", "msg", "detail", "details", "reason", "statustext", "statusmessage"}
)
#: Values that say no more than nothing.
_NOTHING: Final = frozenset(
    {"", "0", "false", "no", "none", "null", "nil", "ok", "success", "no error", "no errors"}
)
#: Texts that stand for no value.
_NO_VALUE: Final = frozenset({"0", "{}", "[]", '""', "null", "nil", "none", "nan", "undefined"})
_GOOD: Final = frozenset({"ok", "success", "successful", "succeeded", "accepted", "created"})
_NO: Final = frozenset({"0", "false", "no", "n"})
_TURNED_DOWN: Final = frozenset({"rejected", "declined", "refused", "notaccepted"})
_FAILED: Final = re.compile(
    r"(?:err(?:or)?s?|fail(?:ed|ure)?s?|fatal|exception|nok|ko|invalid|unauthori[sz]ed"
    r"|unauthenticated|forbidden|denied)\Z",
    re.IGNORECASE,
)
#: How a text begins that tells of a failure. "Rejected" may be the name of a status, and a lone
#: number that of a conversion.
_BEGINS: Final = re.compile(
    r"-\d+\Z|no?\Z|\W*+(?:(?:http(?:/\d[.\d]*+)?|status:?|code:?)?\s*+[45]\d\d\W{1,3}(?:error|not|forbidden|"
    r"unauthori|bad|internal|service|access|method|gateway|too|page|payment|gone|unprocessable)"
    r"|(?:an? |the |unknown |internal |server |fatal |uncaught |unexpected |sql |database )*+"
    r"(?:errors?|err|exception|failures?|failed|fail)\b"
    r"(?!\W*+(?:0|none|null|false|no\Z|no errors?)\b)"
    r"|(?:nok|ko|invalid|wrong|missing|incorrect|unauthori[sz]ed|unauthenticated|forbidden"
    r"|bad request|not (?:found|authori[sz]ed|allowed|valid|accepted)|access (?:is )?denied|denied"
    r"|authentication (?:credentials|failed|required|error)|method not allowed|too many requests"
    r"|no (?:such|route|token|key|click)|could not|cannot|can't|unable|false"
    r"|ошибка|неверн\w*|не найден\w*|доступ запрещ\w*|недействительн\w*)\b)",
    re.IGNORECASE,
)
#: What tells of one wherever it stands in a text that has no word of `_WENT_WELL`.
_TELLS: Final = re.compile(
    r"(?<![a-z])(?:err(?:or)?s?|fail(?:s|ed|ure|ures)?|invalid|denied|forbidden|unauthori[sz]ed"
    r"|unknown|expired|suspended|disabled|unavailable|maintenance|paused|inactive|exceeded|refused"
    r"|bad|wrong|missing|required|empty|blocked|banned|exception|traceback|gone away|went wrong"
    r"|incorrect|ignored|skipped|nothing to do|timed? ?out|timeout|log ?in|permission|no healthy"
    r"|undefined|unsuccessful|connect error|sqlstate|redirected|ended|lapsed"
    r"|not (?:found|active|configured|implemented|allowed|available|ok|valid|supported|whitelisted"
    r"|authenticated|exist\w*))(?![a-z])"
    r"|не найден|нет доступа|нет так|нет клика|не существу|ист[её]к|неизвестн|запрещен|обслуживан"
    r"|ошибк|отклон[её]н|заблокирован|приостановлен"
    r"|не (?:принят|засчитан|записан|учт[её]н|сохран[её]н|зарегистрирован|обработан|добавлен)",
    re.IGNORECASE,
)
#: Words of a success or of a repetition, and counts of errors that are none.
_WENT_WELL: Final = re.compile(
    r"(?<![a-z])(?<!not )(?:ok|success\w*|accepted|recorded|received|registered|added|created|done"
    r"|saved|stored|processed|updated|logged|delivered|tracked|thanks?|true|yes|duplicate|already"
    r"|(?:0|no) errors?|errors?\w*\W*(?:0|none|null|false))(?![a-z])|(?<!не )принят"
    r"|(?<!не )(?<!не)успешн",
    re.IGNORECASE,
)
_DONE: Final = (
    r"(?:accepted|recorded|received|registered|added|created|saved|stored|processed|tracked|logged"
    r"|counted|delivered|attributed)(?![a-z])"
)
#: What says that the event itself was not taken, also behind a polite "OK".
_NOT_DONE: Final = re.compile(
    rf"(?:(?:n't|(?<![a-z])(?:not|never))(?: been| be)?|(?<![a-z])(?:nothing(?: was)?"
    r"|no (?:conversion|click|event|lead|postback|visit|record|action)s?"
    rf"(?: was| were| has been| have been)?)) {_DONE}",
    re.IGNORECASE,
)
_WAS_DONE: Final = re.compile(
    rf"(?<![a-z])(?:{_DONE}|(?:updated|duplicate|already)(?![a-z]))", re.IGNORECASE
)
_ASSIGNED: Final = re.compile(
    r"(?:\A|[&;,\n|])\s*+(?:(?:status|result|state|code)\s*+[=:]\s*+(\w+)"
    r"|(?:success|ok)\s*+[=:]\s*+(false|0|no)\b)",
    re.IGNORECASE,
)
_ELEMENT: Final = re.compile(r"<([a-z][\w.-]*)(?:\s[^<>]*)?>([^<]*)</\1\s*>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"\s([a-z][\w.-]*)\s*=\s*[\"']([^\"'<>]*)[\"']", re.IGNORECASE)
_OPEN_ERROR: Final = re.compile(
    r"<(?:errors?|fault|exception)(?:\s[^<>]*)?>(?!\s*(?:0|none|null|false|no)?\s*</)"
    r"|<(?:errors?|fault|exception)\s[^<>]*[\w\"']\s*/>",
    re.IGNORECASE,
)
_MAX_DEPTH: Final = 3


def stated_failure(response: Response) -> str | None:
    """The words in which an answer says that the event was not taken; None if it does not."""
    objects = json_objects(response)
    for answer in objects:
        if says_failure(answer):
            return failure_words(answer)
    if objects:
        return None
    text = response.text.strip("\ufeff\0 \t\r\n")
    return text[:200] if text_says_failure(text) else None


def says_nothing(response: Response) -> bool:
    """Whether an answer that states no failure does not state a success either.

    True for JSON without a word for a success, and for a text that stands for no value. An empty
    answer, a picture and a number are how some trackers say yes, so for them it is False.
    """
    if response.text.strip("\ufeff\0 \t\r\n").casefold() in _NO_VALUE:
        return True
    objects = json_objects(response)
    return bool(objects) and not any(map(_says_success, objects))


def _says_success(answer: Mapping[str, Any], depth: int = 1) -> bool:
    """Whether a JSON object says that it went well, or that there was no error."""
    for name, value in answer.items():
        plain = _plain(name)
        if _is_success(plain, value) or (plain in _ERRORS and _is_nothing(value)):
            return True
        if isinstance(value, str) and _WENT_WELL.search(value):
            return True
    return depth < _MAX_DEPTH and any(
        _says_success(item, depth + 1) for item in _objects_in(answer)
    )


def says_failure(answer: Mapping[str, Any], depth: int = 1, *, is_taken: bool = False) -> bool:
    """Whether a JSON object says, whatever the status, that the event was not taken.

    `is_taken`: the object around it has said that it was.
    """
    fields = [(_plain(name), value) for name, value in answer.items()]
    is_stated = any(name in _MAIN_FLAGS and _is_success(name, value) for name, value in fields)
    if any(
        _is_failure(name, value)
        and not (is_taken and _is_part(name))
        and not (is_stated and _is_part(name) and _is_count(value))
        for name, value in fields
    ):
        return True
    is_taken = is_taken or is_stated
    if depth < _MAX_DEPTH and any(
        says_failure(item, depth + 1, is_taken=is_taken) for item in _objects_in(answer)
    ):
        return True
    if any(_is_success(name, value) for name, value in fields):
        return False
    messages = [text for name, text in fields if name in _MESSAGES and isinstance(text, str)]
    is_turned_down = any(
        name in _STATES and _plain(value) in _TURNED_DOWN for name, value in fields
    )
    return any(_tells_failure(text) or (is_turned_down and _is_reason(text)) for text in messages)


def failure_words(answer: Mapping[str, Any]) -> str:
    """What an object that says a failure calls it."""
    for name in ("error", "message", "msg", "errors", "detail", "reason", "description"):
        value = answer.get(name)
        if isinstance(value, Mapping):
            value = value.get("message") or value.get("code") or value
        if value and value is not True and _plain(value) not in _NOTHING:
            return str(value)[:200]
    return "error"


def text_says_failure(text: str) -> bool:
    """Whether a text that is no JSON tells of a failure: XML, `status=error` or plain words."""
    if text.startswith("<"):
        pairs = [*_ELEMENT.findall(text), *_ATTRIBUTE.findall(text)]
        fields = [(_plain(name), value.strip()) for name, value in pairs]
        return bool(_OPEN_ERROR.search(text)) or any(_is_failure(*field) for field in fields)
    if any(no or _is_failed(word) for word, no in _ASSIGNED.findall(text)):
        return True
    return _tells_failure(text)


def _tells_failure(text: str) -> bool:
    if _BEGINS.match(text):
        return True
    rest = _NOT_DONE.sub(" ", text)
    if rest != text:
        return not _WAS_DONE.search(rest)
    return bool(_TELLS.search(text)) and not _WENT_WELL.search(text)


def _is_part(name: str) -> bool:
    return name in _FLAGS and name not in _MAIN_FLAGS


def _is_count(value: Any) -> bool:
    return value is not False and (value == 0 or _plain(value) == "0")


def _is_reason(text: str) -> bool:
    return not _is_nothing(text) and not _WENT_WELL.search(text)


def _is_failure(name: str, value: Any) -> bool:
    if name in _FLAGS and (value == 0 or _plain(value) in _NO):  # also False
        return True
    if name in _ERRORS:
        return not _is_nothing(value)
    if name in _STATES and (value is False or (isinstance(value, str) and _is_failed(value))):
        return True
    return name in _CODES and _is_failing_code(value)


def _is_failed(word: str) -> bool:
    """Whether a word under `status` and the like names a failure, such as "not_found"."""
    words = word.strip().replace("_", " ").replace("-", " ")
    return bool(_FAILED.match(words)) or _tells_failure(words)


def _is_failing_code(value: Any) -> bool:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value < 0 or 400 <= value < 600


def _is_nothing(value: Any) -> bool:
    """Whether `value` names no error."""
    if isinstance(value, Mapping):
        return all(_is_nothing(item) for item in value.values()) or _is_success(
            "code", value.get("code")
        )
    if isinstance(value, list):
        return all(_is_nothing(item) for item in value)
    if isinstance(value, str):
        return value.strip().casefold().rstrip(".") in _NOTHING
    return not value


def _is_success(name: str, value: Any) -> bool:
    if name in _FLAGS:
        return value is True or value == 1 or _plain(value) in ("true", "yes", "1")
    if name not in _STATES | _CODES:
        return False
    is_code = isinstance(value, int) and not isinstance(value, bool) and 200 <= value < 300
    return value is True or is_code or _plain(value) in _GOOD


def _objects_in(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for value in answer.values():
        yield from (
            item
            for item in (value if isinstance(value, list) else [value])
            if isinstance(item, dict)
        )


def _plain(name: object) -> str:
    """A name as it is compared: small letters, without what joins words."""
    return (
        name.strip().casefold().replace("_", "").replace("-", "") if isinstance(name, str) else ""
    )
