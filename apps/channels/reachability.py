"""Whether providers reach us: Recado calls its own public address and sees whether it was itself that answered.

Any web server answers something. So the question carries a nonce that only this installation can have signed, and
the answer is made of it with this installation's own key. Nobody but the configuration says where is called.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import Network
from apps.core.guarded_http import Answer, CallFailed, Failure, GuardedClient, TargetRefused

PROBE_HEADER = "Recado-Probe"
# Longer than anybody waits for the answer.
PROBE_SECONDS = 60
_SALT = "recado.callback_probe"
# The URL is our own and no redirect is followed: no tenant can have us call anything by this.
_EVERYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


class Finding(StrEnum):
    REACHABLE = "reachable"
    # We answer ourselves, from where perhaps no provider can ask.
    PRIVATE_NETWORK = "private_network"
    NO_CALLBACK = "no_callback"
    NAME_NOT_FOUND = "name_not_found"
    NOT_CONNECTED = "not_connected"
    TIMED_OUT = "timed_out"
    BAD_CERTIFICATE = "bad_certificate"
    BROKEN_OFF = "broken_off"
    BAD_ADDRESS = "bad_address"
    REDIRECTED = "redirected"
    HOST_REFUSED = "host_refused"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    UNAVAILABLE = "unavailable"
    OTHER_SERVER = "other_server"


_WORDS = {
    Finding.REACHABLE: gettext_lazy("Providers reach this installation at %(url)s."),
    Finding.PRIVATE_NETWORK: gettext_lazy(
        "This installation answers at %(url)s, but from here that name leads into a private network. Make sure "
        "that it leads somewhere public for the provider."
    ),
    Finding.NO_CALLBACK: gettext_lazy("The provider of this channel never calls."),
    Finding.NAME_NOT_FOUND: gettext_lazy(
        "The name in %(url)s is not found. Add it to DNS, or mend PUBLIC_URL if it is misspelt."
    ),
    Finding.NOT_CONNECTED: gettext_lazy(
        "Nobody takes calls at %(url)s (%(why)s). Start the proxy before Recado, or open its port."
    ),
    Finding.TIMED_OUT: gettext_lazy(
        "No answer came from %(url)s in time. Look at the firewall, and whether the proxy reaches Recado."
    ),
    Finding.BAD_CERTIFICATE: gettext_lazy(
        "The TLS certificate at %(url)s is not one that providers trust (%(why)s). Renew it, with its whole chain."
    ),
    Finding.BROKEN_OFF: gettext_lazy(
        "The call to %(url)s broke off (%(why)s). Look at the proxy before Recado and at its TLS."
    ),
    Finding.BAD_ADDRESS: gettext_lazy("%(url)s cannot be called (%(why)s). Mend PUBLIC_URL."),
    Finding.REDIRECTED: gettext_lazy(
        "%(url)s leads elsewhere (%(why)s), and providers do not follow. Set PUBLIC_URL to the address that "
        "answers."
    ),
    Finding.HOST_REFUSED: gettext_lazy(
        "%(url)s answers 400. Is its host in ALLOWED_HOSTS, and does the proxy pass the host on?"
    ),
    Finding.FORBIDDEN: gettext_lazy(
        "%(url)s answers %(why)s: a firewall or a log-in stands before Recado, or another installation answers. "
        "Let /v1/hooks/ through."
    ),
    Finding.NOT_FOUND: gettext_lazy(
        "%(url)s answers 404: the proxy does not hand /v1/hooks/ on to Recado, or another server answers."
    ),
    Finding.UNAVAILABLE: gettext_lazy(
        "%(url)s answers %(why)s: the proxy is there, but it does not reach Recado. Look whether the web process "
        "runs."
    ),
    Finding.OTHER_SERVER: gettext_lazy(
        "Something else answers at %(url)s (%(why)s), not this installation. Look where the name and the proxy "
        "lead."
    ),
}

_OF_FAILURE = {
    Failure.NAME: Finding.NAME_NOT_FOUND,
    Failure.CONNECTION: Finding.NOT_CONNECTED,
    Failure.CERTIFICATE: Finding.BAD_CERTIFICATE,
    Failure.TIMEOUT: Finding.TIMED_OUT,
    Failure.TLS: Finding.BROKEN_OFF,
    Failure.BROKEN: Finding.BROKEN_OFF,
}
_OF_STATUS = {400: Finding.HOST_REFUSED, 401: Finding.FORBIDDEN, 403: Finding.FORBIDDEN, 404: Finding.NOT_FOUND}


@dataclass(frozen=True, slots=True)
class Checked:
    finding: Finding
    url: str
    # What the network said, where that tells more.
    why: str = ""

    @property
    def is_ok(self) -> bool:
        return self.finding in {Finding.REACHABLE, Finding.PRIVATE_NETWORK}

    @property
    def detail(self) -> str:
        return str(_WORDS[self.finding]) % {"url": self.url, "why": self.why}


async def probe(url: str, seconds: float) -> Checked:
    """`url` is one of our own: whoever calls this takes it from the configuration."""
    try:
        return await _probe(url, seconds, settings.OUTBOUND_ALLOWED_NETWORKS)
    except TargetRefused:
        pass  # it leads inwards, or can lead nowhere: asked without rules, it says which
    try:
        checked = await _probe(url, seconds, _EVERYWHERE)
    except TargetRefused as refused:
        return Checked(Finding.BAD_ADDRESS, url, refused.reason)
    return Checked(Finding.PRIVATE_NETWORK, url) if checked.finding is Finding.REACHABLE else checked


def answer_to(shown: str) -> str | None:
    """What proves that we are who was looked for; None where nobody of ours asks."""
    try:
        nonce = _signer().unsign(shown, max_age=PROBE_SECONDS)
    except BadSignature:
        return None
    return _proof(nonce)


async def _probe(url: str, seconds: float, networks: Sequence[Network]) -> Checked:
    nonce = secrets.token_urlsafe(16)
    headers = {PROBE_HEADER: _signer().sign(nonce)}
    try:
        async with GuardedClient(networks, timeout=seconds, allow_http=True) as client:
            answer = await client.request("POST", url, headers=headers)
    except CallFailed as failed:
        return Checked(_OF_FAILURE[failed.failure], url, failed.why)
    if constant_time_compare(answer.body, _proof(nonce)):
        return Checked(Finding.REACHABLE, url)
    return _not_us(url, answer)


def _not_us(url: str, answer: Answer) -> Checked:
    if answer.status in _OF_STATUS:
        return Checked(_OF_STATUS[answer.status], url, str(answer.status))
    if 300 <= answer.status < 400:
        return Checked(Finding.REDIRECTED, url, str(answer.status))
    if answer.status >= 500:
        return Checked(Finding.UNAVAILABLE, url, str(answer.status))
    return Checked(Finding.OTHER_SERVER, url, _("it answers %(status)d") % {"status": answer.status})


def _signer() -> TimestampSigner:
    return TimestampSigner(salt=_SALT)


def _proof(nonce: str) -> str:
    return salted_hmac(f"{_SALT}.answer", nonce, algorithm="sha256").hexdigest()
