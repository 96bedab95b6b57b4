"""What a start asks of Redis: that it answers, in the way its address says, and serves us.

A Redis that is full, loading its data or a replica is there: the processes wait for it.
"""

import re
import ssl
import time
from typing import Final, NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.config import BadSetting
from app.queues import FAULTS

#: For which a Redis that does not answer is waited for at the start.
START_SECONDS: Final = 5.0
_START_PAUSE: Final = 0.3
_TIMEOUT: Final = 2.0
#: What Redis answers to a client that it will not serve however often it asks: a password that
#: is wrong or missing, a user without rights, a database that is not there.
_REFUSALS: Final = re.compile("NOAUTH|WRONGPASS|NOPERM|invalid username-password|DB index|AUTH")
#: Of a server that is there, and will serve us later.
_IS_BUSY: Final = re.compile("LOADING|loading the dataset|MASTERDOWN|max number of clients")
#: OpenSSL's words, in what redis-py says.
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
_TRUST: Final = (
    "its certificate is signed by nobody we know; ?ssl_cert_reqs=none keeps the encryption"
    " and trusts any certificate, ?ssl_ca_certs=… names a file of signers"
)
_IN_CLEAR: Final = "it does not speak TLS: write redis:// instead of rediss://"
_OVER_TLS: Final = "it speaks TLS: write rediss:// instead of redis://"


class _Fault(NamedTuple):
    line: str
    may_pass: bool


def check_redis(url: str, patience: float = START_SECONDS, *, may_be_away: bool = False) -> None:
    """Raise BadSetting, in one line, if the Redis at `url` is none that we can use.

    One that does not answer is given `patience` seconds, since it may be starting too. With
    `may_be_away` that is none of its faults: work that has begun goes on without it.
    """
    deadline = time.monotonic() + patience
    while fault := _fault(url):
        if fault.may_pass and may_be_away:
            return
        if not fault.may_pass:
            raise BadSetting(f"REDIS_URL: {fault.line}")
        if time.monotonic() + _START_PAUSE > deadline:
            raise BadSetting(f"REDIS_URL: {_encryption_fault(url) or fault.line}")
        time.sleep(_START_PAUSE)


def _fault(url: str) -> _Fault | None:
    """Return why nobody can work with it now, None if it answers or is only busy."""
    try:
        _ping(url)
    except FAULTS as error:
        line = " ".join(str(error).split())
        return None if _IS_BUSY.search(line) else _judged(error, line)
    return None


def _judged(error: Exception, line: str) -> _Fault:
    if _UNTRUSTED in line:
        return _Fault(_TRUST, may_pass=False)
    if _REFUSALS.search(line):
        return _Fault(line, may_pass=False)
    if isinstance(error.__cause__, ssl.SSLError):
        return _Fault(line, may_pass=False)
    return _Fault(f"does not answer: {line.rstrip('.')}", may_pass=True)


def _encryption_fault(url: str) -> str:
    """Return what is wrong if the server answers under the other scheme only, else ""."""
    scheme, _, rest = url.partition("://")
    if scheme == "rediss":
        address = rest.partition("?")[0]  # the parameters are of TLS
        return _IN_CLEAR if _answers(f"redis://{address}") else ""
    if scheme == "redis":
        mark = "&" if "?" in rest else "?"
        return _OVER_TLS if _answers(f"rediss://{rest}{mark}ssl_cert_reqs=none") else ""
    return ""


def _answers(url: str) -> bool:
    try:
        _ping(url)
    except redis.ConnectionError as error:
        # A refused password is an answer too, and redis-py calls it a fault of the connection.
        return isinstance(error, redis.AuthenticationError)
    except redis.ResponseError:
        return True
    except FAULTS:
        return False
    return True


def _ping(url: str) -> None:
    client = redis.Redis.from_url(
        url,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
    finally:
        client.close()
