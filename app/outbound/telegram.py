"""Calls to the Bot API, sent by `transport`.

The token is a part of every address of this API. It stands in
`Request.secrets` and in no exception, log line or repr: an exception here
contains only what Telegram answered, with the token masked.
"""

import json
import secrets
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

from app.domain.telegram.api_errors import Meaning, meaning
from app.outbound.transport import Answer, Transport
from app.web.request_slots import slot_released
from plugins.contract import Request, Response, mask

MAX_BODY: Final = 256 * 1024
#: Longer waits are cut: Telegram is known to ask for a few thousand seconds.
LONGEST_WAIT: Final = 7 * 86_400


class TelegramRefused(Exception):
    """Telegram refused a call. `code` and `description` are its own words.

    `retry_after` is in seconds; `migrate_to` is the id of the supergroup.
    """

    def __init__(
        self,
        code: int,
        description: str,
        retry_after: int | None = None,
        migrate_to: int | None = None,
    ) -> None:
        super().__init__(f"Telegram said {code}: {description}")
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to

    @property
    def meaning(self) -> Meaning:
        """What to do about it."""
        return meaning(self.code, self.description, moved=self.migrate_to is not None)


class TelegramUnreachable(Exception):
    """No usable answer. `sent`: the request may have been carried out."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


class BotApi:
    """Makes single calls for one bot while a person waits, each in at most `seconds`."""

    def __init__(self, base_url: str, token: str, *, seconds: float = 10.0) -> None:
        self._base_url = base_url
        self._token = token
        self._seconds = seconds

    def __repr__(self) -> str:
        return "BotApi(***)"

    def call(self, method: str, **params: Any) -> Any:
        """Call `method` and return its `result`.

        Raises TelegramRefused or TelegramUnreachable. Hold no database
        connection meanwhile.
        """
        request = build(method, params, self._token, self._base_url)
        transport = Transport(trusted=True, total_seconds=self._seconds, max_body=MAX_BODY)
        with slot_released(), closing(transport):
            answer = next(iter(transport.exchange([request])))
        return read(answer, self._token)


def build(method: str, params: Mapping[str, Any], token: str, base_url: str) -> Request:
    """Make a call as a value. Parameters that are None are left out."""
    fields = {name: value for name, value in params.items() if value is not None}
    return Request(
        method="POST",
        url=f"{base_url}/bot{token}/{method}",
        headers={"Content-Type": "application/json"},
        body=json.dumps(fields, ensure_ascii=True).encode("ascii"),
        secrets=(token,),
    )


def build_upload(
    method: str,
    params: Mapping[str, Any],
    file: tuple[str, str, bytes],
    token: str,
    base_url: str,
) -> Request:
    """Make a call that brings a file: (parameter, MIME type, content), as multipart (RFC 7578)."""
    boundary = secrets.token_hex(16)
    name, type_, content = file
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n'
        f"{value if isinstance(value, str) else json.dumps(value)}\r\n"
        for key, value in params.items()
        if value is not None
    ]
    parts.append(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: {type_}\r\n\r\n"
    )
    return Request(
        method="POST",
        url=f"{base_url}/bot{token}/{method}",
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        body="".join(parts).encode() + content + f"\r\n--{boundary}--\r\n".encode(),
        secrets=(token,),
    )


def read(answer: Answer, token: str) -> Any:
    """Return the `result` of an answer, or raise one of the two exceptions above."""
    if answer.response is None:
        raise TelegramUnreachable("Telegram did not answer", sent=answer.was_sent)
    payload = _object(answer.response)
    status = answer.response.status
    if payload.get("ok") is True and "result" in payload:
        return payload["result"]
    code = _whole(payload.get("error_code")) or status
    if payload.get("ok") is not False or status >= 500 or code >= 500:
        raise TelegramUnreachable(f"Telegram answered HTTP {status}", sent=True)
    raise _refusal(code, payload, token)


def _object(response: Response) -> dict[str, Any]:
    payload = response.json()
    return payload if isinstance(payload, dict) else {}


def _refusal(code: int, payload: Mapping[str, Any], token: str) -> TelegramRefused:
    parameters = payload.get("parameters")
    parameters = parameters if isinstance(parameters, dict) else {}
    wait = _whole(parameters.get("retry_after"))
    return TelegramRefused(
        code,
        mask(str(payload.get("description", "")), (token,))[:300],
        None if wait is None else min(max(wait, 1), LONGEST_WAIT),
        _whole(parameters.get("migrate_to_chat_id")),
    )


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
