"""What an address or a header may hold that is known to be no secret: common words, short numbers.

Whatever is not listed here is masked where people read it.
"""

import re
from typing import Final

#: Words in the paths of trackers and of ad platforms.
_WORDS: Final = frozenset(
    """
    ad ads adv advertiser affiliate api app approve auto aspx asp base bot callback campaign cancel
    cgi click clicks comp conv conversion conversions convert cpa crm do docs event events ext
    external file gateway global goal gpb healthz hit hold hook hooks html http image img in index
    integration integrations join js json lead leads log metrics network offer open openapi out
    partner pay pb php pixel pixels pmp post postback postbacks public px readyz receive report
    rest s2s sale send server service site static status stat stats system telegram tg top track
    tracker tracking tracks trash update upload upx user users wait web webhook webhooks xml
    """.split()
)
#: Names of parameters whose values say what happened, and the words of the values.
_PARAMETERS: Final = re.compile(
    r"(?:cnv_|conversion_?|event_?|goal_?|sale_|lead_|rejected_|reject_)?"
    r"(?:status\d?|type|name|goal|event|action|actiontype|goaltype|currency|payout|sum|amount|price"
    r"|revenue|rev|cost|return|format|mode|auto|at|et|s|stage|step|test|lang|language|v|version)"
    r"|utm_\w{1,16}|to_offer|disable_postback|sub\d{0,2}|e|st[actwh]h?",
    re.IGNORECASE,
)
_VALUE: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,23}\d?|[A-Z]{3}|-?\d{1,8}(?:\.\d{1,4})?")
_NUMBER: Final = re.compile(r"-?\d{1,6}(?:\.\d{1,4})?")
_SEGMENT: Final = re.compile(r"[A-Za-z]*|v?\d{1,3}(?:\.\d{1,2})?|tracking202|[a-z]2[a-z]")
#: A word of a sentence, with the signs around it: letters alone.
_PROSE: Final = re.compile(r"[(\"'«]*[^\W\d_]{1,24}(?:['-][^\W\d_]{1,24})?[.,:;!?)\"'»]*")
#: Headers that say how to read a message, or for which event it is.
_HEADERS: Final = frozenset(
    """
    accept accept-charset accept-encoding accept-language cache-control connection content-length
    content-type host idempotency-key user-agent webhook-id webhook-timestamp x-idempotency-key
    """.split()
)


def is_path_segment(segment: str) -> bool:
    """Whether all of a path's segment, with `{x}` for its macros, is known to be no secret."""
    if segment == "tracking202" or (_SEGMENT.fullmatch(segment) and not segment.isalpha()):
        return True
    parts = re.split(r"\{\w+\}|[-_.]", segment)
    return all(
        not part or part.lower() in _WORDS or (part.isdigit() and len(part) < 4) for part in parts
    )


def is_parameter(name: str, value: str) -> bool:
    """Whether a literal value of a parameter is known to be no secret."""
    if _NUMBER.fullmatch(value) or value.lower() in _WORDS:
        return True
    return bool(_PARAMETERS.fullmatch(name) and _VALUE.fullmatch(value))


def is_prose_word(word: str) -> bool:
    """Whether a word of a text of several words is one that people write."""
    return bool(
        _PROSE.fullmatch(word) or _NUMBER.fullmatch(word) or not any(map(str.isalnum, word))
    )


def is_header(name: str) -> bool:
    """Whether a header of this name never carries a key."""
    return name.lower() in _HEADERS
