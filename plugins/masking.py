"""Secrets are masked in texts for people, however many secrets there are."""

from typing import Final

MASK: Final = "***"
#: Of more secrets than these it is asked first which may stand in a text at all.
_MANY: Final = 64
#: By so many characters at the beginning of a secret.
_HEAD: Final = 4


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Replace every secret in `text`, longest first so none leaves a tail."""
    for secret in sorted(filter(None, possible(text, secrets)), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def possible(text: str, secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Return the secrets whose first characters stand in `text`, or would beside a mask.

    A customer can have thousands of secrets in one body; each of them that is looked for in an
    answer costs the whole length of the answer.
    """
    if len(secrets) <= _MANY:
        return secrets
    heads = {text[at : at + _HEAD] for at in range(len(text))}
    return tuple(
        secret
        for secret in secrets
        if secret[:_HEAD] in heads or len(secret) < _HEAD or MASK[0] in secret[:_HEAD]
    )
