"""Finds secrets and the heads of cut ones in a text, exactly and as somebody has set them.

Whoever repeats a key may write it in capitals, or in groups with spaces, dashes or colons between
them. So a text is also read tightly: without these, in small letters. What is found so must be
longer, since words of a text may be a key's by chance.

A customer chooses the secrets, and a tracker the text: so no secret is looked for by itself once
there are many. What there is of a text is compared with its neighbours in a sorted list.
"""

import string
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import AnyStr, Final, Generic, NamedTuple

from plugins.kit.bounded_cache import remembered
from plugins.masking import MASK

#: A shorter secret is not looked for: to mask it would mask half of every text.
MIN_SECRET: Final = 4
#: So many characters of a longer secret are looked for where its end may have been cut.
_HEAD: Final = 8
#: The same in a text that is read tightly; a shorter one is looked for whole, if it has eight.
_TIGHT_HEAD: Final = 12
_TIGHT_LEAST: Final = 8
#: With more heads than this, a text is cut into pieces of their lengths instead.
_MANY: Final = 64
#: With more places than this, a text is not shown: each is compared with a list of secrets.
MOST_PLACES: Final = 500
#: What somebody sets between the groups of a key.
_BETWEEN: Final = string.whitespace.encode() + b"%,.:_-"
_SIGNS_BETWEEN: Final = frozenset(_BETWEEN.decode())
_SMALL: Final = bytes(range(256)).lower()


class TooManyPlaces(Exception):
    """So many places of a text look like secrets that whoever wrote both means to cost time."""


class _Sought(NamedTuple, Generic[AnyStr]):
    """Secrets in their order, and the heads by which they are looked for."""

    secrets: tuple[AnyStr, ...]
    heads: tuple[AnyStr, ...]

    def spans(self, text: AnyStr) -> Iterator[tuple[int, int]]:
        """Where secrets stand, or their heads with all that follows of them; they may overlap.

        Raises TooManyPlaces.
        """
        many = len(self.heads) > _MANY
        places = self._places_of_many(text) if many else self._places_of_few(text)
        starts = list(islice(places, MOST_PLACES + 1))
        if len(starts) > MOST_PLACES:
            raise TooManyPlaces
        for start in sorted(set(starts)):
            yield start, start + self._fitting(text, start)

    def _places_of_few(self, text: AnyStr) -> Iterator[int]:
        for head in self.heads:
            start = text.find(head)
            while start >= 0:
                yield start
                start = text.find(head, start + 1)

    def _places_of_many(self, text: AnyStr) -> Iterator[int]:
        heads = set(self.heads)
        least, *longer = sorted({len(head) for head in heads})
        beginnings = {head[:least] for head in heads}
        for start in range(len(text) - least + 1):
            if (beginning := text[start : start + least]) not in beginnings:
                continue
            if beginning in heads or any(text[start : start + size] in heads for size in longer):
                yield start

    def _fitting(self, text: AnyStr, start: int) -> int:
        """How many characters of some secret stand at `start`: it is a neighbour of the text."""
        place = bisect_left(self.secrets, text[start:])
        neighbours = self.secrets[max(0, place - 1) : place + 1]
        return max(_common(text, start, secret) for secret in neighbours)


class Search(NamedTuple):
    """What is looked for because of some secrets.

    `heads` are those of `exact`, read tightly: what holds one that long holds it so, too. Those
    of which nearly nothing would be left are `bare`. `others` are too short to be found so, or a
    mask and its neighbour may spell them.
    """

    exact: _Sought[str]
    tight: _Sought[bytes]
    heads: tuple[bytes, ...]
    bare: tuple[str, ...]
    others: tuple[str, ...]

    def may_be_in(self, text: str) -> bool:
        """Whether it is worth asking for the `spans` of `text`."""
        if any(head in text for head in self.bare):
            return True
        tight = _tight(text)
        if len(self.heads) <= _MANY:
            return any(head in tight for head in self.heads)
        beginnings = {tight[at : at + MIN_SECRET] for at in range(len(tight))}
        likely = [head for head in self.heads if head[:MIN_SECRET] in beginnings]
        return len(likely) > _MANY or any(head in tight for head in likely)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets stand in `text`, or at least their heads; they may overlap.

        Raises TooManyPlaces.
        """
        yield from self.exact.spans(text)
        tight, places = list(self.tight.spans(_tight(text))), []
        if tight and text.isascii():
            places = [at for at, sign in enumerate(text) if sign not in _SIGNS_BETWEEN]
        elif tight:
            for at, sign in enumerate(text):
                places += [at] * len(_tight(sign))
        for start, end in tight:
            yield places[start], places[end - 1] + 1


@remembered(32_000_000)
def search_for(secrets: tuple[str, ...]) -> Search:
    """Return how these secrets are found."""
    long_enough = [secret for secret in secrets if len(secret) >= MIN_SECRET]
    exact = _sought(long_enough, lambda length: min(_HEAD, max(MIN_SECRET, length // 2)))
    tight = [text for text in map(_secret_read_tightly, long_enough) if len(text) >= _TIGHT_LEAST]
    heads = {head: _secret_read_tightly(head) for head in exact.heads}
    return Search(
        exact,
        _sought(tight, lambda length: min(_TIGHT_HEAD, length)),
        tuple({head for head in heads.values() if len(head) >= MIN_SECRET}),
        tuple(bare for bare, head in heads.items() if len(head) < MIN_SECRET),
        tuple(key for key in secrets if key and (len(key) < MIN_SECRET or MASK[0] in key)),
    )


def _sought(secrets: Iterable[AnyStr], least: Callable[[int], int]) -> _Sought[AnyStr]:
    ordered = sorted(set(secrets))
    heads = dict.fromkeys(secret[: least(len(secret))] for secret in ordered)
    return _Sought(tuple(ordered), tuple(heads))


@lru_cache(maxsize=4096)
def _secret_read_tightly(secret: str) -> bytes:
    return _tight(secret)


def _tight(text: str) -> bytes:
    """`text` in small letters, without what somebody sets between the groups of a key."""
    return text.encode("utf-8", "surrogatepass").translate(_SMALL, _BETWEEN)


def _common(text: AnyStr, start: int, secret: AnyStr) -> int:
    """How many characters of `secret` stand in `text` at `start`."""
    if text.startswith(secret, start):
        return len(secret)
    least, most = 0, len(secret)
    while most - least > 1:
        middle = (least + most) // 2
        if text.startswith(secret[:middle], start):
            least = middle
        else:
            most = middle
    return least
