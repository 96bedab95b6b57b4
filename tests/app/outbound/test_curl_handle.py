"""One exchange on one handle: what is refused before any network, and how a failure reads."""

import ipaddress
from urllib.parse import urlsplit

import certifi
import pycurl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.outbound.curl_handle import COULD_NOT_CONNECT, NO_SUCH_HOST, Limits, Transfer
from app.outbound.result import Failure, Unsendable
from plugins.contract import Request
from plugins.host.validation import AdapterFailed, check_request
from plugins.kit.http_headers import FRAMING, METHODS

EVERYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@pytest.fixture
def transfer():
    transfer = Transfer(Limits((), False, 3.0, 10.0, 1024, certifi.where()))
    yield transfer
    transfer.easy.close()


@pytest.mark.parametrize("method", sorted(METHODS))
def test_ordinary_methods_are_loaded_with_and_without_a_body(transfer, method):
    for body in (b"", b"x"):
        transfer.load(Request(method, "https://t.example/", body=body), "tag")
        assert transfer.tag == "tag"
        assert not transfer.is_connected


@pytest.mark.parametrize("method", ["HEAD", "TRACE", "CONNECT", "get", ""])
def test_other_methods_are_invalid(transfer, method):
    with pytest.raises(Unsendable) as caught:
        transfer.load(Request(method, "https://t.example/"), None)
    assert caught.value.failure is Failure.INVALID


def test_a_forbidden_address_in_the_url_is_blocked(transfer):
    with pytest.raises(Unsendable) as caught:
        transfer.load(Request("GET", "http://127.0.0.1/"), None)
    assert caught.value.failure is Failure.BLOCKED


@pytest.mark.parametrize("code", [pycurl.E_COULDNT_CONNECT, pycurl.E_OPERATION_TIMEDOUT])
def test_what_ended_before_it_was_sent_is_unreachable(transfer, code):
    transfer.load(Request("GET", "https://t.example/"), "tag")
    answer = transfer.finish(code, "as libcurl says")
    assert (answer.tag, answer.failure) == ("tag", Failure.UNREACHABLE)
    assert (answer.reason, answer.detail) == (
        COULD_NOT_CONNECT,
        f"curl {code}: as libcurl says",
    )
    assert transfer.tag is None


def test_an_unknown_host_reads_otherwise_than_one_that_refuses(transfer):
    transfer.load(Request("GET", "https://t.example/"), "tag")
    answer = transfer.finish(pycurl.E_COULDNT_RESOLVE_HOST, "as libcurl says")
    assert answer.failure is Failure.UNREACHABLE
    assert answer.reason == NO_SUCH_HOST


_HOSTS = st.sampled_from(
    ["t.example", "T.Example", "a_b.example", "1.example", "0x7f.example", "xn--e1aaowdh.xn--p1ai",
     "8.8.8.8", "127.0.0.1", "10.0.0.1", "localhost", "a.localhost", "[::1]", "[2a00::1]",
     "[::ffff:127.0.0.1]", "0x7f.1", "127.1", "0177.0.0.1", "2130706433", "1.2.3.4.5", "[zz]", "[",
     "[fe80::1%25eth0]", "[1]", "a..b", "-a.example", "a-.example", "t.example.", "localhost.", "",
     "a" * 64 + ".example", "a." * 127 + "a", "a." * 126 + "a", "u@t.example", "t.example\\"]
) | st.text("aZ0.-_:[]@%\\ \u00e9", max_size=8)  # fmt: skip
_PORTS = st.sampled_from(
    ["", "80", "080", "443", "8443", "65535", "0", "00000", "1", "22", "6379", "27017", "65536",
     "99999", "123456", "x", " 80"]
).map(lambda port: port and f":{port}") | st.just(":")  # fmt: skip
_TAILS = st.text("a/?#%{}|^`<>\"'@:[]\\~ \n\x7f\u00e9", max_size=6) | st.just("/" + "a" * 8192)
_URLS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "HTTPS", "ftp", ""]),
    _HOSTS,
    _PORTS,
    _TAILS,
)
_NAMES = st.sampled_from(sorted(FRAMING)).map(str.title) | st.text("aZ9-_:;~ \n\u00e9", max_size=5)
_VALUES = st.text("a ~\t\n\x00\x7f\u00e9", max_size=5)
_REQUESTS = st.builds(
    Request,
    method=st.sampled_from([*sorted(METHODS), "get", "TRACE", "GET / HTTP/1.1", ""]),
    url=_URLS,
    headers=st.dictionaries(_NAMES, _VALUES, max_size=3),
    body=st.binary(max_size=3) | st.just(b"x" * 256 * 1024) | st.just(b"x" * (256 * 1024 + 1)),
    step=st.text("a~ \n\u00e9", max_size=3),
    idempotency_key=st.text("a~ \n\u00e9", max_size=3),
)


def at(url: str, **fields) -> Request:
    return Request(**{"method": "GET", "url": url, **fields})


@given(_REQUESTS)
@example(at("http://0x7f.1/"))
@example(at("http://[zz]/"))
@example(at("http://a..b/"))
@example(at("http://-a.example/"))
@example(at("http://t.example:6379/"))
@example(at("http://t.example:99999/"))
@example(at("http://127.0.0.1:99999/"))
@example(at("http://t.example/a\\b"))
@example(at("https://t.example/", method="POST", headers={"Host": "other.example"}, body=b"x"))
def test_whatever_the_border_accepts_is_taken_by_libcurl(request):
    try:
        accepted = check_request(request, None, (), "build_request")
    except AdapterFailed:
        return
    transfer = Transfer(Limits(EVERYWHERE, False, 3.0, 10.0, 1024, certifi.where()))
    transfer.load(accepted, None)
    parts = urlsplit(accepted.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    transfer.easy.setopt(pycurl.RESOLVE, [f"*:{port}:127.0.0.1"])
    transfer.easy.setopt(pycurl.OPENSOCKETFUNCTION, lambda *_: pycurl.SOCKET_BAD)
    with pytest.raises(pycurl.error) as caught:
        transfer.easy.perform()
    assert caught.value.args[0] == pycurl.E_COULDNT_CONNECT  # and not: a malformed URL
    transfer.easy.close()


@pytest.mark.parametrize(
    "url",
    ["https://a_b.example", "HTTP://T.example:080?x={y}#z", "http://[2a00::1]:8080/|^`<>'@"],
)  # fmt: skip
def test_an_unusual_url_passes_the_border_and_the_transport(transfer, url):
    transfer.load(check_request(at(url), None, (), "build_request"), None)
