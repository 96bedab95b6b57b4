"""An S3-compatible object store, called through boto3.

boto3 is the vendor's own library, and compatible stores test against it. It is
loaded only where a store is configured. Objects are as private as the bucket;
nothing here makes one public or signs a link.
"""

import io
import logging
import time
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import IO, Any, Final, TypeVar
from urllib.parse import parse_qs, unquote, urlsplit

Result = TypeVar("Result")

CONNECT_SECONDS: Final = 3
READ_SECONDS: Final = 10  # between two bytes
ATTEMPTS: Final = 2
FETCH_SECONDS: Final = 20.0  # for all of an object, less than a message's lease
_CHUNK: Final = 256 * 1024
_PROBE: Final = "probe-of-the-doctor"
_GONE: Final = frozenset(("NoSuchKey", "404"))


class StoreUnreachable(Exception):
    """The object store does not answer, or does not let us in. No secret in its text."""


class ObjectStore:
    """Objects in one bucket, below one prefix. Safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Take the address as in MEDIA_STORE: s3://bucket/prefix?endpoint=…&region=….

        boto3 finds the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, a
        profile, the role of the machine). Sends nothing yet.
        """
        parts = urlsplit(url)
        options = parse_qs(parts.query)
        prefix = unquote(parts.path).strip("/")
        self._bucket = parts.netloc
        self._prefix = f"{prefix}/" if prefix else ""
        self._location = options.get("endpoint", [None])[0], options.get("region", [None])[0]

    @cached_property
    def _client(self) -> Any:
        """Made at the first call, so that a wrong region or profile is reported as unreachable."""
        return _client(*self._location)

    def put(self, key: str, content: IO[bytes], type_: str) -> None:
        """Store the whole file `content` under `key`. Raises StoreUnreachable."""
        content.seek(0)
        self._call(
            lambda: self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=content, ContentType=type_
            )
        )

    def get(self, key: str, most: int) -> bytes | None:
        """Return at most `most` bytes, None if there is no object. Raises StoreUnreachable."""
        return self._call(lambda: self._fetch(key, most))

    def delete(self, key: str) -> None:
        """Remove an object; it may have gone already. Raises StoreUnreachable."""
        self._call(lambda: self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key))

    def check(self) -> None:
        """Put, get and delete an object, as a test. Raises StoreUnreachable."""
        self.put(_PROBE, io.BytesIO(_PROBE.encode()), "text/plain")
        if self.get(_PROBE, len(_PROBE)) != _PROBE.encode():
            raise StoreUnreachable("it does not give back what it was given")
        self.delete(_PROBE)

    def answers(self) -> bool:
        """Whether the bucket is there and open to us."""
        try:
            self._call(lambda: self._client.head_bucket(Bucket=self._bucket))
        except StoreUnreachable:
            return False
        return True

    def _fetch(self, key: str, most: int) -> bytes | None:
        end = time.monotonic() + FETCH_SECONDS
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
        except self._client.exceptions.ClientError as error:
            if _code(error) in _GONE:
                return None
            raise
        chunks, size = [], 0
        with answer["Body"] as body:
            # urllib3's own body: read1() returns what has arrived, read() waits for all of it.
            while size < most and (chunk := body.read1(min(_CHUNK, most - size))):
                chunks.append(chunk)
                size += len(chunk)
                if time.monotonic() > end:
                    raise StoreUnreachable(f"an object took longer than {FETCH_SECONDS:g} s")
        if size < min(most, answer.get("ContentLength", 0)):  # not told of what comes in pieces
            raise StoreUnreachable("it broke off in the middle of an object")
        return b"".join(chunks)

    def _call(self, request: Callable[[], Result]) -> Result:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            return request()
        except ClientError as error:
            raise StoreUnreachable(f"it answers {_code(error)}") from error
        # boto3 raises ValueError for an endpoint that it cannot use.
        except (BotoCoreError, Boto3Error, HTTPError, OSError, ValueError) as error:
            raise StoreUnreachable(type(error).__name__) from error


@lru_cache(maxsize=4)
def opened(url: str) -> ObjectStore:
    """The one store of this process for `url`: making a client takes a tenth of a second."""
    return ObjectStore(url)


def _client(endpoint: str | None, region: str | None) -> Any:
    import boto3
    from botocore.config import Config

    logging.getLogger("botocore").setLevel(logging.WARNING)  # it logs where it found the key
    config = Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        signature_version="s3v4",
        # Stores other than Amazon's have no host name for each bucket, nor the newer checksums.
        s3={"addressing_style": "path"} if endpoint else {},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.session.Session().client(
        "s3", endpoint_url=endpoint, region_name=region, config=config
    )


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", "an error"))
