"""What a tenant could reach inside our network if one of these verdicts were wrong."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from apps.core.addresses import Network, TargetRefused, check_url, why_refused

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255",
    "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2000::", "2001:200::1", "2001:4860:4860::8888", "2606:4700:4700::1111", "2a00:1450:4001::1", "3ffe:ffff::1",
]  # fmt: skip

REFUSED = {
    "unspecified": ["0.0.0.0", "0.255.255.255", "::"],
    "loopback": ["127.0.0.0", "127.0.0.1", "127.255.255.255", "::1"],
    "metadata": ["168.63.129.16"],
    "link-local": ["169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::", "fe80::a9fe:a9fe", "febf::1"],
    "private": [
        "10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255",
        "fc00::", "fd00:ec2::254", "fd20:ce::254", "fdff:ffff::1", "fec0::1", "feff::1",
    ],
    "shared": ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1", "3fff:fff::1"],
    "reserved": [
        "192.0.0.0", "192.0.0.9", "192.0.0.192", "192.88.99.1", "198.18.0.0", "198.19.255.255", "240.0.0.0",
        "255.255.255.255", "64:ff9b:1::808:808", "100::1", "1fff::1", "2001:2::1", "2001:10::1", "2001:20::1",
        "2001:1ff::1", "4000::1", "5f00::1", "8000::1", "::ffff:0:8.8.8.8",
    ],
}  # fmt: skip

EMBEDDED = [
    "::ffff:{v4}", "::{v4}", "64:ff9b::{v4}", "2002:{hex}::", "2002:{hex}:1234::1",
    "2001:0:{hex}:0:0:f7f7:f7f7", "2001:0:808:808:0:0:{inverted}",
]  # fmt: skip

TUNNELS: list[Network] = [
    ip_network(each) for each in ("::ffff:0:0/96", "::/96", "64:ff9b::/96", "2002::/16", "2001::/32")
]

UNUSUAL = [
    "2130706433", "0x7f000001", "0x7F.1", "0177.0.0.1", "127.1", "127.0.1", "0", "0x", "017700000001",
    "127.0.0.01", "127.0.0.1.", "127.0.0.1.1", "256.0.0.1", "134744072", "8.8.2056", "8.8.8.8.", "١٢٧.0.0.1",
]  # fmt: skip

any_v4 = st.integers(0, 2**32 - 1).map(IPv4Address)


def embed(form: str, v4: IPv4Address) -> str:
    def halves(bits: int) -> str:
        return f"{bits >> 16:x}:{bits & 0xFFFF:x}"

    return form.format(v4=v4, hex=halves(int(v4)), inverted=halves(~int(v4) & 0xFFFF_FFFF))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_address_may_be_called(address: str) -> None:
    assert why_refused(address) is None


@pytest.mark.parametrize(("kind", "address"), [(kind, each) for kind, many in REFUSED.items() for each in many])
def test_internal_address_is_refused_by_its_kind(kind: str, address: str) -> None:
    assert f" {kind} address" in (why_refused(address) or "")


@pytest.mark.parametrize(
    "address", [*UNUSUAL, "", "localhost", "[::1]", "::1%25lo%", "1.2.3.4/32", " 8.8.8.8", "8.8.8.8\n"]
)
def test_address_in_no_usual_notation_is_refused(address: str) -> None:
    assert why_refused(address) is not None


@pytest.mark.parametrize("address", ["fe80::1%eth0", "2606:4700:4700::1111%eth0", "::ffff:8.8.8.8%1"])
def test_address_with_a_scope_is_refused(address: str) -> None:
    assert why_refused(address, [ip_network("::/0")]) == "an address of one network interface"


@pytest.mark.parametrize("form", EMBEDDED)
@given(v4=any_v4)
@example(v4=IPv4Address("127.0.0.1"))
@example(v4=IPv4Address("169.254.169.254"))
@example(v4=IPv4Address("8.8.8.8"))
@example(v4=IPv4Address("0.0.0.0"))
@example(v4=IPv4Address("0.0.0.1"))
def test_v4_inside_v6_gets_the_verdict_of_the_v4(form: str, v4: IPv4Address) -> None:
    assert (why_refused(embed(form, v4)) is None) == (why_refused(str(v4)) is None)


@pytest.mark.parametrize("form", EMBEDDED)
@pytest.mark.parametrize("v4", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1"])
def test_internal_v4_inside_v6_is_refused(form: str, v4: str) -> None:
    assert why_refused(embed(form, IPv4Address(v4))) == why_refused(v4)


@given(st.ip_addresses())
def test_what_python_knows_to_be_internal_is_refused(address: IPv4Address | IPv6Address) -> None:
    assume(not any(address in tunnel for tunnel in TUNNELS))  # Python judges the outside of these
    if not address.is_global or address.is_multicast or address.is_link_local or address.is_reserved:
        assert why_refused(str(address)) is not None


def test_allowed_range_opens_itself_and_nothing_else() -> None:
    allowed: list[Network] = [ip_network("127.0.0.0/8"), ip_network("fd12::/16")]
    assert why_refused("127.0.0.1", allowed) is None
    assert why_refused("fd12::7", allowed) is None
    assert why_refused("::ffff:127.0.0.1", allowed) is None
    assert why_refused("::1", allowed) == "a loopback address"
    assert why_refused("10.0.0.1", allowed) == "a private address"
    assert why_refused("fd13::7", allowed) == "a private address"
    assert why_refused("8.8.8.8", allowed) is None
    assert why_refused("::1", [ip_network("::1/128")]) is None


@pytest.mark.parametrize("form", EMBEDDED)
def test_opening_a_tunnel_does_not_open_what_lies_behind(form: str) -> None:
    assert why_refused(embed(form, IPv4Address("169.254.169.254")), [*TUNNELS, ip_network("::/0")]) is not None


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.com/a?b=c#d", "hooks.example.com", 443),
        ("https://HOOKS.example.com.:8443/", "hooks.example.com.", 8443),
        ("https://a_b-c.example/", "a_b-c.example", 443),
        ("https://intranet/", "intranet", 443),
        ("https://bücher.example/", "xn--bcher-kva.example", 443),
        ("https://8.8.8.8/", "8.8.8.8", 443),
        ("https://[2606:4700:4700::1111]:444/", "2606:4700:4700::1111", 444),
        ("https://1and1.example/", "1and1.example", 443),
        ("https://example.com/?to=user@host", "example.com", 443),
        ("https://example.com#@10.0.0.1/", "example.com", 443),
    ],
)
def test_ordinary_url_is_accepted(url: str, host: str, port: int) -> None:
    parsed = check_url(url)
    assert (parsed.raw_host, parsed.port) == (host, port)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://exam ple.com/", "white space"),
        ("https://example.com/ a", "white space"),
        (" https://example.com/", "white space"),
        ("https://127.0.0.1\t.example.com/", "white space"),
        ("https://example.com/\r\nHost: internal", "white space"),
        ("https://example.com/\x00", "control character"),
        ("https://example.com\\@127.0.0.1/", "backslash"),
        ("", "neither"),
        ("example.com", "neither"),
        ("//example.com/", "neither"),
        ("https:/example.com/", "neither"),
        ("ftp://example.com/", "neither"),
        ("file:///etc/passwd", "neither"),
        ("gopher://127.0.0.1:6379/_FLUSHALL", "neither"),
        ("javascript:alert(1)", "neither"),
        ("ws://example.com/", "neither"),
        ("http://example.com/", "not https"),
        ("HTTP://example.com/", "not https"),
        ("https://user:password@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://:@example.com/", "user name"),
        ("https://example.com@10.0.0.1/", "user name"),
        ("https:///etc/passwd", "host or port"),
        ("https://:443/", "host or port"),
        ("https://example.com:0/", "host or port"),
        ("https://example.com:00/", "host or port"),
        ("https://example.com:65536/", "host or port"),
        ("https://example.com:-1/", "host or port"),
        ("https://example.com:port/", "host or port"),
        ("https://[::1/", "host or port"),
        ("https://[127.0.0.1]/", "host or port"),
        ("https://[v1.example]/", "no usual notation"),
        ("https://exam%70le.com/", "not a host name"),
        ("https://%31%32%37.0.0.%31/", "not a host name"),
        ("https://localhost%00.example.com/", "not a host name"),
        ("https://example.com%40localhost/", "not a host name"),
        ("https://127.0.0.1../", "not a host name"),
        ("https://a..example/", "not a host name"),
        ("https://.example/", "not a host name"),
        ("https://a,b.example/", "not a host name"),
        (f"https://{'a' * 64}.example/", "not a host name"),
        (f"https://{'a.' * 127}a/", "not a host name"),
        ("https://127.0.0.1:8000/", "loopback"),
        ("https://１２７.0.0.1/", "loopback"),
        ("https://①②⑦.⓪.⓪.①/", "loopback"),
        ("https://127。0。0。1/", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[0:0:0:0:0:0:0:1]/", "loopback"),
        ("https://[::ffff:127.0.0.1]/", "loopback"),
        ("https://[::FFFF:7F00:1]/", "loopback"),
        ("https://[::127.0.0.1]/", "loopback"),
        ("https://[64:ff9b::7f00:1]/", "loopback"),
        ("https://[2002:7f00:1::]/", "loopback"),
        ("https://[::]/", "unspecified"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://169.254.169.254/latest/meta-data/", "link-local"),
        ("https://[fd00:ec2::254]/", "private"),
        ("https://[fe80::1%25eth0]/", "network interface"),
        ("https://[fe80::1%eth0]/", "network interface"),
        *((f"https://{host}/", "no usual notation") for host in UNUSUAL if host.isascii()),
    ],
)
def test_hostile_url_is_refused(url: str, reason: str) -> None:
    with pytest.raises(TargetRefused) as refusal:
        check_url(url)
    assert reason in refusal.value.reason
    assert str(refusal.value) == refusal.value.reason


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", "/"),
        ("https://example.com?a=b", "/?a=b"),
        ("https://example.com/a%2Fb/../c?sig=x%2Fy+z%20&to=a/b#part", "/a%2Fb/../c?sig=x%2Fy+z%20&to=a/b"),
        ("https://[2606:4700::1]/a%2f?b=%2f", "/a%2f?b=%2f"),
        ("https://bücher.example:8443/%7Ea", "/%7Ea"),
        ("https://example.com/ünder?ä=1", "/%C3%BCnder?%C3%A4=1"),
    ],
)
def test_path_and_query_stay_as_written(url: str, target: str) -> None:
    assert check_url(url).raw_path_qs == target


def test_http_url_is_accepted_where_it_is_allowed() -> None:
    assert check_url("http://example.com/", allow_http=True).port == 80


def test_literal_address_in_an_allowed_range_is_accepted() -> None:
    assert check_url("https://127.0.0.1:8000/", [ip_network("127.0.0.0/8")]).port == 8000
    with pytest.raises(TargetRefused):
        check_url("https://2130706433/", [ip_network("127.0.0.0/8")])


@given(any_v4)
def test_v4_has_one_spelling_only(v4: IPv4Address) -> None:
    bits = int(v4)
    first, rest = bits >> 24, bits & 0xFF_FFFF
    for host in (
        f"{bits}",
        f"{bits:#x}",
        f"0{bits:o}",
        f"{first}.{rest}",
        f"{first:#x}.{rest:#x}",
        f"0{first:o}.{rest}",
        f"{v4}.",
    ):
        with pytest.raises(TargetRefused):
            check_url(f"https://{host}/")


@given(st.text(st.characters(), max_size=40))
def test_no_text_makes_the_check_itself_fail(text: str) -> None:
    for url in (text, f"https://{text}", f"https://[{text}]/", f"https://example.com:{text}"):
        with suppress(TargetRefused):
            check_url(url)
