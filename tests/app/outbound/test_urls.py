import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.config import NetworkPort
from app.outbound.urls import check_url
from plugins.kit.url_spelling import REFUSED_PORTS, AddressRefused, split

LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


def refused(url: str, allow=()) -> str:
    with pytest.raises(AddressRefused) as caught:
        check_url(url, allow)
    return caught.value.reason


@pytest.mark.parametrize(
    "url",
    [
        "http://tracker.example",
        "https://tracker.example/pb?click={click}&x=1#frag",
        "HTTPS://Tracker.Example:443/",
        "http://a_b.tracker.example:8080/",
        "http://tracker.example?to=http://10.0.0.1@x/",
        "http://8.8.8.8/",
        "http://[2001:4860:4860::8888]:8443/x",
        "http://[::ffff:8.8.8.8]/",
        "http://xn--e1afmkfd.xn--p1ai/",
        "http://tracker.example/путь",
        "http://1.example/",
        "http://0x7f.example/",
    ],
)
def test_a_proper_url_passes(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "tracker.example", "//tracker.example", "/pb", "http:", "http:/", "http://", "http:///x",
        "ftp://tracker.example", "file:///etc/passwd", "gopher://x.example:6379/_",
        "unix:/var/run/x", "javascript:alert(1)", "http:tracker.example", "http:/tracker.example",
        "http://user@tracker.example/", "http://user:pass@tracker.example/", "http://a@127.0.0.1",
        "http://ok.example\\@127.0.0.1/", "http:\\\\tracker.example", "http://ok.example/a\\b",
        "http://ok.example /", " http://ok.example", "http://ok.example\n",
        "http://ok.example/\r\nX: y",
        "http://ok.example/\x00", "http://ok.example/\x7f", "http://ok.example/\ud800",
        "http://ok.example:/x:y@z:1", "http://ok.example:", "http://ok.example:x/",
        "http://ok.example:-1/",
        "http://ok.example:\u0661/", "http://ok.example:123456/",
        "http://%31%32%37.0.0.1/", "http://ok%2eexample/", "http://①②⑦.0.0.1/", "http://127。0。0。1/",
        "http://\uff11\uff12\uff17.0.0.1/", "http://трекер.рф/", "http://ok.example./",
        "http://localhost./",
        "http://.example/", "http://a..b/", "http://-a.example/", "http://a-.example/",
        "http://{click}.example/",
        "http://" + "a" * 64 + ".example/", "http://" + "a." * 130 + "example/",
        "http://ok.example/" + "a" * 9000,
        "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[::1", "http://::1/", "http://[v1.x]/",
        "http://[127.0.0.1]/", "http://[]/", "http://[::1]x/", "http://[2001:4860:4860::8888]x:80/",
    ],
)  # fmt: skip
def test_a_doubtful_spelling_is_refused_even_if_everything_is_allowed(url: str) -> None:
    refused(url, [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")])


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "0", "00000177.1",
     "127.0.0.01", "1.2.3.4.5", "256.1.1.1", "8.8.8.0x8", "0x", "1.2.3.08"],
)  # fmt: skip
def test_an_odd_number_is_no_address(host: str) -> None:
    assert refused(f"http://{host}/", LOOPBACK) == (
        "write a numeric address as four decimal numbers"
    )


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1", "this machine"),
        ("localhost", "this machine"),
        ("LOCALHOST", "this machine"),
        ("a.localhost", "this machine"),
        ("10.0.0.1", "private network"),
        ("169.254.169.254", "cloud metadata"),
        ("[::1]", "this machine"),
        ("[::ffff:127.0.0.1]", "this machine"),
        ("[::ffff:7f00:1]", "this machine"),
        ("[64:ff9b::7f00:1]", "this machine"),
        ("[2002:7f00:1::]", "6to4"),
        ("[fd00:ec2::254]", "cloud metadata (AWS)"),
    ],
)
def test_a_literal_address_is_judged_at_once_and_the_reason_says_why(host: str, name: str) -> None:
    assert name in refused(f"http://{host}/")
    assert name in refused(f"https://{host}:8443/x?y")


def test_an_allowed_literal_may_use_any_port() -> None:
    check_url("http://127.0.0.1:6379/", LOOPBACK)
    check_url("http://localhost:22/", LOOPBACK)
    refused("http://10.0.0.1:8080/", LOOPBACK)


def test_an_allowed_port_is_the_only_one_of_its_address() -> None:
    allow = [NetworkPort(ipaddress.ip_network(text), 6379) for text in ("127.0.0.1", "::1")]
    check_url("http://127.0.0.1:6379/", allow)
    check_url("http://[::1]:6379/", allow)
    assert "this machine" in refused("http://127.0.0.1:8080/", allow)
    assert "this machine" in refused("http://[::1]/", allow)


def test_metadata_is_refused_whatever_is_allowed() -> None:
    assert "metadata" in refused("http://169.254.169.254/", [ipaddress.ip_network("0.0.0.0/0")])


@pytest.mark.parametrize("port", [0, 1, 22, 25, 81, 1023, 65536, 99999, *REFUSED_PORTS])
def test_a_port_of_another_service_is_refused(port: int) -> None:
    assert str(port) in refused(f"http://tracker.example:{port}/")
    assert str(port) in refused(f"http://8.8.8.8:{port}/")


@pytest.mark.parametrize("port", [80, 443, 1024, 8000, 8080, 8443, 65535])
def test_a_port_of_a_web_server_passes(port: int) -> None:
    check_url(f"http://tracker.example:{port}/")


def test_the_default_port_is_that_of_the_scheme() -> None:
    assert split("http://a.example/") == ("a.example", 80)
    assert split("https://[2a00::1]?x") == ("[2a00::1]", 443)


def test_refused_ports_leave_the_ephemeral_range_free() -> None:
    assert max(REFUSED_PORTS) < 32768


@given(st.text())
@example("http://[")
@example("http://@")
def test_any_text_is_accepted_or_refused_in_words(text: str) -> None:
    reasons = set()
    for url in (text, f"http://{text}", f"http://{text}.example/", f"https://[{text}]/"):
        try:
            check_url(url)
        except AddressRefused as error:
            reasons.add(error.reason)
        else:
            host, port = split(url)
            assert host
            assert host.isascii()
            assert port in (80, 443) or port >= 1024
    assert all(reasons)
