"""One HTTP exchange on one libcurl handle, which is used again and again.

The address guard sits where libcurl asks for a socket: after the name is
resolved and on the very address to be connected to, so a name cannot mean one
thing when it is checked and another when it is used.
"""

import ipaddress
import os
import socket
import string
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import pycurl

from app.config import VERSION, Opened
from app.outbound import headers
from app.outbound.addresses import refusal
from app.outbound.reception import Reception
from app.outbound.result import Answer, Failure, Unsendable
from app.outbound.unpacking import unpacked
from app.outbound.urls import check_url
from plugins.contract import PROJECT, Request, Response, translatable
from plugins.kit.http_headers import METHODS
from plugins.kit.url_spelling import AddressRefused, split

STALE_SECONDS: Final = 30  # many servers drop an idle connection soon after
#: May be repeated by the client unasked (RFC 9110 §9.2.2).
REPEATABLE: Final = "GET"
COULD_NOT_CONNECT: Final = translatable("could not connect")
#: Of a name that leads to addresses that we refuse, too: nobody learns by that which names
#: there are in our network, and of those that lead there from outside it is as good as true.
NO_SUCH_HOST: Final = translatable("there is no such host on the internet; check the domain's name")

_BLOCKED: Final = "blocked"
_TOO_LARGE: Final = 100  # CURLE_TOO_LARGE, which pycurl has no name for
#: What libcurl says before anything was sent, where it tells more than that it could not connect.
_BEFORE: Final = {
    pycurl.E_COULDNT_RESOLVE_HOST: NO_SUCH_HOST,
    pycurl.E_SSL_CONNECT_ERROR: translatable("no secure connection: the TLS handshake failed"),
    pycurl.E_PEER_FAILED_VERIFICATION: translatable(
        "no secure connection: the certificate is not trusted or names another host"
    ),
}

USER_AGENT: Final = f"{PROJECT.capitalize()}/{VERSION}"


@dataclass(frozen=True, slots=True)
class Limits:
    """What every exchange of one transport keeps to. `resolve` is read at every start.

    `on_resolved` is called with the tag, and True when the request connects, so that its name
    is known, or False when it goes over a connection that may have been open. It may not raise.
    """

    allow: tuple[Opened, ...]
    trusted: bool
    connect_seconds: float
    total_seconds: float
    max_body: int
    ca_file: str
    resolve: Sequence[str] = ()
    on_resolved: Callable[[object, bool], None] = lambda _tag, _is_new: None


