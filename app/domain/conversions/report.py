"""A conversion as its sender reports it: checked values, whatever dialect they came in. Pure."""

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from plugins.contract import ConversionKind, translatable

MICRO: Final = 1_000_000
LONGEST_NAME: Final = 40
LONGEST_NOTE: Final = 256
#: Of an id that the sender did not give.
DERIVED: Final = "~"
#: Numbers above are milliseconds: as seconds they would be the year 5138.
_FIRST_MILLISECONDS: Final = 100_000_000_000
_VALUE: Final = re.compile(r"[+-]?[0-9]{1,12}(?:\.[0-9]{1,6})?")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")

#: What senders call the kinds, in lower case. Any other word is a custom event of that name.
WORDS: Final = {
    **dict.fromkeys(
        ("register", "registration", "reg", "signup", "sign_up", "completeregistration", "lead"),
        ConversionKind.REGISTER,
    ),
    **dict.fromkeys(
        (
            "purchase", "deposit", "dep", "ftd", "first_deposit", "redep", "redeposit", "sale",
            "resale", "rebill",
        ),
        ConversionKind.PURCHASE,
    ),
    **dict.fromkeys(("refund", "withdrawal", "withdraw", "chargeback"), ConversionKind.REFUND),
    "custom": ConversionKind.CUSTOM,
}  # fmt: skip


class InvalidReport(Exception):
    """A field of a report cannot be used; `message` is for people and does not name it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


@dataclass(frozen=True, slots=True)
class Report:
    """What was reported of one person, who is named by at least one of the last four.

    `name` is the sender's own word where it says more than the kind. `value_micro` is in
    millionths, None while unknown. `time` in Unix seconds is None where it was not told.
    `may_wait`: a `subscriber` who is not known yet is waited for.
    """

    kind: ConversionKind
    name: str = ""
    value_micro: int | None = None
    currency: str = ""
    time: int | None = None
    note: str = ""
    click: str = ""
    lead: int | None = None
    subscriber: int | None = None
    tid: str = ""
    may_wait: bool = False

    @property
    def own_tid(self) -> str:
        """The sender's id of the event, or one derived from all that it says.

        Without an id, equal events of one person count once.
        """
        if self.tid:
            return self.tid
        parts = (
            self.name, self.value_micro, self.currency, self.time, self.click, self.lead,
            self.subscriber,
        )  # fmt: skip
        digest = hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()
        return f"{DERIVED}{digest[:40]}"

    @property
    def lacks_tid(self) -> bool:
        """Whether equal events may be two, and nobody could tell: registrations come once."""
        return not self.tid and self.kind is not ConversionKind.REGISTER


def require_person(report: Report) -> None:
    """Raise InvalidReport for a report that does not say whose event it is."""
    if not (report.click or report.lead or report.subscriber or report.tid):
        raise InvalidReport("click", translatable("is required: nothing says whose event this is"))


def read_kind(word: str, name: str = "") -> tuple[ConversionKind, str]:
    """The kind and the name of an event that the sender calls `word`. Raises InvalidReport."""
    word, name = word.strip(), name.strip()
    if not word:
        raise InvalidReport("event", translatable("is required"))
    if max(len(word), len(name)) > LONGEST_NAME:
        raise InvalidReport(
            "event", translatable("is longer than %(most)d characters", most=LONGEST_NAME)
        )
    kind = WORDS.get(word.lower(), ConversionKind.CUSTOM)
    is_plain = word.lower() == kind.value
    if kind is ConversionKind.CUSTOM and is_plain and not name:
        raise InvalidReport("name", translatable("is required for a custom event"))
    return kind, name or ("" if is_plain else word)


def read_value(text: str, kind: ConversionKind) -> tuple[ConversionKind, int | None]:
    """The kind and the value in millionths: money that goes back is a refund, below zero."""
    text = text.strip()
    if not text:
        return kind, None
    if not _VALUE.fullmatch(text):
        raise InvalidReport("value", translatable("must be a decimal number such as 49.50"))
    micro = int(Decimal(text) * MICRO)
    if micro < 0 and kind is ConversionKind.PURCHASE:
        kind = ConversionKind.REFUND
    return kind, -abs(micro) if kind is ConversionKind.REFUND else micro


def read_other_value(text: str, kind: ConversionKind) -> int | None:
    """The value in millionths that an event of this kind gets afterwards. Raises InvalidReport."""
    new_kind, micro = read_value(text, kind)
    if new_kind is not kind:
        raise InvalidReport(
            "value", translatable("is below zero: report what goes back as an event of its own")
        )
    return micro


def read_currency(text: str, usual: str, value_micro: int | None) -> str:
    """Three capital letters; `usual` where none came, "" without a value."""
    currency = text.strip() or usual
    if currency.isascii():  # some other letters become ASCII in upper case
        currency = currency.upper()
    if currency and not _CURRENCY.fullmatch(currency):
        raise InvalidReport("currency", translatable("must be three letters such as USD"))
    if value_micro is None:
        return ""
    if not currency:
        raise InvalidReport("currency", translatable("is required with a value"))
    return currency


def read_time(text: str) -> int | None:
    """Unix seconds; what is too large for them is in milliseconds."""
    text = text.strip()
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise InvalidReport("time", translatable("must be Unix seconds or milliseconds"))
    number = int(text)
    return number // 1000 if number >= _FIRST_MILLISECONDS else number


def decimal_text(value_micro: int | None) -> str:
    """The value as decimal text without needless zeros; "" for None."""
    if value_micro is None:
        return ""
    text = f"{Decimal(value_micro) / MICRO:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
