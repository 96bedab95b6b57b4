"""A real S3 server on loopback, by moto, for tests that want a store of media."""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

BUCKET = "media-of-tests"


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """A running server with one bucket. `url` is as MEDIA_STORE takes it."""

    endpoint: str
    client: Any

    @property
    def url(self) -> str:
        return f"s3://{BUCKET}/gate%20post?region=eu-central-1&endpoint={self.endpoint}"

    def names(self) -> list[str]:
        found = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [one["Key"] for one in found]

    def empty(self) -> None:
        for name in self.names():
            self.take_away(name)

    def take_away(self, key: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=key)


@contextlib.contextmanager
def running_object_server() -> Iterator[ObjectServer]:
    """Start it, with credentials in the environment as boto3 expects them."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "the-operator")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "the-operators-secret")
        endpoint = f"http://{host}:{port}"
        client = boto3.client("s3", endpoint_url=endpoint, region_name="eu-central-1")
        requests.post(f"{endpoint}/moto-api/reset", timeout=10)  # it remembers for ever
        where = {"LocationConstraint": "eu-central-1"}
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
        yield ObjectServer(endpoint, client)
        client.close()
    server.stop()


@contextlib.contextmanager
def silent_server() -> Iterator[str]:
    """The address of a store that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"s3://{BUCKET}?region=x&endpoint=http://127.0.0.1:{server.getsockname()[1]}"
