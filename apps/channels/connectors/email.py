"""E-mail, over the account's own SMTP server. What that took is sent; that it arrived, nobody says."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from email.utils import formataddr
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.channels import addresses, attachments
from apps.channels.attachments import Attachment
from apps.channels.callback import is_storable_id
from apps.channels.capabilities import AddressKind, Capabilities, CredentialField, Limits, MediaRule
from apps.channels.connector import CalledAt, Connector, Outbound
from apps.channels.content import MediaKind
from apps.channels.errors import (
    AccountRejected,
    MessageRejected,
    RateLimited,
    RecipientRejected,
    SendFailed,
    Transient,
)
from apps.channels.smtp import SmtpClient
from apps.channels.smtp_line import Refusal, Security, Server, Stage
from apps.core.addresses import Network, TargetRefused, check_url
from apps.core.guarded_http import GuardedClient
from apps.core.limiter import Limit

_LONGEST_TEXT = 65_536
_LONGEST_FIRST_LINE = 78
_LONGEST_LINE = 998
# So many connections, and so many attachments in memory.
_MAILS_AT_ONCE = 8
# Where servers take mails. At others, something else listens.
_PORTS = frozenset({25, 465, 587, 2525})
_USUAL_PORT = {Security.STARTTLS: 587, Security.TLS: 465, Security.NONE: 25}
_HOST_AND_PORT = re.compile(r"([^/?#:\[\]]+|\[[^/?#\[\]]+\])(?::([0-9]{1,5}))?")
_NOT_IN_A_HEADER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
# A refusal in three numbers (RFC 3463): the second is its subject, the third says what of it.
_ENHANCED = re.compile(r"[45]\.(\d{1,3})\.(\d{1,3})\b")
_ADDRESS, _MAILBOX = 1, 2
_BAD_SENDER = frozenset({(1, 7), (1, 8)})
_TOO_LARGE = frozenset({(2, 3), (3, 4)})
_LOG_IN_FIRST = frozenset({530, 534, 535, 538})
_NO_ROOM = 552


class Email(Connector):
    label = "E-mail"
    capabilities = Capabilities(
        address=AddressKind.EMAIL,
        longest_text=_LONGEST_TEXT,
        has_subject=True,
        media=dict.fromkeys(MediaKind, MediaRule(attachments.LARGEST_BYTES, _LONGEST_TEXT, by="upload")),
        quotes=True,
        offers_one_click=True,
    )
    # What a small server bears: of its own limits nothing is known.
    limits = Limits(account=Limit(rate=10, burst=50))
    credentials = (
        CredentialField("server", _("Host and port, such as smtp.example.com:587."), is_secret=False),
        CredentialField("security", _("How the connection is encrypted: starttls or tls."), is_secret=False),
        CredentialField("username", _("Empty where nobody has to log in."), is_secret=False, is_required=False),
        CredentialField("password", _("Of that user."), is_required=False),
        CredentialField("from_address", _("Whom the mails are from."), is_secret=False),
        CredentialField(
            "from_name", _("The name that people see."), is_secret=False, is_required=False, is_text=True
        ),
        CredentialField("reply_to", _("Where answers go instead."), is_secret=False, is_required=False),
    )
    provider_account = ""
    called_at = CalledAt.NOWHERE

    def __init__(self, base_url: str) -> None:
        super().__init__(base_url)
        self._smtp = SmtpClient()
        # Of the one event loop on which a process sends.
        self._places = asyncio.Semaphore(_MAILS_AT_ONCE)

    @classmethod
    def bad_credentials(cls, credentials: Mapping[str, str]) -> dict[str, str]:
        wrong = {}
        try:
            _server(credentials)
        except ValueError:
            wrong["security"] = gettext("One of: starttls, tls.")
        except TargetRefused as refused:
            detail = gettext("This is no mail server that can be used: %(reason)s.")
            wrong["server"] = detail % {"reason": refused.reason}
        if bool(credentials["username"]) != bool(credentials["password"]):
            wrong["password"] = gettext("Give both a user name and a password, or neither.")
        for name in ("from_address", "reply_to"):
            if credentials[name] and not addresses.is_possible(AddressKind.EMAIL, credentials[name]):
                wrong[name] = addresses.what_is_wrong(AddressKind.EMAIL)
        if not is_storable_id(_message_id(UUID(int=0), credentials)):
            wrong["from_address"] = gettext("This address is too long.")
        return wrong

    async def send(self, client: GuardedClient, outbound: Outbound) -> str:
        ends_at = time.monotonic() + settings.OUTBOUND_SECONDS
        message = _written(outbound)
        with _in_our_words():
            server = _server(outbound.credentials)
            async with self._place():
                if (attachment := await _attachment(outbound, ends_at - time.monotonic())) is not None:
                    message.attach(*attachment)
                await self._smtp.send(server, message, _allowed(), ends_at - time.monotonic())
        return _message_id(outbound.message_id, outbound.credentials)

    def shown_request(self, outbound: Outbound) -> str:
        mail = _written(outbound)
        headers = {"From": mail.from_email, "To": outbound.to, "Subject": mail.subject, **mail.extra_headers}
        return "\n".join(f"{name}: {value}" for name, value in headers.items()) + f"\n\n{mail.body}"

    async def check(self, client: GuardedClient, credentials: Mapping[str, str]) -> None:
        with _in_our_words():
            await self._smtp.check(_server(credentials), _allowed(), settings.OUTBOUND_SECONDS)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(settings.OUTBOUND_SECONDS / 2):
                await self._places.acquire()
        except TimeoutError:
            # Nothing is wrong with this mail, nor with the server but that it is slower than the account's limit.
            raise RateLimited("busy", "The server takes mails more slowly than they come.") from None
        try:
            yield
        finally:
            self._places.release()


CONNECTOR = Email


class _Mail(EmailMessage):
    def message(self, **options: Any) -> Any:
        written = super().message(**options)
        # Ids and links in the line of their names: not every program looks for them in the next.
        written.policy = written.policy.clone(max_line_length=_LONGEST_LINE)
        return written


def _allowed() -> Sequence[Network]:
    networks: Sequence[Network] = settings.OUTBOUND_ALLOWED_NETWORKS
    return networks


def _server(credentials: Mapping[str, str]) -> Server:
    """Raises ValueError for a security that is none, TargetRefused for a server that may not be connected to."""
    security = Security(credentials["security"])
    if security is Security.NONE and not _allowed():
        raise TargetRefused("neither mails nor passwords leave without encryption")
    parts = _HOST_AND_PORT.fullmatch(credentials["server"])
    if parts is None:
        raise TargetRefused("it is written as host:port")
    # Judged as the host of a URL is: there is no notation of an address that only one of the two would refuse.
    host = check_url(f"https://{parts[1]}", _allowed()).raw_host
    assert host is not None
    port = int(parts[2]) if parts[2] else _USUAL_PORT[security]
    if port not in _PORTS and not _allowed():
        raise TargetRefused(f"port {port} is not one for mails")
    return Server(host.rstrip("."), port, security, credentials["username"], credentials["password"])


def _written(outbound: Outbound) -> _Mail:
    content, credentials = outbound.content, outbound.credentials
    if not addresses.is_possible(AddressKind.EMAIL, outbound.to):
        raise RecipientRejected("bad_address", "This is no e-mail address.")
    if _NOT_IN_A_HEADER.search(content.subject):
        raise MessageRejected("bad_subject", "A subject is one line, without control characters.")
    headers = {"Message-ID": _message_id(outbound.message_id, credentials)}
    if _MESSAGE_ID.fullmatch(outbound.answers):
        headers |= {"In-Reply-To": outbound.answers, "References": outbound.answers}
    if outbound.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{outbound.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return _Mail(
        content.subject or _first_line(content.text) or credentials["from_name"] or credentials["from_address"],
        content.text,
        formataddr((credentials["from_name"], credentials["from_address"])),
        [outbound.to],
        reply_to=[credentials["reply_to"]] if credentials["reply_to"] else None,
        headers=headers,
    )


async def _attachment(outbound: Outbound, seconds: float) -> Attachment | None:
    if outbound.file is not None:
        return await attachments.read(outbound.file, seconds)
    media = outbound.content.media
    return None if media is None else await attachments.fetch(media, seconds)


def _message_id(message_id: UUID, credentials: Mapping[str, str]) -> str:
    """The same in every attempt: whoever gets a mail twice can tell."""
    return f"<{message_id}@{credentials['from_address'].rpartition('@')[2]}>"


def _first_line(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return _NOT_IN_A_HEADER.sub(" ", first).strip()[:_LONGEST_FIRST_LINE]


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise _failure(refusal) from refusal
    except TargetRefused as refused:
        raise AccountRejected("target_refused", refused.reason) from refused


def _failure(refusal: Refusal) -> SendFailed:
    """By what was asked and by the numbers; never by the words, which every server chooses for itself."""
    stage, code = refusal.stage, refusal.code
    enhanced = _ENHANCED.match(refusal.words)
    about = (int(enhanced[1]), int(enhanced[2])) if enhanced else None
    name = f"{code} {enhanced[0]}" if enhanced else str(code)
    if code < 500:
        # One mailbox that is full, or wants to be asked again, says nothing of the others.
        return Transient(name, refusal.words, blames_provider=stage is not Stage.RECIPIENT)
    if stage is Stage.ACCOUNT or code in _LOG_IN_FIRST or about in _BAD_SENDER:
        return AccountRejected(name, refusal.words)
    if stage is Stage.SENDER:
        is_too_large = code == _NO_ROOM or about in _TOO_LARGE
        return MessageRejected(name, refusal.words) if is_too_large else AccountRejected(name, refusal.words)
    if about is None:
        is_about_recipient = stage is Stage.RECIPIENT
    else:
        is_about_recipient = about[0] in {_ADDRESS, _MAILBOX} and about not in _TOO_LARGE
    return RecipientRejected(name, refusal.words) if is_about_recipient else MessageRejected(name, refusal.words)
