"""Whether a domain takes mail at all, as the name servers tell."""

import time

import dns.exception
import dns.resolver

# For all questions together: somebody waits for an answer.
SECONDS = 3.0


class _TakesNone(Exception):
    """The domain says so itself."""


def may_take_mail(domain: str) -> bool:
    """False only where the name servers said so: that nobody answers is not the person's mistake."""
    until = time.monotonic() + SECONDS
    try:
        return any(_has(domain, record, until) for record in ("MX", "A", "AAAA"))
    except (dns.resolver.NXDOMAIN, _TakesNone):
        return False
    except (dns.exception.DNSException, OSError):
        return True


def _has(domain: str, record: str, until: float) -> bool:
    try:
        answer = dns.resolver.resolve(
            f"{domain}.", record, search=False, lifetime=max(until - time.monotonic(), 0.001)
        )
    except dns.resolver.NoAnswer:
        return False
    # A mail server called "." says that there is none, and that no other record is to be looked at.
    if record == "MX" and all(str(found.exchange) == "." for found in answer):
        raise _TakesNone
    return True
