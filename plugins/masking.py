"""Secrets are masked in texts for people, however many secrets there are."""

from typing import Final

MASK: Final = "***"
#: With more secrets than this, nothing of a text is shown: whoever chooses so many chooses what it
#: takes to look for them. All fields of a template have some hundreds.
MOST: Final = 2000
#: With more secrets than this, `candidates` leaves out those that cannot stand in a text.
_MANY: Final = 64
#: Characters at the beginning of a secret by which `candidates` looks for it.
_HEAD: Final = 4


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Replace every secret in `text`, longest first so none leaves a tail.

    With very many secrets the whole text is replaced.
    """
    if len(secrets) > MOST:
        return MASK if text else ""
    for secret in sorted(filter(None, candidates(text, secrets)), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


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
