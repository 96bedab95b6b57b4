"""Characters that nobody sees, told by their Unicode properties. Pure.

Where a script or an emoji needs one (a joiner in Persian, a variation selector behind
an emoji or a Chinese character), it is meant so and counts as seen.
"""

import re
import unicodedata
from typing import Final

#: White space that is meant so where a text has several lines or columns.
BREAKS: Final = "\t\n\r"
#: Control, format, line and paragraph separator, half of a surrogate pair.
_UNSEEN_CATEGORIES: Final = frozenset(("Cc", "Cf", "Zl", "Zp", "Cs"))
#: Prepended_Concatenation_Mark: of category Cf, and signs that a reader sees (PropList.txt).
_SEEN_FORMATS: Final = frozenset(
    map(chr, [*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD])
)
#: What is unseen by another property: Default_Ignorable_Code_Point outside of Cf
#: (DerivedCoreProperties.txt), noncharacters, and symbols that are drawn blank.
_UNSEEN_OTHERS: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff\ufdd0-\ufdef\ufffe\uffff\u2800\ufffc\U0001d159\U00016fe4]"
)
_JOINERS: Final = frozenset("\u200c\u200d")
_KEYCAP: Final = re.compile("[0-9#*][\ufe0e\ufe0f]\u20e3")
#: A flag of England and the like: a black flag, letters of category Cf, and their end.
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{1,8}\U000e007f")
_JOINED: Final = frozenset(("Lo", "Lm", "Mn", "Mc", "Me", "So", "Sk", "Sm"))
_VARIED: Final = frozenset(("Lo", "Lm", "So", "Sm", "Sk", "Po", "Pd"))


def is_unseen(character: str) -> bool:
    """Whether a character by itself shows nothing; the plain space does, as everybody knows it."""
    category = unicodedata.category(character)
    if category in _UNSEEN_CATEGORIES:
        return character not in _SEEN_FORMATS
    if category == "Zs":
        return character != " "
    return ord(character) & 0xFFFE == 0xFFFE or _UNSEEN_OTHERS.match(character) is not None


def first_unseen(text: str, but: str = "") -> int:
    """The index of the first character that nobody sees and that is none of `but`; -1 if none."""
    if text.isascii() and text.isprintable():
        return -1
    meant: set[int] = set()
    for sequence in (_KEYCAP, _FLAG):
        for match in sequence.finditer(text):
            meant.update(range(*match.span()))
    for index, character in enumerate(text):
        if character in but or index in meant or not is_unseen(character):
            continue
        if not _is_meant(text, index):
            return index
    return -1


def _is_meant(text: str, index: int) -> bool:
    """Whether the characters around an unseen one need it."""
    character, before = text[index], text[index - 1 : index]
    if not before or before.isascii():
        return False
    category = unicodedata.category(before)
    if character in _JOINERS:
        after = text[index + 1 : index + 2]
        return (
            category in _JOINED and not after.isascii() and unicodedata.category(after) in _JOINED
        )
    if "\ufe00" <= character <= "\ufe0f":
        return (category in _VARIED and not is_unseen(before)) or before == "\u2139"
    if "\U000e0100" <= character <= "\U000e01ef":
        return category == "Lo" and not is_unseen(before)
    return "\u180b" <= character <= "\u180f" and "\u1820" <= before <= "\u18af"
