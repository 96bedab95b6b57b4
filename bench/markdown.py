"""`make bench-markdown` (`python -m bench.markdown [COUNT] [SEED]`): we read as TDLib reads.

Generates COUNT texts (100,000 by default), asks TDLib's offline parser
(`tdjson`, parseTextEntities) and `app.domain.markdown`, and ends with 1 at the
first difference. TDLib leaves out links whose URL it does not take, so links
are compared only where it gives one; which URLs it takes, and in which words it
refuses the others, is compared for as many generated URLs.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from typing import Any

from app.domain import markdown
from app.domain.telegram import links

PIECES = (
    *"_*`[]()\\{} \n\r\t",
    *("```", "](", "](http://a.example/p_q?c=1)", "](tg://user?id=42)", "](https://b.example)"),
    *("a", "bc", "é", "я", "😀", "👩‍👩‍👧", "{click}", "py", "\\_", "\\*", "\\[", "\\`", "\u200b"),
)
URL_STARTS = ("", "https://", "http://", "HTTP://", "tg://", "tg:", "ton://", "tonsite://")
URL_PIECES = (
    *("http", "https", "tg", "ton", "ftp", "mailto", "e.com", "intranet", "localhost", "a", "user"),
    *(
        "://",
        ":",
        "//",
        "/",
        "?",
        "#",
        "@",
        ".",
        "..",
        "[",
        "]",
        "[::1]",
        "[zz]",
        "[1::2",
        "&",
        "=",
    ),
    *("80", ":80", ":0", ":080", ":99999", ":-1", "%20", "%", "%zz", " ", "\n", "\t", "\r", "\x00"),
    *(
        "é",
        "пример",
        "。",
        "\u200b",
        "\u2028",
        "\ufeff",
        "\u030a",
        "\u00a0",
        "\x7f",
        "😀",
        "1.2.3.4",
    ),
    *("{x}", "<", "|", "\\", "^", "`", '"', "(", "_", "-", "+", "!", "~", ";", "telegram.me/"),
)
USER_PIECES = (
    *(
        "tg:",
        "tg://",
        "TG://",
        "user",
        "User",
        "users",
        "?",
        "/?",
        "/",
        "id=",
        "ID=",
        "&",
        "#",
        "x=1",
    ),
    *(
        "0",
        "1",
        "42",
        "007",
        "-5",
        "+5",
        "42x",
        "1099511627775",
        "1099511627776",
        "9" * 19,
        "9" * 20,
    ),
)
NAMES = {
    "Bold": "bold",
    "Italic": "italic",
    "Code": "code",
    "Pre": "pre",
    "PreCode": "pre",
    "TextUrl": "text_link",
    "MentionName": "text_mention",
}

Answer = tuple[str, list[tuple[str, int, int, str]]]


def generated(count: int, seed: int = 1) -> Iterator[str]:
    """`count` texts of marks, words and emoji; the same ones for the same seed."""
    choice = random.Random(seed)
    for _ in range(count):
        yield "".join(choice.choices(PIECES, k=choice.randint(1, 24)))


def generated_urls(count: int, seed: int = 1) -> Iterator[str]:
    """`count` addresses, most of them odd; the same ones for the same seed."""
    choice = random.Random(seed)
    for _ in range(count):
        rest = "".join(choice.choices(URL_PIECES, k=choice.randint(0, 7)))
        yield choice.choice(URL_STARTS) + rest


def generated_mentions(count: int, seed: int = 1) -> Iterator[str]:
    """`count` links that look like one to a person; the same ones for the same seed."""
    choice = random.Random(seed)
    for _ in range(count):
        rest = "".join(choice.choices(USER_PIECES, k=choice.randint(0, 6)))
        yield choice.choice(("", "tg:", "tg://user?id=", "tg://user?", "tg:user/?x=1&id=")) + rest


def ours(text: str) -> Answer | str:
    """What `app.domain.markdown` makes of `text`, or its complaint."""
    try:
        found = markdown.formatted(markdown.parse(text), 1_000_000)
    except markdown.Unparsable as error:
        return str(error)
    return found.text, [
        (entity["type"], entity["offset"], entity["length"], entity.get("language", ""))
        for entity in found.entities
    ]


class Tdlib:
    """TDLib's parser. Raises ImportError where `tdjson` is not installed."""

    def __init__(self) -> None:
        import tdjson

        self._execute = tdjson.td_execute
        self._call({"@type": "setLogVerbosityLevel", "new_verbosity_level": 0})

    def _call(self, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._execute(json.dumps(request).encode()))
        return answer

    def link_fault(self, url: str) -> str:
        """Why TDLib refuses an entity that links to `url`; "" if it takes it."""
        link = {"@type": "textEntityTypeTextUrl", "url": url}
        entity = {"@type": "textEntity", "offset": 0, "length": 1, "type": link}
        text = {"@type": "formattedText", "text": "x", "entities": [entity]}
        answer = self._call({"@type": "getMarkdownText", "text": text})
        message = str(answer["message"]) if answer["@type"] == "error" else ""
        return message.rpartition(" is invalid: ")[2]

    def mentioned_user(self, url: str) -> int:
        """The person whom a link to `url` mentions to TDLib, or 0."""
        mode = {"@type": "textParseModeMarkdown", "version": 1}
        request = {"@type": "parseTextEntities", "text": f"[x]({url})", "parse_mode": mode}
        entities = self._call(request).get("entities") or []
        return int(entities[0]["type"].get("user_id", 0)) if entities else 0

    def parse(self, text: str) -> Answer | str:
        """What TDLib makes of `text`, or its complaint."""
        mode = {"@type": "textParseModeMarkdown", "version": 1}
        answer = self._call({"@type": "parseTextEntities", "text": text, "parse_mode": mode})
        if answer["@type"] == "error":
            return str(answer["message"]).removeprefix("Can't parse entities: ")
        return answer["text"], [
            (
                NAMES[entity["type"]["@type"].removeprefix("textEntityType")],
                entity["offset"],
                entity["length"],
                entity["type"].get("language", ""),
            )
            for entity in answer["entities"]
        ]


def differs(tdlib: Answer | str, own: Answer | str) -> bool:
    """Whether the two read a text differently, links that TDLib leaves out aside."""
    if isinstance(tdlib, str) or isinstance(own, str):
        return tdlib != own
    links = {entity for entity in tdlib[1] if entity[0] == "text_link"}
    entities = [entity for entity in own[1] if entity[0] != "text_link" or entity in links]
    return (tdlib[0], tdlib[1]) != (own[0], entities)


def main() -> int:
    """Compare, with progress; 0 if the two agree."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    tdlib, started = Tdlib(), time.monotonic()
    for number, text in enumerate(generated(count, seed), 1):
        theirs, own = tdlib.parse(text), ours(text)
        if differs(theirs, own):
            print(f"{text!r}\n  TDLib: {theirs}\n  ours:  {own}")
            return 1
        if number % 10_000 == 0:
            print(f"{number:,} texts read alike, {time.monotonic() - started:.0f} s")
    for url in generated_urls(count, seed):
        words, own_words = tdlib.link_fault(url), links.link_fault(url)
        if words != own_words:
            print(f"{url!r}\n  TDLib: {words}\n  ours:  {own_words}")
            return 1
    print(f"{count:,} URLs judged alike")
    return 0


if __name__ == "__main__":
    sys.exit(main())
