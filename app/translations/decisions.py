"""What the journal says of a decision, in the reader's language.

It is kept in English: the engine writes it thousands of times a minute, and those who read it may
speak any language. So each sentence is known again by its template. One that is not known, such as
one that an older version wrote, is shown as it is.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import zip_longest
from typing import Final, NamedTuple

from app.domain.lead import Words
from app.translations import translated
from plugins.contract import TranslatableText

#: Terms that are sentences themselves.
_NESTED: Final = frozenset({"rest", "note"})


class _Known(NamedTuple):
    pattern: re.Pattern[str]
    template: str


def _known_again(template: str) -> _Known:
    parts = re.split(r"%\((\w+)\)s", template)
    texts, names = map(re.escape, parts[::2]), parts[1::2]
    terms = [f"(?P<{name}>{'.+' if name in _NESTED else '[^,:]+?'})" for name in names]
    pattern = "".join(text + term for text, term in zip_longest(texts, terms, fillvalue=""))
    return _Known(re.compile(pattern), template)


def _templates() -> Iterator[str]:
    """All of them, those with the fewest terms first: they say the most."""
    texts = (text for text in vars(Words).values() if isinstance(text, TranslatableText))
    yield from sorted((text.template for text in texts), key=lambda text: text.count("%("))


_ALL: Final = tuple(map(_known_again, _templates()))


def translated_decision(decision: str) -> str:
    """Return what the journal says of a decision in the current language."""
    return "; ".join(translated(_recognized(sentence)) for sentence in decision.split("; "))


@lru_cache(maxsize=1024)
def _recognized(sentence: str) -> str:
    """The sentence with its template, if it has one of ours."""
    for entry in _ALL:
        if match := entry.pattern.fullmatch(sentence):
            terms = {
                name: _recognized(term) if name in _NESTED else term
                for name, term in match.groupdict().items()
            }
            return TranslatableText(entry.template, **terms)
    return sentence
