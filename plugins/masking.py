"""Secrets are masked in texts for people, however many secrets there are."""

from typing import Final

MASK: Final = "***"
#: With more secrets than this, nothing of a text is shown: whoever chooses so many chooses what it
#: takes to look for them. All fields of a template have some hundreds.
MOST: Final = 2000
#: The same of the characters of all secrets together: to sort so many takes milliseconds.
_MOST_CHARACTERS: Final = 500_000
#: Stands for a text of which nothing is shown.
WITHHELD: Final = f"{MASK} (too many secrets to show this)"
#: With more characters of secrets times those of the text, the secrets are looked for in one pass.
_MUCH: Final = 20_000_000
#: How often a secret is compared with a place of the text that begins like it.
_MOST_LOOKS: Final = 50_000
#: With more secrets than this, `candidates` leaves out those that cannot stand in a text.
_MANY: Final = 64
#: Characters at the beginning of a secret by which `candidates` looks for it.
_HEAD: Final = 4
#: The same in one pass.
_LONG_HEAD: Final = 8


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Replace every secret in `text`, longest first so none leaves a tail.

    A text is withheld whole if it would take long to find them.
    """
    if are_too_many(secrets):
        return WITHHELD if text else ""
    secrets = tuple(filter(None, candidates(text, secrets)))
    if takes_long(text, secrets):
        return _mask_in_one_pass(text, secrets)
    return _mask_one_by_one(text, secrets)


def mask_beginning(text: str, secrets: tuple[str, ...], most: int) -> str:
    """Return at most `most` characters of the masked text. Little more than that is looked at."""
    looked_at = text[: 4 * most]  # a mask is shorter than most of what it hides
    masked = mask(looked_at, secrets)
    if len(looked_at) < len(text) and masked != WITHHELD:
        # What was cut may begin a secret, and masks in it may be longer than what they hide.
        masked = masked[: max(0, len(masked) - len(MASK) * max(map(len, secrets), default=0))]
    return masked[:most]


def are_too_many(secrets: tuple[str, ...]) -> bool:
    """Whether nothing of any text is shown, since whoever chose so many means to cost time."""
    return len(secrets) > MOST or sum(map(len, secrets)) > _MOST_CHARACTERS


def takes_long(text: str, secrets: tuple[str, ...]) -> bool:
    """Whether it may take milliseconds to look for one secret after the other."""
    return len(text) * sum(map(len, secrets)) > _MUCH


def _mask_one_by_one(text: str, secrets: tuple[str, ...]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def _mask_in_one_pass(text: str, secrets: tuple[str, ...]) -> str:
    """Mask everything that belongs to a secret, with work bounded by the length of `text`."""
    groups: dict[str, list[str]] = {}
    for secret in sorted(secrets, key=len, reverse=True):
        groups.setdefault(secret[:_LONG_HEAD], []).append(secret)
    lengths = {len(head) for head in groups}
    pieces: list[str] = []
    looks, shown, hidden = (
        0,
        0,
        0,
    )  # what is before `shown` is in `pieces`; up to `hidden` is secret
    for start in range(len(text)):
        for length in lengths:
            for secret in groups.get(text[start : start + length], ()):
                looks += 1
                if text.startswith(secret, start):
                    if start >= hidden:
                        pieces += (text[shown:start], MASK)
                    shown = hidden = max(hidden, start + len(secret))
                    break
        if looks > _MOST_LOOKS:
            return WITHHELD
    masked = "".join((*pieces, text[shown:]))
    # Only beside a mask may there be more now.
    beside = tuple(secret for secret in secrets if MASK[0] in secret)
    return WITHHELD if takes_long(masked, beside) else _mask_one_by_one(masked, beside)


def candidates(text: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the secrets whose first characters stand in `text`, or would beside a mask.

    A customer can have thousands of secrets in one body, and to look for one of them costs as
    much as the text is long. Few secrets are returned unseen.
    """
    if len(secrets) <= _MANY:
        return secrets
    heads = {text[at : at + _HEAD] for at in range(len(text))}
    return tuple(
        secret
        for secret in secrets
        if secret[:_HEAD] in heads or len(secret) < _HEAD or MASK[0] in secret[:_HEAD]
    )
