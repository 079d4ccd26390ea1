"""Which addresses a stranger may have us call.

Whoever registers a webhook chooses where our workers connect, from inside our network. So an IP address is
refused unless it is an ordinary public one. The tables are our own, from IANA's special-purpose registries:
the standard library's `is_global` lets multicast, 6to4, NAT64 and the metadata addresses of two clouds pass,
and has changed between patch releases of Python.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

type Network = IPv4Network | IPv6Network

_REFUSED: tuple[tuple[str, tuple[Network, ...]], ...] = tuple(
    (f"{kind} address", tuple(ip_network(network) for network in networks.split()))
    for kind, networks in (
        ("an unspecified", "0.0.0.0/8 ::/128"),
        ("a loopback", "127.0.0.0/8 ::1/128"),
        # Clouds hand out credentials here. 169.254.169.254, 100.100.100.200, 192.0.0.192 and fd00:ec2::254 lie
        # in ranges below; Azure's looks like a public address.
        ("a metadata", "168.63.129.16/32"),
        ("a link-local", "169.254.0.0/16 fe80::/10"),
        ("a private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10"),
        ("a shared", "100.64.0.0/10"),
        ("a multicast", "224.0.0.0/4 ff00::/8"),
        ("a documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
        # The last two: protocol assignments, and all of IPv6 that is not global unicast, 2000::/3.
        ("a reserved", "192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4 2001::/23 ::/3 4000::/2 8000::/1"),
    )
)

# Forms of IPv6 whose last 32 bits are the IPv4 address that they lead to: mapped, compatible, and NAT64, by
# which a network without IPv4 reaches all of it.
_V4_IN_LAST_BITS = tuple(IPv6Network(network) for network in ("::ffff:0:0/96", "::/96", "64:ff9b::/96"))
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")

_NOT_IN_A_URL = re.compile(r"[\x00-\x20\x7f\\]")  # parsers disagree on them: some drop, some read "/"
_START = re.compile(r"(https?)://([^/?#]*)", re.IGNORECASE)
_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?")
_ENDS_IN_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)\.?")


class TargetRefused(Exception):
    """The target may not be called, now or later. `reason` may be shown to the tenant who chose it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def check_url(url: str, allowed: Sequence[Network] = (), *, allow_http: bool = False) -> URL:
    """The URL, parsed once for all, or TargetRefused for whatever is wrong with it before DNS is asked."""
    if _NOT_IN_A_URL.search(url):
        raise TargetRefused("the URL holds white space, a control character or a backslash")
    start = _START.match(url)
    if start is None:
        raise TargetRefused("the URL starts with neither https:// nor http://")
    scheme, authority = start.groups()
    if scheme.lower() == "http" and not allow_http:
        raise TargetRefused("the URL is not https")
    if "@" in authority:
        raise TargetRefused("the URL holds a user name or a password")
    try:
        parsed = URL(url)
    except ValueError:
        parsed = URL()
    if parsed.raw_host is None or parsed.port == 0:
        raise TargetRefused("the URL's host or port cannot be used")
    if authority.startswith("[") or _ENDS_IN_A_NUMBER.fullmatch(parsed.raw_host):
        # Such a host is connected to without asking a name server. This is the only check that it meets.
        if reason := why_refused(parsed.raw_host, allowed):
            raise TargetRefused(f"the URL's host is {reason}")
    elif not _HOST_NAME.fullmatch(parsed.raw_host):
        raise TargetRefused("the URL's host is not a host name")
    return _as_written(parsed, parsed.raw_host, url[start.end() :])


def _as_written(parsed: URL, host: str, rest: str) -> URL:
    """The checked host and port with path and query to the letter: URLs get signed, and yarl would tidy them."""
    if not rest.isascii():
        return parsed
    path, _, query = rest.partition("#")[0].partition("?")
    return URL.build(
        scheme=parsed.scheme,
        host=f"[{host}]" if ":" in host else host,
        port=parsed.explicit_port,
        path=path,
        query_string=query,
        encoded=True,
    )


def why_refused(address: str, allowed: Sequence[Network] = ()) -> str | None:
    """What speaks against calling this IP address, to follow "it is" in a sentence; None if nothing does.

    `allowed` opens ranges by name, for the machine of a developer or a closed network.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        # Octal, hexadecimal, short: systems read them, each in its own way.
        return "an address in no usual notation"
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return "an address of one network interface"
        if embedded := _embedded(parsed):
            # Judged before `allowed` is asked about the outside: opening NAT64 does not open what lies behind it.
            return next((reason for inner in embedded if (reason := _why_refused(inner, allowed))), None)
    return _why_refused(parsed, allowed)


def _why_refused(address: IPv4Address | IPv6Address, allowed: Sequence[Network]) -> str | None:
    if any(address in network for network in allowed):
        return None
    return next((reason for reason, networks in _REFUSED if any(address in network for network in networks)), None)


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses at which a packet for this one may end up."""
    bits = int(address)
    if bits in {0, 1}:
        return []  # :: and ::1 only look like compatible addresses
    if any(address in network for network in _V4_IN_LAST_BITS):
        return [_last_32(bits)]
    if address in _SIX_TO_FOUR:
        return [_last_32(bits >> 80)]
    if address in _TEREDO:
        return [_last_32(bits >> 64), _last_32(~bits)]  # the server; the client, written inverted
    return []


def _last_32(bits: int) -> IPv4Address:
    return IPv4Address(bits & 0xFFFF_FFFF)