class Transfer:
    """A libcurl handle and what it has received."""

    def __init__(self, limits: Limits) -> None:
        self.easy = _handle(limits)
        self.tag: object = None
        self.started = 0.0
        self._limits = limits
        self._plain = False
        self._repeatable = True
        self._received = Reception(limits.max_body)
        self._sends = 0
        #: Why an address was not connected to, for each that libcurl asked about; "" if it was.
        self._unopened: list[str] = []
        self.easy.setopt(pycurl.WRITEFUNCTION, self._received.on_body)
        self.easy.setopt(pycurl.HEADERFUNCTION, self._received.on_header)
        self.easy.setopt(pycurl.PREREQFUNCTION, self._on_send)
        if not limits.trusted:
            self.easy.setopt(pycurl.NOPROGRESS, 0)
            self.easy.setopt(pycurl.XFERINFOFUNCTION, self._received.on_progress)
            self.easy.setopt(pycurl.OPENSOCKETFUNCTION, self._on_socket)

    def load(self, request: Request, tag: object) -> None:
        """Make ready to send `request`. Raises Unsendable."""
        self._received.clear()
        self._sends = 0
        self._unopened.clear()
        self.tag = tag
        self.started = time.time()
        method = request.method
        if method not in METHODS:
            raise Unsendable(
                Failure.INVALID,
                translatable("%(method)s is not a method we send", method=f"{method!r:.20}"),
            )
        self.easy.setopt(pycurl.URL, self._checked(request.url))
        plain = method == "GET" and not request.body
        if not (plain and self._plain):
            self._set_method(method, request.body)
            self._plain = plain
        self.easy.setopt(pycurl.HTTPHEADER, headers.to_send(request))
        if self._limits.resolve:
            self.easy.setopt(pycurl.RESOLVE, list(self._limits.resolve))
        self._repeatable = method == REPEATABLE

    @property
    def is_connected(self) -> bool:
        """Whether the request has been sent, or had begun to be."""
        return self._sends > 0

    def finish(self, code: int, message: str, unseen: float = 0.0) -> Answer:
        """Turn libcurl's result `code` (0 is success) into an answer.

        `unseen` are the seconds of it for which nobody looked. If that was half of its time and
        more, that this ran out may be our doing.
        """
        ms = round(self.easy.getinfo(pycurl.TOTAL_TIME) * 1000)
        tag, self.tag = self.tag, None
        received = self._received
        is_enough = code == pycurl.E_WRITE_ERROR and received.is_cut
        is_answer = code == 0 or is_enough
        head = headers.received(received.head) if is_answer and not received.is_flooded else None
        if head is not None:
            status = self.easy.getinfo(pycurl.RESPONSE_CODE)
            response = Response(status, head, self._body(head))
            return Answer(tag, response, None, f"HTTP {status}", ms, self.started)
        failure, reason = self._failure(code)
        detail = next(filter(None, self._unopened), f"curl {code}: {message}")
        may_be_ours = code == pycurl.E_OPERATION_TIMEDOUT and 2000 * unseen >= ms
        return Answer(tag, None, failure, reason, ms, self.started, detail, may_be_ours)

    def _body(self, head: dict[str, str]) -> bytes:
        """Return the body without its packings; `head` names one only if it was not undone."""
        received = self._received
        body = unpacked(
            bytes(received.body),
            self._limits.max_body,
            head.pop("content-encoding", ""),
            is_whole=not received.is_cut,
        )
        if body is None:
            head["content-encoding"] = "unknown"
            return b""
        return body

    def _checked(self, url: str) -> str:
        try:
            if self._limits.trusted:
                split(url)
            else:
                check_url(url, self._limits.allow)
        except AddressRefused as error:
            raise Unsendable(Failure.BLOCKED, error.reason) from error
        return url if url.isascii() else quote(url, safe=string.printable)

    def _set_method(self, method: str, body: bytes) -> None:
        easy = self.easy
        easy.setopt(pycurl.HTTPGET, 1)  # forgets the body of the last request
        easy.unsetopt(pycurl.CUSTOMREQUEST)
        if body or method == "POST":
            easy.setopt(pycurl.POST, 1)
            easy.setopt(pycurl.POSTFIELDS, body)
        if method not in ("GET", "POST") or (method == "GET" and body):
            easy.setopt(pycurl.CUSTOMREQUEST, method)

    def _failure(self, code: int) -> tuple[Failure, str]:
        if self._sends == 0:
            if self._unopened and all(why.startswith(_BLOCKED) for why in self._unopened):
                return Failure.UNREACHABLE, NO_SUCH_HOST
            return Failure.UNREACHABLE, _BEFORE.get(code, COULD_NOT_CONNECT)
        if self._received.is_endless:
            reason = translatable("the answer is very long and holds nothing")
        else:
            reason = translatable("the answer's headers are too large")
        if self._received.is_endless or self._received.is_flooded or code == _TOO_LARGE:
            return Failure.TOO_LARGE, reason
        if code == pycurl.E_BAD_CONTENT_ENCODING:
            return Failure.ABORTED, translatable("the answer's Transfer-Encoding is not known")
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return Failure.TIMEOUT, translatable(
                "no complete answer in %(total_seconds)s seconds",
                total_seconds=f"{self._limits.total_seconds:g}",
            )
        return Failure.ABORTED, translatable("the connection broke before the answer was complete")

    # What libcurl calls. None of these may raise.

    def _on_socket(self, _purpose: int, address: Any) -> Any:
        family, kind, protocol, target = address
        self._limits.on_resolved(self.tag, True)
        try:
            host = str(target[0]).partition("%")[0]
            forbidden = refusal(ipaddress.ip_address(host), self._limits.allow, target[1])
            if forbidden:
                self._unopened.append(f"{_BLOCKED}: {host} is {forbidden}")
                return pycurl.SOCKET_BAD
            lent = _Lent(socket.socket(family, kind, protocol).detach())
        except (OSError, ValueError) as error:  # out of descriptors; not an address
            self._unopened.append(f"no socket: {error}")
            return pycurl.SOCKET_BAD
        self._unopened.append("")
        return lent

    def _on_send(self, *_ends: object) -> int:
        """Allow the request to be sent; libcurl asks again when it means to repeat it.

        It does so when a kept connection turns out dead, whatever the method.
        """
        self._sends += 1
        self._limits.on_resolved(self.tag, False)
        may_go = self._sends == 1 or self._repeatable
        return int(pycurl.PREREQFUNC_OK if may_go else pycurl.PREREQFUNC_ABORT)


class _Lent:
    """A file descriptor that pycurl duplicates; ours is closed afterwards.

    A plain socket would warn that nobody closed it.
    """

    __slots__ = ("_fd",)

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def fileno(self) -> int:
        return self._fd

    def __del__(self) -> None:
        os.close(self._fd)


def _handle(limits: Limits) -> Any:
    """Make a handle that does one exchange and nothing else libcurl could do besides."""
    easy = pycurl.Curl()
    web = pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS
    for option, value in (
        (pycurl.PROTOCOLS, web),
        (pycurl.REDIR_PROTOCOLS, 0),
        (pycurl.FOLLOWLOCATION, 0),
        (pycurl.PROXY, ""),  # or the environment would choose one and the guard see its address
        (pycurl.NOPROXY, "*"),
        (pycurl.NETRC, pycurl.NETRC_IGNORED),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.HTTP09_ALLOWED, 0),
        # We ask for no packing (see headers.to_send), and undo ourselves what comes all the same.
        (pycurl.HTTP_CONTENT_DECODING, 0),
        (pycurl.PATH_AS_IS, 1),
        (pycurl.SSL_VERIFYPEER, 1),
        (pycurl.SSL_VERIFYHOST, 2),
        (pycurl.CAINFO, limits.ca_file),
        (pycurl.TCP_NODELAY, 1),
        (pycurl.NOSIGNAL, 1),
        (pycurl.NOPROGRESS, 1),
        (pycurl.MAXAGE_CONN, STALE_SECONDS),
        (pycurl.USERAGENT, USER_AGENT),
        (pycurl.CONNECTTIMEOUT_MS, round(limits.connect_seconds * 1000)),
        (pycurl.TIMEOUT_MS, round(limits.total_seconds * 1000)),
    ):
        easy.setopt(option, value)
    return easy
